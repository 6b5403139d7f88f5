/** `lock` as processes against real members; what etcdctl does with them, test/compat says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
import { connectKv, type KvClient, waitForLeader } from '../../harness/kv-client.ts';
import { ProcessCluster } from '../../harness/processes.ts';
import { run, startServer } from './in-process.ts';
import { killAllRunning, runHoldfast, Running } from './run.ts';

let directory: string;
let cluster: ProcessCluster;
let clients: KvClient[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
  cluster = await ProcessCluster.create(['n1', 'n2', 'n3'].map((name) => join(directory, name)));
  await cluster.startAll();
  clients = cluster.endpoints.map((endpoint) => connectKv(endpoint));
  await waitForLeader(clients, 20_000);
});

afterAll(async () => {
  killAllRunning();
  for (const client of clients) {
    client.close();
  }
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

async function holdfast(...args: readonly string[]) {
  return runHoldfast(cluster.endpoints, args);
}

function start(...args: readonly string[]): Running {
  return Running.holdfast(cluster.endpoints, args);
}

/** Keys under a prefix, and the leases there are: what a lock has left behind. */
async function leftOf(name: string): Promise<string> {
  return (await holdfast('get', `${name}/`, '--prefix', '--keys-only', '-w=plain')).stdout;
}

describe('lock', () => {
  test('prints its key, owns it until it is stopped, and leaves nothing behind', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const owner = start('lock', 'plain', '-w=plain');
      await owner.lines(1);
      expect(owner.stdout).toMatch(/^plain\/[0-9a-f]+\t\d+\n$/);
      expect(await leftOf('plain')).toBe(`${owner.stdout.split('\t')[0] ?? ''}\n`);

      expect(await owner.end(signal)).toBe(0);
      expect(await leftOf('plain')).toBe('');
      expect((await holdfast('lease', 'list', '-w=plain')).stdout).toBe('');
    }
  });

  test('runs a command with key, revision and token, and ends with its code', async () => {
    const script = 'echo $ETCD_LOCK_KEY $ETCD_LOCK_REV $HOLDFAST_FENCING_TOKEN; exit 7';
    const tokens: number[] = [];
    for (let i = 0; i < 2; i++) {
      const { stdout, stderr, exitCode } = await holdfast('lock', 'run', '--', 'sh', '-c', script);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 7 });
      const [, revision, token] = /^run\/[0-9a-f]+ (\d+) (\d+)\n$/.exec(stdout)?.map(Number) ?? [];
      expect(revision).toBeGreaterThanOrEqual(token ?? NaN);
      tokens.push(token ?? NaN);
    }
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? NaN);
    expect(await leftOf('run')).toBe('');
  });

  test('gives a command its input, and says how it was killed or not run', async () => {
    const file = join(directory, 'not-executable');
    await writeFile(file, 'text');

    const fed = await runHoldfast(cluster.endpoints, ['lock', 'in', 'cat'], 'input');
    const killed = await holdfast('lock', 'in', '--', 'sh', '-c', 'kill -9 $$');
    const missing = await holdfast('lock', 'in', '/nowhere/to/be/found');
    const refused = await holdfast('lock', 'in', file);

    expect(fed.stdout).toBe('input');
    expect(killed.exitCode).toBe(137);
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr).toContain('/nowhere/to/be/found does not run');
    expect(refused.exitCode).toBe(126);
    expect(await leftOf('in')).toBe('');
  });

  test('has one owner at a time, whichever members they ask', async () => {
    const file = join(directory, 'critical');
    await writeFile(file, '');
    const script = 'echo in >> "$0"; sleep 0.1; echo out >> "$0"';

    const ends = await Promise.all(
      cluster.endpoints.map(async (endpoint) =>
        runHoldfast([endpoint], ['lock', 'one', '--', 'sh', '-c', script, file]),
      ),
    );

    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(await readFile(file, 'utf8')).toBe('in\nout\n'.repeat(3));
  });

  test('is tried, or waited for so long, and says that somebody else has it', async () => {
    const owner = start('lock', 'held', '-w=plain');
    await owner.lines(1);

    const tried = await holdfast('lock', 'held', '--try', 'echo', 'mine');
    const waited = await holdfast('lock', 'held', '--wait=100ms', 'echo', 'mine');
    const waiting = start('lock', 'held');
    await queued('held', 2);
    const stoppedCode = await waiting.end('SIGINT');

    expect(tried).toMatchObject({ exitCode: 6, stdout: '' });
    expect(tried.stderr).toBe('holdfast: lock: somebody else has it\n');
    expect(waited).toMatchObject({ exitCode: 6, stdout: '' });
    expect(waited.stderr).toContain('has not let go in time');
    expect(stoppedCode).toBe(1);
    expect(waiting.stderr).toContain('stopped by SIGINT before it had the lock');
    expect(await leftOf('held')).toBe(`${owner.stdout.split('\t')[0] ?? ''}\n`);
    await owner.end('SIGINT');
    expect(await holdfast('lock', 'held', '--try', 'echo', 'mine')).toMatchObject({
      exitCode: 0,
      stdout: 'mine\n',
    });
  });

  test('passes SIGTERM on to its command, and lets go when that ends', async () => {
    const script = 'trap "echo told; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
    const owner = start('lock', 'passed', '--', 'sh', '-c', script);
    await owner.lines(1);

    expect(await owner.end('SIGTERM')).toBe(3);
    expect(owner.stdout).toBe('ready\ntold\n');
    expect(await leftOf('passed')).toBe('');
  });

  test('that is lost ends its command and says so with a code of its own', async () => {
    const script = 'trap "echo told; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
    const owner = start('lock', 'lost', '--ttl=1', '--', 'sh', '-c', script);
    const waiting = start('lock', 'lost', 'echo', 'next');
    await owner.lines(1);
    await revokeAll('lost');

    expect(await owner.ended()).toBe(5);
    expect(owner.stdout).toBe('ready\ntold\n');
    expect(owner.stderr).toMatch(/lost: the lease [0-9a-f]{16} is gone \(it has expired/);
    await waiting.end('SIGINT');
  });

  test('that cannot be renewed is lost once its time is up', async () => {
    const owner = Running.holdfast(cluster.endpoints.slice(0, 1), ['lock', 'cut', '--ttl=1']);
    await owner.lines(2);
    await cluster.signal(0, 'SIGSTOP');

    expect(await owner.ended()).toBe(5);
    expect(owner.stderr).toContain('no renewal of it was confirmed for 1 s');
    await cluster.signal(0, 'SIGCONT');
    await waitForLeader(clients, 20_000);
  });

  test('outlives the member that was asked for it', async () => {
    const owner = start('lock', 'moved', '--ttl=30', '-w=plain');
    await owner.lines(1);
    const waiting = start('lock', 'moved', '-w=plain');
    await queued('moved', 2);

    await cluster.signal(0, 'SIGKILL');
    expect(await owner.end('SIGINT')).toBe(0);
    await waiting.lines(1);
    expect(await waiting.end('SIGINT')).toBe(0);
    expect(waiting.stderr).toBe('');

    await cluster.start(0);
    await waitForLeader(clients, 20_000);
  });

  test.each([
    [['lock', 'l', '--ttl=1.5'], 'a whole number of seconds'],
    [['lock', 'l', '--ttl=0'], 'a whole number of seconds'],
    [['lock', 'l', '--try', '--wait=1s'], '--try and --wait exclude each other'],
    [['lock', 'l', '--wait=soon'], 'must be a duration'],
  ])('refuses %s', async (args, problem) => {
    const { exitCode, stderr } = await run('127.0.0.1:1', ...args);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  test('says that there is no leader, and that nothing was acquired', async () => {
    const { member, serving, endpoint } = await startServer();
    onTestFinished(async () => serving.close());
    member.leader = 0;
    member.onPropose = async () =>
      Promise.reject(new KvError('TIMEOUT', { outcome: 'unknown', message: 'request timed out' }));

    const { exitCode, stderr } = await run(endpoint, 'lock', 'l');

    expect(exitCode).toBe(1);
    expect(stderr).toContain(': there is no leader (request timed out) [NO_LEADER]; ');
    expect(stderr).toContain('; outcome: rejected: nothing was acquired; hint: ');
    expect(stderr).toContain('check that a majority is up');
  });

  test('says that nobody is there', async () => {
    const { exitCode, stderr } = await runHoldfast(['127.0.0.1:1'], ['lock', 'l']);

    expect(exitCode).toBe(4);
    expect(stderr).toContain('check --endpoints');
  });
});

/** Waits until so many are in the queue of a lock. */
async function queued(name: string, count: number): Promise<void> {
  while ((await leftOf(name)).split('\n').length <= count) {
    // Soon.
  }
}

/** Ends the leases of all that wait for a lock or own it, from behind their backs. */
async function revokeAll(name: string): Promise<void> {
  for (const key of (await leftOf(name)).trim().split('\n')) {
    await holdfast('lease', 'revoke', key.split('/')[1] ?? '');
  }
}
