/** status, health and members as processes against a real member. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectKv } from '../../harness/kv-client.ts';
import { freePorts, ProcessCluster } from '../../harness/processes.ts';
import { type Run, runHoldfast } from './run.ts';

let directory: string;
let cluster: ProcessCluster;
let endpoint: string;
let dead: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-commands-'));
  cluster = await ProcessCluster.create([join(directory, 'n1')]);
  await cluster.startAll();
  [endpoint = ''] = cluster.endpoints;
  dead = `127.0.0.1:${String((await freePorts(1))[0])}`;
  const client = connectKv(endpoint);
  await client.waitUntilReady(20_000);
  client.close();
});

afterAll(async () => {
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

async function holdfast(endpoints: readonly string[], ...args: string[]): Promise<Run> {
  return runHoldfast(endpoints, args);
}

test('status tells what a member says of itself', async () => {
  const { exitCode, stdout, stderr } = await holdfast([endpoint], 'status');

  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const cells = stdout.split(', ');
  expect(cells[0]).toBe(endpoint);
  expect(cells[3]).toMatch(/^[\d.]+ \wB?$/);
  expect(cells.slice(4, 6)).toEqual(['true', 'false']);
  expect(cells.slice(6)).toEqual([
    expect.stringMatching(/^\d+$/),
    expect.stringMatching(/^\d+$/),
    expect.stringMatching(/^\d+$/),
    '\n',
  ]);
});

test('status prints those that answer, names the others and fails', async () => {
  const { exitCode, stdout, stderr } = await holdfast([dead, endpoint], 'status', '-w', 'table');

  expect(exitCode).toBe(1);
  expect(stdout).toContain(`| ${endpoint}`);
  expect(stderr).toContain(`holdfast: status failed: cannot reach ${dead}`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('status of unreachable endpoints alone has an exit code of its own', async () => {
  const { exitCode, stdout } = await holdfast([dead], 'status');

  expect(exitCode).toBe(4);
  expect(stdout).toBe('');
});

test('health is good when all answer a linearizable read', async () => {
  const { exitCode, stdout, stderr } = await holdfast([endpoint], 'health');

  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    new RegExp(
      String.raw`^${endpoint} is healthy: successfully committed proposal: took = [\d.]+m?s\n$`,
    ),
  );
});

test('health fails when one does not answer, and says which', async () => {
  const { exitCode, stdout } = await holdfast([endpoint, dead], 'health', '-w', 'json');

  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([
    { endpoint, health: true },
    { endpoint: dead, health: false, error: `connect ECONNREFUSED ${dead} [UNREACHABLE]` },
  ]);
});

test('members are listed by any endpoint that answers', async () => {
  const { exitCode, stdout, stderr } = await holdfast([dead, endpoint], 'members', '-w', 'plain');

  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const [, status, name, , clientUrls, isLearner] = stdout.trim().split('\t');
  expect([status, name, clientUrls, isLearner]).toEqual([
    'started',
    'n1',
    `http://${endpoint}`,
    'false',
  ]);
});
