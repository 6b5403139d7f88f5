/** Requests become commands and results become responses without losing a digit or a byte. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyValue, OperationResult, TxnResult } from '../../src/kv/index.ts';
import {
  fromKeyValue,
  fromRange,
  fromTxn,
  toBound,
  toDeleteRange,
  toNumber,
  toPut,
  toRange,
  toTxn,
} from '../../src/rpc/convert.ts';
import type { Compare__Input } from '../../src/wire/generated/etcdserverpb/Compare.ts';
import { services } from '../../src/wire/index.ts';
import { received } from './serving.ts';

const kv = services['etcdserverpb.KV'];
const key = Buffer.from('key');
const header = { revision: 9 };

/** A response as a client sees it: through the bytes. */
function seen<Output>(
  method: {
    readonly responseSerialize: (value: never) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => Output;
  },
  response: unknown,
): Output {
  return method.responseDeserialize(method.responseSerialize(response as never));
}

function stored(name: string, fields: Partial<KeyValue> = {}): KeyValue {
  return {
    key: Buffer.from(name),
    value: Buffer.from(`value of ${name}`),
    createRevision: 4,
    modRevision: 6,
    version: 3,
    lease: 0n,
    ttlMs: 0,
    ...fields,
  };
}

describe('a 64-bit number of a client', () => {
  test('is exact up to the safe integers, either way', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        expect(toNumber(String(number), 'limit')).toBe(number);
      }),
    );
  });

  test.each([
    '9007199254740992',
    '-9007199254740992',
    '9223372036854775807',
    '-9223372036854775808',
  ])('%s is refused, never rounded, and the field is named', (text) => {
    expect(() => toNumber(text, 'targetID')).toThrow(
      `etcdserver: targetID ${text} is beyond ±(2^53-1)`,
    );
  });

  test.each([
    ['9007199254740992', Number.MAX_SAFE_INTEGER],
    ['-9007199254740992', Number.MIN_SAFE_INTEGER],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['-9223372036854775808', Number.MIN_SAFE_INTEGER],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-17', -17],
  ])('%s as a bound is at most the nearest safe integer', (text, expected) => {
    expect(toBound(text)).toBe(expected);
  });
});

