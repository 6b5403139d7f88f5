/**
 * What a cache holds: keys as they were at one revision, found by name or in their order.
 *
 * A snapshot of it stays as it is: the table is copied before it changes next, and only then.
 * Values are decoded when they are first asked for, so that one that cannot be decoded is the
 * trouble of its readers only; the decoded value is kept, and is the same object for all of them.
 *
 * Invariant: no memory is shared with answers, which would keep those in memory whole.
 */
import { firstAtOrAfter, KeyOrder } from './key-order.ts';
import { everyKey, type Key, keyBytes, type KeyRange } from './keys.ts';
import type { Entry, WatchEvent } from './kv-types.ts';
import { beginningOf, endOf } from './range-pages.ts';

/** Counts for an entry besides its key and value: what the map and its objects take. */
const entryOverheadBytes = 200;

/** A consistent view of keys at one revision. */
export interface CacheView<V> {
  /** The store's revision that it shows. */
  readonly revision: number;
  /** Number of keys. */
  readonly size: number;
  /** @throws {HoldfastError} BAD_VALUE — the codec cannot read the key's value. */
  get(key: Key): Entry<V> | undefined;
  has(key: Key): boolean;
  /** The names of the keys, in no order: without decoding what they hold. */
  keys(): readonly string[];
  /** The keys of a range, of all without one, in their order. @throws {HoldfastError} BAD_VALUE */
  getRange(range?: KeyRange): readonly Entry<V>[];
}

/** A key that has changed. */
export interface CacheKeyChange {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly keyBytes: Uint8Array;
}

/** An entry as it was read, and as users see it once somebody has asked. */
interface Slot<V> {
  readonly name: string;
  readonly raw: Entry<Uint8Array>;
  entry: Entry<V> | undefined;
}

type RawEntry = Entry<Uint8Array>;
type DecodeEntry<V> = (raw: RawEntry) => Entry<V>;

/** See the module comment. */
export class CacheTable<V> implements CacheView<V> {
  readonly #decode: DecodeEntry<V>;
  #slots = new Map<string, Slot<V>>();
  #order = new KeyOrder<Slot<V>>();
  /** Somebody else has the same map: it must not change any more. */
  #isShared = false;
  #revision = 0;
  #bytes = 0;

  constructor(decode: DecodeEntry<V>) {
    this.#decode = decode;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Of keys and values, with what they take besides. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(key: Key): boolean {
    return this.#slots.has(nameOfKey(key));
  }

  get(key: Key): Entry<V> | undefined {
    const slot = this.#slots.get(nameOfKey(key));
    return slot === undefined ? undefined : this.#entryOf(slot);
  }

  keys(): readonly string[] {
    return [...this.#slots.values()].map(({ raw }) => raw.key);
  }

  getRange(range: KeyRange = everyKey): readonly Entry<V>[] {
    const sorted = this.#order.of(this.#slots);
    const first = firstAtOrAfter(sorted, nameOf(beginningOf(range)));
    const end = endOf(range);
    const limit = end === undefined ? sorted.length : firstAtOrAfter(sorted, nameOf(end));
    return sorted.slice(first, limit).map((slot) => this.#entryOf(slot));
  }

  /** What is there now, for good. */
  snapshot(): CacheView<V> {
    const copy = new CacheTable(this.#decode);
    copy.#slots = this.#slots;
    copy.#order = this.#order;
    copy.#revision = this.#revision;
    copy.#bytes = this.#bytes;
    this.#isShared = true;
    return copy;
  }

  /** Takes the changes of whole revisions; those that it has already are passed over. */
  apply(revision: number, events: readonly WatchEvent<Uint8Array>[]): readonly CacheKeyChange[] {
    const changes: CacheKeyChange[] = [];
    for (const event of events) {
      if (event.revision > this.#revision) {
        if (event.type === 'put') {
          changes.push(this.#put(event.entry));
        } else {
          changes.push(this.#delete(event));
        }
      }
    }
    this.#revision = Math.max(this.#revision, revision);
    return changes;
  }

  /** Becomes what was read at `revision`, and tells what is different. */
  replace(revision: number, entries: readonly RawEntry[]): readonly CacheKeyChange[] {
    const gone = new Map([...this.#slots].map(([name, { raw }]) => [name, raw]));
    const changes: CacheKeyChange[] = [];
    for (const entry of entries) {
      const name = nameOf(entry.keyBytes);
      if (gone.get(name)?.modRevision !== entry.modRevision) {
        changes.push(this.#put(entry));
      }
      gone.delete(name);
    }
    for (const raw of gone.values()) {
      changes.push(this.#delete(raw));
    }
    this.#revision = revision;
    return changes;
  }

  #put(entry: RawEntry): CacheKeyChange {
    const name = nameOf(entry.keyBytes);
    const raw = { ...entry, keyBytes: new Uint8Array(entry.keyBytes) };
    this.#own();
    this.#bytes += bytesOf(raw) - this.#bytesOfNow(name);
    this.#slots.set(name, { name, raw, entry: undefined });
    this.#order.note(name);
    return { type: 'put', key: raw.key, keyBytes: raw.keyBytes };
  }

  #delete({ key, keyBytes }: Pick<RawEntry, 'key' | 'keyBytes'>): CacheKeyChange {
    const name = nameOf(keyBytes);
    this.#own();
    this.#bytes -= this.#bytesOfNow(name);
    this.#slots.delete(name);
    this.#order.note(name);
    return { type: 'delete', key, keyBytes: new Uint8Array(keyBytes) };
  }

  #own(): void {
    if (this.#isShared) {
      this.#slots = new Map(this.#slots);
      this.#order = this.#order.copy();
      this.#isShared = false;
    }
  }

  #bytesOfNow(name: string): number {
    const slot = this.#slots.get(name);
    return slot === undefined ? 0 : bytesOf(slot.raw);
  }

  #entryOf(slot: Slot<V>): Entry<V> {
    slot.entry ??= Object.freeze(this.#decode(slot.raw));
    return slot.entry;
  }
}

/** What an entry counts for. */
export function bytesOf({ keyBytes, value }: RawEntry): number {
  // The key is there as bytes, as text and as a name.
  return entryOverheadBytes + 3 * keyBytes.length + value.length;
}

/** Different for different keys, also for those that are no text. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

// eslint-disable-next-line no-control-regex -- all of ASCII
const ascii = /^[\x00-\x7f]*$/;

/** Text in ASCII is its own name: most reads need no bytes, which are most of their cost. */
function nameOfKey(key: Key): string {
  return typeof key === 'string' && ascii.test(key) ? key : nameOf(keyBytes(key));
}
