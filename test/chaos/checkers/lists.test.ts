import { describe, expect, test } from 'vitest';
import { checkLists } from '../../../chaos/checkers/lists.ts';
import { call, messages, record, view } from './planted.ts';

function append(at: number, lists: Readonly<Record<string, string>>) {
  const success = Object.entries(lists).map(([key, value]) => ({
    type: 'put' as const,
    key,
    value,
  }));
  const request = { type: 'txn', compare: [], success, failure: [] } as const;
  return call(0, [at, at + 1], request, { type: 'txn', succeeded: true, responses: [] });
}

function readAll(at: number, lists: Readonly<Record<string, string>>) {
  const keys = ['x', 'y'];
  const success = keys.map((key) => ({ type: 'range' as const, key }));
  const responses = keys.map((key) => {
    const value = lists[key];
    return {
      type: 'range' as const,
      kvs: value === undefined ? [] : [record(key, value)],
      count: 1,
    };
  });
  const request = { type: 'txn', compare: [], success, failure: [] } as const;
  return call(1, [at, at + 1], request, { type: 'txn', succeeded: true, responses });
}

describe('checkLists', () => {
  test('accepts appends that all reads agree on', () => {
    const lines = [
      append(0, { x: '1', y: '1' }),
      readAll(2, { x: '1', y: '1' }),
      append(4, { x: '1 2' }),
      readAll(6, { x: '1 2', y: '1' }),
    ];

    expect(checkLists(view(lines))).toEqual([]);
  });

  test.each([
    ['a lost append', { x: '1' }, {}, /lacks 1, appended before/],
    ['a doubled append', { x: '1' }, { x: '1 1' }, /an element twice/],
    ['a made-up element', { x: '1' }, { x: '1 9' }, /nobody can have appended/],
    ['half a transaction', { x: '1', y: '1' }, { x: '1' }, /half of what another/],
  ])('rejects %s', (_, appended, seen, expected) => {
    const found = messages(checkLists(view([append(0, appended), readAll(2, seen)])));

    expect(found.join('\n')).toMatch(expected);
  });

  test('rejects reads that disagree on the order', () => {
    const lines = [
      append(0, { x: '1' }),
      append(0, { x: '2' }),
      readAll(2, { x: '1 2' }),
      readAll(2, { x: '2' }),
    ];

    expect(messages(checkLists(view(lines))).join('\n')).toMatch(/disagree on its order/);
  });
});
