/**
 * Keys and values: put, get, delete, alone and in ranges, within a namespace and with a codec.
 *
 * Reads are linearizable unless told otherwise. Writes that fail say whether they may have
 * happened.
 */
import type { KeyValueAnswer, RangeAnswer, RangeMessage, WatchEventAnswer } from '../wire/index.ts';
import { callback, checkFields, checkValue, optionChecks } from './arguments.ts';
import type { Caller, CallOptions } from './caller.ts';
import { Cache, type CacheOptions } from './cache.ts';
import { ChangeFeed, type ChangeFeedOptions } from './change-feed.ts';
import { type Codec, codecCheck, codecs, encodeValue } from './codec.ts';
import { HoldfastError } from './errors.ts';
import type { CursorRecord } from './feed-cursor.ts';
import type { Namespace } from './keys.ts';
import { copyRange, everyKey, type Key, type KeyRange } from './keys.ts';
import type {
  DeleteResult,
  Entry,
  Page,
  PageOptions,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  ReadOptions,
  ScanOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kv-types.ts';
import type { AnswerTo, Operations } from './operations.ts';
import type { Environment } from './ports.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { transact, type Transaction } from './transact.ts';
import {
  Conditions,
  leaseText,
  type Txn,
  txnMessage,
  txnOperationResult,
  TxnOperations,
  type TxnResult,
} from './txn.ts';
import { Watch } from './watch.ts';
import type { WatchHub } from './watch-hub.ts';

const pageEntriesDefault = 1000;

/** What views of the keys share. */
interface KvParts<V> {
  readonly operations: Operations;
  readonly namespace: Namespace;
  readonly codec: Codec<V>;
  readonly caller: Pick<Caller, 'pause'>;
  readonly watches: WatchHub;
  readonly environment: Environment;
  readonly timeoutMs: number;
}

/** See the module comment. */
export class Kv<V> {
  /** Operations for transactions. */
  readonly ops: TxnOperations<V>;
  readonly #parts: KvParts<V>;

  /** @internal */
  constructor(parts: KvParts<V>) {
    this.#parts = parts;
    this.ops = new TxnOperations(parts.namespace, parts.codec);
  }

  /** The keys that begin with `prefix`, which is left out of their names. */
  namespace(prefix: Key): Kv<V> {
    return new Kv({ ...this.#parts, namespace: this.#parts.namespace.within(prefix) });
  }

  /** The same keys with values of another form. */
  as<T>(codec: Codec<T>): Kv<T> {
    checkValue('as: the codec', codec, codecCheck);
    return new Kv({ ...this.#parts, codec });
  }

  /**
   * Sets a key.
   *
   * @throws {HoldfastError}
   */
  async put(key: Key, value: V, options: PutOptions = {}): Promise<PutResult<V>> {
    checkFields('put', options, optionChecks.put);
    const { revision } = await this.#put(key, value, options, false);
    return { revision, previous: undefined };
  }

  /**
   * Sets a key, and tells what was there before.
   *
   * @throws {HoldfastError}
   */
  async swap(key: Key, value: V, options: PutOptions = {}): Promise<PutResult<V>> {
    checkFields('swap', options, optionChecks.put);
    const { revision, prevKv } = await this.#put(key, value, options, true);
    const previous =
      prevKv === undefined ? undefined : this.#readDone('swap', revision, () => this.entry(prevKv));
    return { revision, previous };
  }

  /**
   * Reads a key; undefined when there is none.
   *
   * @throws {HoldfastError}
   */
  async get(key: Key, options: ReadOptions = {}): Promise<Entry<V> | undefined> {
    checkFields('get', options, optionChecks.read);
    const { kvs } = await this.#range({ key: this.#parts.namespace.outer(key) }, options);
    const [kv] = kvs;
    return kv === undefined ? undefined : this.entry(kv);
  }

  /**
   * Reads a range at once; see {@link scan} for large ones.
   *
   * @throws {HoldfastError}
   */
  async getRange(range: KeyRange, options: RangeOptions = {}): Promise<RangeResult<V>> {
    checkFields('getRange', options, optionChecks.range);
    const { limit = 0, order = 'ascending', orderBy = 'key' } = options;
    const answer = await this.#range(
      {
        limit,
        ...this.#parts.namespace.bounds(range),
        ...sortingOf(order, orderBy),
      },
      options,
    );
    const entries = answer.kvs.map((kv) => this.entry(kv));
    return { entries, revision: answer.revision, count: answer.count };
  }

  /** @internal The beginning of a range, in the order of keys, with nothing counted. */
  async page(range: KeyRange, { limit, ...read }: PageOptions): Promise<Page<V>> {
    const message = { ...this.#parts.namespace.bounds(range), limit, noCount: true };
    const answer = await this.#range(message, read);
    const entries = answer.kvs.map((kv) => this.entry(kv));
    return { entries, revision: answer.revision, hasMore: answer.more };
  }

  /**
   * Reads a range entry by entry, fetched in pages, all as they were at one revision.
   *
   * @throws {HoldfastError}
   */
  async *scan(range: KeyRange, options: ScanOptions = {}): AsyncGenerator<Entry<V>, void> {
    checkFields('scan', options, optionChecks.scan);
    const { pageEntries = pageEntriesDefault, ...read } = options;
    const { rangeEnd, key: first } = this.#parts.namespace.bounds(range);
    let key = first;
    let page: ReadOptions = read;
    for (;;) {
      const answer = await this.#range({ key, rangeEnd, limit: pageEntries, noCount: true }, page);
      for (const kv of answer.kvs) {
        yield this.entry(kv);
      }
      const last = answer.kvs.at(-1);
      if (!answer.more || last === undefined) {
        return;
      }
      const atRevision = page.atRevision ?? answer.revision;
      // The next member may be behind the one that has answered.
      const isStale = read.consistency === 'serializable';
      page = { ...page, atRevision, ...(isStale ? { noOlderThan: atRevision } : {}) };
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  /**
   * How many keys a range has.
   *
   * @throws {HoldfastError}
   */
  async count(range: KeyRange, options: ReadOptions = {}): Promise<number> {
    checkFields('count', options, optionChecks.read);
    const bounds = this.#parts.namespace.bounds(range);
    return (await this.#range({ countOnly: true, ...bounds }, options)).count;
  }

  /**
   * Deletes a key, and tells what it was.
   *
   * @throws {HoldfastError}
   */
  async delete(key: Key, options: WriteOptions = {}): Promise<DeleteResult<V>> {
    checkFields('delete', options, optionChecks.write);
    return this.#delete({ key: this.#parts.namespace.outer(key) }, options);
  }

  /**
   * Deletes a range, and tells what it held.
   *
   * @throws {HoldfastError}
   */
  async deleteRange(range: KeyRange, options: WriteOptions = {}): Promise<DeleteResult<V>> {
    checkFields('deleteRange', options, optionChecks.write);
    return this.#delete(this.#parts.namespace.bounds(range), options);
  }

  /** Conditions on a key. */
  when(key: Key): Conditions<V> {
    return new Conditions({ key: this.#parts.namespace.outer(key) }, this.#parts.codec);
  }

  /** Conditions on every key of a range; they hold if there is none. */
  whenAll(range: KeyRange): Conditions<V> {
    return new Conditions(this.#parts.namespace.bounds(range), this.#parts.codec);
  }

  /**
   * If all conditions hold then one thing, else the other; decided and done at once.
   *
   * @throws {HoldfastError}
   */
  async txn(txn: Txn, options: WriteOptions = {}): Promise<TxnResult<V>> {
    checkFields('txn', options, optionChecks.write);
    const { revision, succeeded, responses } = await this.commit(txn, options);
    const results = this.#readDone('txn', revision, () =>
      responses.map((each) => txnOperationResult(each, (kv) => this.entry(kv))),
    );
    return { revision, succeeded, results };
  }

  /** @internal As {@link txn}, with what it has found left as it came. */
  async commit(txn: Txn, { idempotencyKey, ...call }: WriteOptions): Promise<AnswerTo<'txn'>> {
    const operation = { message: txnMessage(txn), purpose: 'write', idempotencyKey } as const;
    return this.#parts.operations.run(operation, call);
  }

  /**
   * Runs a program whose reads and writes are one transaction; again, if what it read has changed
   * before it could be committed. It must do nothing that cannot be done twice.
   *
   * @throws {HoldfastError} TXN_CONFLICT — others were faster until the time was up; what the
   *   program throws: then nothing is written.
   */
  async transact<Result>(
    program: (tx: Transaction<V>) => Promise<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    checkValue('transact: its program', program, callback);
    checkFields('transact', options, optionChecks.call);
    const { timeoutMs = this.#parts.timeoutMs, signal } = options;
    const { caller, environment, namespace } = this.#parts;
    const clock = environment.loop;
    const endMs = clock.nowMs() + timeoutMs;
    const leftMs = (conflicts: number): number => {
      const left = endMs - clock.nowMs();
      if (left <= 0 && conflicts === 0) {
        const text = `transact: its program has not ended within ${timeoutMs} ms`;
        throw new HoldfastError('DEADLINE_EXCEEDED', text);
      }
      if (left <= 0) {
        const text = `transact lost to others ${conflicts} times within ${timeoutMs} ms`;
        throw new HoldfastError('TXN_CONFLICT', text);
      }
      return left;
    };
    const pause = async (attempt: number): Promise<void> =>
      caller.pause(attempt, signal, Math.max(0, endMs - clock.nowMs()));
    return transact(program, { kv: this, namespace, pause, leftMs, signal });
  }

  /**
   * Watches a key or a range: it begins at once, and lasts until it is closed, through whatever
   * happens to members meanwhile.
   *
   * @throws {HoldfastError} EMPTY_KEY, INVALID_ARGUMENT, CLIENT_CLOSED, CLIENT_OVERLOADED. The
   *   watch itself fails with a CompactedError when it wants history that is gone.
   */
  watch(what: Key | KeyRange, options: WatchOptions = {}): Watch<V> {
    checkFields('watch', options, optionChecks.watch);
    const { namespace, watches } = this.#parts;
    const place = namespace.keyOrBounds(what);
    return new Watch(watches, { place, options, eventOf: (event) => this.#event(event) });
  }

  /**
   * Loads a range, and keeps it up to date in this process; close it when done.
   *
   * @throws {HoldfastError} CACHE_TOO_LARGE — the range has more than was allowed; or it cannot be
   *   read.
   */
  async cache(range: KeyRange = everyKey, options: CacheOptions = {}): Promise<Cache<V>> {
    const { timeoutMs } = this.#parts;
    return Cache.open<V>({ ...this.#following(range), timeoutMs, options });
  }

  /**
   * The feed of this name: every change of a range for a handler, at least once, also through the
   * deaths of its consumers.
   *
   * @throws {HoldfastError} INVALID_ARGUMENT
   */
  changeFeed(
    name: string,
    range: KeyRange = everyKey,
    options: ChangeFeedOptions = {},
  ): ChangeFeed<V> {
    const { uniqueName } = this.#parts.environment;
    const cursorKv = this.as(codecs.json<CursorRecord>());
    return new ChangeFeed({ ...this.#following(range), name, cursorKv, uniqueName, options });
  }

  /**
   * Makes the world look like what the keys of a range say. Keys have to be text.
   *
   * @throws {HoldfastError} INVALID_ARGUMENT — an option is out of its bounds.
   */
  reconciler(range: KeyRange, options: ReconcilerOptions<V>): Reconciler<V> {
    const { timers, pause, range: own } = this.#following(range);
    const openCache = async (bounds: CacheOptions): Promise<Cache<V>> => this.cache(own, bounds);
    const { prng } = this.#parts.environment;
    return new Reconciler({ openCache, timers, prng, pause, options });
  }

  /** What follows a range works with: values as bytes, so that a bad one stops nobody else. */
  #following(range: KeyRange) {
    const { environment, caller } = this.#parts;
    return {
      source: this.as(codecs.bytes),
      range: copyRange(range),
      decode: (raw: Entry<Uint8Array>): Entry<V> => ({
        ...raw,
        value: this.#decode(raw.key, raw.value),
      }),
      timers: environment.loop,
      pause: async (attempt: number, signal: AbortSignal) => caller.pause(attempt, signal),
    };
  }

  #event({ type, kv, prevKv, isExpiry }: WatchEventAnswer): WatchEvent<V> {
    const previous = prevKv === undefined ? undefined : this.entry(prevKv);
    const revision = kv.modRevision;
    if (type === 'put') {
      const entry = this.entry(kv);
      return { type, key: entry.key, keyBytes: entry.keyBytes, revision, previous, entry };
    }
    const keyBytes = this.#parts.namespace.inner(kv.key);
    return { type, key: keyBytes.toString('utf8'), keyBytes, revision, previous, isExpiry };
  }

  /** @internal An entry as users see it. */
  entry(kv: KeyValueAnswer): Entry<V> {
    const keyBytes = this.#parts.namespace.inner(kv.key);
    const key = keyBytes.toString('utf8');
    return {
      key,
      keyBytes,
      value: this.#decode(key, kv.value),
      createRevision: kv.createRevision,
      modRevision: kv.modRevision,
      version: kv.version,
      lease: kv.lease === '0' ? 0n : BigInt(kv.lease),
      ttlMs: kv.ttlMs,
    };
  }

  #decode(key: string, value: Uint8Array): V {
    try {
      return this.#parts.codec.decode(value);
    } catch (cause) {
      throw new HoldfastError(
        'BAD_VALUE',
        `the value of key ${JSON.stringify(key)} (${value.length} bytes) cannot be decoded`,
        { cause },
      );
    }
  }

  async #put(key: Key, value: V, options: PutOptions, prevKv: boolean) {
    const { lease, ttlMs, idempotencyKey, ...call } = options;
    const put = {
      key: this.#parts.namespace.outer(key),
      value: encodeValue(this.#parts.codec, value),
      lease: leaseText(lease),
      ttlMs,
      prevKv,
    };
    return this.#parts.operations.run(
      { message: { type: 'put', put }, purpose: 'write', idempotencyKey },
      call,
    );
  }

  async #delete(
    range: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array },
    { idempotencyKey, ...call }: WriteOptions,
  ): Promise<DeleteResult<V>> {
    const deleteRange = { prevKv: true, ...range };
    const { revision, deleted, prevKvs } = await this.#parts.operations.run(
      { message: { type: 'deleteRange', deleteRange }, purpose: 'write', idempotencyKey },
      call,
    );
    const previous = this.#readDone('delete', revision, () => prevKvs.map((kv) => this.entry(kv)));
    return { revision, deleted, previous };
  }

  /** Reads what a write has found. That a value in it cannot be read does not undo the write. */
  #readDone<T>(what: string, revision: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      const { code, message, cause } = error as HoldfastError;
      const text = `${what} has been done (revision ${revision}), but ${message}`;
      throw new HoldfastError(code, text, { outcome: 'unknown', cause });
    }
  }

  async #range(range: RangeMessage, options: ReadOptions): Promise<RangeAnswer> {
    const { consistency, atRevision, noOlderThan, timeoutMs, signal } = options;
    const run = async (serializable: boolean, call: CallOptions): Promise<RangeAnswer> => {
      const message = { serializable, revision: atRevision, ...range };
      const operation = { message: { type: 'range', range: message }, purpose: 'read' } as const;
      return this.#parts.operations.run(operation, call);
    };
    if (noOlderThan === undefined) {
      return run(consistency === 'serializable', { timeoutMs, signal });
    }
    const { loop } = this.#parts.environment;
    const endMs = loop.nowMs() + (timeoutMs ?? this.#parts.timeoutMs);
    const answer = await run(true, { timeoutMs, signal }).catch((error: unknown) => {
      if ((error as HoldfastError).code === 'FUTURE_REVISION' && atRevision !== undefined) {
        return undefined;
      }
      throw error;
    });
    return answer !== undefined && answer.revision >= noOlderThan
      ? answer
      : run(false, { timeoutMs: Math.max(1, endMs - loop.nowMs()), signal });
  }
}

/** Members answer in the ascending order of keys unless they are told otherwise. */
function sortingOf(
  order: NonNullable<RangeOptions['order']>,
  orderBy: NonNullable<RangeOptions['orderBy']>,
): Pick<RangeMessage, 'sortOrder' | 'sortTarget'> {
  if (order === 'ascending' && orderBy === 'key') {
    return {};
  }
  return {
    sortOrder: order === 'ascending' ? 'ascend' : 'descend',
    sortTarget: orderBy === 'key' ? 'key' : 'mod',
  };
}
