/**
 * Committed entries become state: the synchronous twin of `src/replica/state-lane.ts`, on a
 * simulated engine. One batch after another through the state machine, its events and checkpoints
 * behind it; results are given out before the engine has them, reads see only what it has. Now and
 * then a batch that no caller waits for gathers with those after it, as in `gathering.ts`, and a
 * checkpoint waits for more, as in `engine-writer.ts`.
 */
import { assert } from '../../src/base/index.ts';
import type {
  ApplyOutput,
  CommandResult,
  CompactionPlan,
  Loaded,
  Need,
  Reading,
  StateMachine,
  StateWrite,
} from '../../src/kv/index.ts';
import { type ApplyBatch, isAwaited } from '../../src/replica/effects.ts';
import type { SimEngine } from './disk.ts';

/** What the lane asks of its member. */
export interface LaneHost {
  /** Calls back once the engine has had its time; never after a crash. */
  afterEngine(run: () => void): void;
  /** Calls back after a while, if work is to wait for more of its kind; else returns false. */
  maybeGather(run: () => void): boolean;
  /** The same for the next checkpoint. */
  maybeLag(run: () => void): boolean;
  onApplied(
    batch: ApplyBatch,
    results: readonly (CommandResult | undefined)[],
    output: ApplyOutput,
  ): void;
  onReadable(index: number): void;
  onEngineWritten(): void;
}

/** What one step of removal looks at; little, so that commands come in between. */
const stepLimits = { events: 16, bytes: 1_000_000 };
/** Batches that become one when several wait. */
const batchesGatheredMax = 4;
/** Batches that a step lets pass. */
const batchesPerStepMax = 3;

/** What is on its way into the engine as one batch. */
interface PendingWrite {
  readonly writes: readonly StateWrite[];
  readonly settle: () => void;
}

/** Runs a reading over an engine as it is. */
export function runOver<T>(engine: SimEngine, reading: Reading<T>): T {
  let step = reading.next();
  while (step.done !== true) {
    step = reading.next(engine.load(step.value));
  }
  return step.value;
}

/** See the module comment. */
export class SimLane {
  readonly #engine: SimEngine;
  readonly #stateMachine: StateMachine;
  readonly #host: LaneHost;
  readonly #queue: ApplyBatch[] = [];
  #isBusy = false;
  #isClosed = false;
  /** Where the step of removal is that is under way. */
  #removal: 'none' | 'planning' | 'planned' = 'none';
  #plan: CompactionPlan | undefined;
  #passed = 0;
  /** Events not given to the engine yet. */
  #events: StateWrite[] = [];
  /** Something has changed that no checkpoint has taken. */
  #hasNews = false;
  /** The next batch is to be a checkpoint. */
  #isCheckpointDue = false;
  /** What a step of removal, waiting for its checkpoint, removes of history after it. */
  #removals: readonly StateWrite[] | undefined;
  #writing: PendingWrite | undefined;
  /** Go on once the engine has everything. */
  #waiters: (() => void)[] = [];
  readableIndex: number;
  readableRevision: number;

  constructor(engine: SimEngine, stateMachine: StateMachine, host: LaneHost) {
    this.#engine = engine;
    this.#stateMachine = stateMachine;
    this.#host = host;
    this.readableIndex = stateMachine.lastApplied.index;
    this.readableRevision = stateMachine.revision;
    this.compact();
  }

  push(batch: ApplyBatch): void {
    this.#queue.push(batch);
    if (isAwaited(batch) || !this.#host.maybeGather(() => this.#pump())) {
      this.#pump();
    }
  }

