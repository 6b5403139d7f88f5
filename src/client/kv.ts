/**
 * Keys and values: put, get, delete, alone and in ranges, within a namespace and with a codec.
 *
 * Reads are linearizable unless told otherwise. Writes that fail say whether they may have
 * happened.
 */
import type { KeyValueAnswer, RangeAnswer, RangeMessage } from '../wire/index.ts';
import type { CallOptions } from './caller.ts';
import type { Codec } from './codec.ts';
import { HoldfastError } from './errors.ts';
import type { Namespace } from './keys.ts';
import { type Key, type KeyRange } from './keys.ts';
import type { Operations } from './operations.ts';

/** A key with its value, as it was read. */
export interface Entry<V> {
  /** As text; a key that is not UTF-8 is told apart by `keyBytes` only. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly value: V;
  /** Revision of the key's creation, of its last change, and the number of changes since. */
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** Id of the lease that the key ends with; 0n is none. */
  readonly lease: bigint;
  /** Milliseconds that the key lasts from its last change on; 0: it has no time to live. */
  readonly ttlMs: number;
}

/** How a read is done. */
export interface ReadOptions extends CallOptions {
  /**
   * `linearizable` (when absent) sees every write that was answered before; `serializable` is what
   * the member that answers has, which may be old.
   */
  readonly consistency?: 'linearizable' | 'serializable' | undefined;
  /** Reads the keys as they were at this revision. */
  readonly atRevision?: number | undefined;
  /**
   * Reads a state that has this revision, which an earlier answer told, or a later one: cheap as
   * `serializable` where a member has it, and never older than what has been seen.
   */
  readonly noOlderThan?: number | undefined;
}

/** How a range is read. */
export interface RangeOptions extends ReadOptions {
  /** At most so many entries; all when absent. */
  readonly limit?: number | undefined;
  readonly order?: 'ascending' | 'descending' | undefined;
}

/** What a range held. */
export interface RangeResult<V> {
  readonly entries: readonly Entry<V>[];
  /** The store's revision at which it was read. */
  readonly revision: number;
  /** How many keys the range has; more than `entries` when there was a limit. */
  readonly count: number;
}

/** How a scan is done. */
export interface ScanOptions extends ReadOptions {
  /** Entries that are fetched at a time; 1000 when absent. */
  readonly pageEntries?: number | undefined;
}

/** What writes may say. */
export interface WriteOptions extends CallOptions {
  /**
   * The request's name, 1 to 128 characters of Latin-1: all calls with it, also by other clients
   * and after a restart, are one request, whose first answer they all get. Holdfast only.
   */
  readonly idempotencyKey?: string | undefined;
}

/** How a key is put. */
export interface PutOptions extends WriteOptions {
  /** The key ends with this lease. */
  readonly lease?: bigint | { readonly id: bigint } | undefined;
  /** The key ends by itself after so many milliseconds, unless put again. Holdfast only. */
  readonly ttlMs?: number | undefined;
}

/** What a put did. */
export interface PutResult<V> {
  /** The revision of the put. */
  readonly revision: number;
  /** What was there before. */
  readonly previous: Entry<V> | undefined;
}

/** What a deletion did. */
export interface DeleteResult<V> {
  readonly revision: number;
  /** How many keys there were to delete. */
  readonly deleted: number;
  /** What they were. */
  readonly previous: readonly Entry<V>[];
}

const pageEntriesDefault = 1000;

/** What views of the keys share. */
interface KvParts<V> {
  readonly operations: Operations;
  readonly namespace: Namespace;
  readonly codec: Codec<V>;
}

/** See the module comment. */
export class Kv<V> {
  readonly #parts: KvParts<V>;

  /** @internal */
  constructor(parts: KvParts<V>) {
    this.#parts = parts;
  }

