/**
 * Many keys with a time to live that ends for all of them at once: none goes early, all go, and
 * others can write meanwhile.
 *
 * `DRILL_TTL_KEYS` sets how many, of 256 bytes each, and `DRILL_TTL_SECONDS` when their time is up,
 * counted from the start of loading, which must be done by then; the defaults keep `npm test`
 * short. Times and memory are printed, never asserted: they belong to `docs/performance.md`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codecs, Holdfast } from '../../src/client/index.ts';
import { connectKv, waitForLeader } from '../harness/kv-client.ts';
import { showIfFailed } from '../harness/members-output.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { describeResident } from './memory.ts';

const keys = Number(process.env['DRILL_TTL_KEYS'] ?? 2000);
const ttlMs = Number(process.env['DRILL_TTL_SECONDS'] ?? 10) * 1000;
const valueBytes = 256;
const writers = 256;
/** Milliseconds before the end at which all keys must still be there. */
const marginMs = 500;
/** Milliseconds between two counts of what is left: a count reads all of it. */
const countPeriodMs = Math.max(50, keys / 200);
/** Milliseconds between two puts whose latency is looked at. */
const probePeriodMs = 10;

let directory: string;
let cluster: ProcessCluster;
let client: Holdfast;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-ttl-'));
  cluster = await ProcessCluster.create(['a', 'b', 'c'].map((name) => join(directory, name)));
  await cluster.startAll();
  client = new Holdfast({ endpoints: cluster.endpoints });
});

afterEach(async ({ task }) => {
  await showIfFailed(task, cluster);
  await client.close();
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

/** Puts all keys, each with what is left until `endMs` as its time to live. */
async function load(endMs: number): Promise<void> {
  const kv = client.kv.as(codecs.bytes);
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < keys) {
      const key = `timed/${String(next++).padStart(9, '0')}`;
      const leftMs = Math.ceil(endMs - performance.now());
      await kv.put(key, Buffer.alloc(valueBytes, key), { ttlMs: leftMs });
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/** Puts to a key of its own until it is told to stop; latencies in milliseconds. */
async function probe(state: { isOver: boolean }): Promise<readonly number[]> {
  const latencies: number[] = [];
  while (!state.isOver) {
    const startMs = performance.now();
    await client.kv.put('probe', 'alive');
    latencies.push(performance.now() - startMs);
    await sleep(probePeriodMs);
  }
  return latencies;
}

function describeLatency(latencies: readonly number[]): string {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)} ms`;
}

test(`${keys} keys end together, none of them early, while others write`, {
  timeout: 120_000 + 4 * ttlMs,
}, async () => {
  const startMs = performance.now();
  const endMs = startMs + ttlMs;
  await load(endMs);
  const loadedMs = performance.now() - startMs;
  expect(loadedMs, 'loading ends before the keys do').toBeLessThan(ttlMs - 2 * marginMs);
  const loadedMb = describeResident(cluster);

  // What a member knows of the deadlines must survive its end.
  const clients = cluster.endpoints.map((endpoint) => connectKv(endpoint));
  const leader = await waitForLeader(clients, 20_000);
  await cluster.signal(leader, 'SIGKILL');
  await cluster.start(leader);
  for (const each of clients) {
    each.close();
  }
  const before = { isOver: false };
  const calm = probe(before);
  await sleep(Math.max(0, endMs - marginMs - performance.now()));
  before.isOver = true;
  const calmLatencies = await calm;
  const leftEarly = await client.kv.count({ prefix: 'timed/' });
  const isEarly = performance.now() < endMs;

  const after = { isOver: false };
  const busy = probe(after);
  let left = keys;
  while (left > 0) {
    await sleep(countPeriodMs);
    left = await client.kv.count({ prefix: 'timed/' });
  }
  const allMs = performance.now() - endMs;
  after.isOver = true;

  if (isEarly) {
    expect(leftEarly).toBe(keys);
  }
  console.log(
    `${keys} keys of ${valueBytes} bytes with a time to live, loaded at ` +
      `${((keys / loadedMs) * 1000).toFixed(0)}/s; members then have ${loadedMb} MB; ` +
      `the last is gone ${allMs.toFixed(0)} ms after its time; puts beside them before ` +
      `${describeLatency(calmLatencies)}, while they end ${describeLatency(await busy)}`,
  );
});
