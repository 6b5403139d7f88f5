/**
 * The search for an order that explains a history: Wing and Gong (Testing and Verifying Concurrent
 * Objects, 1993), with Lowe's memory of configurations (Testing for Linearizability, 2017).
 *
 * Calls and returns stand in a doubly linked list by time. An operation may come next in the order
 * if its call stands before the first return in the list, and if the model allows its output in
 * the present state. It is then taken out of the list, with its return. Where nothing can come
 * next, the last step is taken back. A pair of (operations ordered so far, state) that was reached
 * before cannot end better the second time, so each is explored once.
 *
 * Three observations of our own cut the search down; they keep the verdict:
 * - An operation that changes nothing and is possible now comes next at once, and nothing else is
 *   tried in its place: any order that has it later explains the history with it here, too.
 * - An operation of unknown outcome is not ordered where it would change nothing: leaving it out
 *   is the same.
 * - Of several operations of unknown outcome with equal input, the one called first is ordered
 *   first: they could change places.
 */
import { must, type MonotonicClock } from '../../src/base/index.ts';
import type { History, Operation } from './history.ts';
import type { Model } from './models.ts';
import { WordSequenceSet } from './word-sequence-set.ts';

/** How much a search may take. */
export interface SearchBounds {
  readonly clock: MonotonicClock;
  /** By `clock`, when to give up. */
  readonly deadlineMs: number;
  /** Remembered pairs of ordered operations and state; what they take grows with concurrency. */
  readonly cachedStatesMax: number;
}

/** How a search ended. `time` and `memory` are the bounds that ended it without an answer. */
export type SearchEnd = 'explained' | 'unexplained' | 'time' | 'memory';

/** The end of a search and what it took. */
export interface SearchReport {
  readonly end: SearchEnd;
  readonly cachedStates: number;
}

/** Looks for an order that explains all of `history`, as one partition. */
export function searchOrder<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  bounds: SearchBounds,
): SearchReport {
  return new Search(model, bounds, history).run();
}

const wordBits = 32;
const fullWord = 0xffff_ffff;
const stepsBetweenClockReadings = 512;

/** One step back: which operation was ordered, and the state before it. */
interface Step<State> {
  readonly operation: number;
  readonly state: State;
  readonly stateId: number;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #bounds: SearchBounds;
  /** Those that returned, by call; then those that did not, by call. */
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #returnedCount: number;
  readonly #isPure: readonly boolean[];
  /** For one of unknown outcome, the one called before it that asked the same. */
  readonly #twins: readonly (number | undefined)[];
  /** The list. Node i is the call of operation i, node i + count its return, the last the head. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #head: number;

  #state: State;
  #stateId = 0;
  readonly #stateIds = new Map<string, number>();
  readonly #steps: Step<State>[] = [];
  /** Operations that returned and are not ordered yet: none left means explained. */
  #unorderedCount: number;
  readonly #ordered: OrderedSet;
  readonly #visited = new WordSequenceSet();
  #stepsUntilClock = 0;

  constructor(
    model: Model<State, Input, Output>,
    bounds: SearchBounds,
    history: History<Input, Output>,
  ) {
    const byCall = history.toSorted((a, b) => a.call - b.call);
    const returned = byCall.filter((it) => it.return !== undefined);
    this.#model = model;
    this.#bounds = bounds;
    this.#operations = [...returned, ...byCall.filter((it) => it.return === undefined)];
    this.#returnedCount = returned.length;
    this.#unorderedCount = returned.length;
    this.#isPure = this.#operations.map((it) => model.isPure(it.input, it.output));
    this.#twins = findTwins(this.#operations);
    const count = this.#operations.length;
    this.#head = 2 * count;
    this.#next = new Int32Array(2 * count + 1);
    this.#previous = new Int32Array(2 * count + 1);
    this.#linkEvents();
    this.#ordered = new OrderedSet(this.#returnedCount, count - this.#returnedCount);
    this.#state = model.initial;
    this.#stateId = this.#idOf(model.stateKey(model.initial));
  }

