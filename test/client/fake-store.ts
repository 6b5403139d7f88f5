/**
 * A store with history, in memory, as what follows a range sees it: reads of a range in pages,
 * watches from a revision on, compaction, and a transaction that puts a key if it has not been
 * changed. The test says when watches hear of anything, and what fails.
 */
import { compareBytes } from '../../src/base/index.ts';
import { abortedError, CompactedError, HoldfastError } from '../../src/client/errors.ts';
import type { CursorKv, CursorRecord } from '../../src/client/feed-cursor.ts';
import type { KeyRange } from '../../src/client/keys.ts';
import type {
  Entry,
  Page,
  PageOptions,
  RangeOptions,
  RangeResult,
  WatchBatch,
  WatchEvent,
  WatchOptions,
} from '../../src/client/kv-types.ts';
import { beginningOf, endOf } from '../../src/client/range-pages.ts';

type Raw = Entry<Uint8Array>;
type Event = WatchEvent<Uint8Array>;

/** See the module comment. */
export class FakeStore {
  revision = 1;
  compactRevision = 0;
  /** What the next reads, watches and transactions fail with, one each. */
  readonly failures = { reads: [] as Error[], watches: [] as Error[], txns: [] as Error[] };
  /** Whether watches tell what is written; what they hold back comes once they do again. */
  isTelling = true;
  /** Whether a watch tells that it is up to date where nothing changes. */
  tellsProgress = false;
  reads = 0;
  watches = 0;
  readonly #history: Event[] = [];
  /** The last change of each key. */
  readonly #last = new Map<string, Event>();
  #wake: (() => void)[] = [];

