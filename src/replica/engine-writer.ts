/**
 * Gives the engine what the state machine has computed, one batch at a time: events as they come
 * and go, all else by checkpoints (`checkpoint.ts` of the state machine), as seldom as may be: a
 * key that changes often is then written once for many changes.
 *
 * Invariant: a checkpoint goes with all changes of history before it or after them, so the engine
 * is always the state of an exact prefix of the log, with history ahead of it at most. What waits
 * is bounded by whoever adds: nothing more while this is full.
 */
import { append, assert } from '../base/index.ts';
import type { Checkpoint, Checkpoints, StateWrite } from '../kv/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { Engine } from '../storage/index.ts';

/**
 * Limit: bytes that wait while the engine is busy, and as many again are on their way into it. An
 * engine that cannot keep pace with its log is to hold back what is applied, not to fill the
 * memory.
 */
const waitingBytesMax = 32 * 1024 * 1024;
/** What a write costs in memory beside its key and value. */
const writeOverheadBytes = 64;
/** Limit: operations of one checkpoint; handing them over takes the event loop some 10 ms. */
const checkpointWritesMax = 12_288;
/**
 * Limit: bytes of history since the last checkpoint, and of what waits for the next one. The
 * records of as much history stay in memory until then, and a start after a crash applies it anew.
 */
const checkpointBytesMax = 16 * 1024 * 1024;

/** Where the engine's state is to begin from. */
export interface EngineWriterStart {
  readonly checkpoints: Pick<Checkpoints, 'count' | 'bytes' | 'take' | 'settled'>;
  readonly lastApplied: { readonly index: LogIndex };
  readonly revision: number;
}

/** Whom it tells. */
export interface EngineWriterHandler {
  /** Reads now see everything up to `index`. */
  onReadable(index: LogIndex): void;
  /** It was full, and is not any more. */
  onRoom(): void;
  /** The engine failed; nothing is written any more. */
  onFailed(error: unknown): void;
}

/** See the module comment. */
export class EngineWriter {
  readonly #engine: Pick<Engine, 'write'>;
  readonly #checkpoints: EngineWriterStart['checkpoints'];
  readonly #handler: EngineWriterHandler;
  /** Changes of history that the engine has not been given yet: events, and removals of events. */
  #history: StateWrite[] = [];
  /** Called once those are in the engine. */
  #onHistory: (() => void)[] = [];
  #waitingBytes = 0;
  /** Bytes of events since the last checkpoint. */
  #aheadBytes = 0;
  /** There is something that no checkpoint has taken. */
  #hasNews = false;
  /** The next batch is to be a checkpoint. */
  #isWanted = false;
  /** Called once the next checkpoint is in the engine. */
  #onCheckpoint: (() => void)[] = [];
  /** Resolves when the batch on its way has been written. */
  #writing: Promise<void> | undefined;
  /** A batch is missing in the engine: none may follow it. */
  #hasFailed = false;
  #readableIndex: LogIndex;
  #readableRevision: number;

  constructor(
    engine: Pick<Engine, 'write'>,
    start: EngineWriterStart,
    handler: EngineWriterHandler,
  ) {
    this.#engine = engine;
    this.#checkpoints = start.checkpoints;
    this.#handler = handler;
    this.#readableIndex = start.lastApplied.index;
    this.#readableRevision = start.revision;
  }

  /** Reads see everything up to here: the last checkpoint that is in the engine. */
  get readableIndex(): LogIndex {
    return this.#readableIndex;
  }

  get readableRevision(): number {
    return this.#readableRevision;
  }

  /** Changes of history that wait for `write`. */
  get waitingEvents(): number {
    return this.#history.length;
  }

  /** So much has gathered that the next write is a checkpoint. */
  get isDue(): boolean {
    const { count, bytes } = this.#checkpoints;
    return count >= checkpointWritesMax || this.#aheadBytes + bytes >= checkpointBytesMax;
  }

  /** So much waits that nothing is to be added before some of it has gone. */
  get isFull(): boolean {
    return this.#waitingBytes + this.#checkpoints.bytes >= waitingBytesMax;
  }

  /** Takes the events of a finished output; they wait for `write`. */
  add(events: readonly StateWrite[]): void {
    append(this.#history, events);
    const bytes = bytesOf(events);
    this.#waitingBytes += bytes;
    this.#aheadBytes += bytes;
    this.#hasNews = true;
  }

  /** Writes the checkpoint of a step of removal at once, and tells when it is in the engine. */
  addStep(onWritten: () => void): void {
    this.#onCheckpoint.push(onWritten);
    this.#hasNews = true;
    this.checkpoint();
  }

  /** Removes events at once, and tells when they are gone. */
  remove(removals: readonly StateWrite[], onWritten: () => void): void {
    append(this.#history, removals);
    this.#waitingBytes += bytesOf(removals);
    this.#onHistory.push(onWritten);
    this.write();
  }

  /** Gives the engine the changes of history that wait, unless it is busy: then right after. */
  write(): void {
    if (this.#hasFailed || this.#writing !== undefined) {
      return;
    }
    const isCheckpoint = this.#isWanted || this.isDue;
    if (!isCheckpoint && this.#history.length === 0 && this.#onHistory.length === 0) {
      return;
    }
    const wasFull = this.isFull;
    const history = this.#history;
    const waiters = this.#onHistory;
    this.#history = [];
    this.#onHistory = [];
    this.#waitingBytes = 0;
    const writing = isCheckpoint ? this.#writeCheckpoint(history) : this.#engine.write(history);
    this.#writing = writing
      .then(() => {
        for (const onWritten of waiters) {
          onWritten();
        }
        this.#writing = undefined;
        this.write();
      })
      .catch((error: unknown) => {
        this.#writing = undefined;
        this.#hasFailed = true;
        this.#handler.onFailed(error);
      });
    if (wasFull) {
      this.#handler.onRoom();
    }
  }

  /** The same with all else that waits: reads are to see everything so far. */
  checkpoint(): void {
    this.#isWanted = this.#hasNews;
    this.write();
  }

  /**
   * Resolves once everything added so far can be read, or the engine has failed; what comes
   * meanwhile is not waited for.
   */
  async written(): Promise<void> {
    this.checkpoint();
    // What could not go at once goes right after what is on its way.
    const rounds = this.#hasNews ? 2 : 1;
    for (let round = 0; round < rounds; round++) {
      await this.#writing;
    }
  }

  async #writeCheckpoint(history: StateWrite[]): Promise<void> {
    const checkpoint = this.#checkpoints.take();
    const waiters = this.#onCheckpoint;
    this.#onCheckpoint = [];
    this.#aheadBytes = 0;
    this.#hasNews = false;
    this.#isWanted = false;
    append(history, checkpoint.writes);
    await this.#engine.write(history);
    this.#settle(checkpoint);
    for (const onWritten of waiters) {
      onWritten();
    }
  }

  #settle({ sequence, index, revision }: Checkpoint): void {
    this.#checkpoints.settled(sequence);
    assert(index >= this.#readableIndex, 'the engine is written in log order');
    this.#readableIndex = index;
    this.#readableRevision = revision;
    this.#handler.onReadable(index);
  }
}

function bytesOf(writes: readonly StateWrite[]): number {
  let bytes = writes.length * writeOverheadBytes;
  for (const write of writes) {
    bytes += write.key.length + (write.type === 'put' ? write.value.length : 0);
  }
  return bytes;
}
