/** The lease commands as processes against a real member, and beside etcdctl. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKv, type KvClient, waitForLeader } from '../../harness/kv-client.ts';
import { ProcessCluster } from '../../harness/processes.ts';
import { hasEtcdctl, type Run, runEtcdctl, runHoldfast } from './run.ts';

let directory: string;
let cluster: ProcessCluster;
let client: KvClient;
/** Of a lease with a key, and of one without. */
let held: string;
let bare: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lease-'));
  cluster = await ProcessCluster.create([join(directory, 'n1')]);
  await cluster.startAll();
  client = connectKv(cluster.endpoints[0] ?? '');
  await waitForLeader([client], 20_000);
  held = (await holdfast('lease', 'grant', '100000', '-w=plain')).trim();
  bare = (await holdfast('lease', 'grant', '200000', '-w=plain')).trim();
  await holdfast('put', 'a"b', '1', `--lease=${held}`);
  await holdfast('put', 'c', '1', `--lease=${held}`);
});

afterAll(async () => {
  client.close();
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

async function run(...args: readonly string[]): Promise<Run> {
  return runHoldfast(cluster.endpoints, args);
}

async function holdfast(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(...args);
  expect(stderr).toBe('');
  return stdout;
}

/** Without what differs between two looks at the same lease. */
function withoutTime(output: string): string {
  return output
    .replaceAll(/(remaining\()\d+/g, '$1')
    .replaceAll(/("ttl":|"TTL" : )\d+/g, '$1')
    .replaceAll(/"raft_term":\d+|"RaftTerm" : \d+/g, '');
}

describe('lease', () => {
  test('grants, renews, shows and revokes', async () => {
    expect(await holdfast('lease', 'grant', '60')).toMatch(/^lease [0-9a-f]{16} granted with TTL/);
    const id = (await holdfast('lease', 'grant', '60', '-w=plain')).trim();
    await holdfast('put', 'gone', '1', `--lease=${id}`);
    const renewed = await holdfast('lease', 'keep-alive', '--once', id);
    expect(renewed).toBe(`lease ${id} keepalived with TTL(60)\n`);
    expect(await holdfast('lease', 'list', '-w=plain')).toContain(id);
    expect(await holdfast('lease', 'revoke', id)).toBe(`lease ${id} revoked\n`);
    expect(await holdfast('get', 'gone')).toBe('');
    expect(await holdfast('lease', 'timetolive', id)).toBe(`lease ${id} already expired\n`);
  });

  test('ends with a clear message when there is no such lease', async () => {
    const renewal = await run('lease', 'keep-alive', '1f');
    expect(renewal.exitCode).toBe(1);
    expect(renewal.stderr).toContain('lease 000000000000001f has expired or was revoked');
    const revocation = await run('lease', 'revoke', '1f');
    expect(revocation.exitCode).toBe(1);
    expect(revocation.stderr).toContain('requested lease not found');
    for (const args of [['grant', '-5'], ['grant', 'x'], ['revoke', 'xyz'], ['grant']]) {
      expect((await run('lease', ...args)).exitCode).toBe(2);
    }
    expect((await run('lease', 'grant', '9999999999')).stderr).toContain('too large lease TTL');
  });

  const looks = ['json', 'fields', 'simple'].flatMap((format) => [
    ['timetolive', 'HELD', `-w=${format}`],
    ['timetolive', 'HELD', '--keys', `-w=${format}`],
    ['timetolive', 'BARE', '--keys', `-w=${format}`],
    ['timetolive', '1234', `-w=${format}`],
    ['list', `-w=${format}`],
    ['keep-alive', '--once', 'BARE', `-w=${format}`],
  ]);

  test.runIf(hasEtcdctl()).each(looks.map((args) => [args]))(
    'prints what etcdctl prints: %s',
    async (args) => {
      const named = args.map((arg) => arg.replace('HELD', held).replace('BARE', bare));
      const theirs = await runEtcdctl(cluster.endpoints, ['lease', ...named]);
      const ours = await run('lease', ...named);

      expect(ours.stderr).toBe('');
      expect(withoutTime(ours.stdout)).toBe(withoutTime(theirs.stdout));
    },
  );

  test.runIf(hasEtcdctl()).each(['json', 'fields', 'simple'])(
    'grants and revokes as etcdctl does in the form %s',
    async (format) => {
      const mask = (output: string): string =>
        withoutTime(output)
          .replaceAll(/lease [0-9a-f]{16}/g, 'lease')
          .replaceAll(/"ID":\d+|"ID" : \d+/g, 'ID');
      const grant = ['lease', 'grant', '70', `-w=${format}`];
      const theirs = mask((await runEtcdctl(cluster.endpoints, grant)).stdout);
      expect(mask(await holdfast(...grant))).toBe(theirs);
      const ids = (await holdfast('lease', 'list', '-w=plain')).trim().split('\n').slice(0, 2);
      const [first = '', second = ''] = ids;
      const revoke = ['lease', 'revoke', `-w=${format}`];
      const revoked = mask((await runEtcdctl(cluster.endpoints, [...revoke, first])).stdout);
      expect(mask(await holdfast(...revoke, second))).toBe(revoked);
    },
  );
});

describe('a key with a time to live', () => {
  test('is put with --ttl, tells what is left, and is gone in the end', async () => {
    await holdfast('put', 'timed', '1', '--ttl=1h', '--ttl-refresh-on-write');
    const shown = await holdfast('get', 'timed', '--remaining-ttl', '-w=fields');
    expect(shown).toContain('"TtlMs" : 3600000\n');
    expect(Number(/"TtlRemainingMs" : (\d+)/.exec(shown)?.[1])).toBeGreaterThan(3_500_000);
    expect(await holdfast('get', 'c', '-w=fields')).not.toContain('Ttl');
    await holdfast('put', 'timed', '2', '--ttl=1ms');
    while ((await holdfast('get', 'timed')) !== '') {
      // It ends by itself.
    }
    const refused = await run('put', 'timed', '2', '--ttl-refresh-on-write');
    expect(refused.stderr).toContain('--ttl-refresh-on-write needs a --ttl');
  });
});
