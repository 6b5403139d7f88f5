/**
 * The lane in which committed entries become state: one batch after another through the state
 * machine, its writes to the engine behind it.
 *
 * An entry's result is known, and given out, as soon as the state machine has computed it: the log
 * holds the entry on a majority, so the answer need not wait for the engine. Reads of the engine
 * wait for its checkpoints (`engine-writer.ts`): `readableIndex` says up to where they see
 * everything. While too many bytes of them wait, nothing is applied.
 *
 * While nobody reads, work waits for more of its kind (`gathering.ts`), each batch once: one that a
 * caller of this member waits for is applied at once, and then its events wait; any other waits
 * before it is applied. Checkpoints wait for longer: until much has come, or somebody reads, or
 * nothing comes any more, or for a second.
 *
 * Compacted history is removed in small steps. What a step removes is looked for beside the lane;
 * its removal takes a turn in the lane when no batch waits, so that it never races with a command;
 * what it removes of the state goes to the engine like the changes of a batch, and the events that
 * would lead the next attempt there go after that. So a batch waits for one
 * step at most, and for nothing of it but one read of a bounded number of keys. After each step the
 * removal rests; under unbroken load a step has its turn after a number of batches.
 */
import { type EventLoop, KvError, must, type TimerHandle } from '../base/index.ts';
import type {
  ApplyOutput,
  CompactionPlan,
  CompactionStepLimits,
  CompactOutput,
  Loaded,
  Need,
  Reading,
  StateMachine,
} from '../kv/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { Engine } from '../storage/index.ts';
import { ApplyQueue } from './apply-queue.ts';
import { isOverdue } from './cluster-clock.ts';
import { type ApplyBatch, isAwaited } from './effects.ts';
import { EngineWriter } from './engine-writer.ts';
import { Gathering } from './gathering.ts';

/**
 * What the lane tells its member; all calls come from the event loop, never re-entrantly from
 * `push`.
 */
export interface StateLaneHandler {
  /** What a batch has come to. */
  onApplied(batch: ApplyBatch, output: ApplyOutput): void;
  /** Reads now see everything up to `index`. */
  onReadable(index: LogIndex): void;
  /** The engine failed; the member cannot go on. */
  onFatal(error: unknown): void;
  /** A read has found the engine damaged; it fails, and the lane goes on. */
  onDamaged(error: KvError): void;
  /** A step of removing compacted history is in the engine. */
  onRemoved(step: RemovalStep): void;
  /** Whether somebody on this member is told of changes as they are applied. */
  hasListeners(): boolean;
  /** Whether a read waits for the state. */
  hasReaders(): boolean;
  readonly eventLoop: Pick<EventLoop, 'after' | 'endOfTurn' | 'nowMs'>;
}

/** A step of removing compacted history. */
export interface RemovalStep {
  /** Events that it removed. */
  readonly removed: number;
  /** The compaction that it belongs to. */
  readonly compactRevision: number;
  /** True when nothing is left to remove. */
  readonly isDone: boolean;
}

/**
 * Limit: what one step of removal looks at. So many point reads, which a batch may have to wait
 * for, take about 2 ms.
 */
const stepLimits: CompactionStepLimits = { events: 128, bytes: 1024 * 1024 };
/** Milliseconds between two steps: about 30,000 events a second at most. */
const stepRestMs = 4;
/** Limit: batches that a step lets pass; history must not grow without end under unbroken load. */
const batchesPerStepMax = 16;
/** Limit: events that wait for more of them. */
const gatheredEventsMax = 2048;
/** Limit: milliseconds that a checkpoint waits under unbroken load; the log is kept meanwhile. */
const checkpointDelayMsMax = 1000;

