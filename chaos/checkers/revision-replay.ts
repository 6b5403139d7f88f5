/**
 * Replays a history in the order of its revisions and compares each answer with the state.
 *
 * A revision that nobody who returned has made is given to an operation of unknown outcome. Mostly
 * the answers leave one candidate. Where they leave several, the replay tries one and goes on; when
 * it meets an answer that does not fit, it goes back to the latest choice that had to do with it
 * (conflict-directed backjumping: Prosser, Hybrid Algorithms for the Constraint Satisfaction
 * Problem, 1993) and takes the next candidate. A fault that no choice had to do with ends the
 * replay. Answers that contradict each other whatever the unknown outcomes are, are looked for
 * beforehand, so that an answer that is simply wrong costs no search.
 */
import { assert, must } from '../../src/base/index.ts';
import { describeRecord, type Difference, findDifference } from './difference.ts';
import type { KeyContradiction } from './key-facts.ts';
import { RevisionEvidence } from './revision-evidence.ts';
import {
  type AnsweredOperation,
  describeOperation,
  type InitialStore,
  type OperationIndex,
  type RevisionIndex,
  writtenKeys,
} from './revision-index.ts';
import { RevisionStore } from './revision-store.ts';
import {
  type Changes,
  executeRequest,
  isSelected,
  type KeySelector,
  partsOf,
  type StoreRequest,
} from './store.ts';

/** Why the replay could not go on. */
export interface ReplayFault {
  readonly kind: 'wrong-answer' | 'unexplained-revision';
  readonly message: string;
  /** The operation at fault, and the one that it contradicts, if there is one. */
  readonly operations: readonly OperationIndex[];
}

/** How a replay ended. */
export type ReplayEnd =
  /** How many operations of unknown outcome have taken effect, as far as one can tell. */
  | { readonly kind: 'explained'; readonly placedCount: number }
  | { readonly kind: 'fault'; readonly fault: ReplayFault }
  | { readonly kind: 'bound' };

/** Replays `index`; carries out at most `executionsMax` requests, repeated ones included. */
export function replayRevisions(
  index: RevisionIndex,
  initial: InitialStore,
  executionsMax: number,
): ReplayEnd {
  return new Replay(index, initial, executionsMax).run();
}

/** A fault that choices may have caused. */
interface Conflict {
  /** Those that could have avoided it. */
  readonly choices: ReadonlySet<number>;
  /** What it depends on: as long as nothing of that changes, it stays. Undefined: on anything. */
  readonly selectors: readonly KeySelector[] | undefined;
}

/** Who may have made a revision. */
interface Candidates {
  readonly operations: readonly OperationIndex[];
  /** What they may change, all together. */
  readonly selectors: readonly KeySelector[];
}

/** A revision given to an operation of unknown outcome. */
interface Choice {
  readonly revision: number;
  readonly candidates: Candidates;
  /** Candidates not tried yet. */
  untried: OperationIndex[];
  chosen: OperationIndex | undefined;
  /** Earlier choices that had to do with the failure of candidates. */
  readonly conflicts: Set<number>;
  /** What the failure of candidates depended on; undefined: on anything. */
  dependsOn: KeySelector[] | undefined;
  /** Whether a candidate failed on something it does not change; then all such would. */
  isNarrowed: boolean;
}

class Replay {
  readonly #index: RevisionIndex;
  readonly #initial: InitialStore;
  readonly #executionsMax: number;
  readonly #store: RevisionStore;
  readonly #evidence: RevisionEvidence;
  readonly #choices: Choice[] = [];
  /** Which choice has used an operation. */
  readonly #choiceByOperation = new Map<OperationIndex, number>();
  readonly #candidatesByRevision = new Map<number, Candidates>();
  #executionCount = 0;
  /** The fault that the replay came furthest with: what no choice could avoid. */
  #deepest: { readonly revision: number; readonly fault: ReplayFault } | undefined;

  constructor(index: RevisionIndex, initial: InitialStore, executionsMax: number) {
    this.#index = index;
    this.#initial = initial;
    this.#executionsMax = executionsMax;
    this.#store = new RevisionStore(writtenKeys(index.operations), initial.records);
    this.#evidence = new RevisionEvidence(index, initial, this.#store);
  }

