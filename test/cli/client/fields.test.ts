/** Fields as etcdctl writes them. */
import { describe, expect, test } from 'vitest';
import { quoted, rangeFields, txnFields } from '../../../src/cli/client/fields.ts';

const header = { cluster_id: '1', member_id: '255', revision: '6', raft_term: '2' };
const headerLines = ['"ClusterID" : 1', '"MemberID" : 255', '"Revision" : 6', '"RaftTerm" : 2'];
const range = {
  header,
  kvs: [
    {
      key: Buffer.from('a'),
      create_revision: '2',
      mod_revision: '3',
      version: '2',
      value: Buffer.from([0xff, 0x0a]),
      lease: '0',
      ...{ ttl_ms: '0', ttl_remaining_ms: '0' },
    },
  ],
  more: false,
  count: '1',
};
const rangeLines = [
  ...headerLines,
  '"Key" : "a"',
  '"CreateRevision" : 2',
  '"ModRevision" : 3',
  '"Version" : 2',
  String.raw`"Value" : "\xff\n"`,
  '"Lease" : 0',
  '"More" : false',
  '"Count" : 1',
];

describe('quoted', () => {
  test.each([
    ['a b', '"a b"'],
    ['say "no\\"', String.raw`"say \"no\\\""`],
    ['\x07\b\t\n\v\f\r\0\x1f\x7f', String.raw`"\a\b\t\n\v\f\r\x00\x1f\x7f"`],
    [String.raw`\x07`, String.raw`"\\x07"`],
    ['é€😀', '"é€😀"'],
    ['\u00a0\u00ad\u{e0001}', String.raw`"\u00a0\u00ad\U000e0001"`],
    [Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82]), String.raw`"a\xffé\xe2\x82"`],
    // Longer than needed, a surrogate, beyond Unicode: no UTF-8.
    [Buffer.from([0xc0, 0x80, 0xed, 0xa0, 0x80]), String.raw`"\xc0\x80\xed\xa0\x80"`],
    [Buffer.from([0xf4, 0x90, 0x80, 0x80]), String.raw`"\xf4\x90\x80\x80"`],
    ['', '""'],
  ])('%j is %s', (value, expected) => {
    expect(quoted(value)).toBe(expected);
  });
});

test('a range has every field of every key', () => {
  expect(rangeFields(range)).toEqual(rangeLines);
});

test('a transaction has the fields of its responses, those within them too', () => {
  const inner = { header, succeeded: false, responses: [] };
  const responses = [
    { response: 'response_range' as const, response_range: range },
    { response: 'response_txn' as const, response_txn: inner },
  ];

  expect(txnFields({ header, succeeded: true, responses })).toEqual([
    ...headerLines,
    '"Succeeded" : true',
    ...rangeLines,
    ...headerLines,
    '"Succeeded" : false',
  ]);
});
