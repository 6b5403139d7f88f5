/**
 * Linearizability of the whole store, with transactions and reads of many keys, for histories whose
 * answers carry the store's revision.
 *
 * The revisions say in which order the operations took effect, so nothing has to be searched:
 * - each revision is made by one operation;
 * - an operation that returned before another was called comes before it, or at the same revision
 *   if neither changes anything;
 * - every answer is the one that the store gives at that revision (`revision-replay.ts`).
 *
 * A linearizable read has its place between the revision that it tells and the next. So has a
 * serializable one, but it may be old: no operation needs to come before it. What it tells must be
 * a state that the store was in, by then: what it has seen, later linearizable operations see, too.
 *
 * Everything that makes revisions must be in the history. What clients did not ask for (a lease
 * that ended) goes in as an operation of unknown outcome.
 */
import { checkHistory, type History, HistoryError } from './history.ts';
import {
  type AnsweredOperation,
  answeredOperations,
  describeOperation,
  indexByRevision,
  type InitialStore,
  type RevisionIndex,
  type StoreOperation,
} from './revision-index.ts';
import { describeGap, replayRevisions } from './revision-replay.ts';
import type { StoreAnswer, StoreRequest } from './store.ts';

/** What to check against, and how much that may take. */
export interface RevisionOrderOptions {
  /** The store before the history; left out, an empty one at revision 1. */
  readonly initial?: InitialStore | undefined;
  /**
   * How many requests to carry out. A history whose unknown outcomes leave nothing to guess takes
   * one for each operation.
   */
  readonly executionsMax?: number | undefined;
}

/** In what an answer and the rest of the history contradict each other. */
export type RevisionViolationKind =
  | 'duplicate-revision'
  | 'unexplained-revision'
  | 'real-time-order'
  | 'wrong-answer';

/** A contradiction. */
export interface RevisionViolation {
  readonly kind: RevisionViolationKind;
  /** A sentence with the operations in it, by their position in the history. */
  readonly message: string;
  /** The operations that contradict each other: two, or one that contradicts itself. */
  readonly operations: readonly StoreOperation[];
}

/** What a check found. */
export type RevisionOrderResult =
  /** With how many operations of unknown outcome taken to have had an effect. */
  | { readonly verdict: 'linearizable'; readonly placedCount: number }
  | { readonly verdict: 'violation'; readonly violation: RevisionViolation }
  /** Too many ways in which operations of unknown outcome may have taken effect. */
  | { readonly verdict: 'undecided' };

type Contradiction = Omit<RevisionViolation, 'operations'> & {
  readonly operations: readonly number[];
};

const emptyStore: InitialStore = { revision: 1, records: [] };
const executionsMaxDefault = 5_000_000;

/** Checks a history of the whole store; throws a `HistoryError` if it is not well-formed. */
export function checkRevisionOrder(
  history: History<StoreRequest, StoreAnswer>,
  options: RevisionOrderOptions = {},
): RevisionOrderResult {
  const { initial = emptyStore, executionsMax = executionsMaxDefault } = options;
  checkHistory(history);
  checkRevisions(history);
  const answered = answeredOperations(history);
  const index = indexByRevision(history, answered, initial.revision);
  const contradiction =
    findDuplicate(index, initial.revision) ??
    findInversion(index) ??
    findTooManyGaps(index, initial.revision);
  if (contradiction !== undefined) {
    return violationOf(history, contradiction);
  }
  const end = replayRevisions(index, initial, executionsMax);
  switch (end.kind) {
    case 'explained':
      return { verdict: 'linearizable', placedCount: end.placedCount };
    case 'fault':
      return violationOf(history, end.fault);
    case 'bound':
      return { verdict: 'undecided' };
  }
}

function checkRevisions(history: readonly StoreOperation[]): void {
  for (const [index, { output }] of history.entries()) {
    if (output !== undefined && !(Number.isSafeInteger(output.revision) && output.revision > 0)) {
      const problem = `must be a whole number from 1, is ${output.revision}`;
      throw new HistoryError(`operation ${index}`, 'output.revision', problem);
    }
  }
}

function violationOf(
  history: readonly StoreOperation[],
  { kind, message, operations }: Contradiction,
): RevisionOrderResult {
  const named = operations.flatMap((index) => history[index] ?? []);
  return { verdict: 'violation', violation: { kind, message, operations: named } };
}

/** Looks for two operations that made one revision, and for one that the store was past already. */
function findDuplicate(index: RevisionIndex, initialRevision: number): Contradiction | undefined {
  const kind = 'duplicate-revision';
  for (const operation of index.answered) {
    const { revision } = operation.answer;
    const name = describeOperation(index.operations, operation.index);
    if (revision < initialRevision || (operation.isWrite && revision === initialRevision)) {
      const message = `${name} tells a revision that was over at ${initialRevision}`;
      return { kind, message, operations: [operation.index] };
    }
    const other = operation.isWrite ? index.writeByRevision.get(revision) : undefined;
    if (other !== undefined && other.index !== operation.index) {
      const otherName = describeOperation(index.operations, other.index);
      const message = `${name} and ${otherName} both made revision ${revision}`;
      return { kind, message, operations: [operation.index, other.index] };
    }
  }
  return undefined;
}

/** Looks for an operation that returned before one was called that comes first by revision. */
function findInversion(index: RevisionIndex): Contradiction | undefined {
  const byPlace = index.answered.toSorted((a, b) => placeOf(a) - placeOf(b));
  // The operation that was called last, among those at places before the present one.
  let latest: AnsweredOperation | undefined;
  let latestHere: AnsweredOperation | undefined;
  let place = 0;
  for (const operation of byPlace) {
    if (placeOf(operation) !== place) {
      place = placeOf(operation);
      latest = laterCall(latest, latestHere);
      latestHere = undefined;
    }
    if (latest !== undefined && operation.return < latest.call) {
      const name = describeOperation(index.operations, latest.index);
      const otherName = describeOperation(index.operations, operation.index);
      return {
        kind: 'real-time-order',
        message: `${name} was called after ${otherName} had returned, but is of an earlier state`,
        operations: [latest.index, operation.index],
      };
    }
    if (!operation.isSerializable) {
      latestHere = laterCall(latestHere, operation);
    }
  }
  return undefined;
}

/** Writes at even places, reads of a state behind the write that made it. */
function placeOf({ answer, isWrite }: AnsweredOperation): number {
  return 2 * answer.revision + (isWrite ? 0 : 1);
}

function laterCall(
  a: AnsweredOperation | undefined,
  b: AnsweredOperation | undefined,
): AnsweredOperation | undefined {
  return a === undefined || (b !== undefined && b.call > a.call) ? b : a;
}

/** Looks for more missing revisions than there are operations of unknown outcome. */
function findTooManyGaps(index: RevisionIndex, initialRevision: number): Contradiction | undefined {
  const missingCount = index.lastRevision - initialRevision - index.writeByRevision.size;
  if (missingCount <= index.openWrites.length) {
    return undefined;
  }
  const revisions = [...index.writeByRevision.keys(), index.lastRevision + 1].sort((a, b) => a - b);
  let expected = initialRevision + 1;
  let gapStart = expected;
  let gapLength = 0;
  for (const revision of revisions) {
    if (revision - expected > gapLength) {
      gapStart = expected;
      gapLength = revision - expected;
    }
    expected = revision + 1;
  }
  const { kind, message, operations } = describeGap(index, gapStart);
  const openCount = index.openWrites.length;
  return {
    kind,
    message: `${missingCount} revisions for ${openCount} operations of unknown outcome: ${message}`,
    operations,
  };
}
