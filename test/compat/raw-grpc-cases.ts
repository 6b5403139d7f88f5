/**
 * Calls that etcd and Holdfast must answer alike and that `etcdctl` cannot make, in the order in
 * which they run. Keys, values and ends of ranges are text with one character a byte; `at` is the
 * store's revision before the call. Each says how etcd's call must end, so that a slip in the table
 * is noticed.
 */
import type { Compare__Input as Compare } from '../../src/wire/generated/etcdserverpb/Compare.ts';
import type { DeleteRangeRequest__Input as DeleteRangeRequest } from '../../src/wire/generated/etcdserverpb/DeleteRangeRequest.ts';
import type { PutRequest__Input as PutRequest } from '../../src/wire/generated/etcdserverpb/PutRequest.ts';
import type { RangeRequest__Input as RangeRequest } from '../../src/wire/generated/etcdserverpb/RangeRequest.ts';
import type { RequestOp__Input as RequestOp } from '../../src/wire/generated/etcdserverpb/RequestOp.ts';
import type { TxnRequest__Input as TxnRequest } from '../../src/wire/generated/etcdserverpb/TxnRequest.ts';
import { bytes, type MethodName } from './raw-client.ts';

/** One call; `request` is made for the store's revision before it. */
export interface RawCase {
  readonly title: string;
  readonly method: MethodName;
  readonly request: (at: number) => object;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Name of the status that etcd must answer; OK when not given. */
  readonly code?: string | undefined;
  /** Fields of the response whose numbers no two servers have in common. */
  readonly masks?: readonly string[] | undefined;
  /** Lists of the response whose order etcd leaves to chance: it walks a map. */
  readonly unordered?: readonly string[] | undefined;
  /** Fields of the response that etcd does not know. */
  readonly lacks?: readonly string[] | undefined;
  /** What Holdfast answers instead, where it differs on purpose (docs/compatibility.md). */
  readonly differs?: { readonly code: string; readonly details: string } | undefined;
}

type Made<T> = T | ((at: number) => T);

function make<T extends object>(request: Made<T>): (at: number) => T {
  return typeof request === 'function' ? request : () => request;
}

function range(title: string, request: Made<RangeRequest>, code = 'OK'): RawCase {
  return { title: `range: ${title}`, method: 'Range', request: make(request), code };
}

function put(title: string, request: Made<PutRequest>, code = 'OK'): RawCase {
  return { title: `put: ${title}`, method: 'Put', request: make(request), code };
}

function del(title: string, request: Made<DeleteRangeRequest>, code = 'OK'): RawCase {
  return { title: `delete: ${title}`, method: 'DeleteRange', request: make(request), code };
}

function txn(title: string, request: Made<TxnRequest>, code = 'OK'): RawCase {
  return { title: `txn: ${title}`, method: 'Txn', request: make(request), code };
}

function compact(title: string, revision: (at: number) => number | string, code = 'OK'): RawCase {
  return {
    title: `compaction: ${title}`,
    method: 'Compact',
    request: (at) => ({ revision: revision(at) }),
    code,
  };
}

const invalid = 'INVALID_ARGUMENT';
const outOfRange = 'OUT_OF_RANGE';
const zero = bytes('\0');
const all = { key: zero, range_end: zero };
const letters = { key: bytes('a'), range_end: bytes('z') };

function putOp(key: string, value: string, more: PutRequest = {}): RequestOp {
  return { request_put: { key: bytes(key), value: bytes(value), ...more } };
}

/** etcd takes an empty end that is on the wire for "from the key on" in reads, so none is sent. */
function endOf(end: string): { readonly range_end?: Buffer } {
  return end === '' ? {} : { range_end: bytes(end) };
}

function rangeOp(key: string, end = '', more: RangeRequest = {}): RequestOp {
  return { request_range: { key: bytes(key), ...endOf(end), ...more } };
}

function delOp(key: string, end = '', more: DeleteRangeRequest = {}): RequestOp {
  return { request_delete_range: { key: bytes(key), ...endOf(end), ...more } };
}