/** See the module comment. */
export class StateLane {
  readonly #engine: Engine;
  readonly #stateMachine: StateMachine;
  readonly #handler: StateLaneHandler;
  readonly #queue = new ApplyQueue();
  #isBusy = false;
  #isClosed = false;
  #needsCompaction: boolean;
  #compactionWaiters: CompactionWaiter[] = [];
  /** Where the step of removal is that is under way; at rest after one. */
  #removal: 'none' | 'planning' | 'planned' | 'resting' = 'none';
  #plan: CompactionPlan | undefined;
  /** Batches that the plan has let pass. */
  #passed = 0;
  #rest: TimerHandle | undefined;
  readonly #writer: EngineWriter;
  /** What waits here: batches in the queue, and what is on its way to the engine. */
  readonly #gathering: Gathering;
  /** Something has been applied since what waited was let go on the last time. */
  #hasApplied = false;
  /** Since when something has been applied that the lane has asked no checkpoint for. */
  #behindSinceMs: number | undefined;
  #removedRevision: number;
  #gets: PendingGet[] = [];

  constructor(engine: Engine, stateMachine: StateMachine, handler: StateLaneHandler) {
    this.#engine = engine;
    this.#stateMachine = stateMachine;
    this.#handler = handler;
    this.#writer = new EngineWriter(engine, stateMachine, {
      onReadable: (index) => {
        handler.onReadable(index);
      },
      onRoom: () => {
        this.#pump();
      },
      onFailed: (error) => {
        this.#fail(error);
      },
    });
    this.#gathering = new Gathering(handler.eventLoop, (isWanted) => {
      this.#release(isWanted);
    });
    this.#removedRevision = stateMachine.compactRevision;
    // A compaction that a crash cut short goes on where it stopped; with nothing to do it ends at
    // once.
    this.#needsCompaction = true;
  }

  /** Last entry that has been applied, be it readable or not. */
  get appliedIndex(): LogIndex {
    return this.#stateMachine.lastApplied.index;
  }

  get readableIndex(): LogIndex {
    return this.#writer.readableIndex;
  }

  get readableRevision(): number {
    return this.#writer.readableRevision;
  }

  /**
   * History below may be physically gone, or going: reads that began at a lower revision do not
   * count.
   */
  get removedRevision(): number {
    return this.#removedRevision;
  }

  /** Batches waiting to be applied. */
  get queuedBatches(): number {
    return this.#queue.length;
  }

  /** Takes the next committed entries. */
  push(batch: ApplyBatch): void {
    this.#queue.push(batch);
    if (!this.#mayGather(batch)) {
      this.#pump();
    }
  }

  /** The state is about to be read: nothing waits for more of its kind now. */
  wanted(): void {
    this.#gathering.wanted();
  }

  /** The same; resolves once everything that has been applied can be read, if any of it waited. */
  async upToDate(): Promise<void> {
    const isBehind = this.#gathering.isWaiting;
    this.#gathering.wanted();
    if (isBehind) {
      await this.#writer.written();
    }
  }

  /**
   * Resolves once everything that has been applied can be read, be it on its way already; what can
   * be applied at once is.
   */
  async allReadable(): Promise<void> {
    this.#gathering.wanted();
    await this.#writer.written();
  }

  /** Brings the engine up to what has been applied, though nobody reads it. */
  checkpoint(): void {
    this.#behindSinceMs = undefined;
    this.#writer.checkpoint();
  }

  /** Starts (or resumes) the physical removal of compacted history, in the background. */
  compact(): void {
    this.#needsCompaction = true;
    this.#planStep();
  }

  /**
   * Resolves once all history that was compacted when called is physically gone.
   *
   * @throws {KvError} STOPPED — the lane closes before that.
   */
  async compactionDone(): Promise<void> {
    if (this.#isClosed) {
      throw new KvError('STOPPED');
    }
    if (this.#needsCompaction) {
      await new Promise<void>((resolve, reject) => {
        this.#compactionWaiters.push({ resolve, reject });
      });
    }
  }

  /** Runs a reading over the engine's present state. */
  async read<T>(reading: Reading<T>): Promise<T> {
    this.wanted();
    let step = reading.next();
    while (step.done !== true) {
      step = reading.next(await this.#loadForRead(step.value));
    }
    return step.value;
  }

  /**
   * Stops taking work and waits until the engine has what was applied. What waits in the lane is
   * dropped.
   */
  async close(): Promise<void> {
    this.#end();
    this.#queue.clear();
    this.#gathering.wanted();
    await this.#writer.written();
  }

  /** Lets a batch wait for more, if nobody here waits for it. */
  #mayGather(batch: ApplyBatch): boolean {
    return (
      !this.#queue.isLong &&
      !isAwaited(batch) &&
      !this.#handler.hasListeners() &&
      !isOverdue(this.#stateMachine.time) &&
      this.#gathering.mayWait()
    );
  }

  /** Lets go on what has waited for more of its kind. */
  #release(isWanted: boolean): void {
    const isAtRest = !this.#hasApplied && this.#queue.length === 0;
    this.#hasApplied = false;
    this.#pump();
    if (isWanted || isAtRest) {
      this.checkpoint();
    } else {
      this.#store(false);
    }
  }

  /** Gives the engine what has been applied, as far as nobody reads and it may wait for more. */
  #store(mayEventsWait: boolean): void {
    const nowMs = this.#handler.eventLoop.nowMs();
    const isLate = nowMs - (this.#behindSinceMs ?? nowMs) >= checkpointDelayMsMax;
    if (isLate || this.#handler.hasReaders() || !this.#gathering.mayWait()) {
      this.checkpoint();
    } else if (!mayEventsWait) {
      this.#writer.write();
    }
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed || this.#writer.isFull) {
      return;
    }
    const plan = this.#plan;
    if (plan !== undefined && (this.#queue.length === 0 || this.#passed >= batchesPerStepMax)) {
      this.#plan = undefined;
      this.#isBusy = true;
      this.#run(this.#stateMachine.removeCompacted(plan), (step) => {
        this.#finishStep(step);
      });
      return;
    }
    const batch = this.#queue.take();
    if (batch !== undefined) {
      this.#passed++;
      this.#isBusy = true;
      const { entries, proposalIds } = batch;
      this.#run(
        this.#stateMachine.apply(entries, (at) => proposalIds[at] !== 0),
        (output) => {
          this.#finishBatch(batch, output);
        },
      );
    }
  }

  /** Looks for what the next step removes, unless one is under way; batches go on meanwhile. */
  #planStep(): void {
    if (this.#removal !== 'none' || !this.#needsCompaction || this.#isClosed) {
      return;
    }
    if (!this.#stateMachine.hasCompactionWork) {
      this.#finishRemoval();
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

  /**
   * Drives a reading: synchronously as long as it needs nothing, so a batch of cached keys never
   * waits.
   */
  #run<T>(reading: Reading<T>, finish: (value: T) => void): void {
    const advance = (loaded: Loaded | undefined): void => {
      const step = loaded === undefined ? reading.next() : reading.next(loaded);
      if (step.done === true) {
        finish(step.value);
        return;
      }
      this.#load(step.value)
        .then((next) => {
          // Closed meanwhile: there may be another state, and this result is not one of it.
          if (!this.#isClosed) {
            advance(next);
          }
        })
        .catch((error: unknown) => {
          if (!this.#isClosed) {
            this.#fail(error);
          }
        });
    };
    advance(undefined);
  }

  #finishBatch(taken: ApplyBatch, output: ApplyOutput): void {
    const batch = this.#queue.putBack(taken, output.results.length);
    this.#writer.add(output.events);
    this.#hasApplied = true;
    this.#behindSinceMs ??= this.#handler.eventLoop.nowMs();
    const { waitingEvents, isDue } = this.#writer;
    this.#store(isAwaited(batch) && waitingEvents < gatheredEventsMax && !isDue);
    this.#handler.onApplied(batch, output);
    this.#next();
  }

  #finishStep({ removals, isDone }: CompactOutput): void {
    const { compactRevision } = this.#stateMachine;
    this.#removedRevision = compactRevision;
    this.#writer.addStep(() => {
      this.#writer.remove(removals, () => {
        this.#handler.onRemoved({ removed: removals.length, compactRevision, isDone });
        this.#restFromRemoval(isDone);
      });
      this.#stateMachine.removalGiven();
    });
    this.#next();
  }

  #restFromRemoval(isDone: boolean): void {
    if (this.#isClosed) {
      return;
    }
    this.#removal = 'resting';
    this.#rest = this.#handler.eventLoop.after(isDone ? 0 : stepRestMs, () => {
      this.#removal = 'none';
      this.#planStep();
    });
  }

  #finishRemoval(): void {
    this.#needsCompaction = false;
    const waiters = this.#compactionWaiters;
    this.#compactionWaiters = [];
    for (const { resolve } of waiters) {
      resolve();
    }
  }

  /** Goes on in the next turn, so that a long queue does not hold up the event loop. */
  #next(): void {
    this.#isBusy = false;
    if (this.#queue.length > 0 || this.#plan !== undefined) {
      this.#handler.eventLoop.endOfTurn(() => {
        this.#pump();
      });
    }
  }

  #fail(error: unknown): void {
    this.#end();
    this.#handler.onFatal(error);
  }

  /** Takes no work from now on. */
  #end(): void {
    this.#isClosed = true;
    this.#rest?.cancel();
    const waiters = this.#compactionWaiters;
    this.#compactionWaiters = [];
    for (const { reject } of waiters) {
      reject(new KvError('STOPPED'));
    }
  }

  async #loadForRead(need: Need): Promise<Loaded> {
    try {
      return await this.#load(need);
    } catch (error) {
      if (isEngineDamage(error) && !this.#isClosed) {
        this.#handler.onDamaged(error);
      }
      throw error;
    }
  }

  async #load(need: Need): Promise<Loaded> {
    if (need.afterWrites) {
      await this.#writer.written();
    }
    if (this.#isClosed) {
      throw new KvError('STOPPED');
    }
    if (need.type === 'scan') {
      return { type: 'scan', records: await this.#engine.scan(need) };
    }
    return new Promise<Loaded>((resolve, reject) => {
      this.#gets.push({ keys: need.keys, resolve, reject });
      if (this.#gets.length === 1) {
        this.#handler.eventLoop.endOfTurn(() => {
          this.#loadGets();
        });
      }
    });
  }

  /** All gets of one turn make one trip to the engine. */
  #loadGets(): void {
    const gets = this.#gets;
    this.#gets = [];
    if (this.#isClosed) {
      for (const get of gets) {
        get.reject(new KvError('STOPPED'));
      }
      return;
    }
    const keys = gets.length === 1 ? must(gets[0], 'a get').keys : gets.flatMap((get) => get.keys);
    this.#engine.getMany(keys).then(
      (values) => {
        let offset = 0;
        for (const get of gets) {
          const end = offset + get.keys.length;
          get.resolve({ type: 'get', values: values.slice(offset, end) });
          offset = end;
        }
      },
      (error: unknown) => {
        for (const get of gets) {
          get.reject(error);
        }
      },
    );
  }
}

/** Whether an error tells of a damaged state, which other members may have whole. */
export function isEngineDamage(error: unknown): error is KvError {
  return error instanceof KvError && error.details['part'] === 'engine';
}

/** Whoever waits until compacted history is gone. */
interface CompactionWaiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A get waiting for the end of its turn. */
interface PendingGet {
  readonly keys: readonly Uint8Array[];
  readonly resolve: (loaded: Loaded) => void;
  readonly reject: (error: unknown) => void;
}
