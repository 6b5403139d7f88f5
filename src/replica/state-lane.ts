/**
 * The lane in which committed entries become state: one batch after another through the state
 * machine, its writes to the engine behind it.
 *
 * An entry's result is known, and given out, as soon as the state machine has computed it: the log
 * holds the entry on a majority, so the answer need not wait for the engine. Reads of the engine
 * wait for its writes: `readableIndex` says up to where they see everything. Compaction runs in the
 * same lane, in small steps between batches, so it never races with a command.
 *
 * Invariant: the engine's writes are in the order of the log, and each batch carries its own
 * position, so the engine is always the state of an exact prefix of the log.
 */
import { assert, KvError, must } from '../base/index.ts';
import type {
  AppliedEntry,
  ApplyOutput,
  CompactOutput,
  Loaded,
  Need,
  Reading,
  StateMachine,
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
  /** Calls back once the events that are due now have been handled. */
  endOfTurn(callback: () => void): void;
}

/** Limit: entries applied in one go; keeps a batch well under 10 ms of the event loop. */
const entriesPerApplyMax = 512;
/** Limit: records that one compaction step looks at. */
const compactionStepRecords = 256;

/** See the module comment. */
export class StateLane {
  readonly #engine: Engine;
  readonly #stateMachine: StateMachine;
  readonly #handler: StateLaneHandler;
  #queue: ApplyBatch[] = [];
  #isBusy = false;
  #isClosed = false;
  /** A write has failed: what the engine holds is no longer known, so nothing is read from it. */
  #needsCompaction: boolean;
  #compactionWaiters: (() => void)[] = [];
  /** Outputs whose writes have not been given to the engine yet. */
  #unwritten: ApplyOutput[] = [];
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
    this.#pump();
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
    await this.#written();
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed) {
      return;
    }
    const batch = this.#queue.shift();
    if (batch !== undefined) {
      this.#isBusy = true;
      this.#run(this.#stateMachine.apply(batch.entries), (output) => {
        this.#finishBatch(batch, output);
      });
    } else if (this.#needsCompaction) {
      this.#isBusy = true;
      this.#run(this.#stateMachine.compactStep(compactionStepRecords), (step) => {
        this.#finishCompactionStep(step);
      });
    }
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
    this.#unwritten.push(output);
    this.#write();
    this.#handler.onApplied(batch, output);
    this.#next();
  }

  #finishCompactionStep(step: CompactOutput): void {
    const done = (): void => {
      this.#stateMachine.settled(step.sequence);
      if (step.isDone) {
        this.#needsCompaction = false;
        const waiters = this.#compactionWaiters;
        this.#compactionWaiters = [];
        for (const wake of waiters) {
          wake();
        }
      }
      this.#next();
    };
    this.#written()
      .then(async () => {
        this.#removedRevision = this.#stateMachine.compactRevision;
        if (step.writes.length > 0 && !this.#isClosed) {
          await this.#engine.write(step.writes);
        }
      })
      .then(done)
      .catch((error: unknown) => {
        if (!this.#isClosed) {
          this.#fail(error);
        }
      });
  }

  /** Goes on in the next turn, so that a long queue does not hold up the event loop. */
  #next(): void {
    this.#isBusy = false;
    if (this.#queue.length > 0 || this.#needsCompaction) {
      this.#handler.endOfTurn(() => {
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

  #settle(outputs: readonly ApplyOutput[]): void {
    const last = must(outputs.at(-1), 'the last output');
    assert(last.lastApplied.index >= this.#readableIndex, 'the engine is written in log order');
    this.#stateMachine.settled(last.sequence);
    this.#readableIndex = last.lastApplied.index;
    this.#readableRevision = last.revision;
    this.#handler.onReadable(this.#readableIndex);
  }

  /** Resolves once every output so far is in the engine. */
  async #written(): Promise<void> {
    while (this.#writing !== undefined) {
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
        this.#handler.endOfTurn(() => {
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
