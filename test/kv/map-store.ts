/**
 * A small ordered store for the state machine's tests: it answers needs, and keeps writes back for
 * as long as a test wants, as an engine with a queue does.
 */
import { assert, compareBytes } from '../../src/base/index.ts';
import {
  type ApplyOutput,
  type Command,
  type CompactionPlan,
  type CompactOutput,
  encodeCommand,
  type Loaded,
  type Need,
  type RangeOperation,
  type RangeOutcome,
  rangeQuery,
  type Reading,
  StateMachine,
  type StateWrite,
  type LevelRange,
  type StoredRecord,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';

/** An ordered map with a queue of writes that it does not show yet. */
export class MapStore {
  readonly #records = new Map<string, StoredRecord>();
  #sorted: StoredRecord[] | undefined;
  /** Outputs handed over, but neither visible nor settled. */
  #queue: (readonly StateWrite[])[] = [];
  /** Needs answered, for tests that count them. */
  readonly needs: Need[] = [];

  write(writes: readonly StateWrite[]): void {
    this.#queue.push(writes);
  }

  /** The same, and shows it at once: before whatever waits. */
  writeNow(writes: readonly StateWrite[]): void {
    this.#queue.unshift(writes);
    this.flush(1);
  }

  /** Number of outputs whose writes are not visible. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Makes the writes of the `count` oldest outputs visible. */
  flush(count = this.#queue.length): void {
    for (const writes of this.#queue.splice(0, count)) {
      for (const write of writes) {
        if (write.type === 'put') {
          this.#records.set(mapKeyOf(write.key), {
            key: write.key.slice(),
            value: write.value.slice(),
          });
        } else {
          this.#records.delete(mapKeyOf(write.key));
        }
      }
      this.#sorted = undefined;
    }
  }

  /** Forgets what is not visible, as a power cut does. */
  crash(): void {
    this.#queue = [];
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(mapKeyOf(key))?.value;
  }

  /** All visible records in byte order. */
  records(): readonly StoredRecord[] {
    this.#sorted ??= [...this.#records.values()].sort((a, b) => compareBytes(a.key, b.key));
    return this.#sorted;
  }

  load(need: Need): Loaded {
    this.needs.push(need);
    if (need.afterWrites) {
      this.flush();
    }
    if (need.type === 'get') {
      return { type: 'get', values: need.keys.map((key) => this.get(key)) };
    }
    assert(!need.reverse, 'the state machine never scans backwards');
    const records = this.records().filter(({ key }) => {
      return compareBytes(key, need.gte) >= 0 && compareBytes(key, need.lt) < 0;
    });
    let bytes = 0;
    const { bytesMax = Number.POSITIVE_INFINITY } = need;
    const end = records.findIndex(
      ({ key, value }) => (bytes += key.length + value.length) >= bytesMax,
    );
    const within = end === -1 ? records : records.slice(0, end + 1);
    return { type: 'scan', records: within.slice(0, need.limit) };
  }
}

/** Runs a reading to its end over `store`; `between` is called at every need. */
export function runReading<T>(reading: Reading<T>, store: MapStore, between?: () => void): T {
  let step = reading.next();
  while (step.done !== true) {
    between?.();
    step = reading.next(store.load(step.value));
  }
  return step.value;
}

/** What an output gives the engine ahead of the next checkpoint. */
export function eventsOf(output: ApplyOutput | CompactOutput): ApplyOutput['events'] {
  return 'events' in output ? output.events : [];
}

/**
 * A state machine over a store, with a checkpoint for each output, and its settlement in the test's
 * hands.
 */
export class Machine {
  readonly store: MapStore;
  readonly machine: StateMachine;
  #index: number;
  /** Sequences of outputs not settled. */
  readonly #unsettled: number[] = [];
  /** What steps of removal remove of history once they have settled. */
  readonly #removals = new Map<number, readonly StateWrite[]>();

  constructor(options: { store?: MapStore; cacheBytesMax?: number; levels?: LevelRange } = {}) {
    this.store = options.store ?? new MapStore();
    const { cacheBytesMax = 1_000_000, levels } = options;
    this.machine = runReading(StateMachine.open({ cacheBytesMax, levels }), this.store);
    this.store.needs.length = 0;
    this.#index = this.machine.lastApplied.index;
  }

  /** Applies encoded commands as consecutive entries of term 1; nothing of it is settled yet. */
  apply(commands: readonly Uint8Array[], between?: () => void): ApplyOutput {
    const entries = commands.map((command, at) => ({
      index: this.#index + 1 + at,
      term: 1,
      command,
    }));
    const output = runReading(this.machine.apply(entries), this.store, between);
    this.#index += commands.length;
    this.#take(output);
    return output;
  }

  /** Applies commands as one batch and returns their results. */
  run(...commands: readonly Command[]): ApplyOutput['results'] {
    return this.apply(commands.map(encodeCommand)).results;
  }

  /** Reads at the machine's revision, or at the one given. */
  read(range: RangeOperation, revision = this.machine.revision): RangeOutcome {
    const { compactRevision } = this.machine;
    return runReading(rangeQuery(range, { revision, compactRevision }), this.store);
  }

  compactStep(events: number, bytes = Number.MAX_SAFE_INTEGER): CompactOutput {
    return this.removeCompacted(this.planCompaction(events, bytes));
  }

  planCompaction(events: number, bytes = Number.MAX_SAFE_INTEGER): CompactionPlan {
    return runReading(this.machine.planCompaction({ events, bytes }), this.store);
  }

  /** After the step before has settled, as in the lane. */
  removeCompacted(plan: CompactionPlan): CompactOutput {
    if (this.#removals.size > 0) {
      this.settle();
    }
    const output = runReading(this.machine.removeCompacted(plan), this.store);
    this.#removals.set(this.#take(output), output.removals);
    return output;
  }

  /** The engine has written everything, and what settled steps remove of history is given to it. */
  settle(count = this.#unsettled.length): void {
    for (const sequence of this.#unsettled.splice(0, count)) {
      if (this.store.queued > this.#unsettled.length) {
        this.store.flush(this.store.queued - this.#unsettled.length);
      }
      this.machine.checkpoints.settled(sequence);
      const removals = this.#removals.get(sequence);
      if (removals !== undefined) {
        this.#removals.delete(sequence);
        this.store.writeNow(removals);
        this.machine.removalGiven();
      }
    }
  }

  get unsettled(): number {
    return this.#unsettled.length;
  }

  #take(output: ApplyOutput | CompactOutput): number {
    const { sequence, writes } = this.machine.checkpoints.take();
    this.store.write([...eventsOf(output), ...writes]);
    this.#unsettled.push(sequence);
    return sequence;
  }
}

/** Returns the bytes of a text of single-byte characters. */
export function bytes(text: string): Uint8Array {
  const result = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    result[at] = text.charCodeAt(at);
  }
  return result;
}

/** Returns the text of such bytes. */
export function text(value: Uint8Array): string {
  return mapKeyOf(value);
}
