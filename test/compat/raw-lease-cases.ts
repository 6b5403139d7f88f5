/**
 * Calls about leases, locks and elections that etcd and Holdfast must answer alike, in the order in
 * which they run. Leases have ids that are chosen here, so that keys and answers are the same on
 * both sides. Each says how etcd's call must end, so that a slip in the table is noticed.
 */
import type { Compare__Input as Compare } from '../../src/wire/generated/etcdserverpb/Compare.ts';
import { bytes, type MethodName } from './raw-client.ts';
import type { RawCase } from './raw-grpc-cases.ts';

/** Fields whose values no two clusters have in common: what is left of a lease. */
const remaining = ['TTL'] as const;
/** A long time, so that nothing ends while the table runs. */
const longTtl = 100_000;

interface More {
  readonly code?: string;
  readonly unordered?: readonly string[];
  readonly masks?: readonly string[];
  readonly differs?: RawCase['differs'];
  readonly lacks?: RawCase['lacks'];
}

function call(method: MethodName, title: string, request: object, more: More = {}): RawCase {
  return { title: `${method}: ${title}`, method, request: () => request, ...more };
}

const unknown = { code: 'UNKNOWN' };
const notFound = { code: 'NOT_FOUND' };
/** A refusal that etcd has no code for. */
const noSuchLease = {
  ...unknown,
  differs: { code: 'NOT_FOUND', details: 'etcdserver: requested lease not found' },
} as const;
/** What etcd's answers to `Lock` do not have. */
const ours = { lacks: ['fencing_token'] } as const;

function grant(title: string, request: object, more: More = {}): RawCase {
  return call('LeaseGrant', title, request, more);
}

function show(title: string, id: number | string, keys = true): RawCase {
  return call(
    'LeaseTimeToLive',
    title,
    { ID: id, keys },
    { masks: remaining, unordered: ['keys'] },
  );
}

const grants: readonly RawCase[] = [
  call('LeaseLeases', 'of an empty store', {}),
  grant('with an id', { ID: 1, TTL: longTtl }),
  grant('with the same id again', { ID: 1, TTL: longTtl }, { code: 'FAILED_PRECONDITION' }),
  grant('with a large id', { ID: '9223372036854775807', TTL: 2 * longTtl }),
  grant('with a negative id', { ID: -5, TTL: 3 * longTtl }),
  grant('with an id chosen by the server', { TTL: 4 * longTtl }, { masks: ['ID'] }),
  grant('with the longest time', { ID: 2, TTL: 9_000_000_000 }),
  grant('with one second more', { ID: 3, TTL: 9_000_000_001 }, { code: 'OUT_OF_RANGE' }),
  grant('with the largest number', { ID: 3, TTL: '9223372036854775807' }, { code: 'OUT_OF_RANGE' }),
  call('LeaseRevoke', 'of what was refused', { ID: 3 }, notFound),
  call('LeaseRevoke', 'of a lease', { ID: 2 }),
  call('LeaseRevoke', 'of the same lease again', { ID: 2 }, notFound),
  call('LeaseRevoke', 'of none', {}, notFound),
  grant('with an id that was in use before', { ID: 2, TTL: longTtl }),
  show('of a lease', 1),
  show('of a lease, without keys', 1, false),
  show('of a negative id', -5),
  show('of an unknown lease', 77),
  show('of none', 0),
];

