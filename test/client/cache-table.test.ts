import { describe, expect, test } from 'vitest';
import { CacheTable } from '../../src/client/cache-table.ts';
import type { Entry, WatchEvent } from '../../src/client/kv-types.ts';
import { decodeText } from './fake-store.ts';

function entry(key: string | Buffer, modRevision: number, value = 'x'): Entry<Uint8Array> {
  const keyBytes = Buffer.from(key);
  return {
    ...{ key: keyBytes.toString(), keyBytes, value: Buffer.from(value), modRevision },
    ...{ createRevision: 1, version: 1, lease: 0n, ttlMs: 0 },
  };
}

function put(key: string, revision: number, value?: string): WatchEvent<Uint8Array> {
  const head = { key, keyBytes: Buffer.from(key), revision, previous: undefined };
  return { ...head, type: 'put', entry: entry(key, revision, value) };
}

function deletion(key: string, revision: number): WatchEvent<Uint8Array> {
  const head = { key, keyBytes: Buffer.from(key), revision, previous: undefined };
  return { ...head, type: 'delete', isExpiry: false };
}

function tableOf(...entries: readonly Entry<Uint8Array>[]): CacheTable<string> {
  const table = new CacheTable(decodeText);
  table.replace(10, entries);
  return table;
}

const keysOf = (entries: readonly Entry<string>[]) => entries.map(({ key }) => key);

describe('the table of a cache', () => {
  test('finds keys by text and by bytes, and ranges in the order of keys', () => {
    const table = tableOf(entry('b', 5), entry('a/2', 6), entry('a/1', 7, 'one'), entry('c', 8));

    expect(table.get('a/1')).toMatchObject({ value: 'one', modRevision: 7 });
    expect(table.get(Buffer.from('a/1'))).toBe(table.get('a/1'));
    expect(table.get('a')).toBeUndefined();
    expect(table.has('b')).toBe(true);
    expect(keysOf(table.getRange())).toEqual(['a/1', 'a/2', 'b', 'c']);
    expect([...table.keys()].sort()).toEqual(['a/1', 'a/2', 'b', 'c']);
    expect(keysOf(table.getRange({ prefix: 'a/' }))).toEqual(['a/1', 'a/2']);
    expect(keysOf(table.getRange({ from: 'a/2', to: 'c' }))).toEqual(['a/2', 'b']);
  });

  test('keeps keys apart that are no text', () => {
    const table = tableOf(entry(Buffer.of(0xff), 5), entry(Buffer.of(0xfe), 6));

    expect(table.size).toBe(2);
    expect(table.get(Buffer.of(0xff))?.modRevision).toBe(5);
    expect(table.get(Buffer.of(0xfe))?.modRevision).toBe(6);
  });

  test('finds keys in any script by their text', () => {
    const table = tableOf(entry('één', 5), entry('鍵', 6));

    expect(table.get('één')?.modRevision).toBe(5);
    expect(table.get('鍵')?.modRevision).toBe(6);
    expect(table.get('Ã©Ã©n')).toBeUndefined();
  });

  test('takes changes once, also when they are told again', () => {
    const table = tableOf(entry('a', 5));

    const first = table.apply(12, [put('b', 11), deletion('a', 12)]);
    const again = table.apply(12, [put('b', 11), deletion('a', 12)]);
    const older = table.apply(11, [put('a', 11)]);

    expect(first.map(({ type, key }) => [type, key])).toEqual([
      ['put', 'b'],
      ['delete', 'a'],
    ]);
    expect([again, older]).toEqual([[], []]);
    expect(keysOf(table.getRange())).toEqual(['b']);
    expect(table.revision).toBe(12);
  });

  test('tells what is different when it is read anew', () => {
    const table = tableOf(entry('same', 5), entry('gone', 6), entry('changed', 7));

    const changes = table.replace(20, [entry('same', 5), entry('changed', 15), entry('new', 16)]);

    expect(changes.map(({ type, key }) => [type, key])).toEqual([
      ['put', 'changed'],
      ['put', 'new'],
      ['delete', 'gone'],
    ]);
    expect(table.revision).toBe(20);
  });

  test('gives snapshots that stay as they are', () => {
    const table = tableOf(entry('a', 5, 'old'), entry('b', 6));
    const before = table.snapshot();

    table.apply(11, [put('a', 11, 'new'), deletion('b', 11)]);
    const after = table.snapshot();
    table.replace(12, []);

    expect([before.revision, before.get('a')?.value, before.size]).toEqual([10, 'old', 2]);
    expect([after.revision, after.get('a')?.value, after.size]).toEqual([11, 'new', 1]);
    expect(keysOf(before.getRange())).toEqual(['a', 'b']);
    expect(table.size).toBe(0);
  });

  test('counts the bytes that it holds, and none twice', () => {
    const table = tableOf(entry('a', 5, 'xxxx'));
    const { bytes } = table;

    table.apply(11, [put('a', 11, 'xxxxxxxx')]);
    expect(table.bytes).toBe(bytes + 4);

    table.apply(12, [deletion('a', 12), deletion('b', 12)]);
    expect(table.bytes).toBe(0);
  });

  test('decodes a value once, when it is asked for, and fails for that key alone', () => {
    let count = 0;
    const table = new CacheTable((raw) => {
      count++;
      return decodeText(raw);
    });
    table.replace(10, [entry('a', 5), entry('b', 6, 'bad')]);

    expect(count).toBe(0);
    expect(table.get('a')).toBe(table.get('a'));
    expect(count).toBe(1);
    expect(() => table.get('b')).toThrow(expect.objectContaining({ code: 'BAD_VALUE' }));
    expect(() => table.getRange()).toThrow('b');
    expect(Object.isFrozen(table.get('a'))).toBe(true);
  });
});
