import { beforeEach, describe, expect, test } from 'vitest';
import { userKeyOf } from '../../src/kv/key-layout.ts';
import {
  decodeCurrent,
  encodeChange,
  type EncodedChange,
  type MvccRecord,
} from '../../src/kv/record.ts';
import { type CacheEntry, RecordCache } from '../../src/kv/record-cache.ts';
import { slabBytes } from '../../src/kv/slab.ts';
import { bytes, text } from './map-store.ts';

function recordOf(value: string): MvccRecord {
  return {
    main: 2,
    sub: 0,
    createRevision: 2,
    version: 1,
    lease: 0n,
    prevMain: 0,
    prevSub: 0,
    isTombstone: false,
    isExpired: false,
    ttlMs: 0,
    refreshesTtl: false,
    value: bytes(value),
  };
}

let cache: RecordCache;
let sequence: number;

/** Runs one batch that writes the keys, with a checkpoint; it stays unsettled. */
function write(...keys: readonly string[]): number {
  sequence++;
  cache.hold();
  const written: CacheEntry[] = [];
  for (const key of keys) {
    const entry = cache.acquire(bytes(key));
    const record = recordOf(key);
    if (cache.write(entry, sequence, record, encodeChange(cache.slabs, bytes(key), record))) {
      written.push(entry);
    }
  }
  cache.release(written);
  cache.takeDirty(sequence);
  return sequence;
}

function encodedOf(key: string, value: string): EncodedChange {
  return encodeChange(cache.slabs, bytes(key), recordOf(value));
}

/** Runs one batch that changes a key; no checkpoint takes it. */
function change(key: string, value: string): number {
  cache.hold();
  const entry = cache.acquire(bytes(key));
  cache.write(entry, ++sequence, recordOf(value), encodedOf(key, value));
  cache.release([entry]);
  return sequence;
}

function takeDirty(at = sequence): readonly string[] {
  return cache.takeDirty(at).map((write) => {
    const value = write.type === 'put' ? text(decodeCurrent(write.value).value) : 'nothing';
    return `${text(userKeyOf(write.key))}=${value}`;
  });
}

/** Runs one batch that loads the keys from the engine. */
function load(...keys: readonly string[]): void {
  cache.hold();
  for (const key of keys) {
    cache.load(cache.acquire(bytes(key)), recordOf(key));
  }
  cache.release([]);
}

function known(...keys: readonly string[]): string {
  return keys.filter((key) => cache.lookup(bytes(key)) !== undefined).join(' ');
}

beforeEach(() => {
  // Three entries of a few bytes fit, and one slab.
  cache = new RecordCache(1300 + slabBytes);
  sequence = 0;
});

