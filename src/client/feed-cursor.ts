/**
 * How far a feed has been delivered, kept in the store, so that whoever consumes it next goes on
 * from there.
 *
 * A consumer first writes its name under a key beside the place, and then reads the place. It moves
 * the place with the condition that its name is still there. So whoever comes later takes the feed
 * over at once; the one before cannot write any more, and learns of it when it tries; the place
 * never goes back. All of these writes may be repeated, whatever became of them.
 *
 * Writes do not hold up the consumer: one is under way at a time, always of the newest place. A
 * failure that may pass is repeated; any other is told with the next move.
 */
import type { CallOptions } from './caller.ts';
import { HoldfastError } from './errors.ts';
import type { Key } from './keys.ts';
import type { Entry, ReadOptions } from './kv-types.ts';
import type { Conditions, Txn, TxnOperations } from './txn.ts';

/** What is in the store: how far the feed is, or who consumes it. */
export type CursorRecord =
  | {
      /** Everything up to this revision has been delivered. */
      readonly revision: number;
    }
  | {
      /** A name by chance, different for each run. */
      readonly consumer: string;
    };

/** The keys among which the cursor is. */
export interface CursorKv {
  readonly ops: Pick<TxnOperations<CursorRecord>, 'put'>;
  when(key: Key): Pick<Conditions<CursorRecord>, 'modRevisionIs'>;
  get(key: Key, options: ReadOptions): Promise<Entry<CursorRecord> | undefined>;
  txn(txn: Txn, options: CallOptions): Promise<{ succeeded: boolean; revision: number }>;
}

/** What a {@link FeedCursor} is made of. */
export interface FeedCursorParts {
  readonly kv: CursorKv;
  /** Of the place; the consumer's name is under `KEY/consumer`. */
  readonly key: string;
  readonly consumer: string;
  /** Waits before failed attempt `attempt` is repeated. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  /** Ends the repeating of writes; not a write under way. */
  readonly signal: AbortSignal;
}

/** Where the name of a feed's consumer is. */
export function consumerKeyOf(cursorKey: string): string {
  return `${cursorKey}/consumer`;
}

/** See the module comment. */
export class FeedCursor {
  readonly #parts: FeedCursorParts;
  /** Of the consumer's name. */
  #modRevision = 0;
  #saved: number | undefined;
  #wanted = 0;
  #saving: Promise<void> | undefined;
  #failure: HoldfastError | undefined;

  private constructor(parts: FeedCursorParts) {
    this.#parts = parts;
  }

  /**
   * Takes a feed over: whoever had it until now will fail with FEED_TAKEN.
   *
   * @throws {HoldfastError} the store cannot be read, or not be written.
   */
  static async take(parts: FeedCursorParts): Promise<FeedCursor> {
    const { kv, key, consumer, signal } = parts;
    const cursor = new FeedCursor(parts);
    const claim = { then: [kv.ops.put(consumerKeyOf(key), { consumer })] };
    cursor.#modRevision = (await cursor.#write(claim, { signal })).revision;
    const stored = (await kv.get(key, { signal }))?.value;
    cursor.#saved = stored !== undefined && 'revision' in stored ? stored.revision : undefined;
    return cursor;
  }

  /** Everything up to this revision is known to be delivered; undefined for a new feed. */
  get saved(): number | undefined {
    return this.#saved;
  }

  /** @throws {HoldfastError} what the last move came to, if it failed. */
  check(): void {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /**
   * Everything up to `revision` has been delivered.
   *
   * @throws {HoldfastError} FEED_TAKEN — somebody else consumes the feed now.
   */
  move(revision: number): void {
    this.check();
    this.#wanted = revision;
    if (this.#saving === undefined && revision !== this.#saved) {
      this.#saving = this.#saveAll();
    }
  }

  /** Waits until the last move is in the store. @throws {HoldfastError} as {@link move}. */
  async settled(): Promise<void> {
    await this.#saving;
    this.check();
  }

  async #saveAll(): Promise<void> {
    try {
      while (this.#saved !== this.#wanted) {
        await this.#save(this.#wanted);
      }
    } catch (error) {
      this.#failure = error as HoldfastError;
    }
    // In the same turn as the last look at what is wanted: no move may fall in between.
    this.#saving = undefined;
  }

  async #save(revision: number): Promise<void> {
    const { kv, key } = this.#parts;
    const isOwn = kv.when(consumerKeyOf(key)).modRevisionIs(this.#modRevision);
    const move = { if: [isOwn], then: [kv.ops.put(key, { revision })] };
    const { succeeded } = await this.#write(move, {});
    if (!succeeded) {
      const text = `another consumer has taken the feed whose place is ${JSON.stringify(key)}`;
      throw new HoldfastError('FEED_TAKEN', text);
    }
    this.#saved = revision;
  }

  /** Until it succeeds, or fails in a way that does not pass. */
  async #write(
    txn: Txn,
    call: CallOptions,
  ): Promise<{ readonly succeeded: boolean; readonly revision: number }> {
    const { kv, pause, signal } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        return await kv.txn(txn, call);
      } catch (error) {
        if ((error as Partial<HoldfastError>).retryable !== true || signal.aborted) {
          throw error;
        }
        await pause(attempt, signal).catch(() => {
          // It is to end: what the write has come to says more than that.
          throw error;
        });
      }
    }
  }
}
