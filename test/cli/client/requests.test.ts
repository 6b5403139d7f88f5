/** From arguments to requests, and what is refused before anything is sent. */
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  deleteRequest,
  getRequest,
  parseLeaseId,
  putRequest,
} from '../../../src/cli/client/requests.ts';

const a = Buffer.from('a');
const none = Buffer.alloc(0);

describe('getRequest', () => {
  test.each([
    ['a key', a, undefined, {}, a, ''],
    ['a range', a, Buffer.from('c'), {}, a, 'c'],
    ['a prefix', a, undefined, { prefix: true }, a, 'b'],
    [
      'a prefix that ends in 0xff',
      Buffer.from('a\xff', 'latin1'),
      undefined,
      { prefix: true },
      undefined,
      'b',
    ],
    ['a prefix of 0xff alone', Buffer.from([0xff]), undefined, { prefix: true }, undefined, '\0'],
    ['all from a key on', a, undefined, { fromKey: true }, a, '\0'],
    ['all keys by an empty prefix', none, undefined, { prefix: true }, Buffer.alloc(1), '\0'],
    ['all keys from an empty one on', none, undefined, { fromKey: true }, Buffer.alloc(1), '\0'],
  ] as const)('reads %s', (_what, key, end, options, expectedKey, expectedEnd) => {
    const request = getRequest(key, end, options);

    expect(request.key).toEqual(expectedKey ?? key);
    expect(request.range_end).toEqual(Buffer.from(expectedEnd));
  });

  test('passes every option on', () => {
    const request = getRequest(a, undefined, {
      limit: 3,
      order: 'DESCEND',
      sortBy: 'MODIFY',
      rev: 9,
      consistency: 's',
      keysOnly: true,
      minModRev: 1,
      maxModRev: 2,
      minCreateRev: 3,
      maxCreateRev: 4,
    });

    expect(request).toMatchObject({
      limit: 3,
      sort_order: 'DESCEND',
      sort_target: 'MOD',
      revision: 9,
      serializable: true,
      keys_only: true,
      count_only: false,
      min_mod_revision: 1,
      max_mod_revision: 2,
      min_create_revision: 3,
      max_create_revision: 4,
    });
  });

  test.each([
    ['both --prefix and --from-key', a, undefined, { prefix: true, fromKey: true }],
    ['a range_end with --prefix', a, a, { prefix: true }],
    ['a range_end with --from-key', a, a, { fromKey: true }],
    ['an empty key', none, undefined, {}],
    ['an empty key with a range_end', none, a, {}],
    ['keys alone and their number', a, undefined, { keysOnly: true, countOnly: true }],
    ['values alone and keys alone', a, undefined, { keysOnly: true, printValueOnly: true }],
    ['values alone and their number', a, undefined, { countOnly: true, printValueOnly: true }],
  ] as const)('refuses %s', (_what, key, end, options) => {
    expect(() => getRequest(key, end, options)).toThrow(/^holdfast: get: /);
  });
});

describe('putRequest', () => {
  test('takes a value of no bytes', () => {
    expect(putRequest(a, none, {})).toMatchObject({ key: a, value: none, lease: 0 });
  });

  test('passes every option on', () => {
    expect(
      putRequest(a, undefined, { ignoreValue: true, prevKv: true, lease: '18' }),
    ).toMatchObject({
      value: none,
      lease: '18',
      prev_kv: true,
      ignore_value: true,
      ignore_lease: false,
    });
  });

  test.each([
    ['an empty key', none, a, {}],
    ['no value', a, undefined, {}],
    ['a value that would be ignored', a, a, { ignoreValue: true }],
    ['a lease that would be ignored', a, a, { lease: '1', ignoreLease: true }],
  ] as const)('refuses %s', (_what, key, value, options) => {
    expect(() => putRequest(key, value, options)).toThrow(/^holdfast: put: /);
  });
});

describe('deleteRequest', () => {
  test('deletes a prefix and asks for what was there', () => {
    expect(deleteRequest(a, undefined, { prefix: true, prevKv: true })).toEqual({
      key: a,
      range_end: Buffer.from('b'),
      prev_kv: true,
    });
  });

  test('refuses an empty key, which could be a mistake, without --prefix', () => {
    expect(() => deleteRequest(none, undefined, {})).toThrow('del: the key must not be empty');
  });
});

describe('bytesOf', () => {
  test('reads UTF-8 from the command line and bytes from a transaction', () => {
    expect(bytesOf('put', 'é', 'utf8')).toEqual(Buffer.from([0xc3, 0xa9]));
    expect(bytesOf('txn', 'é', 'latin1')).toEqual(Buffer.from([0xe9]));
  });

  test('refuses what the shell gave as other bytes than UTF-8, rather than change them', () => {
    expect(() => bytesOf('put', 'a\ufffd', 'utf8')).toThrow('not valid UTF-8');
  });
});

describe('parseLeaseId', () => {
  test.each([
    ['0', '0'],
    ['1f', '31'],
    ['694d7A', '6901114'],
    ['7fffffffffffffff', '9223372036854775807'],
  ])('%s is %s', (text, expected) => {
    expect(parseLeaseId(text)).toBe(expected);
  });

  test.each(['', 'g', '-1', '0x1', '8000000000000000', '10000000000000000'])(
    '"%s" is refused',
    (text) => {
      expect(() => parseLeaseId(text)).toThrow('in hexadecimal');
    },
  );
});