function txnOp(request: TxnRequest): RequestOp {
  return { request_txn: request };
}

/** A transaction that only tells which branch it takes. */
function decide(title: string, compare: Made<readonly Compare[]>, code = 'OK'): RawCase {
  return txn(
    title,
    (at) => ({
      compare: [...(typeof compare === 'function' ? compare(at) : compare)],
      success: [rangeOp('yes')],
      failure: [rangeOp('no')],
    }),
    code,
  );
}

const emptyStore: readonly RawCase[] = [
  range('everything in an empty store', all),
  del('everything in an empty store', all),
  compact('at 0 of an empty store', () => 0),
  compact('at 0 again', () => 0, outOfRange),
  compact('at a negative revision', () => -1, outOfRange),
];

/** Keys with distinct orders by key, version, creation, change and value. */
const fill: readonly RawCase[] = [
  ...['b', 'a', 'c', 'e', 'd'].map((key, i) =>
    put(`${key}, new`, { key: bytes(key), value: bytes(`v${(i * 2) % 5}`) }),
  ),
  put('c again', { key: bytes('c'), value: bytes('v3'), prev_kv: true }),
  put('a again', { key: bytes('a'), value: bytes('v1'), prev_kv: true }),
  put('a once more', { key: bytes('a'), value: bytes('v1') }),
  put('a key that is not text', { key: bytes('\xff\xfe\0'), value: bytes('\0\xff') }),
  put('the lowest key', { key: zero, value: bytes('lowest') }),
];

const sortOrders = ['NONE', 'ASCEND', 'DESCEND'] as const;
const sortTargets = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const;

const sorts: readonly RawCase[] = sortTargets.flatMap((sort_target) =>
  sortOrders.flatMap((sort_order) =>
    [0, 2].map((limit) =>
      range(`by ${sort_target}, ${sort_order}, limit ${limit}`, {
        ...all,
        sort_target,
        sort_order,
        limit,
      }),
    ),
  ),
);

const bounds: readonly RawCase[] = [
  range('min_mod_revision', (at) => ({ ...all, min_mod_revision: at - 3 })),
  range('max_mod_revision', (at) => ({ ...all, max_mod_revision: at - 3 })),
  range('min_create_revision', (at) => ({ ...all, min_create_revision: at - 6 })),
  range('max_create_revision', (at) => ({ ...all, max_create_revision: at - 6 })),
  range('all four bounds', (at) => ({
    ...all,
    min_mod_revision: at - 8,
    max_mod_revision: at - 1,
    min_create_revision: at - 9,
    max_create_revision: at - 2,
  })),
  range('bounds that exclude everything', (at) => ({ ...all, min_mod_revision: at + 1 })),
  range('negative bounds', { ...all, min_mod_revision: -1, max_create_revision: -1 }),
  range('a bound with a limit', (at) => ({ ...all, min_mod_revision: at - 4, limit: 2 })),
  range('a bound with a limit above it', (at) => ({ ...all, min_mod_revision: at - 1, limit: 5 })),
  range('a bound with a sort and a limit', (at) => ({
    ...all,
    min_mod_revision: at - 5,
    sort_target: 'VALUE',
    sort_order: 'DESCEND',
    limit: 2,
  })),
  range('a bound on one key', (at) => ({ key: bytes('a'), max_mod_revision: at - 8 })),
  range('a bound with count_only', (at) => ({
    ...all,
    min_mod_revision: at - 1,
    count_only: true,
  })),
  range('a bound in the past', (at) => ({ ...all, min_mod_revision: at - 5, revision: at - 3 })),
];

