/**
 * `etcdctl lease`, and keys on leases, say the same of etcd and of Holdfast: output, errors, exit
 * codes. Each command goes to the next of Holdfast's three members.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEtcd } from './etcd-server.ts';
import { coveredLeaseCommands, etcdctlLeaseCases, givenLeases } from './etcdctl-lease-cases.ts';
import { comparable, type EtcdctlOutcome, runEtcdctl } from './etcdctl-runner.ts';
import { RawClient } from './raw-client.ts';
import { type Sides, startSides } from './sides.ts';

const hasReference = hasEtcd();

let sides: Sides;

/** Replaces what is left of leases, and the ids that servers choose. */
function comparableLease(
  outcome: EtcdctlOutcome,
  endpoint: string,
  args: readonly string[],
): EtcdctlOutcome {
  const { stdout, stderr, exitCode } = comparable(outcome, endpoint, args);
  const isGrant = args[1] === 'grant';
  const masked = stdout
    .replace(/remaining\(\d+s\)/g, 'remaining(TIME)')
    .replace(/("ttl":|"TTL" : |"TTL":")\d+/g, '$1TIME')
    .replace(/\b(?!0{8})[0-9a-f]{16}\b/g, 'CHOSEN')
    .replace(isGrant ? /("ID":"?|"ID" : )\d+/g : /("ID":"?|"ID" : )\d{10,}/g, '$1CHOSEN')
    .replace(/("id":)\d{10,}/g, '$1CHOSEN')
    // etcd lists the keys of a lease in no order.
    .replace(/(?<=attached keys\(\[)[^\]]*/, (keys) => sorted(keys, ' '))
    .replace(/(?<="keys":\[)[^\]]*/, (keys) => sorted(keys, ','))
    .replace(/(?:"Key" : .*\n)+/, (keys) => sorted(keys, '\n'));
  return { stdout: masked, stderr, exitCode };
}

function sorted(list: string, separator: string): string {
  return list.split(separator).sort().join(separator);
}

describe('the table of lease commands', () => {
  test.runIf(hasReference).each(coveredLeaseCommands)('uses every flag of %s', (command) => {
    const help = execFileSync('etcdctl', ['lease', command, '--help'], {
      env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
      encoding: 'utf8',
    });
    const options = /^OPTIONS:\n([\s\S]*?)\n\n/m.exec(help)?.[1] ?? '';
    const flags = [...options.matchAll(/ (--[a-z-]+)/g)].map(([, flag = '']) => flag);
    const used = etcdctlLeaseCases
      .filter(({ args }) => args[0] === 'lease' && args[1] === command)
      .flatMap(({ args }) => args.map((arg) => arg.replace(/=.*/, '')));

    expect(used.length).toBeGreaterThan(0);
    expect(flags.filter((flag) => flag !== '--help' && !used.includes(flag))).toEqual([]);
  });
});

describe.runIf(hasReference)('etcdctl lease', () => {
  beforeAll(async () => {
    sides = await startSides();
    for (const endpoint of [sides.etcd, sides.holdfast.endpoints[0] ?? '']) {
      const client = new RawClient(endpoint);
      for (const [ID, TTL] of givenLeases) {
        await client.call({ method: 'LeaseGrant', request: { ID, TTL } });
      }
      client.close();
    }
  });

  afterAll(async () => {
    await sides.stop();
  });

  test.each(etcdctlLeaseCases.map((each, at) => [each.args.join(' '), each, at] as const))(
    '%s',
    async (_title, { args, stdin, exitCode }, at) => {
      const { endpoints } = sides.holdfast;
      const endpoint = endpoints[at % endpoints.length] ?? '';

      const [expected, actual] = await Promise.all([
        runEtcdctl(sides.etcd, args, stdin),
        runEtcdctl(endpoint, args, stdin),
      ]);

      expect(comparableLease(actual, endpoint, args)).toEqual(
        comparableLease(expected, sides.etcd, args),
      );
      expect(expected.exitCode).toBe(exitCode ?? 0);
    },
  );
});
