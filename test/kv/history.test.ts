import { beforeEach, describe, expect, test } from 'vitest';
import { type HistoryEvent, readHistory, readPrevious } from '../../src/kv/history.ts';
import { revisionKey } from '../../src/kv/key-layout.ts';
import { del, describeKv, put, txn } from './commands.ts';
import { Machine, runReading, text } from './map-store.ts';

let machine: Machine;

function describeEvents(events: readonly HistoryEvent[]): string {
  return events
    .map(({ main, isDelete, key }) => `${main}${isDelete ? '-' : '+'}${text(key)}`)
    .join(' ');
}

beforeEach(() => {
  machine = new Machine();
  machine.run(put('a', '1'), put('b', '2'));
  machine.run(txn([], [put('a', '3'), put('c', '4'), put('d', '5')]), del('a'), put('a', '6'));
  machine.settle();
});

describe('readHistory', () => {
  test('brings events in order, and says up to where they are all there', () => {
    const piece = runReading(readHistory(3, 6, 100), machine.store);

    expect(describeEvents(piece.events)).toBe('3+b 4+a 4+c 4+d 5-a 6+a');
    expect(piece.throughRevision).toBe(6);
  });

  test('never cuts a revision in two', () => {
    expect(runReading(readHistory(3, 6, 2), machine.store)).toMatchObject({ throughRevision: 3 });
    const large = runReading(readHistory(4, 6, 2), machine.store);

    expect(describeEvents(large.events)).toBe('4+a 4+c 4+d');
    expect(large.throughRevision).toBe(4);
  });

  test('ends at the revision asked for', () => {
    const piece = runReading(readHistory(2, 3, 2), machine.store);

    expect(describeEvents(piece.events)).toBe('2+a');
    expect(piece.throughRevision).toBe(2);
    expect(describeEvents(runReading(readHistory(3, 3, 2), machine.store).events)).toBe('3+b');
  });
});

describe('readPrevious', () => {
  const previous = (from: number): unknown[] => {
    const { events } = runReading(readHistory(from, from, 100), machine.store);
    const keys = events.map(({ previousKey }) => previousKey);
    return keys.map((key) => {
      const [kv] = key === undefined ? [] : runReading(readPrevious([key], 1), machine.store);
      return kv === undefined ? undefined : describeKv(kv);
    });
  };

  test('tells what keys were before; a new key, or one that was deleted, was nothing', () => {
    expect(previous(4)).toEqual(['a=1 create 2 mod 2 version 1', undefined, undefined]);
    expect(previous(5)).toEqual(['a=3 create 2 mod 4 version 2']);
    expect(previous(6)).toEqual([undefined]);
  });

  test('tells nothing of what is compacted', () => {
    machine.run({ type: 'compact', revision: 6 });
    machine.compactStep(100);
    machine.settle();

    const [gone] = runReading(
      readPrevious([new Uint8Array(13).fill(0x72, 0, 1)], 1),
      machine.store,
    );
    expect(gone).toBeUndefined();
  });

  test('ends with the piece by which there are enough bytes', () => {
    const other = new Machine();
    for (let at = 0; at < 100; at++) {
      other.run(put(`k${at}`, 'x'.repeat(1000)));
    }
    other.settle();
    const { events } = runReading(readHistory(2, 101, 200), other.store);
    const keys = events.map(({ main }) => revisionKey(main, 0));

    const lengthOf = (bytesMax: number): number =>
      runReading(readPrevious(keys, bytesMax), other.store).length;

    expect(lengthOf(1)).toBe(1);
    expect(lengthOf(17_000)).toBe(17);
    expect(lengthOf(60_000)).toBeLessThan(64);
    expect(lengthOf(1e9)).toBe(100);
  });
});