  run(): SearchReport {
    return { end: this.#search(), cachedStates: this.#visited.size };
  }

  #search(): SearchEnd {
    this.#orderPureOperations();
    let node = this.#after(this.#head);
    while (this.#unorderedCount > 0) {
      const exceeded = this.#exceededBound();
      if (exceeded !== undefined) {
        return exceeded;
      }
      if (node < this.#operations.length) {
        const hasMoved = this.#maybeOrder(node);
        node = this.#after(hasMoved ? this.#head : node);
      } else {
        const undone = this.#stepBack();
        if (undone === undefined) {
          return 'unexplained';
        }
        node = this.#after(undone);
      }
    }
    return 'explained';
  }

  #exceededBound(): 'time' | 'memory' | undefined {
    this.#stepsUntilClock -= 1;
    if (this.#stepsUntilClock < 0) {
      this.#stepsUntilClock = stepsBetweenClockReadings;
      if (this.#bounds.clock.nowMs() >= this.#bounds.deadlineMs) {
        return 'time';
      }
    }
    return this.#visited.size > this.#bounds.cachedStatesMax ? 'memory' : undefined;
  }

  /** Orders an operation that changes something, if that is possible and leads to a new pair. */
  #maybeOrder(index: number): boolean {
    const twin = this.#twins[index];
    if (this.#isPure[index] === true || (twin !== undefined && !this.#ordered.has(twin))) {
      return false;
    }
    const { input, output } = this.#operationAt(index);
    const state = this.#model.step(this.#state, input, output);
    if (state === undefined) {
      return false;
    }
    const stateId = this.#idOf(this.#model.stateKey(state));
    if (index >= this.#returnedCount && stateId === this.#stateId) {
      return false;
    }
    this.#ordered.add(index);
    if (!this.#ordered.rememberIn(this.#visited, stateId)) {
      this.#ordered.delete(index);
      return false;
    }
    this.#steps.push({ operation: index, state: this.#state, stateId: this.#stateId });
    this.#takeOut(index);
    this.#state = state;
    this.#stateId = stateId;
    this.#orderPureOperations();
    return true;
  }

  /** Orders whatever may come next and changes nothing. */
  #orderPureOperations(): void {
    let node = this.#after(this.#head);
    while (node < this.#operations.length) {
      if (this.#isPure[node] === true && this.#isPossible(node)) {
        this.#ordered.add(node);
        this.#steps.push({ operation: node, state: this.#state, stateId: this.#stateId });
        this.#takeOut(node);
      }
      // A node that was taken out still knows what stood behind it.
      node = this.#after(node);
    }
  }

  #isPossible(index: number): boolean {
    const { input, output } = this.#operationAt(index);
    return this.#model.step(this.#state, input, output) !== undefined;
  }

  /** Takes back the last step that had alternatives; returns its operation. */
  #stepBack(): number | undefined {
    for (;;) {
      const step = this.#steps.pop();
      if (step === undefined) {
        return undefined;
      }
      this.#ordered.delete(step.operation);
      this.#putBack(step.operation);
      this.#state = step.state;
      this.#stateId = step.stateId;
      if (this.#isPure[step.operation] !== true) {
        return step.operation;
      }
    }
  }

  #linkEvents(): void {
    const count = this.#operations.length;
    const timeOf = (node: number): number => {
      const { call, return: returned } = this.#operationAt(node % count);
      return node < count ? call : must(returned, 'a return');
    };
    const nodes = Array.from({ length: count + this.#returnedCount }, (_, node) => node);
    // At equal times calls come first: then the operations are concurrent.
    nodes.sort((a, b) => timeOf(a) - timeOf(b) || Number(a >= count) - Number(b >= count));
    let last = this.#head;
    for (const node of nodes) {
      this.#next[last] = node;
      this.#previous[node] = last;
      last = node;
    }
    this.#next[last] = this.#head;
    this.#previous[this.#head] = last;
  }

  #takeOut(index: number): void {
    if (index < this.#returnedCount) {
      this.#unlink(index + this.#operations.length);
      this.#unorderedCount -= 1;
    }
    this.#unlink(index);
  }

  /** Undoes the latest `takeOut` that was not undone. */
  #putBack(index: number): void {
    this.#relink(index);
    if (index < this.#returnedCount) {
      this.#relink(index + this.#operations.length);
      this.#unorderedCount += 1;
    }
  }

  #unlink(node: number): void {
    const before = must(this.#previous[node], 'a neighbour');
    const after = this.#after(node);
    this.#next[before] = after;
    this.#previous[after] = before;
  }

  #relink(node: number): void {
    this.#next[must(this.#previous[node], 'a neighbour')] = node;
    this.#previous[this.#after(node)] = node;
  }

  #after(node: number): number {
    return must(this.#next[node], 'a neighbour');
  }

  #operationAt(index: number): Operation<Input, Output> {
    return must(this.#operations[index], 'an operation');
  }

  #idOf(stateKey: string): number {
    const known = this.#stateIds.get(stateKey);
    const id = known ?? this.#stateIds.size;
    if (known === undefined) {
      this.#stateIds.set(stateKey, id);
    }
    return id;
  }
}