const ranges: readonly RawCase[] = [
  range('the limit is the count', { ...letters, limit: 5 }),
  range('the limit is one below the count', { ...letters, limit: 4 }),
  range('a negative limit', { ...letters, limit: -3 }),
  range('a negative limit with a sort', { ...letters, limit: -3, sort_target: 'MOD' }),
  range('a limit on one key', { key: bytes('a'), limit: 1 }),
  range('keys_only', { ...letters, keys_only: true }),
  range('keys_only sorted by value', { ...letters, keys_only: true, sort_target: 'VALUE' }),
  range('count_only', { ...letters, count_only: true }),
  range('count_only with a limit', { ...letters, count_only: true, limit: 1 }),
  range('count_only of one key', { key: bytes('a'), count_only: true }),
  range('count_only of no key', { key: bytes('nothing'), count_only: true }),
  range('count_only and keys_only', { ...letters, count_only: true, keys_only: true }),
  range('count_only in the past', (at) => ({ ...letters, count_only: true, revision: at - 5 })),
  range('serializable', { ...letters, serializable: true }),
  range('serializable in the past', (at) => ({ ...all, serializable: true, revision: at - 4 })),
  range('an end below the key', { key: bytes('c'), range_end: bytes('a') }),
  range('an end equal to the key', { key: bytes('c'), range_end: bytes('c') }),
  range('an end that is the next key', { key: bytes('c'), range_end: bytes('c\0') }),
  range('from a key on', { key: bytes('d'), range_end: zero }),
  range('an end of two zero bytes', { key: zero, range_end: bytes('\0\0') }),
  range('the lowest key alone', { key: zero }),
  range('bytes that are not text', { key: bytes('\xff'), range_end: bytes('\xff\xff') }),
  range('a revision in the past', (at) => ({ ...all, revision: at - 5 })),
  range('revision 1, before the first change', { ...all, revision: 1 }),
  range('a negative revision', { ...letters, revision: -7 }),
  range('a future revision', (at) => ({ ...letters, revision: at + 1 }), outOfRange),
  range('a far future revision', { ...letters, revision: '9007199254740991' }, outOfRange),
  ...['9223372036854775807', '-9223372036854775808', '9007199254740992'].flatMap((number) => [
    range(`a limit of ${number}`, { ...letters, limit: number }),
    range(`a min_mod_revision of ${number}`, { ...letters, min_mod_revision: number }),
    range(`a max_mod_revision of ${number}`, { ...letters, max_mod_revision: number }),
    range(`a min_create_revision of ${number}`, { ...letters, min_create_revision: number }),
    range(`a max_create_revision of ${number}`, { ...letters, max_create_revision: number }),
    range(
      `a revision of ${number}`,
      { ...letters, revision: number },
      number.startsWith('-') ? 'OK' : outOfRange,
    ),
  ]),
  range('no key', {}, invalid),
  range('no key but an end', { range_end: bytes('z') }, invalid),
  {
    ...range('an unknown sort order', { ...letters, sort_order: 7 as never }),
    differs: { code: invalid, details: 'etcdserver: invalid sort option' },
  },
];

const puts: readonly RawCase[] = [
  put('no key', { value: bytes('x') }, invalid),
  put('neither key nor value', {}, invalid),
  put('no value', { key: bytes('novalue'), prev_kv: true }),
  put('ignore_value', { key: bytes('a'), ignore_value: true, prev_kv: true }),
  put(
    'ignore_value with a value',
    (_) => ({
      key: bytes('a'),
      value: bytes('x'),
      ignore_value: true,
    }),
    invalid,
  ),
  put('ignore_value of a missing key', { key: bytes('no'), ignore_value: true }, invalid),
  put('ignore_lease', { key: bytes('a'), value: bytes('y'), ignore_lease: true }),
  put('ignore_lease with a lease', { key: bytes('a'), lease: 5, ignore_lease: true }, invalid),
  put('ignore_lease of a missing key', { key: bytes('no'), ignore_lease: true }, invalid),
  put('both ignored', { key: bytes('a'), ignore_value: true, ignore_lease: true, prev_kv: true }),
  put('no key is told before a value', { value: bytes('x'), ignore_value: true }, invalid),
  put(
    'a value is told before a lease',
    {
      key: bytes('a'),
      value: bytes('x'),
      lease: 5,
      ignore_value: true,
      ignore_lease: true,
    },
    invalid,
  ),
  put('an unknown lease', { key: bytes('a'), value: bytes('x'), lease: 5 }, 'NOT_FOUND'),
  put('a negative lease', { key: bytes('a'), value: bytes('x'), lease: '-5' }, 'NOT_FOUND'),
  put('the largest lease', { key: bytes('a'), lease: '9223372036854775807' }, 'NOT_FOUND'),
  put(
    'an unknown lease and a missing key to ignore',
    {
      key: bytes('no'),
      lease: 5,
      ignore_value: true,
    },
    'NOT_FOUND',
  ),
  range('what the puts have left', all),
];

