/**
 * Gives the engine what the state machine has computed, in the order of the log: all that has come
 * meanwhile as one batch, one batch at a time.
 *
 * Invariant: each output carries its own position, so the engine is always the state of an exact
 * prefix of the log. What waits is bounded by whoever adds: nothing more while this is full.
 */
import { assert, must } from '../base/index.ts';
import type { ApplyOutput, StateMachine, StateWrite } from '../kv/index.ts';
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

/** An output on its way to the engine. */
export interface EngineOutput {
  readonly writes: readonly StateWrite[];
  readonly sequence: number;
  /** What a batch has come to; undefined for a step of removal. */
  readonly applied?: Pick<ApplyOutput, 'lastApplied' | 'revision'> | undefined;
  readonly onWritten?: (() => void) | undefined;
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
  readonly #stateMachine: Pick<StateMachine, 'settled'>;
  readonly #handler: EngineWriterHandler;
  /** Outputs that have not been given to the engine yet. */
  #outputs: EngineOutput[] = [];
  /** Operations in them. */
  #waitingWrites = 0;
  #waitingBytes = 0;
  /** Resolves when everything handed to the engine so far has been written. */
  #writing: Promise<void> | undefined;
  /** A batch is missing in the engine: none may follow it. */
  #hasFailed = false;
  #readableIndex: LogIndex;
  #readableRevision: number;

  constructor(
    engine: Pick<Engine, 'write'>,
    stateMachine: Pick<StateMachine, 'settled' | 'lastApplied' | 'revision'>,
    handler: EngineWriterHandler,
  ) {
    this.#engine = engine;
    this.#stateMachine = stateMachine;
    this.#handler = handler;
    this.#readableIndex = stateMachine.lastApplied.index;
    this.#readableRevision = stateMachine.revision;
  }

  get readableIndex(): LogIndex {
    return this.#readableIndex;
  }

  get readableRevision(): number {
    return this.#readableRevision;
  }

  /** Operations that wait for `write`. */
  get waitingWrites(): number {
    return this.#waitingWrites;
  }

  /** So much waits that nothing is to be added before some of it has gone. */
  get isFull(): boolean {
    return this.#waitingBytes >= waitingBytesMax;
  }

  /** Takes the next output; it waits for `write`, or for the end of the write under way. */
  add(output: EngineOutput): void {
    this.#outputs.push(output);
    this.#waitingWrites += output.writes.length;
    this.#waitingBytes += bytesOf(output.writes);
  }

  /** Gives the engine all that waits as one batch, unless it is busy: then right after. */
  write(): void {
    if (this.#hasFailed || this.#writing !== undefined || this.#outputs.length === 0) {
      return;
    }
    const outputs = this.#outputs;
    const wasFull = this.isFull;
    this.#outputs = [];
    this.#waitingWrites = 0;
    this.#waitingBytes = 0;
    const last = must(outputs.at(-1), 'the last output');
    const writes = outputs.length === 1 ? last.writes : outputs.flatMap((output) => output.writes);
    this.#writing = this.#engine
      .write(writes)
      .then(() => {
        this.#writing = undefined;
        this.#settle(outputs);
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

  /** Resolves once every output so far is in the engine; what comes meanwhile is not waited for. */
  async written(): Promise<void> {
    this.write();
    const hasMore = this.#outputs.length > 0;
    await this.#writing;
    if (hasMore) {
      // It went to the engine as one batch when the one before it was there.
      await this.#writing;
    }
  }

  #settle(outputs: readonly EngineOutput[]): void {
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
}

function bytesOf(writes: readonly StateWrite[]): number {
  let bytes = writes.length * writeOverheadBytes;
  for (const write of writes) {
    bytes += write.key.length + (write.type === 'put' ? write.value.length : 0);
  }
  return bytes;
}
