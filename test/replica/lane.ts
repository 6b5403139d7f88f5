/** A state lane over a memory engine whose writes and turns a test lets happen one by one. */
import { StateMachine } from '../../src/kv/index.ts';
import { type RemovalStep, StateLane } from '../../src/replica/state-lane.ts';
import { createMemoryEngine, type Engine } from '../../src/storage/index.ts';
import { MapStore, runReading } from '../kv/map-store.ts';
import { entriesOf } from './commands.ts';

type Commands = Parameters<typeof entriesOf>[0];

/** See the module comment. */
export class LaneHarness {
  readonly applied: number[] = [];
  readonly readable: number[] = [];
  readonly fatals: unknown[] = [];
  readonly results: unknown[] = [];
  readonly written: number[] = [];
  readonly damages: unknown[] = [];
  readonly removals: RemovalStep[] = [];
  readonly stateMachine: StateMachine;
  readonly lane: StateLane;
  /** Set to make the engine's next write fail. */
  writeFailure: Error | undefined;
  hasListeners = false;
  hasReaders = false;
  nowMs = 0;
  #turns: (() => void)[] = [];
  readonly #timers = new Set<() => void>();
  /** Told of each batch that is applied, and each step of removal that is in the engine. */
  onProgress: ((what: 'batch' | 'step') => void) | undefined;
  readonly #writes = new Gate();
  readonly #scans = new Gate();
  readonly #gets = new Gate();
  #nextIndex = 1;

  constructor(cacheBytesMax = 1024 * 1024) {
    this.stateMachine = runReading(StateMachine.open({ cacheBytesMax }), new MapStore());
    this.lane = new StateLane(this.#engine(), this.stateMachine, {
      onApplied: (batch, { results }) => {
        this.onProgress?.('batch');
        this.applied.push(...batch.entries.map((entry) => entry.index));
        this.results.push(...results);
      },
      onReadable: (index) => {
        this.readable.push(index);
      },
      onFatal: (error) => {
        this.fatals.push(error);
      },
      onDamaged: (error) => {
        this.damages.push(error);
      },
      onRemoved: (step) => {
        this.onProgress?.('step');
        this.removals.push(step);
      },
      hasListeners: () => this.hasListeners,
      hasReaders: () => this.hasReaders,
      eventLoop: {
        nowMs: () => this.nowMs,
        endOfTurn: (callback) => {
          this.#turns.push(callback);
        },
        after: (_, callback) => {
          this.#timers.add(callback);
          return { cancel: () => this.#timers.delete(callback) };
        },
      },
    });
  }

  /** Commits these commands as one batch, of callers of this member. */
  push(...commands: Commands): void {
    this.#push(commands, 1);
  }

  /** The same, while nobody here waits for them. */
  pushUnawaited(...commands: Commands): void {
    this.#push(commands, 0);
  }

  /** From now on the engine's writes wait for `releaseWrites`. */
  holdWrites(): void {
    this.#writes.close();
  }

  async releaseWrites(): Promise<void> {
    this.#writes.open();
    await this.settle();
  }

  /** The same for scans; `releaseScans` lets no time pass. */
  holdScans(): void {
    this.#scans.close();
  }

  get heldScans(): number {
    return this.#scans.waiting;
  }

  async releaseScans(): Promise<void> {
    this.#scans.open();
    await this.settleNow();
  }

  /** The same for point reads. */
  holdGets(): void {
    this.#gets.close();
  }

  async releaseGets(): Promise<void> {
    this.#gets.open();
    await this.settleNow();
  }

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets turns, timers and engine work go on until nothing more happens by itself. */
  async settle(): Promise<void> {
    do {
      await this.settleNow();
    } while (this.fireTimers());
  }

  /** The time of all timers has come; false when there was none. */
  fireTimers(): boolean {
    const due = [...this.#timers];
    this.#timers.clear();
    for (const callback of due) {
      callback();
    }
    return due.length > 0;
  }

  /** The same as `settle`, while no time passes. */
  async settleNow(): Promise<void> {
    for (let quiet = 0; quiet < 20; quiet++) {
      const turns = this.#turns;
      this.#turns = [];
      for (const turn of turns) {
        quiet = 0;
        turn();
      }
      await Promise.resolve();
    }
  }

  /** Runs one promise to its end, with the turns it needs. */
  async run<T>(promise: Promise<T>): Promise<T> {
    const state = { isDone: false };
    const mark = (): void => {
      state.isDone = true;
    };
    promise.then(mark, mark);
    for (let i = 0; i < 1000 && !state.isDone; i++) {
      await this.settle();
    }
    if (!state.isDone) {
      throw new Error('this needs something that the test holds back');
    }
    return promise;
  }

  #push(commands: Commands, proposalId: number): void {
    const entries = entriesOf(commands, this.#nextIndex);
    this.#nextIndex += commands.length;
    this.lane.push({ entries, proposalIds: entries.map(() => proposalId) });
  }

  #engine(): Engine {
    const engine = createMemoryEngine();
    return {
      getMany: async (keys) => {
        await this.#gets.pass();
        return engine.getMany(keys);
      },
      scan: async (range) => {
        await this.#scans.pass();
        return engine.scan(range);
      },
      flush: async () => engine.flush(),
      snapshot: () => engine.snapshot(),
      sizeBytes: async () => engine.sizeBytes(),
      compactRange: async () => engine.compactRange(),
      retire: async () => engine.retire(),
      close: async () => engine.close(),
      [Symbol.asyncDispose]: async () => engine.close(),
      write: async (batch) => {
        if (this.writeFailure !== undefined) {
          throw this.writeFailure;
        }
        await this.#writes.pass();
        this.written.push(batch.length);
        await engine.write(batch);
      },
    };
  }
}

/** Lets pass what comes, unless it is closed: then that waits until it is opened. */
class Gate {
  #isClosed = false;
  #held: (() => void)[] = [];

  get waiting(): number {
    return this.#held.length;
  }

  close(): void {
    this.#isClosed = true;
  }

  open(): void {
    this.#isClosed = false;
    const held = this.#held;
    this.#held = [];
    for (const release of held) {
      release();
    }
  }

  async pass(): Promise<void> {
    if (this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#held.push(resolve);
      });
    }
  }
}