  run(): ReplayEnd {
    const contradiction = this.#hasGaps() ? this.#evidence.findContradiction() : undefined;
    return contradiction === undefined
      ? this.#replay()
      : { kind: 'fault', fault: this.#contradicted(contradiction) };
  }

  /** Without gaps there is nothing to choose: then the replay itself tells more. */
  #hasGaps(): boolean {
    const { lastRevision, writeByRevision } = this.#index;
    return lastRevision - this.#initial.revision > writeByRevision.size;
  }

  #replay(): ReplayEnd {
    let revision = this.#initial.revision;
    let conflict = this.#checkReads(revision);
    while (conflict !== undefined || revision < this.#index.lastRevision) {
      if (this.#executionCount > this.#executionsMax) {
        return { kind: 'bound' };
      }
      if (conflict === undefined) {
        revision += 1;
        conflict = this.#advance(revision) ?? this.#checkReads(revision);
        continue;
      }
      const retried = this.#chooseAgain(conflict);
      if (retried === undefined) {
        return { kind: 'fault', fault: must(this.#deepest, 'the fault of a conflict').fault };
      }
      revision = retried;
      conflict = this.#checkReads(revision);
    }
    return { kind: 'explained', placedCount: this.#choices.length };
  }

  /** Makes `revision`, the next one. */
  #advance(revision: number): Conflict | undefined {
    const known = this.#index.writeByRevision.get(revision);
    if (known === undefined) {
      return this.#openChoice(revision);
    }
    const { changes, conflict } = this.#checkAnswer(known, revision);
    if (conflict === undefined) {
      assert(changes.size > 0, 'a write whose answer is right must change something');
      this.#store.commit(revision, changes);
    }
    return conflict;
  }

  #checkReads(revision: number): Conflict | undefined {
    for (const read of this.#index.readsByRevision.get(revision) ?? []) {
      const { conflict } = this.#checkAnswer(read, revision);
      if (conflict !== undefined) {
        return conflict;
      }
    }
    return undefined;
  }