const deletes: readonly RawCase[] = [
  ...['m1', 'm2', 'm3', 'n1', 'n2'].map((key) =>
    put(`${key} to delete`, { key: bytes(key), value: bytes(key) }),
  ),
  del('no key', {}, invalid),
  del('no key but an end', { range_end: bytes('z') }, invalid),
  del('a missing key with prev_kv', { key: bytes('nothing'), prev_kv: true }),
  del('an end below the key', { key: bytes('n'), range_end: bytes('m'), prev_kv: true }),
  del('an end equal to the key', { key: bytes('m1'), range_end: bytes('m1'), prev_kv: true }),
  del('one key by its successor', { key: bytes('m1'), range_end: bytes('m1\0'), prev_kv: true }),
  del('the same again', { key: bytes('m1'), range_end: bytes('m1\0'), prev_kv: true }),
  del('a range without prev_kv', { key: bytes('m'), range_end: bytes('n') }),
  del('the lowest key alone', { key: zero, prev_kv: true }),
  del('up to two zero bytes', { key: zero, range_end: bytes('\0\0'), prev_kv: true }),
  del('from a key on', { key: bytes('n1'), range_end: zero, prev_kv: true }),
  range('what the deletions have left', all),
  range('before the last of them', (at) => ({ ...all, revision: at - 1 })),
  range('before any of them', (at) => ({ ...all, revision: at - 4 })),
];

const compareResults = ['EQUAL', 'NOT_EQUAL', 'GREATER', 'LESS'] as const;