const attached: readonly RawCase[] = [
  call('Put', 'with a lease', { key: bytes('a'), value: bytes('1'), lease: 1 }),
  call('Put', 'with the same lease', { key: bytes('b'), value: bytes('1'), lease: 1 }),
  call('Put', 'with a negative lease', { key: bytes('n'), value: bytes('1'), lease: -5 }),
  call('Put', 'with an unknown lease', { key: bytes('a'), lease: 77 }, notFound),
  show('of a lease with keys', 1),
  call('Range', 'of a key with a lease', { key: bytes('a') }),
  call('Put', 'that keeps the lease', { key: bytes('a'), value: bytes('2'), ignore_lease: true }),
  show('after a put that keeps it', 1),
  call('Put', 'with another lease', { key: bytes('a'), value: bytes('3'), lease: 2 }),
  show('of the lease it had before', 1),
  show('of the lease it has now', 2),
  call('Put', 'without a lease', { key: bytes('a'), value: bytes('4') }),
  show('of the lease it had', 2),
  call('DeleteRange', 'of a key with a lease', { key: bytes('b'), prev_kv: true }),
  show('after that', 1),
  call('Txn', 'that puts with leases', {
    success: [
      { request_put: { key: bytes('t1'), value: bytes('1'), lease: 1 } },
      { request_put: { key: bytes('t2'), value: bytes('1'), lease: 2 } },
    ],
  }),
  call(
    'Txn',
    'one of whose puts has an unknown lease',
    {
      success: [
        { request_put: { key: bytes('t3'), value: bytes('1'), lease: 1 } },
        { request_put: { key: bytes('t4'), value: bytes('1'), lease: 78 } },
      ],
    },
    notFound,
  ),
  call('Range', 'of what it would have put', { key: bytes('t3') }),
  show('after transactions', 1),
];

function decide(title: string, ...compare: readonly Compare[]): RawCase {
  return call('Txn', title, {
    compare,
    success: [{ request_range: { key: bytes('t1') } }],
    failure: [{ request_range: { key: bytes('no') } }],
  });
}

const compares: readonly RawCase[] = [
  ...(['EQUAL', 'NOT_EQUAL', 'GREATER', 'LESS'] as const).flatMap((result) =>
    [0, 1, 2].map((lease) =>
      decide(`if t1's lease is ${result} to ${lease}`, {
        ...{ key: bytes('t1'), target: 'LEASE', result, lease },
      }),
    ),
  ),
  decide('if a key without a lease has none', {
    ...{ key: bytes('a'), target: 'LEASE', result: 'EQUAL', lease: 0 },
  }),
  decide('if a key that is not there has no lease', {
    ...{ key: bytes('none'), target: 'LEASE', result: 'EQUAL', lease: 0 },
  }),
  decide('if a negative lease is less than none', {
    ...{ key: bytes('n'), target: 'LEASE', result: 'LESS', lease: 0 },
  }),
  decide('if all of a range have a lease', {
    ...{ key: bytes('t1'), range_end: bytes('t3'), target: 'LEASE', result: 'GREATER', lease: 0 },
  }),
];

const revocations: readonly RawCase[] = [
  call('LeaseRevoke', 'of a lease with keys', { ID: 1 }),
  call('Range', 'of a key that went with it', { key: bytes('t1') }),
  call('Range', 'of the others', { key: bytes('\0'), range_end: bytes('\0') }),
  show('of the revoked lease', 1),
  call('LeaseRevoke', 'of a negative id', { ID: -5 }),
  call('LeaseRevoke', 'of a lease without keys', { ID: '9223372036854775807' }),
];

function leaderKey(lease: number, rev: number, name = 'e'): object {
  return { name: bytes(name), key: bytes(`${name}/${lease.toString(16)}`), rev, lease };
}

