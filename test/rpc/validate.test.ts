/** The checks of `server/etcdserver/api/v3rpc/key.go`, rule by rule, with the errors etcd gives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import {
  checkDeleteRangeBytes,
  checkDeleteRangeRequest,
  checkPutBytes,
  checkPutRequest,
  checkRangeRequest,
  checkTxnBytes,
  checkTxnRequest,
} from '../../src/rpc/validate.ts';
import type { RequestOp } from '../../src/wire/generated/etcdserverpb/RequestOp.ts';
import { type RequestOp__Input } from '../../src/wire/generated/etcdserverpb/RequestOp.ts';
import { type TxnRequest__Input } from '../../src/wire/generated/etcdserverpb/TxnRequest.ts';
import { services } from '../../src/wire/index.ts';
import { received } from './serving.ts';

const kv = services['etcdserverpb.KV'];
const limits = { txnOperationsMax: 128, txnDepthMax: 32 };
const key = Buffer.from('key');
const empty = Buffer.alloc(0);

const emptyKey = 'etcdserver: key is not provided';
const tooManyOperations = 'etcdserver: too many operations in txn request';
const duplicateKey = 'etcdserver: duplicate key given in txn request';

function put(name: string): RequestOp__Input {
  return { request_put: { key: Buffer.from(name), value: Buffer.from('value') } };
}

function remove(name: string, end = ''): RequestOp__Input {
  return { request_delete_range: { key: Buffer.from(name), range_end: Buffer.from(end) } };
}

function nested(success: RequestOp__Input[], failure: RequestOp__Input[] = []): RequestOp__Input {
  return { request_txn: { success, failure } };
}

function checkTxn(request: TxnRequest__Input, bounds = limits): void {
  checkTxnRequest(received(kv.Txn, request), bounds);
}

/** A transaction of `depth` levels. */
function chain(depth: number): TxnRequest__Input {
  let request: TxnRequest__Input = {};
  for (let level = 1; level < depth; level++) {
    request = { success: [{ request_txn: request }] };
  }
  return request;
}

describe('a range', () => {
  test('needs a key: "etcdserver: key is not provided"', () => {
    const request = received(kv.Range, { range_end: Buffer.from('z') });

    expect(() => checkRangeRequest(request)).toThrow(new KvError('EMPTY_KEY'));
    expect(() => checkRangeRequest(request)).toThrow(emptyKey);
  });

  test('takes every order and target of the contract', () => {
    for (const order of ['NONE', 'ASCEND', 'DESCEND'] as const) {
      for (const target of ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const) {
        const request = received(kv.Range, { key, sort_order: order, sort_target: target });

        expect(() => checkRangeRequest(request)).not.toThrow();
      }
    }
  });

  test.each([
    ['order', { sort_order: 3 as never }],
    ['target', { sort_target: 5 as never }],
    ['negative order', { sort_order: -1 as never }],
  ])('with an unknown %s is refused: "etcdserver: invalid sort option"', (_what, option) => {
    const request = received(kv.Range, { key, ...option });

    expect(() => checkRangeRequest(request)).toThrow('etcdserver: invalid sort option');
  });
});