const compares: readonly RawCase[] = [
  put('the key to compare', { key: bytes('k'), value: bytes('5') }),
  put('the key to compare, again', { key: bytes('k'), value: bytes('6') }),
  ...compareResults.flatMap((result) => [
    ...[-1, 0].map((offset) =>
      decide(`create_revision ${result} ${offset}`, (at) => [
        { target: 'CREATE', result, key: bytes('k'), create_revision: at + offset },
      ]),
    ),
    ...[-1, 0, 1].map((offset) =>
      decide(`mod_revision ${result} ${offset}`, (at) => [
        { target: 'MOD', result, key: bytes('k'), mod_revision: at + offset },
      ]),
    ),
    ...[1, 2, 3].map((version) =>
      decide(`version ${result} ${version}`, [
        { target: 'VERSION', result, key: bytes('k'), version },
      ]),
    ),
    ...['', '5', '6', '60'].map((value) =>
      decide(`value ${result} "${value}"`, [
        { target: 'VALUE', result, key: bytes('k'), value: bytes(value) },
      ]),
    ),
    ...[-1, 0, 1].map((lease) =>
      decide(`lease ${result} ${lease}`, [{ target: 'LEASE', result, key: bytes('k'), lease }]),
    ),
    decide(`version of a missing key ${result} 0`, [
      { target: 'VERSION', result, key: bytes('missing'), version: 0 },
    ]),
    decide(`value of a missing key ${result} ""`, [
      { target: 'VALUE', result, key: bytes('missing'), value: bytes('') },
    ]),
    decide(`lease of a missing key ${result} 0`, [
      { target: 'LEASE', result, key: bytes('missing'), lease: 0 },
    ]),
    decide(`version without an operand ${result}`, [
      { target: 'VERSION', result, key: bytes('missing') },
    ]),
    decide(`value without an operand ${result}`, [{ target: 'VALUE', result, key: bytes('k') }]),
    decide(`versions of a range ${result} 1`, [
      { target: 'VERSION', result, key: bytes('a'), range_end: bytes('z'), version: 1 },
    ]),
    decide(`versions of a range ${result} 0`, [
      { target: 'VERSION', result, key: bytes('a'), range_end: zero, version: 0 },
    ]),
    decide(`values of a range ${result} "6"`, [
      { target: 'VALUE', result, key: bytes('k'), range_end: bytes('l'), value: bytes('6') },
    ]),
    decide(`versions of an empty range ${result} 0`, [
      { target: 'VERSION', result, key: bytes('q'), range_end: bytes('r'), version: 0 },
    ]),
    decide(`values of an empty range ${result} ""`, [
      { target: 'VALUE', result, key: bytes('q'), range_end: bytes('r'), value: bytes('') },
    ]),
    decide(`mod_revision of an inverted range ${result} 0`, [
      { target: 'MOD', result, key: bytes('z'), range_end: bytes('a'), mod_revision: 0 },
    ]),
  ]),
  ...compareResults.flatMap((result) =>
    ['9223372036854775807', '-9223372036854775808'].flatMap((number) => [
      decide(`version ${result} ${number}`, [
        { target: 'VERSION', result, key: bytes('k'), version: number },
      ]),
      decide(`mod_revision ${result} ${number}`, [
        { target: 'MOD', result, key: bytes('k'), mod_revision: number },
      ]),
      decide(`lease ${result} ${number}`, [
        { target: 'LEASE', result, key: bytes('k'), lease: number },
      ]),
    ]),
  ),
  decide('an operand of another target', [
    { target: 'VERSION', result: 'EQUAL', key: bytes('k'), value: bytes('6') },
  ]),
  decide('an operand for create_revision given as mod_revision', (at) => [
    { target: 'CREATE', result: 'EQUAL', key: bytes('k'), mod_revision: at },
  ]),
  {
    ...decide('an unknown target', [{ target: 9 as never, result: 'EQUAL', key: bytes('k') }]),
    differs: { code: invalid, details: 'etcdserver: unknown compare target 9' },
  },
  {
    ...decide('an unknown result', [{ target: 'VERSION', result: 9 as never, key: bytes('k') }]),
    differs: { code: invalid, details: 'etcdserver: unknown compare result 9' },
  },
  decide('no key', [{ target: 'VERSION', version: 0 }], invalid),
  decide('two that hold', [
    { target: 'VERSION', result: 'GREATER', key: bytes('k'), version: 0 },
    { target: 'VALUE', result: 'EQUAL', key: bytes('k'), value: bytes('6') },
  ]),
  decide('one that holds and one that does not', [
    { target: 'VERSION', result: 'GREATER', key: bytes('k'), version: 0 },
    { target: 'VALUE', result: 'EQUAL', key: bytes('k'), value: bytes('5') },
  ]),
];

const present: Compare = { target: 'VERSION', result: 'GREATER', key: bytes('k'), version: 0 };
const absent: Compare = { target: 'VERSION', result: 'GREATER', key: bytes('missing'), version: 0 };

