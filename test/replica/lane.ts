/** A state lane over a memory engine whose writes and turns a test lets happen one by one. */
import { StateMachine } from '../../src/kv/index.ts';
import { StateLane } from '../../src/replica/state-lane.ts';
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
  readonly stateMachine: StateMachine;
  readonly lane: StateLane;
  /** Set to make the engine's next write fail. */
  writeFailure: Error | undefined;
  #turns: (() => void)[] = [];
  #heldWrites: (() => void)[] = [];
  #holdsWrites = false;
  #nextIndex = 1;

  constructor(cacheBytesMax = 1024 * 1024) {
    this.stateMachine = runReading(StateMachine.open({ cacheBytesMax }), new MapStore());
    this.lane = new StateLane(this.#engine(), this.stateMachine, {
      onApplied: (batch, { results }) => {
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
      endOfTurn: (callback) => {
        this.#turns.push(callback);
      },
    });
  }

  /** Commits these commands as one batch. */
  push(...commands: Commands): void {
    const entries = entriesOf(commands, this.#nextIndex);
    this.#nextIndex += commands.length;
    this.lane.push({ entries, proposalIds: entries.map(() => 0) });
  }

  /** From now on the engine's writes wait for `releaseWrites`. */
  holdWrites(): void {
    this.#holdsWrites = true;
  }

  async releaseWrites(): Promise<void> {
    this.#holdsWrites = false;
    const held = this.#heldWrites;
    this.#heldWrites = [];
    for (const release of held) {
      release();
    }
    await this.settle();
  }

  /** Lets turns and engine work go on until nothing more happens by itself. */
  async settle(): Promise<void> {
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

  #engine(): Engine {
    const engine = createMemoryEngine();
    return {
      getMany: async (keys) => engine.getMany(keys),
      scan: async (range) => engine.scan(range),
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
        if (this.#holdsWrites) {
          await new Promise<void>((resolve) => {
            this.#heldWrites.push(resolve);
          });
        }
        this.written.push(batch.length);
        await engine.write(batch);
      },
    };
  }
}