  /** Begins the physical removal of compacted history. */
  compact(): void {
    if (this.#removal !== 'none' || !this.#stateMachine.hasCompactionWork || this.#isClosed) {
      return;
    }
    this.#removal = 'planning';
    this.#run(this.#stateMachine.planCompaction(stepLimits), (plan) => {
      this.#removal = 'planned';
      this.#plan = plan;
      this.#passed = 0;
      this.#pump();
    });
  }

  get isIdle(): boolean {
    return (
      !this.#isBusy && !this.#isWriting && this.#queue.length === 0 && this.#removal === 'none'
    );
  }

  /** Runs a reading to its end, on what the engine shows now. */
  read<T>(reading: Reading<T>): T {
    let step = reading.next();
    while (step.done !== true) {
      step = reading.next(this.#engine.load(step.value));
    }
    return step.value;
  }

  /** Stops; returns the proposals of entries that will not be applied here. */
  close(): readonly number[] {
    this.#isClosed = true;
    this.#writing = undefined;
    return this.#queue.flatMap((batch) => batch.proposalIds.filter((id) => id !== 0));
  }

  /** The batch on its way, for a crash that finds it half there. */
  get writingBatch(): readonly StateWrite[] | undefined {
    return this.#writing?.writes;
  }

  get #isWriting(): boolean {
    return this.#writing !== undefined || this.#hasNews;
  }

  /** A method, since whoever is called may have closed it. */
  #hasClosed(): boolean {
    return this.#isClosed;
  }

  #pump(): void {
    while (!this.#isBusy && !this.#isClosed) {
      const plan = this.#plan;
      if (plan !== undefined && (this.#queue.length === 0 || this.#passed >= batchesPerStepMax)) {
        this.#plan = undefined;
        this.#isBusy = true;
        this.#run(this.#stateMachine.removeCompacted(plan), ({ removals }) => {
          this.#finishStep(removals);
        });
        continue;
      }
      const gathered = this.#queue.splice(0, batchesGatheredMax);
      if (gathered.length === 0) {
        return;
      }
      const batch = {
        entries: gathered.flatMap(({ entries }) => entries),
        proposalIds: gathered.flatMap(({ proposalIds }) => proposalIds),
      };
      this.#passed++;
      this.#isBusy = true;
      this.#run(this.#stateMachine.apply(batch.entries), (output) => {
        this.#finishBatch(batch, output);
      });
    }
  }

  #run<T>(reading: Reading<T>, finish: (value: T) => void): void {
    const advance = (loaded: Loaded | undefined): void => {
      if (this.#isClosed) {
        return;
      }
      let step = loaded === undefined ? reading.next() : reading.next(loaded);
      while (step.done !== true) {
        const need: Need = step.value;
        if (need.afterWrites && this.#isWriting) {
          this.#waiters.push(() => {
            advance(this.#engine.load(need));
          });
          this.#checkpoint();
          return;
        }
        step = reading.next(this.#engine.load(need));
      }
      finish(step.value);
    };
    advance(undefined);
  }

  #finishBatch(batch: ApplyBatch, output: ApplyOutput): void {
    assert(output.results.length === batch.entries.length, 'simulated records are small');
    this.#events.push(...output.events);
    this.#hasNews = true;
    if (this.#host.maybeLag(() => this.#checkpoint())) {
      this.#write();
    } else {
      this.#checkpoint();
    }
    this.#host.onApplied(batch, output.results, output);
    this.#isBusy = false;
    this.#pump();
  }

  #finishStep(removals: readonly StateWrite[]): void {
    this.#removals = removals;
    this.#hasNews = true;
    this.#isBusy = false;
    this.#checkpoint();
  }

  #checkpoint(): void {
    this.#isCheckpointDue = this.#hasNews;
    this.#write();
  }

  #write(): void {
    if (this.#writing !== undefined) {
      return;
    }
    const events = this.#events;
    if (this.#isCheckpointDue) {
      this.#writing = this.#takeCheckpoint(events);
    } else if (events.length > 0) {
      this.#writing = { writes: events, settle: () => undefined };
    } else {
      return;
    }
    this.#events = [];
    this.#host.afterEngine(() => {
      this.#settle();
    });
  }

  #takeCheckpoint(events: readonly StateWrite[]): PendingWrite {
    const { checkpoints } = this.#stateMachine;
    const { sequence, writes, index, revision } = checkpoints.take();
    const removals = this.#removals;
    this.#hasNews = false;
    this.#isCheckpointDue = false;
    this.#removals = undefined;
    return {
      writes: [...events, ...writes],
      settle: () => {
        checkpoints.settled(sequence);
        this.readableIndex = index;
        this.readableRevision = revision;
        this.#host.onReadable(index);
        if (removals !== undefined) {
          this.#events.push(...removals);
          this.#stateMachine.removalGiven();
          this.#removal = 'none';
          this.compact();
        }
      },
    };
  }

  #settle(): void {
    const written = this.#writing;
    if (this.#isClosed) {
      return;
    }
    this.#engine.write(this.writingBatch ?? []);
    this.#writing = undefined;
    this.#host.onEngineWritten();
    if (this.#hasClosed()) {
      return;
    }
    written?.settle();
    this.#write();
    if (!this.#isWriting) {
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const go of waiters) {
        go();
      }
    }
    this.#pump();
  }
}
