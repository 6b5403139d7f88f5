import { describe, expect, test } from 'vitest';
import { findDifference } from '../../../chaos/checkers/difference.ts';
import type { KeyValue, StoreResult } from '../../../chaos/checkers/store.ts';

function kv(key: string, modRevision: number): KeyValue {
  return { key, value: 'x', createRevision: 2, modRevision, version: 1 };
}

const a3 = kv('a', 3);
const b4 = kv('b', 4);
const txn = { type: 'txn', succeeded: true, responses: [{ type: 'put' }] } as const;

describe('findDifference', () => {
  test.each<[string, StoreResult, StoreResult, string | undefined]>([
    [
      'equal ranges',
      { type: 'range', kvs: [a3], count: 1 },
      { type: 'range', kvs: [{ ...a3 }], count: 1 },
      undefined,
    ],
    [
      'another state of a key',
      { type: 'range', kvs: [a3], count: 1 },
      { type: 'range', kvs: [kv('a', 2)], count: 1 },
      'tells "a" = "x" (create 2, mod 2, version 1), instead of = "x" (create 2, mod 3, version 1)',
    ],
    [
      'a key missing in front',
      { type: 'range', kvs: [a3, b4], count: 2 },
      { type: 'range', kvs: [b4], count: 1 },
      'tells "a" absent, instead of = "x" (create 2, mod 3, version 1)',
    ],
    [
      'a key too many',
      { type: 'range', kvs: [b4], count: 1 },
      { type: 'range', kvs: [a3, b4], count: 2 },
      'tells "a" = "x" (create 2, mod 3, version 1), instead of absent',
    ],
    [
      'a wrong count',
      { type: 'range', kvs: [a3], count: 2 },
      { type: 'range', kvs: [a3], count: 1 },
      'counts 1 keys, not 2',
    ],
    [
      'what a put found',
      { type: 'put', prevKv: null },
      { type: 'put', prevKv: a3 },
      'tells "a" = "x" (create 2, mod 3, version 1), instead of absent',
    ],
    ['what nobody asked a put for', { type: 'put' }, { type: 'put', prevKv: a3 }, undefined],
    [
      'a wrong number of deletions',
      { type: 'deleteRange', deleted: 1 },
      { type: 'deleteRange', deleted: 2 },
      'tells that 2 keys were deleted, not 1',
    ],
    [
      'the wrong branch',
      txn,
      { ...txn, succeeded: false },
      'took the branch "failure", but its conditions held',
    ],
    ['a response too few', txn, { ...txn, responses: [] }, 'has 0 responses, not 1'],
    [
      'a wrong response',
      { ...txn, responses: [{ type: 'deleteRange', deleted: 1 }] },
      { ...txn, responses: [{ type: 'deleteRange', deleted: 0 }] },
      'in response 0 tells that 0 keys were deleted, not 1',
    ],
    ['another type', txn, { type: 'put' }, 'is of type put, instead of txn'],
  ])('of %s', (_name, expected, actual, problem) => {
    expect(findDifference(expected, actual)?.problem).toBe(problem);
  });
});