const locks: readonly RawCase[] = [
  grant('for the first owner', { ID: 0x10, TTL: longTtl }),
  grant('for the second', { ID: 0x20, TTL: longTtl }),
  call('Lock', 'of a free lock', { name: bytes('l'), lease: 0x10 }, ours),
  call('Lock', 'of the same by its owner', { name: bytes('l'), lease: 0x10 }, ours),
  call('Range', 'of the queue', { key: bytes('l/'), range_end: bytes('l0') }),
  call('Lock', 'of another lock by the same lease', { name: bytes('m'), lease: 0x10 }, ours),
  call('Lock', 'without a name', { lease: 0x10 }, ours),
  call('Lock', 'with an unknown lease', { name: bytes('l'), lease: 99 }, noSuchLease),
  call('Unlock', 'of the key', { key: bytes('l/10') }),
  call('Unlock', 'of it again', { key: bytes('l/10') }),
  call(
    'Unlock',
    'of no key',
    {},
    {
      ...unknown,
      differs: { code: 'INVALID_ARGUMENT', details: 'etcdserver: key is not provided' },
    },
  ),
  call('Lock', 'by somebody else', { name: bytes('l'), lease: 0x20 }, ours),
  call('LeaseRevoke', 'of the owner', { ID: 0x20 }),
  call('Range', 'of the queue, empty again', { key: bytes('l/'), range_end: bytes('l0') }),
  call('LeaseRevoke', 'of the owner of two', { ID: 0x10 }),
];

/** With revisions of the moment: a leader's key has the revision at which it was made. */
function election(): readonly RawCase[] {
  const at = (
    method: MethodName,
    title: string,
    request: (at: number) => object,
    more: More = {},
  ) => ({ title: `${method}: ${title}`, method, request, ...more }) satisfies RawCase;
  return [
    call(
      'Leader',
      'before anybody campaigns',
      { name: bytes('e') },
      {
        ...unknown,
        differs: { code: 'NOT_FOUND', details: 'election: no leader' },
      },
    ),
    grant('for the first candidate', { ID: 0x30, TTL: longTtl }),
    call('Campaign', 'alone', { name: bytes('e'), lease: 0x30, value: bytes('one') }),
    call('Leader', 'after it', { name: bytes('e') }),
    call('Campaign', 'again', { name: bytes('e'), lease: 0x30, value: bytes('one') }),
    at('Proclaim', 'something else', (now) => ({
      leader: leaderKey(0x30, now),
      value: bytes('two'),
    })),
    call('Leader', 'after that', { name: bytes('e') }),
    at('Proclaim', 'again', (now) => ({ leader: leaderKey(0x30, now - 1), value: bytes('three') })),
    at(
      'Proclaim',
      'by somebody who does not lead',
      () => ({ leader: leaderKey(0x30, 1), value: bytes('never') }),
      {
        ...unknown,
        differs: { code: 'FAILED_PRECONDITION', details: 'election: not leader' },
      },
    ),
    call(
      'Proclaim',
      'by nobody',
      { value: bytes('never') },
      {
        ...unknown,
        differs: { code: 'INVALID_ARGUMENT', details: '"leader" field must be provided' },
      },
    ),
    call(
      'Resign',
      'by nobody',
      {},
      {
        ...unknown,
        differs: { code: 'INVALID_ARGUMENT', details: '"leader" field must be provided' },
      },
    ),
    at('Resign', 'by somebody who does not lead', () => ({ leader: leaderKey(0x30, 1) })),
    call('Leader', 'still', { name: bytes('e') }),
    at('Resign', 'by the leader', (now) => ({ leader: leaderKey(0x30, now - 2) })),
    at('Resign', 'by the leader, again', (now) => ({ leader: leaderKey(0x30, now - 3) })),
    call(
      'Leader',
      'after all have gone',
      { name: bytes('e') },
      {
        ...unknown,
        differs: { code: 'NOT_FOUND', details: 'election: no leader' },
      },
    ),
    call('Campaign', 'with an unknown lease', { name: bytes('e'), lease: 99 }, noSuchLease),
    call('Campaign', 'without a name', { lease: 0x30, value: bytes('nameless') }),
    call('Leader', 'without a name', {}),
    call('LeaseRevoke', 'of the leader', { ID: 0x30 }),
    call(
      'Leader',
      'whose lease has ended',
      {},
      {
        ...unknown,
        differs: { code: 'NOT_FOUND', details: 'election: no leader' },
      },
    ),
  ];
}

/** The table. */
export const rawLeaseCases: readonly RawCase[] = [
  ...grants,
  ...attached,
  ...compares,
  ...revocations,
  ...locks,
  ...election(),
];
