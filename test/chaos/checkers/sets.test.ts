import { describe, expect, test } from 'vitest';
import { checkSet } from '../../../chaos/checkers/sets.ts';
import { call, messages, read, record, view } from './planted.ts';

function add(at: number, value: string, outcome: 'ok' | 'unknown' | 'fail' = 'ok') {
  const success = [{ type: 'put', key: 'set/0', value }] as const;
  const request = { type: 'txn', compare: [], success, failure: [] } as const;
  const result = { type: 'txn', succeeded: true, responses: [] } as const;
  return call(0, [at, at + 1], request, outcome === 'ok' ? result : undefined, { outcome });
}

function readSet(at: number, value: string) {
  return read(1, [at, at + 1], 'set/0', value === '' ? [] : [record('set/0', value)]);
}

describe('checkSet', () => {
  test('accepts a set that grows', () => {
    const lines = [add(0, '1'), readSet(2, '1'), add(4, '1 2', 'unknown'), readSet(6, '1 2')];

    expect(checkSet(view(lines))).toEqual([]);
  });

  test('rejects a lost element, also one that only a read has told of', () => {
    expect(messages(checkSet(view([add(0, '1'), readSet(2, '')])))).toEqual([
      'set/0: a read lacks 1, which was known before',
    ]);
    const lines = [add(0, '1', 'unknown'), readSet(2, '1'), readSet(4, '')];
    expect(checkSet(view(lines))).toHaveLength(1);
  });

  test('rejects an element twice, and one that nobody can have added', () => {
    expect(messages(checkSet(view([add(0, '1'), readSet(2, '1 1')])))[0]).toMatch(/twice/);
    expect(messages(checkSet(view([add(0, '1', 'fail'), readSet(2, '1')])))[0]).toMatch(
      /nobody can have added/,
    );
  });
});