  #checkAnswer(
    { index, request, answer, isWrite }: AnsweredOperation,
    revision: number,
  ): { readonly changes: Changes; readonly conflict?: Conflict | undefined } {
    this.#executionCount += 1;
    const nextRevision = isWrite ? revision : revision + 1;
    const { changes, result } = executeRequest(this.#store, request, nextRevision);
    const difference = findDifference(result, answer.result);
    if (difference === undefined) {
      return { changes };
    }
    this.#noteFault(revision, () => {
      return this.#wrongAnswer(index, difference, selectorsOf(request));
    });
    const selectors = this.#withDependencies(selectorsOf(request));
    return { changes, conflict: { choices: this.#choicesOn(selectors), selectors } };
  }

  #noteFault(revision: number, describe: () => ReplayFault): void {
    if (this.#deepest === undefined || revision > this.#deepest.revision) {
      this.#deepest = { revision, fault: describe() };
    }
  }

  #wrongAnswer(
    index: OperationIndex,
    { problem, expected, actual }: Difference,
    selectors: readonly KeySelector[],
  ): ReplayFault {
    const key = (expected ?? actual)?.key;
    const changed = key === undefined ? this.#lastChangeOn(selectors) : this.#lastChangeOf(key);
    const other =
      (changed === undefined ? undefined : this.#writerOf(changed)) ??
      (actual === undefined ? undefined : this.#writerOf(actual.modRevision));
    const because = other === undefined || other === index ? '' : `, after ${this.#name(other)}`;
    return {
      kind: 'wrong-answer',
      message: `${this.#name(index)} ${problem}${because}`,
      operations: other === undefined || other === index ? [index] : [index, other],
    };
  }

  #lastChangeOf(key: string): number | undefined {
    return this.#store.lastChangeOf(key);
  }

  #lastChangeOn(selectors: readonly KeySelector[]): number | undefined {
    const changes = selectors.flatMap((selector) =>
      this.#store.keysIn(selector).map((key) => this.#lastChangeOf(key) ?? 0),
    );
    return changes.reduce((a, b) => Math.max(a, b), 0);
  }

  #writerOf(revision: number): OperationIndex | undefined {
    return (
      this.#index.writeByRevision.get(revision)?.index ??
      this.#choices.find((choice) => choice.revision === revision)?.chosen
    );
  }

  #openChoice(revision: number): Conflict | undefined {
    const candidates = this.#candidatesFor(revision);
    const choice: Choice = {
      revision,
      candidates,
      untried: candidates.operations.toReversed(),
      chosen: undefined,
      conflicts: new Set(),
      dependsOn: [],
      isNarrowed: false,
    };
    this.#choices.push(choice);
    if (this.#maybePlace(choice)) {
      return undefined;
    }
    this.#choices.pop();
    this.#noteFault(revision, () => this.#unexplained(revision));
    return conflictOf(choice);
  }

  /** Gives the revision of the latest choice to its next candidate that can have made it. */
  #maybePlace(choice: Choice): boolean {
    let candidate = choice.untried.pop();
    for (; candidate !== undefined; candidate = choice.untried.pop()) {
      const usedBy = this.#choiceByOperation.get(candidate);
      if (usedBy !== undefined) {
        this.#addIfOpen(choice.conflicts, usedBy);
        continue;
      }
      this.#executionCount += 1;
      const request = this.#requestOf(candidate);
      const { changes } = executeRequest(this.#store, request, choice.revision);
      if (changes.size > 0 && this.#evidence.allows(choice.revision, changes)) {
        this.#store.commit(choice.revision, changes);
        this.#choiceByOperation.set(candidate, this.#choices.length - 1);
        choice.chosen = candidate;
        return true;
      }
      const selectors = this.#withDependencies(selectorsOf(request));
      choice.dependsOn?.push(...selectors);
      for (const earlier of this.#choicesOn(selectors, choice)) {
        choice.conflicts.add(earlier);
      }
    }
    return false;
  }

  /** Returns the revision that was given to another candidate, if any choice could help. */
  #chooseAgain(conflict: Conflict): number | undefined {
    let { choices: culprits, selectors } = conflict;
    while (culprits.size > 0) {
      const latest = Math.max(...culprits);
      const choice = must(this.#choices[latest], 'a choice');
      for (const undone of this.#choices.splice(latest + 1)) {
        this.#release(undone);
      }
      this.#narrow(choice, selectors);
      this.#release(choice);
      this.#store.undoTo(choice.revision - 1);
      for (const culprit of culprits) {
        if (culprit !== latest) {
          choice.conflicts.add(culprit);
        }
      }
      if (this.#maybePlace(choice)) {
        return choice.revision;
      }
      ({ choices: culprits, selectors } = conflictOf(choice));
      this.#choices.pop();
    }
    return undefined;
  }

  /**
   * Leaves out candidates that would fail like the one chosen: if that does not change what the
   * fault depends on, only one that does can avoid it.
   */
  #narrow(choice: Choice, selectors: readonly KeySelector[] | undefined): void {
    if (selectors === undefined) {
      choice.dependsOn = undefined;
      return;
    }
    choice.dependsOn?.push(...selectors);
    const doesHelp = (candidate: OperationIndex): boolean =>
      writes(this.#requestOf(candidate), selectors);
    if (!doesHelp(must(choice.chosen, 'the candidate chosen'))) {
      choice.untried = choice.untried.filter(doesHelp);
      choice.isNarrowed = true;
    }
  }

  #release(choice: Choice): void {
    if (choice.chosen !== undefined) {
      this.#choiceByOperation.delete(choice.chosen);
      choice.chosen = undefined;
    }
  }

  /**
   * Adds what the state of `selectors` depends on in turn: the conditions of transactions that were
   * given revisions and write there.
   */
  #withDependencies(selectors: readonly KeySelector[]): readonly KeySelector[] {
    const all = [...selectors];
    for (const { chosen } of this.#choices.toReversed()) {
      const request = chosen === undefined ? undefined : this.#requestOf(chosen);
      if (request?.type === 'txn' && writes(request, all)) {
        all.push(...request.compare);
      }
    }
    return all.length > selectors.length ? withoutRepetition(all) : all;
  }

  /** The choices whose candidates may have changed what `selectors` select. */
  #choicesOn(selectors: readonly KeySelector[], except?: Choice): Set<number> {
    const found = new Set<number>();
    for (const [position, choice] of this.#choices.entries()) {
      const { operations, selectors: others } = choice.candidates;
      // A choice without alternatives is no choice.
      if (operations.length > 1 && choice !== except && overlapAny(others, selectors)) {
        found.add(position);
      }
    }
    return found;
  }

  #addIfOpen(choices: Set<number>, position: number): void {
    if (must(this.#choices[position], 'a choice').candidates.operations.length > 1) {
      choices.add(position);
    }
  }

  /** Which operations of unknown outcome may have made a revision, the likely ones first. */
  #candidatesFor(revision: number): Candidates {
    const known = this.#candidatesByRevision.get(revision);
    if (known !== undefined) {
      return known;
    }
    const visibleBy = this.#evidence.visibleBy(revision);
    const operations = this.#index.openWrites.filter((index) => {
      const { call, input } = must(this.#index.operations[index], 'an operation');
      return call <= visibleBy && this.#evidence.mayMake(revision, input);
    });
    // Most operations take effect soon after their call.
    operations.reverse();
    if (this.#evidence.sightingsAt(revision).length === 0) {
      // Whatever was seen as made by another revision is probably that one's.
      const isSeen = (index: OperationIndex): boolean =>
        partsOf(this.#requestOf(index)).some(
          (part) => part.type === 'put' && this.#evidence.isSighted(part.key, part.value),
        );
      operations.sort((a, b) => Number(isSeen(a)) - Number(isSeen(b)));
    }
    const written = operations.flatMap((index) => writtenBy(this.#requestOf(index)));
    const candidates = { operations, selectors: withoutRepetition(written) };
    this.#candidatesByRevision.set(revision, candidates);
    return candidates;
  }

  #contradicted({ sighting: { record, by }, writer }: KeyContradiction): ReplayFault {
    const told = `${JSON.stringify(record.key)} ${describeRecord(record)}`;
    return {
      kind: 'wrong-answer',
      message: `${this.#name(by.index)} tells ${told}, contrary to ${this.#name(writer.index)}`,
      operations: [by.index, writer.index],
    };
  }

  #unexplained(revision: number): ReplayFault {
    const [sighting] = this.#evidence.sightingsAt(revision);
    const madeBy = 'which no operation can have made';
    if (sighting !== undefined) {
      const { record, by } = sighting;
      const key = JSON.stringify(record.key);
      return {
        kind: 'unexplained-revision',
        message: `${this.#name(by.index)} tells ${key} ${describeRecord(record)}, ${madeBy}`,
        operations: [by.index],
      };
    }
    return describeGap(this.#index, revision);
  }

  #requestOf(index: OperationIndex): StoreRequest {
    return must(this.#index.operations[index], 'an operation').input;
  }

  #name(index: OperationIndex): string {
    return describeOperation(this.#index.operations, index);
  }
}

