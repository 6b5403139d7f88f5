import { describe, expect, test } from 'vitest';
import { RevisionEvidence } from '../../../chaos/checkers/revision-evidence.ts';
import {
  answeredOperations,
  indexByRevision,
  type StoreOperation,
  writtenKeys,
} from '../../../chaos/checkers/revision-index.ts';
import { RevisionStore } from '../../../chaos/checkers/revision-store.ts';
import type { KeyValue, StoreRequest } from '../../../chaos/checkers/store.ts';
import { lost, returned } from './recorded-runs.ts';

function kv(key: string, value: string, modRevision: number): KeyValue {
  return { key, value, createRevision: modRevision, modRevision, version: 1 };
}

function read(
  times: readonly [number, number],
  revision: number,
  ...kvs: readonly KeyValue[]
): StoreOperation {
  const result = { type: 'range', kvs, count: kvs.length } as const;
  return returned(0, times, { type: 'range', key: 'a', rangeEnd: 'z' }, { revision, result });
}

function evidenceOf(history: readonly StoreOperation[]): RevisionEvidence {
  const index = indexByRevision(history, answeredOperations(history), 1);
  const initial = { revision: 1, records: [] };
  return new RevisionEvidence(index, initial, new RevisionStore(writtenKeys(history), []));
}

/** Revisions 2 and 4 are nobody's; the first was seen to make a = 1. */
const history: readonly StoreOperation[] = [
  lost(1, 1, { type: 'put', key: 'a', value: '1' }),
  lost(2, 1, { type: 'put', key: 'c', value: '1' }),
  read([2, 5], 2, kv('a', '1', 2)),
  returned(
    3,
    [3, 4],
    { type: 'put', key: 'b', value: '1' },
    { revision: 3, result: { type: 'put' } },
  ),
  read([8, 9], 4, kv('a', '1', 2), kv('b', '1', 3)),
];

describe('RevisionEvidence', () => {
  const evidence = evidenceOf(history);
  const putA: StoreRequest = { type: 'put', key: 'a', value: '1' };
  const putB: StoreRequest = { type: 'put', key: 'b', value: '2' };

  test('a revision is there once any answer of it or of a later one returned', () => {
    expect(evidence.visibleBy(2)).toBe(4);
    expect(evidence.visibleBy(4)).toBe(9);
  });

  test('a revision was made by whoever may have made what was seen of it', () => {
    expect(evidence.sightingsAt(2).map((it) => it.by.index)).toEqual([2, 4]);
    expect(evidence.isSighted('a', '1')).toBe(true);
    expect(evidence.isSighted('b', '1')).toBe(false);
    expect(evidence.mayMake(2, putA)).toBe(true);
    expect(evidence.mayMake(2, { ...putA, value: '2' })).toBe(false);
    expect(evidence.mayMake(2, putB)).toBe(false);
    expect(evidence.mayMake(2, { type: 'txn', compare: [], success: [], failure: [putA] })).toBe(
      true,
    );
  });

  test('a revision was not made by a change of what was seen unchanged', () => {
    expect(evidence.mayMake(4, putA)).toBe(false);
    expect(evidence.mayMake(4, { type: 'deleteRange', key: 'a' })).toBe(false);
    expect(evidence.mayMake(4, { type: 'deleteRange', key: 'a', rangeEnd: 'z' })).toBe(true);
    expect(evidence.mayMake(4, { type: 'put', key: 'c', value: '1' })).toBe(true);
    expect(evidence.mayMake(4, { type: 'range', key: 'c' })).toBe(false);
  });

  test('changes must make what was seen, exactly', () => {
    expect(evidence.allows(2, new Map([['a', kv('a', '1', 2)]]))).toBe(true);
    expect(evidence.allows(2, new Map([['a', { ...kv('a', '1', 2), version: 2 }]]))).toBe(false);
    expect(evidence.allows(2, new Map())).toBe(false);
    expect(evidence.allows(4, new Map([['a', undefined]]))).toBe(false);
    expect(evidence.allows(4, new Map([['c', kv('c', '1', 4)]]))).toBe(true);
  });

  test('finds answers that contradict each other whatever the unknown outcomes are', () => {
    const stale = read([10, 11], 4, kv('b', '0', 3));

    expect(evidence.findContradiction()).toBeUndefined();
    expect(evidenceOf([...history, stale]).findContradiction()).toMatchObject({
      sighting: { by: { index: 5 } },
      writer: { index: 3 },
    });
  });
});
