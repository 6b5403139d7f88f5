/** The hand-written KV messages of the client say the same as the contracts as they are loaded. */
import { describe, expect, test } from 'vitest';
import {
  encodeKvMessage,
  type KvMessage,
  readDeleteRangeAnswer,
  readPutAnswer,
  readRangeAnswer,
  readTxnAnswer,
} from '../../src/wire/kv-client-codec.ts';
import { ProtoReader } from '../../src/wire/protobuf.ts';
import { services } from '../../src/wire/index.ts';

const kv = services['etcdserverpb.KV'];
const key = Buffer.from('key');
const value = Buffer.from('value');
const rangeEnd = Buffer.from('kez');

const put: KvMessage = {
  type: 'put',
  put: {
    ...{ key, value, lease: '-9223372036854775808', prevKv: true, ignoreValue: true },
    ...{ ignoreLease: true, ttlMs: -1, ttlRefreshOnWrite: true },
  },
};
const range: KvMessage = {
  type: 'range',
  range: {
    ...{ key, rangeEnd, limit: 5, revision: 2 ** 40, sortOrder: 'descend', sortTarget: 'value' },
    ...{ serializable: true, keysOnly: true, countOnly: true, maxCreateRevision: 9 },
    noCount: true,
  },
};
const deletion: KvMessage = { type: 'deleteRange', deleteRange: { key, rangeEnd, prevKv: true } };

describe('a request', () => {
  test('to put has all its fields', () => {
    expect(kv.Put.requestDeserialize(encodeKvMessage(put))).toEqual({
      ...{ key, value, lease: '-9223372036854775808', prev_kv: true, ignore_value: true },
      ...{ ignore_lease: true, ttl_ms: '-1', ttl_refresh_on_write: true },
    });
  });

  test('to read has all its fields', () => {
    expect(kv.Range.requestDeserialize(encodeKvMessage(range))).toMatchObject({
      ...{ key, range_end: rangeEnd, limit: '5', revision: String(2 ** 40) },
      ...{ sort_order: 'DESCEND', sort_target: 'VALUE' },
      ...{ serializable: true, keys_only: true, count_only: true, max_create_revision: '9' },
      no_count: true,
    });
  });

  test('to delete has all its fields', () => {
    expect(kv.DeleteRange.requestDeserialize(encodeKvMessage(deletion))).toEqual({
      ...{ key, range_end: rangeEnd, prev_kv: true },
    });
  });

  test('that says the least has the defaults', () => {
    const least = encodeKvMessage({ type: 'put', put: { key, value: Buffer.alloc(0) } });

    expect(least.toString('hex')).toBe('0a036b6579');
  });

  test('for a transaction has conditions and operations, nested ones too', () => {
    const inner: KvMessage = {
      type: 'txn',
      txn: { compare: [], success: [deletion], failure: [range] },
    };
    const bytes = encodeKvMessage({
      type: 'txn',
      txn: {
        compare: [
          { key, result: 'equal', target: 'version', operand: 1 },
          { key, result: 'greater', target: 'create', operand: 2 },
          { key, result: 'less', target: 'mod', operand: 3 },
          { key, result: 'notEqual', target: 'value', operand: value },
          { key, rangeEnd, result: 'equal', target: 'lease', operand: '4' },
        ],
        success: [put, inner],
        failure: [range],
      },
    });

    const decoded = kv.Txn.requestDeserialize(bytes);

    expect(decoded.compare).toMatchObject([
      { key, result: 'EQUAL', target: 'VERSION', version: '1' },
      { key, result: 'GREATER', target: 'CREATE', create_revision: '2' },
      { key, result: 'LESS', target: 'MOD', mod_revision: '3' },
      { key, result: 'NOT_EQUAL', target: 'VALUE', value },
      { key, result: 'EQUAL', target: 'LEASE', lease: '4', range_end: rangeEnd },
    ]);
    expect(decoded.success).toMatchObject([
      { request_put: { key, value } },
      {
        request_txn: {
          success: [{ request_delete_range: { key, range_end: rangeEnd } }],
          failure: [{ request_range: { key, limit: '5' } }],
        },
      },
    ]);
    expect(decoded.failure).toMatchObject([{ request_range: { key } }]);
  });

  test.each([
    ['version', { target: 'version', operand: 0, result: 'equal' }],
    ['value', { target: 'value', operand: Buffer.alloc(0), result: 'equal' }],
  ] as const)('compares with a %s that is the default', (_, compare) => {
    const bytes = encodeKvMessage({
      type: 'txn',
      txn: { compare: [{ key, ...compare }], success: [], failure: [] },
    });

    // An operand that is absent is the default to a member.
    const [decoded] = kv.Txn.requestDeserialize(bytes).compare;
    expect(decoded).toMatchObject({ key, target: compare.target.toUpperCase() });
  });
});

describe('an answer', () => {
  const header = { cluster_id: 1, member_id: 2, revision: 2 ** 50, raft_term: 3 };
  const stored = {
    ...{ key, value, create_revision: 1, mod_revision: 2, version: 3, lease: '-5' },
    ...{ ttl_ms: 6, ttl_remaining_ms: 5 },
  };
  const read = {
    ...{ key, value, createRevision: 1, modRevision: 2, version: 3, lease: '-5', ttlMs: 6 },
  };
  const at = { revision: 2 ** 50 };

  test('to a put', () => {
    const bytes = kv.Put.responseSerialize({ header, prev_kv: stored });

    expect(readPutAnswer(new ProtoReader(bytes))).toEqual({ type: 'put', ...at, prevKv: read });
    expect(readPutAnswer(new ProtoReader(Buffer.alloc(0)))).toEqual({ type: 'put', revision: 0 });
  });

  test('to a range', () => {
    const bytes = kv.Range.responseSerialize({ header, kvs: [stored, {}], more: true, count: 9 });

    const answer = readRangeAnswer(new ProtoReader(bytes));

    expect(answer).toMatchObject({ type: 'range', ...at, more: true, count: 9 });
    expect(answer.kvs[0]).toEqual(read);
    expect(answer.kvs[1]).toMatchObject({ key: Buffer.alloc(0), lease: '0', ttlMs: 0 });
  });

  test('to a deletion', () => {
    const bytes = kv.DeleteRange.responseSerialize({ header, deleted: 2, prev_kvs: [stored] });

    expect(readDeleteRangeAnswer(new ProtoReader(bytes))).toEqual({
      ...{ type: 'deleteRange', ...at, deleted: 2, prevKvs: [read] },
    });
  });

  test('to a transaction, with those within it', () => {
    const bytes = kv.Txn.responseSerialize({
      header,
      succeeded: true,
      responses: [
        { response_put: { header: { revision: 7 } } },
        { response_range: { kvs: [stored], count: 1 } },
        { response_delete_range: { deleted: 1 } },
        { response_txn: { succeeded: false, responses: [{ response_put: {} }] } },
      ],
    });

    expect(readTxnAnswer(new ProtoReader(bytes))).toMatchObject({
      ...{ type: 'txn', ...at, succeeded: true },
      responses: [
        { type: 'put', revision: 7 },
        { type: 'range', kvs: [read] },
        { type: 'deleteRange', deleted: 1 },
        { type: 'txn', succeeded: false, responses: [{ type: 'put' }] },
      ],
    });
  });

  test('within a transaction that says nothing is an error', () => {
    const bytes = kv.Txn.responseSerialize({ responses: [{}] });

    expect(() => readTxnAnswer(new ProtoReader(bytes))).toThrow('says nothing');
  });
});