  /** The keys that begin with `prefix`, which is left out of their names. */
  namespace(prefix: Key): Kv<V> {
    return new Kv({ ...this.#parts, namespace: this.#parts.namespace.within(prefix) });
  }

  /** The same keys with values of another form. */
  as<T>(codec: Codec<T>): Kv<T> {
    return new Kv({ ...this.#parts, codec });
  }

  /**
   * Sets a key.
   *
   * @throws {HoldfastError}
   */
  async put(key: Key, value: V, options: PutOptions = {}): Promise<PutResult<V>> {
    const { revision, prevKv } = await this.#put(key, value, options, false);
    return { revision, previous: prevKv === undefined ? undefined : this.entry(prevKv) };
  }

  /**
   * Sets a key, and tells what was there before.
   *
   * @throws {HoldfastError}
   */
  async swap(key: Key, value: V, options: PutOptions = {}): Promise<PutResult<V>> {
    const { revision, prevKv } = await this.#put(key, value, options, true);
    return { revision, previous: prevKv === undefined ? undefined : this.entry(prevKv) };
  }

  /**
   * Reads a key; undefined when there is none.
   *
   * @throws {HoldfastError}
   */
  async get(key: Key, options: ReadOptions = {}): Promise<Entry<V> | undefined> {
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
    const { limit = 0, order } = options;
    const answer = await this.#range(
      {
        ...this.#parts.namespace.bounds(range),
        limit,
        ...(order === 'descending' ? { sortOrder: 'descend', sortTarget: 'key' } : {}),
      },
      options,
    );
    const entries = answer.kvs.map((kv) => this.entry(kv));
    return { entries, revision: answer.revision, count: answer.count };
  }

  /**
   * Reads a range entry by entry, fetched in pages, all as they were at one revision.
   *
   * @throws {HoldfastError}
   */
  async *scan(range: KeyRange, options: ScanOptions = {}): AsyncGenerator<Entry<V>, void> {
    const { pageEntries = pageEntriesDefault, ...read } = options;
    const { rangeEnd, key: first } = this.#parts.namespace.bounds(range);
    let key = first;
    let atRevision = read.atRevision;
    for (;;) {
      const answer = await this.#range(
        { key, rangeEnd, limit: pageEntries },
        {
          ...read,
          atRevision,
        },
      );
      for (const kv of answer.kvs) {
        yield this.entry(kv);
      }
      const last = answer.kvs.at(-1);
      if (!answer.more || last === undefined) {
        return;
      }
      atRevision ??= answer.revision;
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  /**
   * How many keys a range has.
   *
   * @throws {HoldfastError}
   */
  async count(range: KeyRange, options: ReadOptions = {}): Promise<number> {
    const bounds = this.#parts.namespace.bounds(range);
    return (await this.#range({ ...bounds, countOnly: true }, options)).count;
  }

  /**
   * Deletes a key, and tells what it was.
   *
   * @throws {HoldfastError}
   */
  async delete(key: Key, options: WriteOptions = {}): Promise<DeleteResult<V>> {
    return this.#delete({ key: this.#parts.namespace.outer(key) }, options);
  }

  /**
   * Deletes a range, and tells what it held.
   *
   * @throws {HoldfastError}
   */
  async deleteRange(range: KeyRange, options: WriteOptions = {}): Promise<DeleteResult<V>> {
    return this.#delete(this.#parts.namespace.bounds(range), options);
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

  #decode(key: string, value: Buffer): V {
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
      value: this.#parts.codec.encode(value),
      lease: lease === undefined ? undefined : String(typeof lease === 'bigint' ? lease : lease.id),
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
    const deleteRange = { ...range, prevKv: true };
    const { revision, deleted, prevKvs } = await this.#parts.operations.run(
      { message: { type: 'deleteRange', deleteRange }, purpose: 'write', idempotencyKey },
      call,
    );
    return { revision, deleted, previous: prevKvs.map((kv) => this.entry(kv)) };
  }

  async #range(range: RangeMessage, options: ReadOptions): Promise<RangeAnswer> {
    const { consistency, atRevision, noOlderThan, timeoutMs, signal } = options;
    const call = { timeoutMs, signal };
    const run = async (serializable: boolean): Promise<RangeAnswer> => {
      const message = { ...range, serializable, revision: atRevision };
      const operation = { message: { type: 'range', range: message }, purpose: 'read' } as const;
      return this.#parts.operations.run(operation, call);
    };
    if (noOlderThan !== undefined) {
      const answer = await run(true);
      return answer.revision >= noOlderThan ? answer : run(false);
    }
    return run(consistency === 'serializable');
  }
}
