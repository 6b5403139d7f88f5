import { describe, expect, test } from 'vitest';
import {
  answeredOperations,
  indexByRevision,
  type StoreOperation,
} from '../../../chaos/checkers/revision-index.ts';
import { describeGap, replayRevisions } from '../../../chaos/checkers/revision-replay.ts';
import type { KeyValue, TxnPart } from '../../../chaos/checkers/store.ts';
import { lost, returned } from './recorded-runs.ts';

function kv(key: string, value: string, modRevision: number): KeyValue {
  return { key, value, createRevision: modRevision, modRevision, version: 1 };
}

function put(key: string, value = '1') {
  return { type: 'put', key, value } as const;
}

function txnIf(key: string, success: readonly TxnPart[], failure: readonly TxnPart[]) {
  const compare = [{ key, target: 'version', result: 'greater', operand: 0 }] as const;
  return { type: 'txn', compare, success, failure } as const;
}

function read(
  times: readonly [number, number],
  revision: number,
  ...kvs: readonly KeyValue[]
): StoreOperation {
  const result = { type: 'range', kvs, count: kvs.length } as const;
  return returned(0, times, { type: 'range', key: 'a', rangeEnd: 'z' }, { revision, result });
}

function wrote(revision: number) {
  return { revision, result: { type: 'put' } } as const;
}

function replay(history: readonly StoreOperation[], executionsMax = 1000) {
  const index = indexByRevision(history, answeredOperations(history), 1);
  return replayRevisions(index, { revision: 1, records: [] }, executionsMax);
}

describe('replayRevisions', () => {
  test('a choice is changed that decided which branch an unknown transaction took', () => {
    // Revision 2 is d's or x's, and revision 3 is the transaction's, which writes b only after x.
    const open: readonly StoreOperation[] = [
      lost(1, 1, put('x')),
      lost(2, 1, { type: 'put', key: 'd', value: '1' }),
      lost(3, 1, txnIf('x', [put('b')], [put('c')])),
      lost(4, 1, { type: 'deleteRange', key: 'd' }),
      lost(5, 1, { type: 'deleteRange', key: 'x' }),
    ];
    const saw = (...kvs: readonly KeyValue[]) => replay([...open, read([5, 6], 4, ...kvs)]);

    expect(saw(kv('b', '1', 3))).toEqual({ kind: 'explained', placedCount: 3 });
    expect(saw(kv('c', '1', 3))).toEqual({ kind: 'explained', placedCount: 3 });
    expect(saw(kv('b', '1', 3), kv('c', '1', 4)).kind).toBe('fault');
  });

  test('also if no candidate of that transaction is one of the choice to be changed', () => {
    const d3 = kv('d', '2', 3);
    const history = [
      lost(1, 1, put('x')),
      lost(2, 2, put('d')),
      returned(50, [3, 4], put('d', '2'), wrote(3)),
      lost(3, 5, txnIf('x', [put('b')], [put('c')])),
      returned(50, [6, 7], txnIf('b', [put('z')], []), {
        revision: 5,
        result: { type: 'txn', succeeded: true, responses: [{ type: 'put' }] },
      } as const),
      returned(
        50,
        [8, 9],
        { type: 'range', key: 'd' } as const,
        {
          revision: 5,
          result: { type: 'range', kvs: [d3], count: 1 },
        } as const,
      ),
    ];

    // Revision 2 is tried as the put of d, but only that of x lets the transaction put b.
    expect(replay(history)).toEqual({ kind: 'explained', placedCount: 2 });
  });

  test('an answer that no choice had to do with ends the search at once', () => {
    const history = [
      ...Array.from({ length: 30 }, (_, i) => lost(i, 1, put(`k${i}`))),
      returned(50, [2, 3], put('a'), wrote(12)),
      returned(
        50,
        [4, 5],
        { type: 'range', key: 'a' } as const,
        {
          revision: 12,
          result: { type: 'range', kvs: [kv('a', '2', 12)], count: 1 },
        } as const,
      ),
    ];

    const end = replay(history, 100);

    expect(end).toMatchObject({
      kind: 'fault',
      fault: { kind: 'wrong-answer', operations: [31, 30] },
    });
  });

  test('candidates that do not change what is wrong are not tried', () => {
    // The transaction saw y, so y was put at revision 2; eighty others might have been.
    const history = [
      ...Array.from({ length: 40 }, (_, i) => lost(i, 1, put(`k${i}`))),
      lost(60, 1, put('y')),
      ...Array.from({ length: 40 }, (_, i) => lost(100 + i, 1, put(`q${i}`))),
      returned(50, [2, 3], put('a'), wrote(3)),
      returned(50, [4, 5], txnIf('y', [put('b')], []), {
        revision: 4,
        result: { type: 'txn', succeeded: true, responses: [{ type: 'put' }] },
      } as const),
    ];

    expect(replay(history, 10)).toEqual({ kind: 'explained', placedCount: 1 });
  });

  test('gives up after so many executions', () => {
    const history = [returned(0, [1, 2], put('a'), wrote(2)), read([3, 4], 2, kv('a', '1', 2))];

    expect(replay(history, 1)).toEqual({ kind: 'explained', placedCount: 0 });
    expect(replay(history, -1)).toEqual({ kind: 'bound' });
  });
});

test('a gap is named by its neighbours', () => {
  const history = [
    returned(0, [1, 2], put('a'), wrote(2)),
    returned(0, [3, 4], put('b'), wrote(5)),
    returned(0, [5, 6], put('b'), wrote(6)),
  ];
  const index = indexByRevision(history, answeredOperations(history), 1);

  expect(describeGap(index, 3)).toEqual({
    kind: 'unexplained-revision',
    message:
      'revision 3 was made by no operation: ' +
      'see #0 (p0, put "a" "1", 1..2, revision 2) and #1 (p0, put "b" "1", 3..4, revision 5)',
    operations: [0, 1],
  });
});
