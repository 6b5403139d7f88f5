import { describe, expect, test } from 'vitest';
import { checkRegisters } from '../../../chaos/checkers/registers.ts';
import { call, put, read, record, view } from './planted.ts';

const compareAndSet = {
  type: 'txn',
  compare: [{ key: 'a', target: 'value', result: 'equal', operand: '1' }],
  success: [{ type: 'put', key: 'a', value: '2' }],
  failure: [],
} as const;

describe('checkRegisters', () => {
  test('accepts reads, writes and compare-and-sets in order', () => {
    const lines = [
      read(0, [0, 1], 'a', []),
      put(0, [2, 3], ['a', '1'], 2),
      call(0, [4, 5], compareAndSet, { type: 'txn', succeeded: true, responses: [] }),
      read(0, [6, 7], 'a', [record('a', '2')]),
    ];

    expect(checkRegisters(view(lines))).toEqual([]);
  });

  test('rejects a stale read, whatever revision it tells', () => {
    const write = put(0, [0, 1], ['a', '1'], 2);
    const stale = read(1, [2, 3], 'a', [], { revision: 2 });

    const [finding] = checkRegisters(view([write, stale]));

    expect(finding?.kind).toBe('violation');
    expect(finding?.calls).toContain(stale.id);
  });

  test('an unknown write may have happened or not, a failed one has not', () => {
    const write = { outcome: 'unknown', result: undefined } as const;
    const seen = read(1, [2, 3], 'a', [record('a', '1')]);

    expect(checkRegisters(view([put(0, [0, 1], ['a', '1'], 0, write), seen]))).toEqual([]);
    expect(
      checkRegisters(view([put(0, [0, 1], ['a', '1'], 0, { ...write, outcome: 'fail' }), seen])),
    ).toHaveLength(1);
  });
});