const txns: readonly RawCase[] = [
  txn('nothing at all', {}),
  txn('an operation that says nothing', { success: [{}] }, invalid),
  txn(
    'reads between writes',
    {
      success: [
        rangeOp('t'),
        putOp('t', '1'),
        rangeOp('t'),
        putOp('u', '2', { prev_kv: true }),
        rangeOp('t', 'v', { sort_target: 'MOD', sort_order: 'DESCEND' }),
        delOp('t', '', { prev_kv: true }),
        rangeOp('t', 'v', { count_only: true }),
      ],
    },
    invalid,
  ),
  txn('reads between writes of different keys', {
    success: [
      rangeOp('t', 'v'),
      putOp('t', '1'),
      rangeOp('t', 'v'),
      putOp('u', '2', { prev_kv: true }),
      rangeOp('t', 'v', { sort_target: 'MOD', sort_order: 'DESCEND' }),
      delOp('k', '', { prev_kv: true }),
      rangeOp('k', 'v', { keys_only: true }),
    ],
  }),
  txn('a read in the past between writes', (at) => ({
    success: [putOp('t', '3'), rangeOp('t', '', { revision: at }), rangeOp('t')],
  })),
  txn(
    'a read at the revision being made',
    (at) => ({
      success: [putOp('t', '4'), rangeOp('t', '', { revision: at + 1 })],
    }),
    outOfRange,
  ),
  txn(
    'a read in the farthest future',
    { success: [rangeOp('t', '', { revision: '9223372036854775807' })] },
    outOfRange,
  ),
  txn('a read with the largest limit', {
    success: [rangeOp('a', 'z', { limit: '9223372036854775807' }), putOp('t', '1')],
  }),
  txn(
    'a read at a negative revision',
    { success: [rangeOp('t', '', { revision: -1 })] },
    outOfRange,
  ),
  txn('a deletion of nothing raises no revision', { success: [delOp('nothing'), rangeOp('t')] }),
  txn('nested, both conditions hold', {
    compare: [{ ...present, key: bytes('t') }],
    success: [
      putOp('o1', 'outer'),
      txnOp({
        compare: [{ target: 'VERSION', result: 'EQUAL', key: bytes('o1'), version: 0 }],
        success: [putOp('i1', 'inner'), rangeOp('o1', 'o2'), rangeOp('i1')],
        failure: [putOp('i2', 'inner')],
      }),
      rangeOp('i', 'p'),
    ],
  }),
  txn('nested, the inner condition fails', {
    success: [
      txnOp({
        compare: [absent],
        success: [putOp('i3', 'x')],
        failure: [rangeOp('i1'), delOp('i1')],
      }),
      rangeOp('i1'),
    ],
  }),
  txn('nested in the branch that is not taken', {
    compare: [absent],
    success: [txnOp({ success: [putOp('i4', 'x')] })],
    failure: [rangeOp('t')],
  }),
  txn('nested three deep', {
    success: [txnOp({ success: [txnOp({ success: [putOp('deep', '3'), rangeOp('deep')] })] })],
  }),
  txn('nested and empty', { success: [txnOp({}), txnOp({ failure: [putOp('no', 'x')] })] }),
  txn('nested reads only', { success: [txnOp({ success: [rangeOp('t')] })] }),
  txn('two puts of a key', { success: [putOp('t', '1'), putOp('t', '2')] }, invalid),
  txn(
    'two puts in the branch that is not taken',
    {
      failure: [putOp('t', '1'), putOp('t', '2')],
    },
    invalid,
  ),
  txn('a put in each branch', { success: [putOp('t', '1')], failure: [putOp('t', '2')] }),
  txn('a put and a deletion of a key', { success: [putOp('t', '1'), delOp('t')] }, invalid),
  txn('a deletion and a put of a key', { success: [delOp('t'), putOp('t', '1')] }, invalid),
  txn('a put in a deleted range', { success: [delOp('s', 'u'), putOp('t', '1')] }, invalid),
  txn('a put at the end of a deleted range', { success: [delOp('s', 't'), putOp('t', '1')] }),
  txn(
    'a put at the start of a deleted range',
    { success: [delOp('t', 'u'), putOp('t', '1')] },
    invalid,
  ),
  txn('a put and a deletion from a key on', { success: [putOp('t', '1'), delOp('t', '\0')] }),
  txn('a deletion from a key on and a put', { success: [delOp('t', '\0'), putOp('t', '1')] }),
  txn('a put in an inverted deleted range', { success: [delOp('u', 's'), putOp('t', '1')] }),
  txn('overlapping deletions', { success: [delOp('s', 'u', { prev_kv: true }), delOp('t', 'v')] }),
  txn('puts in both branches of a nested one', {
    success: [txnOp({ success: [putOp('t', '1')], failure: [putOp('t', '2')] })],
  }),
  txn(
    'an outer and an inner put of a key',
    {
      success: [putOp('t', '1'), txnOp({ success: [putOp('t', '2')] })],
    },
    invalid,
  ),
  txn(
    'an outer and an inner put, the inner not taken',
    {
      success: [putOp('t', '1'), txnOp({ failure: [putOp('t', '2')] })],
    },
    invalid,
  ),
  txn(
    'puts of a key in two nested ones',
    {
      success: [txnOp({ success: [putOp('t', '1')] }), txnOp({ success: [putOp('t', '2')] })],
    },
    invalid,
  ),
  txn(
    'an inner put in an outer deletion',
    {
      success: [delOp('s', 'u'), txnOp({ success: [putOp('t', '2')] })],
    },
    invalid,
  ),
  txn(
    'an outer put in an inner deletion',
    {
      success: [putOp('t', '1'), txnOp({ success: [delOp('s', 'u')] })],
    },
    invalid,
  ),
  txn('a put in one nested and a deletion in the next', {
    success: [txnOp({ success: [putOp('t', '1')] }), txnOp({ success: [delOp('t')] })],
  }),
  txn(
    'a deletion in one nested and a put in the next',
    {
      success: [txnOp({ success: [delOp('t')] }), txnOp({ success: [putOp('t', '1')] })],
    },
    invalid,
  ),
  txn('no key in a put', { success: [putOp('', 'x')] }, invalid),
  txn('no key in a range', { failure: [rangeOp('', 'z')] }, invalid),
  txn('no key in a deletion', { success: [delOp('', 'z')] }, invalid),
  txn('no key in a nested put', { success: [txnOp({ failure: [putOp('', 'x')] })] }, invalid),
  txn('no key in a nested condition', { success: [txnOp({ compare: [{}] })] }, invalid),
  txn('a value with ignore_value', { success: [putOp('t', 'x', { ignore_value: true })] }, invalid),
  txn(
    'ignore_value of a missing key changes nothing',
    {
      success: [putOp('t', 'changed'), putOp('no', '', { ignore_value: true })],
    },
    invalid,
  ),
  txn(
    'ignore_lease of a key put before it',
    {
      success: [putOp('fresh', '1'), txnOp({ success: [putOp('no', '', { ignore_lease: true })] })],
    },
    invalid,
  ),
  txn(
    'an unknown lease changes nothing',
    {
      success: [putOp('t', 'changed'), putOp('no', 'x', { lease: 77 })],
    },
    'NOT_FOUND',
  ),
  txn(
    'a future read changes nothing',
    (at) => ({
      success: [putOp('t', 'changed'), rangeOp('t', '', { revision: at + 2 })],
    }),
    outOfRange,
  ),
  txn('an error in the branch that is not taken', (at) => ({
    compare: [absent],
    success: [rangeOp('t', '', { revision: at + 9 }), putOp('no', 'x', { lease: 77 })],
    failure: [putOp('t', 'taken')],
  })),
  txn(
    'a refusal of a range and of a put',
    (at) => ({
      success: [rangeOp('t', '', { revision: at + 9 }), putOp('no', '', { ignore_value: true })],
    }),
    invalid,
  ),
  ...[128, 129].flatMap((count) => {
    const code = count > 128 ? invalid : 'OK';
    const many = Array.from({ length: count }, (_, i) => rangeOp(`many${i}`));
    const compare = Array.from({ length: count }, () => present);
    return [
      txn(`${count} conditions`, { compare }, code),
      txn(`${count} operations`, { success: many }, code),
      txn(`${count} operations not taken`, { failure: many }, code),
      txn(
        `${count} operations in all, one of them with the others in it`,
        {
          success: [txnOp({ success: many.slice(1) })],
        },
        code,
      ),
      txn(`${count} of each`, { compare, success: many, failure: many }, code),
    ];
  }),
  range('what the transactions have left', all),
];

