import { describe, expect, test } from 'vitest';
import { checkDurability } from '../../../chaos/checkers/durability.ts';
import { account, call, messages, put, putEvent, read, record, view } from './planted.ts';

describe('checkDurability', () => {
  test('accepts what is there as acknowledged, to the end', () => {
    const lines = [
      put(0, [0, 1], ['a', '1'], 2),
      account(putEvent(2, 'a', '1')),
      read(1, [5, 6], '\0', [record('a', '1', 2)], { rangeEnd: '\0', revision: 2, isFinal: true }),
    ];

    expect(checkDurability(view(lines))).toEqual([]);
  });

  test('rejects an acknowledged write that is not there, or is another', () => {
    const acknowledged = put(0, [0, 1], ['a', '1'], 2);

    expect(checkDurability(view([acknowledged]))).toHaveLength(1);
    expect(messages(checkDurability(view([acknowledged, account(putEvent(2, 'a', '9'))])))).toEqual(
      ['the put of a was acknowledged at revision 2, and is not there'],
    );
  });

  test('rejects an acknowledged deletion that did not happen', () => {
    const lines = [
      account(putEvent(2, 'a', '1')),
      call(
        0,
        [2, 3],
        { type: 'deleteRange', key: 'a' },
        { type: 'deleteRange', deleted: 1 },
        {
          revision: 3,
        },
      ),
    ];

    expect(messages(checkDurability(view(lines)))[0]).toMatch(/where 0 were deleted/);
  });

  test('rejects a refused write that was done', () => {
    const refused = put(0, [0, 1], ['a', '1'], 0, { outcome: 'fail', result: undefined });

    expect(messages(checkDurability(view([refused, account(putEvent(2, 'a', '1'))])))[0]).toMatch(
      /refused the put of a, which was done at revision 2/,
    );
  });

  test('rejects a member whose final state is another', () => {
    const lines = [
      account(putEvent(2, 'a', '1'), putEvent(3, 'b', '1')),
      read(1, [5, 6], '\0', [record('a', '1', 2)], {
        rangeEnd: '\0',
        revision: 3,
        isFinal: true,
        member: 'n2',
      }),
    ];

    expect(messages(checkDurability(view(lines)))).toEqual(['the final read from n2 differs in b']);
  });
});
