/**
 * The lane in which committed entries become state: one batch after another through the state
 * machine, its writes to the engine behind it.
 *
 * An entry's result is known, and given out, as soon as the state machine has computed it: the log
 * holds the entry on a majority, so the answer need not wait for the engine. Reads of the engine
 * wait for its writes: `readableIndex` says up to where they see everything.
 *
 * Compacted history is removed in small steps. What a step removes is looked for beside the lane;
 * its removal takes a turn in the lane when no batch waits, so that it never races with a command,
 * and its writes go to the engine in their order like those of a batch. So a batch waits for one
 * step at most, and for nothing of it but one read of a bounded number of keys. After each step the
 * removal rests; under unbroken load a step has its turn after a number of batches.
 *
 * Invariant: the engine's writes are in the order of the log, and each batch carries its own
 * position, so the engine is always the state of an exact prefix of the log.
 */
import { assert, type EventLoop, KvError, must, type TimerHandle } from '../base/index.ts';
import type {
  AppliedEntry,
  ApplyOutput,
  CompactionPlan,
  CompactionStepLimits,
  CompactOutput,
  Loaded,
  Need,
  Reading,
  StateMachine,
  StateWrite,
} from '../kv/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { Engine } from '../storage/index.ts';
import type { ApplyBatch } from './replica.ts';

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
  readonly eventLoop: Pick<EventLoop, 'after' | 'endOfTurn'>;
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

/** Limit: entries applied in one go; keeps a batch well under 10 ms of the event loop. */
const entriesPerApplyMax = 512;
/**
 * Limit: what one step of removal looks at. So many point reads, which a batch may have to wait
 * for, take about 2 ms.
 */
const stepLimits: CompactionStepLimits = { events: 128, bytes: 1024 * 1024 };
/** Milliseconds between two steps: about 30,000 events a second at most. */
const stepRestMs = 4;
/** Limit: batches that a step lets pass; history must not grow without end under unbroken load. */
const batchesPerStepMax = 16;

/** See the module comment. */
export class StateLane {
  readonly #engine: Engine;
  readonly #stateMachine: StateMachine;
  readonly #handler: StateLaneHandler;
  #queue: ApplyBatch[] = [];
  #isBusy = false;
  #isClosed = false;
  #needsCompaction: boolean;
  #compactionWaiters: (() => void)[] = [];
  /** Where the step of removal is that is under way; at rest after one. */
  #removal: 'none' | 'planning' | 'planned' | 'resting' = 'none';
  #plan: CompactionPlan | undefined;
  /** Batches that the plan has let pass. */
  #passed = 0;
  #rest: TimerHandle | undefined;
  /** Outputs whose writes have not been given to the engine yet. */
  #unwritten: Unwritten[] = [];
  /** Resolves when everything handed to the engine so far has been written. */
  #writing: Promise<void> | undefined;
  #readableIndex: LogIndex;
  #readableRevision: number;
  #removedRevision: number;
  #gets: PendingGet[] = [];

  constructor(engine: Engine, stateMachine: StateMachine, handler: StateLaneHandler) {
    this.#engine = engine;
    this.#stateMachine = stateMachine;
    this.#handler = handler;
    this.#readableIndex = stateMachine.lastApplied.index;
    this.#readableRevision = stateMachine.revision;
    this.#removedRevision = stateMachine.compactRevision;
    // A compaction that a crash cut short goes on where it stopped; with nothing to do it ends at
    // once.
    this.#needsCompaction = true;
  }

  get readableIndex(): LogIndex {
    return this.#readableIndex;
  }

  get readableRevision(): number {
    return this.#readableRevision;
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
    this.#queue.push(...splitBatch(batch));
    this.#pump();
  }

  /** Starts (or resumes) the physical removal of compacted history, in the background. */
  compact(): void {
    this.#needsCompaction = true;
    this.#planStep();
  }

  /** Resolves once all history that was compacted when called is physically gone. */
  async compactionDone(): Promise<void> {
    if (this.#needsCompaction) {
      await new Promise<void>((resolve) => {
        this.#compactionWaiters.push(resolve);
      });
    }
  }

