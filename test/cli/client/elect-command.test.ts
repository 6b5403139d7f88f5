/** `elect` as processes against a real member; what etcdctl does with it, test/compat says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKv, type KvClient, waitForLeader } from '../../harness/kv-client.ts';
import { ProcessCluster } from '../../harness/processes.ts';
import { run } from './in-process.ts';
import { killAllRunning, runHoldfast, Running } from './run.ts';

let directory: string;
let cluster: ProcessCluster;
let client: KvClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-elect-'));
  cluster = await ProcessCluster.create([join(directory, 'n1')]);
  await cluster.startAll();
  client = connectKv(cluster.endpoints[0] ?? '');
  await waitForLeader([client], 20_000);
});

afterAll(async () => {
  killAllRunning();
  client.close();
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

function start(...args: readonly string[]): Running {
  return Running.holdfast(cluster.endpoints, args);
}

async function holdfast(...args: readonly string[]) {
  return runHoldfast(cluster.endpoints, args);
}

describe('elect', () => {
  test('leads until it is stopped; those who listen hear of it and of the next one', async () => {
    const listener = start('elect', 'office', '--listen', '-w=plain');
    const first = start('elect', 'office', 'first', '-w=plain');
    await first.lines(1);
    await listener.lines(1);
    const second = start('elect', 'office', 'second', '-w=plain');
    while ((await holdfast('get', 'office/', '--prefix', '--count-only')).stdout !== '2\n') {
      // It comes.
    }
    expect(second.stdout).toBe('');

    expect(await first.end('SIGINT')).toBe(0);
    await second.lines(1);
    await listener.lines(2);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await listener.end('SIGINT')).toBe(0);

    expect(first.stdout).toMatch(/^office\/[0-9a-f]+\t\d+\tfirst\n$/);
    expect(second.stdout).toMatch(/^office\/[0-9a-f]+\t\d+\tsecond\n$/);
    expect(listener.stdout).toBe(first.stdout + second.stdout);
    expect((await holdfast('lease', 'list', '-w=plain')).stdout).toBe('');
  });

  test('ends with a code of its own when leadership is lost', async () => {
    const leader = start('elect', 'lost', 'me', '--ttl=1', '-w=plain');
    await leader.lines(1);

    const id = /\/([0-9a-f]+)\t/.exec(leader.stdout)?.[1] ?? '';
    await holdfast('lease', 'revoke', id);

    expect(await leader.ended()).toBe(5);
    expect(leader.stderr).toContain('somebody else may own it now');
  });

  test.each([
    [['elect', 'e'], 'needs a proposal, or --listen'],
    [['elect', 'e', 'p', '-l'], 'takes no proposal with --listen'],
    [['elect', 'e', '-l', '-w=table'], 'is no table'],
    [['elect', 'e', 'p', '--ttl=x'], 'a whole number of seconds'],
  ])('refuses %s', async (args, problem) => {
    const { exitCode, stderr } = await run('127.0.0.1:1', ...args);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  test.each([[['--listen']], [['me']]])('says that nobody is there: %s', async (args) => {
    const { exitCode, stderr } = await runHoldfast(['127.0.0.1:1'], ['elect', 'e', ...args]);

    expect(exitCode).toBe(4);
    expect(stderr).toContain('check --endpoints');
  });
});