const compactions: readonly RawCase[] = [
  ...['1', '2', '3', '4'].map((value) =>
    put(`p = ${value}`, { key: bytes('p'), value: bytes(value) }),
  ),
  del('p', { key: bytes('p') }),
  put('p anew', { key: bytes('p'), value: bytes('5') }),
  compact('in the future', (at) => at + 1, outOfRange),
  compact('in the far future', () => '9007199254740991', outOfRange),
  compact('in the farthest future', () => '9223372036854775807', outOfRange),
  compact('three back', (at) => at - 3),
  compact('at the same revision', (at) => at - 3, outOfRange),
  compact('below it', (at) => at - 4, outOfRange),
  compact('at 0', () => 0, outOfRange),
  compact('at a negative revision', () => -5, outOfRange),
  range('at the compacted revision', (at) => ({ ...all, revision: at - 3 })),
  range('just below it', (at) => ({ ...all, revision: at - 4 }), outOfRange),
  range(
    'just below it, serializable',
    (at) => ({
      ...all,
      revision: at - 4,
      serializable: true,
    }),
    outOfRange,
  ),
  range(
    'count_only below it',
    (at) => ({ ...all, revision: at - 4, count_only: true }),
    outOfRange,
  ),
  range('one key below it', { key: bytes('p'), revision: 1 }, outOfRange),
  txn(
    'a read below it',
    (at) => ({ success: [rangeOp('p', '', { revision: at - 4 })] }),
    outOfRange,
  ),
  txn('a read at it', (at) => ({ success: [rangeOp('p', '', { revision: at - 3 })] })),
  range('at a deletion', (at) => ({ key: bytes('p'), revision: at - 1 })),
  {
    title: 'compaction: at a deletion, physical',
    method: 'Compact',
    request: (at) => ({ revision: at - 1, physical: true }),
  },
  range('at the compacted deletion', (at) => ({ ...all, revision: at - 1 })),
  put('p after it', { key: bytes('p'), value: bytes('6'), prev_kv: true }),
  {
    title: 'compaction: of everything, physical',
    method: 'Compact',
    request: (at) => ({ revision: at, physical: true }),
  },
  {
    title: 'compaction: of everything again, physical',
    method: 'Compact',
    request: (at) => ({ revision: at, physical: true }),
    code: outOfRange,
  },
  range('after it', all),
  del('everything', { ...all, prev_kv: true }),
  range('at the revision of the compaction', (at) => ({ ...all, revision: at - 1 })),
];