describe('a range request', () => {
  test('carries every field over', () => {
    const request = received(kv.Range, {
      key,
      range_end: Buffer.from('kez'),
      limit: 10,
      revision: 11,
      sort_order: 'DESCEND',
      sort_target: 'MOD',
      serializable: true,
      keys_only: true,
      count_only: true,
      no_count: true,
      min_mod_revision: 12,
      max_mod_revision: 13,
      min_create_revision: 14,
      max_create_revision: 15,
    });

    expect(toRange(request)).toEqual({
      type: 'range',
      key,
      rangeEnd: Buffer.from('kez'),
      limit: 10,
      revision: 11,
      sortOrder: 'descend',
      sortTarget: 'mod',
      keysOnly: true,
      countOnly: true,
      noCount: true,
      minModRevision: 12,
      maxModRevision: 13,
      minCreateRevision: 14,
      maxCreateRevision: 15,
    });
  });

  test('with the key alone asks for that key, unsorted, in the newest state', () => {
    expect(toRange(received(kv.Range, { key }))).toEqual({
      type: 'range',
      key,
      rangeEnd: undefined,
      limit: 0,
      revision: 0,
      sortOrder: 'none',
      sortTarget: 'key',
      keysOnly: false,
      countOnly: false,
      noCount: false,
      minModRevision: 0,
      maxModRevision: 0,
      minCreateRevision: 0,
      maxCreateRevision: 0,
    });
  });

  test.each([
    ['NONE', 'none'],
    ['ASCEND', 'ascend'],
    ['DESCEND', 'descend'],
  ] as const)('in order %s is sorted %s', (order, expected) => {
    expect(toRange(received(kv.Range, { key, sort_order: order })).sortOrder).toBe(expected);
  });

  test.each([
    ['KEY', 'key'],
    ['VERSION', 'version'],
    ['CREATE', 'create'],
    ['MOD', 'mod'],
    ['VALUE', 'value'],
  ] as const)('sorted by %s is sorted by %s', (target, expected) => {
    expect(toRange(received(kv.Range, { key, sort_target: target })).sortTarget).toBe(expected);
  });

  test('keeps the end that means "from the key on"', () => {
    const request = received(kv.Range, { key, range_end: Buffer.from('\0') });

    expect(toRange(request).rangeEnd).toEqual(Buffer.from('\0'));
  });

  test.each([
    ['limit', 'limit'],
    ['revision', 'revision'],
    ['min_mod_revision', 'minModRevision'],
    ['max_mod_revision', 'maxModRevision'],
    ['min_create_revision', 'minCreateRevision'],
    ['max_create_revision', 'maxCreateRevision'],
  ] as const)('may have any 64-bit number as its %s', (field, name) => {
    const request = received(kv.Range, { key, [field]: '9223372036854775807' });

    expect(toRange(request)[name]).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('a put request', () => {
  test('carries every field over', () => {
    const request = received(kv.Put, {
      key,
      value: Buffer.from([0, 255]),
      lease: 7,
      prev_kv: true,
      ignore_value: true,
      ignore_lease: true,
      ttl_ms: 1500,
      ttl_refresh_on_write: true,
    });

    expect(toPut(request)).toEqual({
      type: 'put',
      key,
      value: Buffer.from([0, 255]),
      lease: 7n,
      prevKv: true,
      ignoreValue: true,
      ignoreLease: true,
      ttlMs: 1500,
      ttlRefreshOnWrite: true,
    });
  });

  test('keeps all 64 bits of a lease', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (lease) => {
        const request = received(kv.Put, { key, lease: String(lease) });

        expect(toPut(request).lease).toBe(lease);
      }),
    );
  });
});

describe('a deletion request', () => {
  test('carries every field over', () => {
    const range = received(kv.DeleteRange, { key, range_end: Buffer.from('z'), prev_kv: true });
    const single = received(kv.DeleteRange, { key });

    expect(toDeleteRange(range)).toEqual({
      type: 'deleteRange',
      key,
      rangeEnd: Buffer.from('z'),
      prevKv: true,
    });
    expect(toDeleteRange(single)).toEqual({
      type: 'deleteRange',
      key,
      rangeEnd: undefined,
      prevKv: false,
    });
  });
});

describe('a transaction request', () => {
  test('keeps compares and operations in their order, on every level', () => {
    const request = received(kv.Txn, {
      compare: [
        { key, target: 'VERSION', result: 'GREATER', version: 5 },
        { key, target: 'CREATE', result: 'LESS', create_revision: 6 },
      ],
      success: [
        { request_put: { key, value: Buffer.from('1') } },
        { request_txn: { failure: [{ request_range: { key } }] } },
      ],
      failure: [{ request_delete_range: { key } }],
    });

    expect(toTxn(request)).toMatchObject({
      type: 'txn',
      compare: [
        { target: 'version', result: 'greater', operand: 5 },
        { target: 'create', result: 'less', operand: 6 },
      ],
      success: [
        { type: 'put', value: Buffer.from('1') },
        { type: 'txn', compare: [], success: [], failure: [{ type: 'range' }] },
      ],
      failure: [{ type: 'deleteRange' }],
    });
  });

  test.each<[Compare__Input, object]>([
    [
      { target: 'VERSION', version: -3 },
      { target: 'version', operand: -3 },
    ],
    [
      { target: 'CREATE', create_revision: 4 },
      { target: 'create', operand: 4 },
    ],
    [
      { target: 'MOD', mod_revision: 5 },
      { target: 'mod', operand: 5 },
    ],
    [
      { target: 'VALUE', value: Buffer.from('v') },
      { target: 'value', operand: Buffer.from('v') },
    ],
    [
      { target: 'LEASE', lease: '9223372036854775807' },
      { target: 'lease', operand: 2n ** 63n - 1n },
    ],
    // Without an operand it is zero or empty: etcd's clients leave zeros out.
    [{ target: 'VERSION' }, { target: 'version', operand: 0 }],
    [{ target: 'CREATE' }, { target: 'create', operand: 0 }],
    [{ target: 'MOD' }, { target: 'mod', operand: 0 }],
    [{ target: 'VALUE' }, { target: 'value', operand: Buffer.alloc(0) }],
    [{ target: 'LEASE' }, { target: 'lease', operand: 0n }],
  ])('compares %o', (compare, expected) => {
    const request = received(kv.Txn, { compare: [{ key, ...compare }] });

    expect(toTxn(request).compare).toEqual([
      { key, rangeEnd: undefined, result: 'equal', ...expected },
    ]);
  });

  test.each([
    ['EQUAL', 'equal'],
    ['GREATER', 'greater'],
    ['LESS', 'less'],
    ['NOT_EQUAL', 'notEqual'],
  ] as const)('compares for %s', (result, expected) => {
    const request = received(kv.Txn, { compare: [{ key, result }] });

    expect(toTxn(request).compare[0]?.result).toBe(expected);
  });

  test('compares a whole range', () => {
    const request = received(kv.Txn, { compare: [{ key, range_end: Buffer.from('\0') }] });

    expect(toTxn(request).compare[0]?.rangeEnd).toEqual(Buffer.from('\0'));
  });

  test.each([
    ['target', { target: 9 as never }],
    ['result', { result: 9 as never }],
  ])('with an unknown compare %s is refused, never guessed', (what, compare) => {
    const request = received(kv.Txn, { compare: [{ key, ...compare }] });

    expect(() => toTxn(request)).toThrow(`etcdserver: unknown compare ${what} 9`);
  });

  test('may have any 64-bit number as an operand', () => {
    const request = received(kv.Txn, {
      compare: [{ key, target: 'MOD', mod_revision: '-9223372036854775808' }],
    });

    expect(toTxn(request).compare).toMatchObject([{ operand: Number.MIN_SAFE_INTEGER }]);
  });
});

describe('a key', () => {
  test('arrives at the client with every field, and all 64 bits of its lease', () => {
    const response = fromRange(
      {
        type: 'range',
        kvs: [stored('a', { lease: -1n, createRevision: Number.MAX_SAFE_INTEGER })],
        more: true,
        count: 12,
      },
      header,
    );

    expect(seen(kv.Range, response)).toMatchObject({
      header: { revision: '9' },
      kvs: [
        {
          key: Buffer.from('a'),
          value: Buffer.from('value of a'),
          create_revision: '9007199254740991',
          mod_revision: '6',
          version: '3',
          lease: '-1',
        },
      ],
      more: true,
      count: '12',
    });
  });

  test('without a lease has lease 0', () => {
    expect(seen(kv.Put, { prev_kv: fromKeyValue(stored('a')) }).prev_kv?.lease).toBe('0');
  });
});

describe('a transaction result', () => {
  const put: OperationResult = { type: 'put' };
  const range: OperationResult = { type: 'range', kvs: [], more: false, count: 0 };
  const deleted: OperationResult = { type: 'deleteRange', deleted: 1, prevKvs: [stored('b')] };
  const deletedNone: OperationResult = { type: 'deleteRange', deleted: 0, prevKvs: [] };

  /** Revision of each inner response; of a nested transaction, those within it. */
  function revisionsOf(result: TxnResult, revision: number): unknown {
    const { responses } = seen(kv.Txn, fromTxn(result, header, revision));
    const inner = (each: (typeof responses)[number]): unknown =>
      each.response_txn
        ? each.response_txn.responses.map(inner)
        : (each.response_range ?? each.response_put ?? each.response_delete_range)?.header
            ?.revision;
    return responses.map(inner);
  }

  function txn(...responses: OperationResult[]): TxnResult {
    return { type: 'txn', succeeded: true, responses };
  }

  test('arrives with each response in its place', () => {
    const result: TxnResult = {
      type: 'txn',
      succeeded: false,
      responses: [
        { type: 'put', prevKv: stored('a') },
        deleted,
        { type: 'range', kvs: [stored('c')], more: false, count: 1 },
        txn(put),
      ],
    };

    expect(seen(kv.Txn, fromTxn(result, header, 9))).toMatchObject({
      header: { revision: '9' },
      succeeded: false,
      responses: [
        { response: 'response_put', response_put: { prev_kv: { key: Buffer.from('a') } } },
        {
          response: 'response_delete_range',
          response_delete_range: { deleted: '1', prev_kvs: [{ key: Buffer.from('b') }] },
        },
        { response: 'response_range', response_range: { kvs: [{ key: Buffer.from('c') }] } },
        {
          response: 'response_txn',
          response_txn: { succeeded: true, responses: [{ response_put: { prev_kv: null } }] },
        },
      ],
    });
  });

  test('tells each operation the revision it saw: one more after the first change', () => {
    expect(revisionsOf(txn(range, deletedNone, put, range), 9)).toEqual(['8', '8', '9', '9']);
    expect(revisionsOf(txn(range, deleted, put), 9)).toEqual(['8', '9', '9']);
    expect(revisionsOf(txn(txn(range, put), range), 9)).toEqual([['8', '9'], '9']);
  });

  test('that has changed nothing stays at its revision throughout', () => {
    expect(revisionsOf(txn(range, deletedNone, txn(range)), 9)).toEqual(['9', '9', ['9']]);
  });
});
