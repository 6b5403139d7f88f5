import { describe, expect, test } from 'vitest';
import { checkStoreOrder } from '../../../chaos/checkers/store-order.ts';
import { account, call, messages, put, putEvent, read, record, view } from './planted.ts';

describe('checkStoreOrder', () => {
  test('accepts what the revisions explain', () => {
    const lines = [
      put(0, [0, 1], ['a', '1'], 2),
      read(1, [2, 3], 'a', [record('a', '1', 2)], { revision: 2 }),
      account(putEvent(2, 'a', '1')),
    ];

    expect(checkStoreOrder(view(lines))).toEqual([]);
  });

  test('rejects a stale read and names both calls', () => {
    const write = put(0, [0, 1], ['a', '1'], 2);
    const stale = read(1, [2, 3], 'a', [], { revision: 1 });

    const findings = checkStoreOrder(view([write, stale, account(putEvent(2, 'a', '1'))]));

    expect(findings).toHaveLength(1);
    expect(findings[0]?.kind).toBe('violation');
    expect(new Set(findings[0]?.calls)).toEqual(new Set([write.id, stale.id]));
  });

  test('rejects a lost write', () => {
    const lines = [
      put(0, [0, 1], ['a', '1'], 2),
      read(1, [2, 3], 'a', [], { revision: 2 }),
      account(putEvent(2, 'a', '1')),
    ];

    expect(checkStoreOrder(view(lines))).toHaveLength(1);
  });

  test('a write of unknown outcome may have happened, if its value was seen', () => {
    const unknown = put(0, [0, 1], ['a', '1'], 0, { outcome: 'unknown', revision: undefined });
    const seen = read(1, [2, 3], 'a', [record('a', '1', 2)], { revision: 2 });

    expect(checkStoreOrder(view([unknown, seen, account(putEvent(2, 'a', '1'))]))).toEqual([]);
    expect(checkStoreOrder(view([seen, account(putEvent(2, 'a', '1'))]))).toHaveLength(1);
  });

  test('what servers write by themselves is taken from the account, below its prefix only', () => {
    const lines = [
      call(0, [0, 1], { type: 'lock', name: 'lock/a', lease: '1' }, { type: 'done' }),
      put(0, [2, 3], ['a', '1'], 3),
      account(putEvent(2, 'lock/a/1', ''), putEvent(3, 'a', '1')),
    ];

    expect(checkStoreOrder(view(lines), ['lock/'])).toEqual([]);
    expect(messages(checkStoreOrder(view(lines)))).toHaveLength(1);
  });
});