/** The fault of a revision that no operation can have made, named by its neighbours. */
export function describeGap(index: RevisionIndex, revision: number): ReplayFault {
  let before: AnsweredOperation | undefined;
  let after: AnsweredOperation | undefined;
  for (const operation of index.answered) {
    const at = operation.answer.revision;
    if (at < revision && at >= (before?.answer.revision ?? 0)) {
      before = operation;
    }
    if (at >= revision && at < (after?.answer.revision ?? Number.POSITIVE_INFINITY)) {
      after = operation;
    }
  }
  const neighbours = [before, after].flatMap((it) => (it === undefined ? [] : [it.index]));
  const names = neighbours.map((it) => describeOperation(index.operations, it));
  return {
    kind: 'unexplained-revision',
    message: `revision ${revision} was made by no operation: see ${names.join(' and ')}`,
    operations: neighbours,
  };
}

/** All that the outcome of a request depends on. */
function selectorsOf(request: StoreRequest): readonly KeySelector[] {
  return request.type === 'txn' ? [...request.compare, ...partsOf(request)] : [request];
}

function writtenBy(request: StoreRequest): readonly KeySelector[] {
  return partsOf(request).filter((part) => part.type !== 'range');
}

function writes(request: StoreRequest, selectors: readonly KeySelector[]): boolean {
  return overlapAny(writtenBy(request), selectors);
}

function overlapAny(some: readonly KeySelector[], others: readonly KeySelector[]): boolean {
  return some.some((a) => others.some((b) => overlap(a, b)));
}

function withoutRepetition(selectors: readonly KeySelector[]): readonly KeySelector[] {
  const byText = new Map(selectors.map((it) => [JSON.stringify([it.key, it.rangeEnd]), it]));
  return Array.from(byText.values());
}

/** The fault of a choice that has no candidate left. */
function conflictOf({ conflicts, dependsOn, isNarrowed }: Choice): Conflict {
  // An operation that another choice set free could be tried here; it fails for sure only if one
  // that does not change what matters, either, was seen to fail.
  const selectors =
    isNarrowed && dependsOn !== undefined ? withoutRepetition(dependsOn) : undefined;
  return { choices: conflicts, selectors };
}

/** Two ranges overlap where the one that starts later starts. */
function overlap(a: KeySelector, b: KeySelector): boolean {
  return isSelected(a, b.key) || isSelected(b, a.key);
}