function findTwins<Input>(
  operations: readonly Operation<Input, unknown>[],
): readonly (number | undefined)[] {
  const lastByInput = new Map<string, number>();
  return operations.map(({ input, return: returned }, index) => {
    if (returned !== undefined) {
      return undefined;
    }
    const text = JSON.stringify(input);
    const twin = lastByInput.get(text);
    lastByInput.set(text, index);
    return twin;
  });
}

/**
 * Which operations are ordered, as bits. Those that returned are numbered by call, and whatever
 * returned before the first one that is missing is ordered: so only a window of their bits varies,
 * and only that is remembered.
 */
class OrderedSet {
  readonly #returnedCount: number;
  readonly #words: Uint32Array;
  readonly #openWords: Uint32Array;
  /** Words before this one are full. */
  #fullEnd = 0;
  /** Words from this one on are empty. */
  #usedEnd = 0;
  readonly #sequence: Uint32Array;

  constructor(returnedCount: number, openCount: number) {
    this.#returnedCount = returnedCount;
    this.#words = new Uint32Array(Math.ceil(returnedCount / wordBits));
    this.#openWords = new Uint32Array(Math.ceil(openCount / wordBits));
    this.#sequence = new Uint32Array(2 + this.#words.length + this.#openWords.length);
  }

  has(index: number): boolean {
    return index >= this.#returnedCount
      ? isBitSet(this.#openWords, index - this.#returnedCount)
      : isBitSet(this.#words, index);
  }

  add(index: number): void {
    if (index >= this.#returnedCount) {
      flipBit(this.#openWords, index - this.#returnedCount);
      return;
    }
    flipBit(this.#words, index);
    this.#usedEnd = Math.max(this.#usedEnd, Math.floor(index / wordBits) + 1);
    while (this.#words[this.#fullEnd] === fullWord) {
      this.#fullEnd += 1;
    }
  }

  delete(index: number): void {
    if (index >= this.#returnedCount) {
      flipBit(this.#openWords, index - this.#returnedCount);
      return;
    }
    flipBit(this.#words, index);
    this.#fullEnd = Math.min(this.#fullEnd, Math.floor(index / wordBits));
    while (this.#usedEnd > 0 && this.#words[this.#usedEnd - 1] === 0) {
      this.#usedEnd -= 1;
    }
  }

  /** Adds the pair of this set and the state to `visited`; returns whether it was new. */
  rememberIn(visited: WordSequenceSet, stateId: number): boolean {
    const sequence = this.#sequence;
    sequence[0] = stateId;
    sequence[1] = this.#fullEnd;
    let length = 2;
    for (let i = this.#fullEnd; i < this.#usedEnd; i++) {
      sequence[length] = must(this.#words[i], 'a word');
      length += 1;
    }
    sequence.set(this.#openWords, length);
    return visited.add(sequence, length + this.#openWords.length);
  }
}

function isBitSet(words: Uint32Array, bit: number): boolean {
  const word = must(words[Math.floor(bit / wordBits)], 'a word');
  return (word & (1 << (bit % wordBits))) !== 0;
}

/** Every bit is set once and cleared once in turn. */
function flipBit(words: Uint32Array, bit: number): void {
  const word = Math.floor(bit / wordBits);
  words[word] = must(words[word], 'a word') ^ (1 << (bit % wordBits));
}