  /** Puts keys at one revision; undefined deletes. */
  write(changes: Readonly<Record<string, string | undefined>>): number {
    this.revision++;
    for (const [key, value] of Object.entries(changes)) {
      const keyBytes = Buffer.from(key);
      const head = { key, keyBytes, revision: this.revision, previous: undefined };
      const event: Event =
        value === undefined
          ? { ...head, type: 'delete', isExpiry: false }
          : { ...head, type: 'put', entry: this.#entry(key, value) };
      this.#history.push(event);
      this.#last.set(key, event);
    }
    this.wake();
    return this.revision;
  }

  compact(): void {
    this.compactRevision = this.revision;
    this.wake();
  }

  /** Lets watches look again. */
  wake(): void {
    const waiting = this.#wake;
    this.#wake = [];
    waiting.forEach((wake) => wake());
  }

  async getRange(range: KeyRange, options: RangeOptions): Promise<RangeResult<Uint8Array>> {
    this.reads++;
    await Promise.resolve();
    this.#failWith(this.failures.reads);
    const { atRevision = this.revision, limit = 0, orderBy } = options;
    const all = this.state(atRevision).filter(({ keyBytes }) => isWithin(keyBytes, range));
    if (orderBy === 'modRevision') {
      all.sort((a, b) => b.modRevision - a.modRevision);
    }
    const entries = limit === 0 ? all : all.slice(0, limit);
    return { entries, revision: this.revision, count: all.length };
  }

  async page(range: KeyRange, options: PageOptions): Promise<Page<Uint8Array>> {
    const { entries, revision, count } = await this.getRange(range, options);
    return { entries, revision, hasMore: count > entries.length };
  }

  /** The keys as they were at a revision, in order. */
  state(atRevision = this.revision): Raw[] {
    const found = new Map<string, Raw>();
    for (const event of this.#history) {
      if (event.revision > atRevision) {
        break;
      }
      if (event.type === 'put') {
        found.set(event.key, event.entry);
      } else {
        found.delete(event.key);
      }
    }
    return [...found.values()].sort((a, b) => compareBytes(a.keyBytes, b.keyBytes));
  }

  watch(range: KeyRange, { startRevision = 0, signal }: WatchOptions) {
    this.watches++;
    const received = (): number =>
      this.#history.findLast(({ keyBytes }) => isWithin(keyBytes, range))?.revision ?? 0;
    return {
      problem: undefined as string | undefined,
      get receivedRevision() {
        return received();
      },
      requestProgress: () => this.wake(),
      batches: () => this.#batches(range, startRevision, signal),
    };
  }

  /** The keys among which a feed's cursor is. */
  cursorKv(): CursorKv {
    return {
      ops: {
        put: (key, record) => ({
          message: {
            type: 'put',
            put: { key: Buffer.from(key as string), value: Buffer.from(JSON.stringify(record)) },
          },
        }),
      },
      when: (key) => ({
        modRevisionIs: (revision) => ({
          compare: {
            ...{ target: 'mod', result: 'equal', operand: revision },
            key: Buffer.from(key as string),
          },
        }),
      }),
      get: async (key) => {
        await Promise.resolve();
        const raw = this.state().find((each) => each.key === key);
        return raw === undefined ? undefined : { ...raw, value: recordOf(raw.value) };
      },
      txn: async ({ if: [condition] = [], then: [operation] = [] }) => {
        await Promise.resolve();
        const message = operation?.message;
        if (message?.type !== 'put') {
          throw new Error('no transaction of a cursor');
        }
        const key = Buffer.from(message.put.key).toString();
        const place = Buffer.from(condition?.compare.key ?? '').toString();
        const now = this.state().find((each) => each.key === place)?.modRevision ?? 0;
        const [failure] = this.failures.txns;
        const succeeded = condition === undefined || condition.compare.operand === now;
        // An answer that is lost: it has been done all the same.
        if (succeeded && (failure === undefined || outcomeOf(failure) === 'unknown')) {
          this.write({ [key]: Buffer.from(message.put.value).toString() });
        }
        this.#failWith(this.failures.txns);
        return { succeeded, revision: this.revision };
      },
    };
  }

  async *#batches(
    range: KeyRange,
    startRevision: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<WatchBatch<Uint8Array>, void> {
    for (let next = startRevision; ; ) {
      await Promise.resolve();
      if (signal?.aborted === true) {
        throw abortedError('watch', signal);
      }
      this.#failWith(this.failures.watches);
      if (next <= this.compactRevision) {
        throw new CompactedError(next, this.compactRevision, undefined);
      }
      const revision = this.revision;
      const events = this.#history.filter(
        (event) => event.revision >= next && isWithin(event.keyBytes, range),
      );
      const hasNews = events.length > 0 || (this.tellsProgress && revision >= next);
      if (this.isTelling && hasNews) {
        yield { revision: this.tellsProgress ? revision : (events.at(-1)?.revision ?? 0), events };
        next = revision + 1;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve);
          signal?.addEventListener('abort', () => resolve());
        });
      }
    }
  }

  #entry(key: string, value: string): Raw {
    const last = this.#last.get(key);
    const before = last?.type === 'put' ? last.entry : undefined;
    return {
      ...{ key, keyBytes: Buffer.from(key), value: Buffer.from(value), lease: 0n, ttlMs: 0 },
      createRevision: before?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (before?.version ?? 0) + 1,
    };
  }

  #failWith(failures: Error[]): void {
    const failure = failures.shift();
    if (failure !== undefined) {
      throw failure;
    }
  }
}

function recordOf(value: Uint8Array): CursorRecord {
  return JSON.parse(Buffer.from(value).toString()) as CursorRecord;
}

function outcomeOf(error: Error): string | undefined {
  return error instanceof HoldfastError ? error.outcome : undefined;
}

function isWithin(key: Uint8Array, range: KeyRange): boolean {
  const end = endOf(range);
  const isBelow = end === undefined || compareBytes(key, end) < 0;
  return isBelow && compareBytes(key, beginningOf(range)) >= 0;
}

/** An entry with its value as text. @throws {HoldfastError} BAD_VALUE — it is `bad`. */
export function decodeText(raw: Raw): Entry<string> {
  const value = Buffer.from(raw.value).toString();
  if (value === 'bad') {
    throw new HoldfastError('BAD_VALUE', `the value of ${raw.key} cannot be decoded`);
  }
  return { ...raw, value };
}
