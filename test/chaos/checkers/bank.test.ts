import { describe, expect, test } from 'vitest';
import { checkBank } from '../../../chaos/checkers/bank.ts';
import { messages, read, record, view } from './planted.ts';

const accounts = ['bank/a', 'bank/b'];

function judge(balances: Readonly<Record<string, string>>) {
  const kvs = Object.entries(balances).map(([key, value]) => record(key, value));
  const seen = view([read(0, [0, 1], 'bank/', kvs, { rangeEnd: 'bank0' })]);
  return messages(checkBank(seen, accounts, 200)).map((message) => message.replace(/.* saw /, ''));
}

describe('checkBank', () => {
  test.each([
    [{ 'bank/a': '50 7', 'bank/b': '150' }, []],
    [{ 'bank/a': '50', 'bank/b': '149' }, ['a total of 199 instead of 200']],
    [{ 'bank/a': '200' }, ['no bank/b']],
    [{ 'bank/a': '-1', 'bank/b': '201' }, ['less than nothing on bank/a']],
  ])('a read of %j gives %j', (balances, expected) => {
    expect(judge(balances)).toEqual(expected);
  });
});