const requestBytesMax = 1.5 * 1024 * 1024;
/** Far enough from the limit not to depend on how a request is encoded in the log. */
const marginBytes = 8 * 1024;

const sizes: readonly RawCase[] = [
  put('just within the limit', {
    key: bytes('large'),
    value: Buffer.alloc(requestBytesMax - marginBytes, 'x'),
  }),
  put(
    'above the limit',
    {
      key: bytes('large'),
      value: Buffer.alloc(requestBytesMax + marginBytes, 'x'),
    },
    invalid,
  ),
  txn(
    'above the limit',
    {
      success: [1, 2].map((i) => ({
        request_put: {
          key: bytes(`large${i}`),
          value: Buffer.alloc((requestBytesMax + marginBytes) / 2, 'x'),
        },
      })),
    },
    invalid,
  ),
  range('the large value is there', { key: bytes('large') }),
  del('the large value', { key: bytes('large') }),
];

const leader = { hasleader: 'true' };

const others: readonly RawCase[] = [
  { ...range('for a member with a leader', all), metadata: leader },
  {
    ...put('for a member with a leader', { key: bytes('l'), value: bytes('1') }),
    metadata: leader,
  },
  { title: 'health', method: 'Check', request: () => ({ service: '' }) },
  {
    title: 'health of an unknown service',
    method: 'Check',
    request: () => ({ service: 'nothing' }),
    code: 'NOT_FOUND',
  },
];

/** The table. */
export const rawCases: readonly RawCase[] = [
  ...emptyStore,
  ...fill,
  ...sorts,
  ...bounds,
  ...ranges,
  ...puts,
  ...deletes,
  ...compares,
  ...txns,
  ...compactions,
  ...sizes,
  ...others,
];
