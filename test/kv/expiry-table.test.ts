import { describe, expect, test } from 'vitest';
import {
  decodeExpiry,
  encodeExpiry,
  encodeWaiting,
  ExpiryTable,
  readExpiries,
  waitingDeadlineMs,
} from '../../src/kv/expiry-table.ts';
import { dueKey, dueOf, expiryKey, isIn, mapKeyOf } from '../../src/kv/key-layout.ts';
import { bytes, MapStore, runReading, text } from './map-store.ts';

describe('the record of when a key is over', () => {
  test.each([
    { modRevision: 7, deadlineMs: 2 ** 41 },
    { modRevision: 7, deadlineMs: 0 },
    { modRevision: 2 ** 40, deadlineMs: undefined },
  ])('survives the round trip %o', (expiry) => {
    expect(decodeExpiry(encodeExpiry(expiry))).toEqual(expiry);
  });

  test('of an unknown format is refused', () => {
    expect(() => decodeExpiry(Uint8Array.of(9))).toThrow('unknown format 9');
  });

  test('is found under its key', () => {
    const store = new MapStore();
    const value = encodeExpiry({ modRevision: 3, deadlineMs: 5 });
    store.write([{ type: 'put', key: expiryKey(bytes('a')), value }]);
    const found = runReading(readExpiries([bytes('a'), bytes('b')]), store);
    expect(found).toEqual([{ modRevision: 3, deadlineMs: 5 }, undefined]);
  });
});

describe('the order of deadlines', () => {
  test('is that of time, then of keys', () => {
    const keys = [dueKey(256, bytes('a')), dueKey(255, bytes('b')), dueKey(255, bytes('a'))];
    const sorted = keys.map((key) => mapKeyOf(key)).sort();
    const shown = sorted.map((key) => dueOf(bytes(key)));
    expect(shown.map(({ deadlineMs, key }) => `${deadlineMs} ${text(key)}`)).toEqual([
      '255 a',
      '255 b',
      '256 a',
    ]);
  });
});

describe('the table', () => {
  test('opens with the keys that wait, and the first deadline of the others', () => {
    const store = new MapStore();
    const value = encodeWaiting({ ttlMs: 500, modRevision: 9, sinceMs: 40 });
    store.write([
      { type: 'put', key: dueKey(waitingDeadlineMs, bytes('w')), value },
      { type: 'put', key: dueKey(700, bytes('b')), value: new Uint8Array() },
      { type: 'put', key: dueKey(600, bytes('c')), value: new Uint8Array() },
    ]);
    const table = runReading(ExpiryTable.open(), store);
    expect(table).toMatchObject({ nextDeadlineMs: 600, isNeeded: true });
    expect(table.isWaiting('w')).toBe(true);
    expect(table.takeWaiting(50, 40)).toEqual([]);
    expect(table.takeWaiting(50, 41)).toEqual([
      ['w', { key: bytes('w'), ttlMs: 500, modRevision: 9, sinceMs: 40 }],
    ]);
    expect(table.nextDeadlineMs).toBe(550);
    expect(table.takeWaiting(60, 50)).toEqual([]);
  });

  test('is looked through from the next key on, or from an earlier deadline since', () => {
    const table = runReading(ExpiryTable.open(), new MapStore());
    table.setNext({ deadlineMs: 600, key: bytes('c') });
    expect(isIn(table.dueRange, dueKey(600, bytes('b')))).toBe(false);
    expect(isIn(table.dueRange, dueKey(600, bytes('c')))).toBe(true);
    expect(isIn(table.dueRange, dueKey(waitingDeadlineMs, bytes('d')))).toBe(false);

    const later = { key: bytes('later'), ttlMs: 590, modRevision: 9, sinceMs: 10 };
    table.wait('later', later);
    table.takeWaiting(20, 15);
    expect(isIn(table.dueRange, dueKey(600, bytes('b')))).toBe(false);

    table.wait('same', { ...later, key: bytes('a'), ttlMs: 580 });
    table.takeWaiting(20, 15);
    expect(isIn(table.dueRange, dueKey(600, bytes('a')))).toBe(true);
    expect(isIn(table.dueRange, dueKey(599, bytes('z')))).toBe(false);

    table.setNext(undefined);
    expect(isIn(table.dueRange, dueKey(1, bytes('a')))).toBe(true);
  });

  test('is not needed while no key has a time to live', () => {
    expect(runReading(ExpiryTable.open(), new MapStore())).toMatchObject({
      ...{ nextDeadlineMs: undefined, isNeeded: false },
    });
  });
});