describe('a put', () => {
  test('needs a key', () => {
    expect(() => checkPutRequest(received(kv.Put, { value: key }))).toThrow(emptyKey);
  });

  test('that keeps the value must bring none: "etcdserver: value is provided"', () => {
    const withValue = received(kv.Put, { key, ignore_value: true, value: Buffer.from('v') });
    const without = received(kv.Put, { key, ignore_value: true });

    expect(() => checkPutRequest(withValue)).toThrow('etcdserver: value is provided');
    expect(() => checkPutRequest(without)).not.toThrow();
  });

  test('that keeps the lease must bring none: "etcdserver: lease is provided"', () => {
    const withLease = received(kv.Put, { key, ignore_lease: true, lease: '-5' });
    const without = received(kv.Put, { key, ignore_lease: true });

    expect(() => checkPutRequest(withLease)).toThrow('etcdserver: lease is provided');
    expect(() => checkPutRequest(without)).not.toThrow();
  });

  test('may bring a lease and a value, or an empty value', () => {
    expect(() => checkPutRequest(received(kv.Put, { key, value: key, lease: 9 }))).not.toThrow();
    expect(() => checkPutRequest(received(kv.Put, { key }))).not.toThrow();
  });

  test.each([{ ttl_ms: 1 }, { ttl_ms: -1 }, { ttl_ms: 1, ttl_refresh_on_write: true }])(
    'may bring a time to live: %o',
    (ttl) => {
      expect(() => checkPutRequest(received(kv.Put, { key, ...ttl }))).not.toThrow();
    },
  );

  test.each([
    [{ ttl_ms: -2 }, 'ttl_ms -2 is neither -1'],
    [{ ttl_ms: '9000000000001' }, 'nor from 0 to 9000000000000'],
    [{ ttl_ms: '9223372036854775807' }, 'ttl_ms 9223372036854775807 is neither'],
    [{ ttl_refresh_on_write: true }, 'needs a ttl_ms to refresh'],
    [{ ttl_ms: -1, ttl_refresh_on_write: true }, 'needs a ttl_ms to refresh'],
  ])('is refused with the time to live %o', (ttl, message) => {
    expect(() => checkPutRequest(received(kv.Put, { key, ...ttl }))).toThrow(message);
  });
});

describe('a deletion', () => {
  test('needs a key', () => {
    const request = received(kv.DeleteRange, { range_end: Buffer.from('z') });

    expect(() => checkDeleteRangeRequest(request)).toThrow(emptyKey);
    expect(() => checkDeleteRangeRequest(received(kv.DeleteRange, { key }))).not.toThrow();
  });
});

describe('a transaction', () => {
  test('may be empty', () => {
    expect(() => checkTxn({})).not.toThrow();
  });

  test.each([
    ['compares', (count: number) => ({ compare: Array.from({ length: count }, () => ({ key })) })],
    ['operations on success', (count: number) => ({ success: puts(count) })],
    ['operations on failure', (count: number) => ({ failure: puts(count) })],
  ])('has at most so many %s: "too many operations in txn request"', (_what, make) => {
    expect(() => checkTxn(make(128))).not.toThrow();
    expect(() => checkTxn(make(129))).toThrow(tooManyOperations);
  });

  test('counts its largest list only: compares and branches do not add up', () => {
    const compare = Array.from({ length: 128 }, () => ({ key }));

    expect(() => checkTxn({ compare, success: puts(128), failure: puts(128) })).not.toThrow();
  });

  test('leaves a transaction within it what it has not used itself', () => {
    const inner = (count: number): TxnRequest__Input => ({
      success: [...puts(3), nested(puts(count).map(({ request_put: put }) => renamed(put)))],
    });

    expect(() => checkTxn(inner(6), { ...limits, txnOperationsMax: 10 })).not.toThrow();
    expect(() => checkTxn(inner(7), { ...limits, txnOperationsMax: 10 })).toThrow(
      tooManyOperations,
    );
  });

  test('nests so deep and no deeper', () => {
    const bounds = { txnOperationsMax: 128, txnDepthMax: 4 };

    expect(() => checkTxn(chain(4), bounds)).not.toThrow();
    expect(() => checkTxn(chain(5), bounds)).toThrow(tooManyOperations);
  });

  test('compares keys that are there', () => {
    expect(() => checkTxn({ compare: [{ target: 'VERSION' }] })).toThrow(emptyKey);
  });

  test.each([
    ['a put without a key', { request_put: { key: empty } }, emptyKey],
    ['a range without a key', { request_range: { key: empty } }, emptyKey],
    ['a deletion without a key', { request_delete_range: { key: empty } }, emptyKey],
    [
      'a put that keeps the value and brings one',
      { request_put: { key, ignore_value: true, value: key } },
      'etcdserver: value is provided',
    ],
    [
      'a range in an unknown order',
      { request_range: { key, sort_order: 7 as never } },
      'etcdserver: invalid sort option',
    ],
    ['an operation that says nothing', {}, 'etcdserver: key not found'],
  ])('is refused for %s, in either branch and on any level', (_what, operation, text) => {
    expect(() => checkTxn({ success: [operation] })).toThrow(text);
    expect(() => checkTxn({ failure: [operation] })).toThrow(text);
    expect(() => checkTxn({ success: [nested([], [operation])] })).toThrow(text);
  });

  test('is told of too many operations before its keys are looked at, as in etcd', () => {
    const compare = Array.from({ length: 129 }, () => ({ key: empty }));

    expect(() => checkTxn({ compare })).toThrow(tooManyOperations);
  });
});

