/**
 * How far a feed has been delivered, kept in the store, so that whoever consumes it next goes on
 * from there.
 *
 * It is written with the condition that nobody else has: of two consumers of one feed the second to
 * write learns that it has lost the feed, and the place never goes back. Writes do not hold up the
 * consumer: one is under way at a time, always of the newest place. A failure that may pass is
 * repeated; any other is told with the next move.
 */
import type { CallOptions } from './caller.ts';
import { HoldfastError } from './errors.ts';
import type { Key } from './keys.ts';
import type { Entry, ReadOptions } from './kv-types.ts';
import type { Conditions, Txn, TxnOperations } from './txn.ts';

/** What is in the store under the cursor's key. */
export interface CursorRecord {
  /** Everything up to this revision has been delivered. */
  readonly revision: number;
  /** Who wrote it: a name by chance, different for each run. */
  readonly consumer: string;
}

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
  readonly key: string;
  /** The consumer's name. */
  readonly consumer: string;
  /** Waits before failed attempt `attempt` is repeated. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  /** Ends the repeating of writes; not a write under way. */
  readonly signal: AbortSignal;
}

/** See the module comment. */
export class FeedCursor {
  readonly #parts: FeedCursorParts;
  /** As stored: its revision of change, 0 if it is not there. */
  #modRevision: number;
  #saved: number | undefined;
  #wanted = 0;
  #saving: Promise<void> | undefined;
  #failure: HoldfastError | undefined;

  private constructor(parts: FeedCursorParts, stored: Entry<CursorRecord> | undefined) {
    this.#parts = parts;
    this.#modRevision = stored?.modRevision ?? 0;
    this.#saved = stored?.value.revision;
  }

  /**
   * Takes a feed over: whoever had it until now will fail with FEED_TAKEN.
   *
   * @throws {HoldfastError} the cursor cannot be read, or not be written.
   */
  static async take(parts: FeedCursorParts): Promise<FeedCursor> {
    const { kv, key, consumer, signal } = parts;
    for (;;) {
      const stored = await kv.get(key, { signal });
      const cursor = new FeedCursor(parts, stored);
      if (stored === undefined) {
        return cursor;
      }
      const { succeeded, revision } = await cursor.#put({ ...stored.value, consumer }, signal);
      if (succeeded) {
        cursor.#modRevision = revision;
        return cursor;
      }
    }
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
    const { consumer, pause, signal } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        const { succeeded, revision: modRevision } = await this.#put({ revision, consumer });
        if (succeeded) {
          [this.#saved, this.#modRevision] = [revision, modRevision];
          return;
        }
        await this.#recover();
      } catch (error) {
        if ((error as Partial<HoldfastError>).retryable !== true || signal.aborted) {
          throw error;
        }
        await pause(attempt, signal);
      }
    }
  }

  /** The record is another one than expected: by an own write whose answer was lost, or taken. */
  async #recover(): Promise<void> {
    const { kv, key, consumer } = this.#parts;
    const stored = await kv.get(key, {});
    if (stored?.value.consumer !== consumer) {
      const text = `${JSON.stringify(key)} has been written by another consumer of the feed`;
      throw new HoldfastError('FEED_TAKEN', text);
    }
    this.#modRevision = stored.modRevision;
  }

  async #put(record: CursorRecord, signal?: AbortSignal) {
    const { kv, key } = this.#parts;
    const [isUnchanged, put] = [
      kv.when(key).modRevisionIs(this.#modRevision),
      kv.ops.put(key, record),
    ];
    return kv.txn({ if: [isUnchanged], then: [put] }, { signal });
  }
}