describe('RecordCache', () => {
  test('the least recently used entry goes first', () => {
    cache = new RecordCache(1300);
    load('a', 'b', 'c');
    cache.lookup(bytes('a'));
    load('d');
    expect(known('a', 'b', 'c', 'd')).toBe('a c d');
    expect(cache.bytes).toBeLessThanOrEqual(1300);
  });

  test('a record on its way to the engine is never evicted', () => {
    write('a', 'b', 'c', 'd', 'e');
    load('f', 'g');
    expect(known('a', 'b', 'c', 'd', 'e')).toBe('a b c d e');
    expect(known('f', 'g')).toBe('');
  });

  test('once settled a record may be evicted', () => {
    const first = write('a', 'b', 'c', 'd', 'e');
    cache.settle(first);
    expect(known('a', 'b', 'c', 'd', 'e')).toBe('c d e');
  });

  test('a record that a later output has written too waits for that one', () => {
    cache = new RecordCache(0);
    const first = write('a', 'b');
    const second = write('a');
    cache.settle(first);
    expect(known('a', 'b')).toBe('a');
    cache.settle(second);
    expect(known('a', 'b')).toBe('');
  });

  test('settling an output settles all before it', () => {
    cache = new RecordCache(0);
    write('a');
    const last = write('b');
    cache.settle(last);
    expect(cache.size).toBe(0);
    expect(cache.bytes).toBe(0);
  });

  test('a slab counts whole, from the first record in it to the last', () => {
    cache = new RecordCache(1_000_000);
    load('a', 'b');
    const loaded = cache.bytes;
    write('a', 'b');
    expect(cache.bytes - loaded).toBeGreaterThanOrEqual(slabBytes - 2);
    // Enough changes of `a` to leave the first slab to `b` alone.
    for (let round = 0; round < 200; round++) {
      write('a');
    }
    expect(cache.bytes - loaded).toBeGreaterThanOrEqual(2 * slabBytes - 2);
    write('b');
    expect(cache.bytes - loaded).toBeLessThanOrEqual(2 * slabBytes);
    cache.settle(sequence);
    expect(cache.bytes - loaded).toBeLessThanOrEqual(2 * slabBytes);
  });

  test('nothing is evicted while a batch holds the cache', () => {
    cache = new RecordCache(0);
    const first = write('a');
    cache.hold();
    cache.settle(first);
    expect(known('a')).toBe('a');
    cache.release([]);
    expect(known('a')).toBe('');
  });

  test('an entry that is still being loaded is not known', () => {
    cache.hold();
    const entry = cache.acquire(bytes('a'));
    expect(known('a')).toBe('');
    cache.load(entry, undefined);
    expect(cache.lookup(bytes('a'))).toBe(entry);
    expect(entry.record).toBeUndefined();
  });

  test('a removed record is known as absent until it is settled', () => {
    cache = new RecordCache(0);
    cache.hold();
    const entry = cache.acquire(bytes('a'));
    cache.load(entry, recordOf('a'));
    cache.write(entry, ++sequence, undefined, undefined);
    cache.release([entry]);
    expect(cache.takeDirty(sequence)).toEqual([]);
    expect(cache.lookup(bytes('a'))?.record).toBeUndefined();
    expect(known('a')).toBe('a');
    cache.settle(sequence);
    expect(known('a')).toBe('');
  });

  test('a checkpoint has the newest record of each key that has changed since the last', () => {
    change('a', '1');
    change('b', '1');
    change('a', '2');
    expect(cache.dirtyCount).toBe(2);
    expect(takeDirty()).toEqual(['a=2', 'b=1']);
    expect([cache.dirtyCount, takeDirty()]).toEqual([0, []]);
    change('b', '2');
    expect(takeDirty()).toEqual(['b=2']);
  });

  test('what is encoded is kept for the checkpoint, and no longer', () => {
    change('a', '1');
    const entry = cache.lookup(bytes('a'));
    expect([entry?.change, entry?.finished]).toEqual([undefined, expect.anything()]);

    takeDirty();

    expect([entry?.change, entry?.finished]).toEqual([undefined, undefined]);
  });

  test('a checkpoint does not see what the batch under way has changed', () => {
    cache = new RecordCache(0);
    change('a', '1');
    cache.hold();
    const entry = cache.acquire(bytes('a'));
    cache.write(entry, ++sequence, recordOf('2'), encodedOf('a', '2'));

    expect(takeDirty(sequence - 1)).toEqual(['a=1']);
    cache.settle(sequence - 1);
    cache.release([entry]);

    expect(known('a')).toBe('a');
    expect(takeDirty()).toEqual(['a=2']);
    cache.settle(sequence);
    expect(cache.size).toBe(0);
  });

  test('a record that changes while its checkpoint is on its way waits for the next one', () => {
    cache = new RecordCache(0);
    const first = change('a', '1');
    takeDirty();
    change('a', '2');
    cache.settle(first);
    expect(known('a')).toBe('a');
    takeDirty();
    cache.settle(sequence);
    expect(known('a')).toBe('');
  });

  test('a value that is a small part of a large buffer is copied out of it', () => {
    const page = new Uint8Array(100_000);
    cache.hold();
    const entry = cache.acquire(bytes('a'));
    cache.load(entry, { ...recordOf(''), value: page.subarray(5, 10) });
    expect(entry.record?.value.buffer.byteLength).toBe(5);
  });

  test('entries are only acquired by a batch, one at a time', () => {
    expect(() => cache.acquire(bytes('a'))).toThrow('holds the cache');
    cache.hold();
    expect(() => {
      cache.hold();
    }).toThrow('one batch at a time');
  });
});