describe('changing a key twice is refused: "duplicate key given in txn request"', () => {
  test.each<[string, RequestOp__Input[]]>([
    ['two puts', [put('a'), put('a')]],
    ['a put and its deletion', [put('a'), remove('a')]],
    ['a deletion and a put', [remove('a'), put('a')]],
    ['a put into a deleted range', [remove('a', 'c'), put('b')]],
    ['a put at the start of a deleted range', [remove('a', 'c'), put('a')]],
    ['a put beside the branch of a nested transaction', [nested([], [put('a')]), put('a')]],
    ['a put in each of two nested transactions', [nested([put('a')]), nested([], [put('a')])]],
    ['a deletion beside a nested put', [nested([put('b')]), remove('a', 'c')]],
    ['a deletion in a nested transaction, a put beside it', [nested([remove('a', 'z')]), put('q')]],
    [
      'a put in a transaction after a deletion in another',
      [nested([remove('a')]), nested([put('a')])],
    ],
    ['a put two levels down', [nested([nested([put('a')])]), put('a')]],
  ])('%s', (_what, operations) => {
    expect(() => checkTxn({ success: operations })).toThrow(duplicateKey);
    expect(() => checkTxn({ failure: operations })).toThrow(duplicateKey);
  });

  test.each<[string, TxnRequest__Input]>([
    ['the branches of one transaction', { success: [put('a')], failure: [put('a')] }],
    ['the branches of a nested one', { success: [nested([put('a')], [put('a')])] }],
    ['two deletions', { success: [remove('a', 'c'), remove('b'), remove('a', 'z')] }],
    ['a put at the end of a deleted range', { success: [remove('a', 'c'), put('c')] }],
    ['a put before a deleted range', { success: [remove('b', 'c'), put('a')] }],
    ['a deleted range that ends before it starts', { success: [remove('c', 'a'), put('b')] }],
    [
      'a deletion in a transaction after a put in another, as etcd does',
      { success: [nested([put('a')]), nested([remove('a')])] },
    ],
    [
      'a deletion of all keys from one on, as etcd does',
      { success: [remove('a', '\0'), put('b'), put('c')] },
    ],
  ])('but not %s', (_what, request) => {
    expect(() => checkTxn(request)).not.toThrow();
  });

  test("is decided as by a literal copy of etcd's checkIntervals", () => {
    fc.assert(
      fc.property(operationLists, (operations) => {
        const request = received(kv.Txn, { success: operations });
        const expected = etcdChanges(request.success) === undefined;

        expect(isRefused(() => checkTxnRequest(request, limits))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a transaction as long as a request may be', () => {
  // Compared one with another, these would hold up the member's only thread for most of a minute.
  test('is checked without comparing every put with every deletion', () => {
    let count = 0;
    const operations = (make: (name: string) => RequestOp__Input): RequestOp__Input[] =>
      Array.from({ length: 60 }, () => make(String(count++)));
    const groups = (make: (name: string) => RequestOp__Input): RequestOp__Input[] =>
      Array.from({ length: 60 }, () => nested(operations(make)));
    const half = (make: (name: string) => RequestOp__Input): RequestOp__Input[] =>
      Array.from({ length: 4 }, () => nested([nested(groups(make), groups(make))]));
    const success = [...half((name) => remove(`d${name}`)), ...half((name) => put(`p${name}`))];

    expect(() => checkTxn({ success }, { ...limits, txnOperationsMax: 150 })).not.toThrow();
    expect(count).toBe(57_600);
  });
});

function puts(count: number): { readonly request_put: { readonly key: Buffer } }[] {
  return Array.from({ length: count }, (_, i) => ({ request_put: { key: Buffer.from(`k${i}`) } }));
}

function renamed(request: { readonly key: Buffer }): RequestOp__Input {
  return { request_put: { key: Buffer.concat([Buffer.from('inner'), request.key]) } };
}

function isRefused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    if (error instanceof KvError && error.code === 'DUPLICATE_KEY') {
      return true;
    }
    throw error;
  }
}

const names = fc.constantFrom('a', 'aa', 'b', 'c', 'd');
const { operations: operationLists } = fc.letrec<{
  operation: RequestOp__Input;
  operations: RequestOp__Input[];
}>((tie) => ({
  operation: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    names.map(put),
    fc
      .tuple(names, fc.constantFrom('', 'b', 'c', 'e', '\0'))
      .map(([name, end]) => remove(name, end)),
    fc
      .tuple(tie('operations'), tie('operations'))
      .map(([then, otherwise]) => nested(then, otherwise)),
  ),
  operations: fc.array(tie('operation'), { maxLength: 4, depthIdentifier: 'txn' }),
}));

interface Changes {
  readonly puts: Set<string>;
  readonly deletes: (readonly [string, string])[];
}

/** What `operations` change, or undefined if etcd refuses them. Keys here are ASCII. */
function etcdChanges(operations: readonly RequestOp[]): Changes | undefined {
  const deletes: [string, string][] = [];
  const isDeleted = (name: string): boolean =>
    deletes.some(([from, end]) => from <= name && name < end);
  for (const { request_delete_range: each } of operations) {
    if (each) {
      const from = each.key.toString();
      deletes.push([from, each.range_end.length === 0 ? `${from}\0` : each.range_end.toString()]);
    }
  }
  const found = new Set<string>();
  for (const { request_txn: txn } of operations) {
    if (txn) {
      const success = etcdChanges(txn.success);
      const failure = etcdChanges(txn.failure);
      if (success === undefined || failure === undefined) {
        return undefined;
      }
      const both = new Set([...success.puts, ...failure.puts]);
      if ([...both].some((name) => found.has(name) || isDeleted(name))) {
        return undefined;
      }
      for (const name of both) {
        found.add(name);
      }
      for (const [from, end] of [...success.deletes, ...failure.deletes]) {
        deletes.push([from, end]);
      }
    }
  }
  for (const { request_put: each } of operations) {
    if (each) {
      const name = each.key.toString();
      if (found.has(name) || isDeleted(name)) {
        return undefined;
      }
      found.add(name);
    }
  }
  return { puts: found, deletes };
}

describe('the bytes of a request', () => {
  const tooLarge = 'etcdserver: request is too large';
  const value = Buffer.alloc(100);

  test('are those of key and value, and a little for each operation', () => {
    const request = received(kv.Put, { key, value });

    expect(() => checkPutBytes(request, 119)).not.toThrow();
    expect(() => checkPutBytes(request, 118)).toThrow(tooLarge);
  });

  test('of a deletion are those of both ends of its range', () => {
    const request = received(kv.DeleteRange, { key, range_end: value });

    expect(() => checkDeleteRangeBytes(request, 119)).not.toThrow();
    expect(() => checkDeleteRangeBytes(request, 118)).toThrow(tooLarge);
  });

  test('of a transaction are those of all in it, however deep', () => {
    const request = received(kv.Txn, {
      compare: [{ key, target: 'VALUE', value }],
      success: [{ request_txn: { failure: [{ request_put: { key, value } }] } }],
      failure: [{ request_range: { key } }, { request_delete_range: { key } }],
    });

    expect(() => checkTxnBytes(request, 308)).not.toThrow();
    expect(() => checkTxnBytes(request, 307)).toThrow(tooLarge);
  });
});
