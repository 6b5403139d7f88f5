/**
 * Committed entries become state: the synchronous twin of `src/replica/state-lane.ts`, on a
 * simulated engine. One batch after another through the state machine, its writes behind it;
 * results are given out before the engine has them, reads see only what it has. Now and then a
 * batch that no caller waits for gathers with those after it, as in `gathering.ts`.
 */
import { assert } from '../../src/base/index.ts';
import type {
  ApplyOutput,
  CommandResult,
  CompactionPlan,
  CompactOutput,
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
  /** Not given to the engine yet. */
  #unwritten: PendingWrite[] = [];
  /** On their way into the engine, as one batch. */
  #writing: PendingWrite[] | undefined;
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
      !this.#isBusy &&
      this.#writing === undefined &&
      this.#queue.length === 0 &&
      this.#removal === 'none'
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
    return this.#writing?.flatMap(({ writes }) => writes);
  }

  get #isWriting(): boolean {
    return this.#writing !== undefined || this.#unwritten.length > 0;
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
        this.#run(this.#stateMachine.removeCompacted(plan), (step) => {
          this.#finishStep(step);
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
          return;
        }
        step = reading.next(this.#engine.load(need));
      }
      finish(step.value);
    };
    advance(undefined);
  }

  #finishBatch(batch: ApplyBatch, output: ApplyOutput): void {
    const { lastApplied, revision, sequence } = output;
    assert(output.results.length === batch.entries.length, 'simulated records are small');
    this.#unwritten.push({
      writes: output.writes,
      settle: () => {
        this.#stateMachine.settled(sequence);
        this.readableIndex = lastApplied.index;
        this.readableRevision = revision;
        this.#host.onReadable(lastApplied.index);
      },
    });
    this.#write();
    this.#host.onApplied(batch, output.results, output);
    this.#isBusy = false;
    this.#pump();
  }

  #finishStep({ writes, sequence }: CompactOutput): void {
    this.#unwritten.push({
      writes,
      settle: () => {
        this.#stateMachine.settled(sequence);
        this.#removal = 'none';
        this.compact();
      },
    });
    this.#isBusy = false;
    this.#write();
  }

  #write(): void {
    if (this.#writing !== undefined || this.#unwritten.length === 0) {
      return;
    }
    this.#writing = this.#unwritten;
    this.#unwritten = [];
    this.#host.afterEngine(() => {
      this.#settle();
    });
  }

  #settle(): void {
    const written = this.#writing ?? [];
    if (this.#isClosed) {
      return;
    }
    this.#engine.write(this.writingBatch ?? []);
    this.#writing = undefined;
    this.#host.onEngineWritten();
    if (this.#hasClosed()) {
      return;
    }
    for (const { settle } of written) {
      settle();
    }
    this.#write();
    if (this.writingBatch === undefined) {
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const go of waiters) {
        go();
      }
    }
    this.#pump();
  }
}