  /** Runs a reading over the engine's present state. */
  async read<T>(reading: Reading<T>): Promise<T> {
    let step = reading.next();
    while (step.done !== true) {
      step = reading.next(await this.#loadForRead(step.value));
    }
    return step.value;
  }

  /**
   * Stops taking work and waits until the engine has what was applied. What waits in the lane, or
   * for the engine, is dropped.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue = [];
    this.#rest?.cancel();
    await this.#written();
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed) {
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
    const batch = this.#queue.shift();
    if (batch !== undefined) {
      this.#passed++;
      this.#isBusy = true;
      this.#run(this.#stateMachine.apply(batch.entries), (output) => {
        this.#finishBatch(batch, output);
      });
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

  #finishBatch(batch: ApplyBatch, output: ApplyOutput): void {
    const { writes, sequence } = output;
    this.#unwritten.push({ writes, sequence, applied: output });
    this.#write();
    this.#handler.onApplied(batch, output);
    this.#next();
  }

  #finishStep({ writes, sequence, removed, isDone }: CompactOutput): void {
    const { compactRevision } = this.#stateMachine;
    this.#removedRevision = compactRevision;
    const onWritten = (): void => {
      this.#handler.onRemoved({ removed, compactRevision, isDone });
      this.#removal = 'resting';
      this.#rest = this.#handler.eventLoop.after(isDone ? 0 : stepRestMs, () => {
        this.#removal = 'none';
        this.#planStep();
      });
    };
    this.#unwritten.push({ writes, sequence, onWritten });
    this.#write();
    this.#next();
  }

  #finishRemoval(): void {
    this.#needsCompaction = false;
    const waiters = this.#compactionWaiters;
    this.#compactionWaiters = [];
    for (const wake of waiters) {
      wake();
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

  /** Gives the engine all unwritten outputs as one batch; one write at a time. */
  #write(): void {
    if (this.#writing !== undefined || this.#unwritten.length === 0) {
      return;
    }
    const outputs = this.#unwritten;
    this.#unwritten = [];
    const last = must(outputs.at(-1), 'the last output');
    const writes = outputs.length === 1 ? last.writes : outputs.flatMap((output) => output.writes);
    this.#writing = this.#engine
      .write(writes)
      .then(() => {
        this.#writing = undefined;
        this.#settle(outputs);
        this.#write();
      })
      .catch((error: unknown) => {
        this.#writing = undefined;
        this.#fail(error);
      });
  }

  #settle(outputs: readonly Unwritten[]): void {
    this.#stateMachine.settled(must(outputs.at(-1), 'the last output').sequence);
    const applied = outputs.findLast((output) => output.applied !== undefined)?.applied;
    if (applied !== undefined) {
      const { lastApplied, revision } = applied;
      assert(lastApplied.index >= this.#readableIndex, 'the engine is written in log order');
      this.#readableIndex = lastApplied.index;
      this.#readableRevision = revision;
      this.#handler.onReadable(this.#readableIndex);
    }
    for (const { onWritten } of outputs) {
      onWritten?.();
    }
  }

  /** Resolves once every output so far is in the engine; what comes meanwhile is not waited for. */
  async #written(): Promise<void> {
    const hasMore = this.#unwritten.length > 0;
    await this.#writing;
    if (hasMore) {
      // It went to the engine as one batch when the one before it was there.
      await this.#writing;
    }
  }

  #fail(error: unknown): void {
    this.#isClosed = true;
    this.#handler.onFatal(error);
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
      await this.#written();
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

/** An output on its way to the engine. */
interface Unwritten {
  readonly writes: readonly StateWrite[];
  readonly sequence: number;
  /** What a batch has come to; undefined for a step of removal. */
  readonly applied?: ApplyOutput | undefined;
  readonly onWritten?: (() => void) | undefined;
}

/** A get waiting for the end of its turn. */
interface PendingGet {
  readonly keys: readonly Uint8Array[];
  readonly resolve: (loaded: Loaded) => void;
  readonly reject: (error: unknown) => void;
}

/** Cuts a batch into pieces of at most `entriesPerApplyMax` entries. */
function splitBatch(batch: ApplyBatch): readonly ApplyBatch[] {
  if (batch.entries.length <= entriesPerApplyMax) {
    return [batch];
  }
  const pieces: { entries: readonly AppliedEntry[]; proposalIds: readonly number[] }[] = [];
  for (let start = 0; start < batch.entries.length; start += entriesPerApplyMax) {
    pieces.push({
      entries: batch.entries.slice(start, start + entriesPerApplyMax),
      proposalIds: batch.proposalIds.slice(start, start + entriesPerApplyMax),
    });
  }
  return pieces;
}
