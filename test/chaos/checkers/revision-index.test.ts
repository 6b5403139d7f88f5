import { describe, expect, test } from 'vitest';
import {
  answeredOperations,
  describeOperation,
  indexByRevision,
  sightingsOf,
  type StoreOperation,
  writtenKeys,
} from '../../../chaos/checkers/revision-index.ts';
import { lost, returned } from './recorded-runs.ts';

const a2 = { key: 'a', value: '1', createRevision: 2, modRevision: 2, version: 1 };
const history: readonly StoreOperation[] = [
  lost(3, 9, { type: 'put', key: 'late', value: '1' }),
  lost(4, 1, { type: 'deleteRange', key: 'a' }),
  lost(5, 1, { type: 'range', key: 'a' }),
  returned(
    0,
    [1, 2],
    { type: 'put', key: 'a', value: '1' },
    { revision: 2, result: { type: 'put' } },
  ),
  returned(
    0,
    [3, 4],
    { type: 'range', key: 'a', serializable: true },
    { revision: 4, result: { type: 'range', kvs: [a2], count: 1 } },
  ),
  returned(
    0,
    [5, 6],
    { type: 'put', key: 'a', value: '2', prevKv: true },
    { revision: 5, result: { type: 'put', prevKv: a2 } },
  ),
];
const answered = answeredOperations(history);

describe('indexByRevision', () => {
  test('sorts writes, reads and what may have changed something', () => {
    const index = indexByRevision(history, answered, 1);

    expect(index.lastRevision).toBe(5);
    expect([...index.writeByRevision.keys()]).toEqual([2, 5]);
    expect(index.readsByRevision.get(4)?.map((it) => it.index)).toEqual([4]);
    expect(index.openWrites).toEqual([1, 0]);
    expect(answered.map((it) => it.isSerializable)).toEqual([false, true, false]);
  });

  test('knows every key that may be written', () => {
    expect(writtenKeys(history)).toEqual(new Set(['late', 'a']));
  });
});

test('a write tells of the state before it, a read of its own', () => {
  const sightings = answered.flatMap((it) => sightingsOf(it));

  expect(sightings.map(({ record, revision, by }) => [record, revision, by.index])).toEqual([
    [a2, 4, 4],
    [a2, 4, 5],
  ]);
});

test('an operation is told by position, process, request, times and revision', () => {
  expect(describeOperation(history, 0)).toBe('#0 (p3, put "late" "1", 9.., outcome unknown)');
  expect(describeOperation(history, 3)).toBe('#3 (p0, put "a" "1", 1..2, revision 2)');
});
