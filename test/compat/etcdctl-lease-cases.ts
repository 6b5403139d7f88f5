/**
 * The `lease` commands that etcd and Holdfast must answer alike, in the order in which they run.
 * The leases 1111, 2222, 3333 and 4444 are there, made beforehand with these ids: `etcdctl` cannot
 * choose any.
 */
import type { EtcdctlCase } from './etcdctl-cases.ts';

/** The commands whose flags must all occur in the table. */
export const coveredLeaseCommands = [
  'grant',
  'revoke',
  'keep-alive',
  'timetolive',
  'list',
] as const;

/** Ids of the leases and their times in seconds. */
export const givenLeases: readonly (readonly [id: number, ttlSeconds: number])[] = [
  [0x1111, 100_000],
  [0x2222, 200_000],
  [0x3333, 300_000],
  [0x4444, 400_000],
];

const refusedExitCode = 1;
const notRenewedExitCode = 2;
const badFeatureExitCode = 4;
const badArgumentsExitCode = 128;
const forms = ['simple', 'json', 'fields'] as const;

function run(...args: string[]): EtcdctlCase {
  return { args };
}

function lease(...args: string[]): EtcdctlCase {
  return { args: ['lease', ...args] };
}

function failing(exitCode: number, ...args: string[]): EtcdctlCase {
  return { args: ['lease', ...args], exitCode };
}

const looks: readonly EtcdctlCase[] = [
  ...forms.flatMap((form) => [
    lease('list', '-w', form),
    lease('timetolive', '1111', '-w', form),
    lease('timetolive', '1111', '--keys', '-w', form),
    lease('timetolive', '9999', '-w', form),
    lease('timetolive', '9999', '--keys', '-w', form),
    lease('keep-alive', '--once', '2222', '-w', form),
  ]),
  failing(badFeatureExitCode, 'list', '-w', 'table'),
  failing(badFeatureExitCode, 'timetolive', '1111', '-w', 'table'),
  lease('timetolive', '0000000000001111'),
  lease('timetolive', '0'),
  lease('timetolive', 'ffff', '--keys=false'),
  lease('list', 'extra'),
  failing(refusedExitCode, 'timetolive', '--unknown'),
  failing(badArgumentsExitCode, 'timetolive'),
  failing(badArgumentsExitCode, 'timetolive', '1111', '2222'),
  failing(badArgumentsExitCode, 'timetolive', 'no-id'),
  failing(badArgumentsExitCode, 'timetolive', '-w', 'json', 'xyz'),
];

const grants: readonly EtcdctlCase[] = [
  ...forms.map((form) => lease('grant', '500', '-w', form)),
  failing(badFeatureExitCode, 'grant', '500', '-w', 'table'),
  lease('grant', '9000000000'),
  failing(refusedExitCode, 'grant', '9000000001'),
  failing(badArgumentsExitCode, 'grant'),
  failing(badArgumentsExitCode, 'grant', 'ten'),
  failing(badArgumentsExitCode, 'grant', '10', '20'),
  failing(badArgumentsExitCode, 'grant', '1.5'),
  failing(badArgumentsExitCode, 'grant', '99999999999999999999'),
];

const renewals: readonly EtcdctlCase[] = [
  lease('keep-alive', '--once', '1111'),
  lease('keep-alive', '1111', '--once=true', '-w', 'json'),
  lease('keep-alive', '9999'),
  failing(notRenewedExitCode, 'keep-alive', '9999', '--once'),
  failing(badArgumentsExitCode, 'keep-alive'),
  failing(badArgumentsExitCode, 'keep-alive', '--once', 'no-id'),
  failing(badArgumentsExitCode, 'keep-alive', '--once', '1111', '2222'),
];

const attached: readonly EtcdctlCase[] = [
  run('put', 'l/a', '1', '--lease=1111'),
  run('put', 'l/b', '2', '--lease=1111', '-w', 'json'),
  run('put', 'l/c d', '3', '--lease=2222', '-w', 'fields'),
  { args: ['put', 'l/x', '3', '--lease=9999'], exitCode: refusedExitCode },
  { args: ['put', 'l/x', '3', '--lease=xyz'], exitCode: badArgumentsExitCode },
  ...forms.map((form) => lease('timetolive', '1111', '--keys', '-w', form)),
  lease('timetolive', '2222', '--keys'),
  run('get', 'l/', '--prefix', '-w', 'json'),
  run('get', 'l/', '--prefix', '-w', 'fields'),
  run('put', 'l/a', '4', '--ignore-lease', '--prev-kv', '-w', 'json'),
  run('put', 'l/a', '--ignore-value', '--lease=3333'),
  lease('timetolive', '1111', '--keys'),
  lease('timetolive', '3333', '--keys'),
  run('put', 'l/b', '5', '--lease=0'),
  lease('timetolive', '1111', '--keys'),
  run('put', 'l/b', '6', '--lease=1111'),
  run('put', 'l/b', '7'),
  lease('timetolive', '1111', '--keys', '-w', 'json'),
  { args: ['txn'], stdin: '\nput l/t1 1 --lease=4444\nput l/t2 2 --lease=1111\n\n\n' },
  { args: ['txn', '-w', 'json'], stdin: 'mod("l/t1") > "0"\n\nget l/t1\n\nput l/t1 2\n\n' },
  lease('timetolive', '4444', '--keys'),
  run('del', 'l/t1', '--prev-kv', '-w', 'json'),
  lease('timetolive', '4444', '--keys'),
];

const revocations: readonly EtcdctlCase[] = [
  lease('revoke', '3333'),
  run('get', 'l/a'),
  run('get', 'l/', '--prefix', '-w', 'json'),
  lease('revoke', '1111', '-w', 'json'),
  lease('revoke', '2222', '-w', 'fields'),
  failing(badFeatureExitCode, 'revoke', '4444', '-w', 'table'),
  lease('timetolive', '1111', '--keys', '-w', 'json'),
  failing(notRenewedExitCode, 'keep-alive', '1111', '--once'),
  failing(refusedExitCode, 'revoke', '1111'),
  failing(refusedExitCode, 'revoke', '0'),
  failing(badArgumentsExitCode, 'revoke'),
  failing(badArgumentsExitCode, 'revoke', 'no-id'),
  failing(badArgumentsExitCode, 'revoke', '1111', '2222'),
  run('get', '', '--prefix', '-w', 'fields'),
  lease('unknown'),
];

/** The table. */
export const etcdctlLeaseCases: readonly EtcdctlCase[] = [
  ...looks,
  ...grants,
  ...renewals,
  ...attached,
  ...revocations,
];
