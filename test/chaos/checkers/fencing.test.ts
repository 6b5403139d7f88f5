import { describe, expect, test } from 'vitest';
import { checkFencing } from '../../../chaos/checkers/fencing.ts';
import { account, call, deleteEvent, messages, putEvent, view } from './planted.ts';

function judge(...lines: Parameters<typeof view>[0]): readonly string[] {
  return messages(checkFencing(view(lines), 'lock/', 'fenced/'));
}

const first = putEvent(2, 'lock/1', '');
const second = putEvent(3, 'lock/2', '');
const acted = (revision: number, token: number) =>
  putEvent(revision, `fenced/${revision}`, `${token} f`);

describe('checkFencing', () => {
  test('accepts writes of each owner in its time', () => {
    expect(
      judge(account(first, second, acted(4, 2), deleteEvent(5, 'lock/1'), acted(6, 3))),
    ).toEqual([]);
  });

  test('rejects a write of an owner whose key is gone', () => {
    expect(judge(account(first, deleteEvent(3, 'lock/1'), acted(4, 2)))).toEqual([
      'revision 4 was written under token 2, which had ended',
    ]);
  });

  test('rejects a write of one who still waits, and a token that goes back', () => {
    expect(judge(account(first, second, acted(4, 3), acted(5, 2)))).toEqual([
      'revision 4 was written under token 3, while 2 owned',
      'revision 5 was written under token 2, after 3',
    ]);
  });

  test('rejects a token that two owners were given', () => {
    const own = (lease: string) =>
      call(
        0,
        [0, 1],
        { type: 'lock', name: 'lock/', lease },
        { type: 'owned', key: 'k', token: 2 },
      );

    expect(judge(own('1'), own('2'))).toEqual(['token 2 was given twice']);
    expect(judge(own('1'), own('1'))).toEqual([]);
  });
});
