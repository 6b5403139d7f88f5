/**
 * Many keys: what a member's memory and its restart cost when the store is large.
 *
 * `DRILL_KEYS` sets how many, of 256 bytes each; the default keeps `npm test` short. Memory and
 * times are printed, never asserted: they belong to `docs/performance.md`. What is asserted is that
 * all keys are there after a restart.
 */
import { beforeEach, expect, test } from 'vitest';
import { type KvClient, waitForLeader } from '../harness/kv-client.ts';
import type { ProcessCluster } from '../harness/processes.ts';
import { Drill } from './drill.ts';
import { describeResident } from './memory.ts';

const keys = Number(process.env['DRILL_KEYS'] ?? 20_000);
const valueBytes = 256;
/** Puts in one transaction; a member takes at most 128. */
const batchKeys = 100;
const batchesInFlight = 16;

let cluster: ProcessCluster;
let clients: readonly KvClient[];

beforeEach(async () => {
  ({ cluster, clients } = await Drill.start(3));
});

async function load(client: KvClient): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < keys) {
      const from = next;
      next = Math.min(keys, from + batchKeys);
      await client.putAll(
        Array.from({ length: next - from }, (_, i) => {
          const key = `many/${String(from + i).padStart(9, '0')}`;
          return [key, Buffer.alloc(valueBytes, key)] as const;
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: batchesInFlight }, work));
}

test(`${keys} keys are all there after every member was killed and started again`, {
  timeout: 60_000 + keys,
}, async () => {
  const leader = await waitForLeader(clients, 20_000);
  await load(clients[leader] as KvClient);
  const loadedMb = describeResident(cluster);
  const follower = leader === 0 ? 1 : 0;
  await cluster.signal(follower, 'SIGKILL');
  const aloneMs = performance.now();
  await cluster.start(follower);
  await clients[follower]?.waitUntilReady(60_000);
  const aloneServingMs = performance.now() - aloneMs;
  await cluster.killAll();

  const startMs = performance.now();
  await cluster.startAll();
  await waitForLeader(clients, 60_000);
  const servingMs = performance.now() - startMs;

  for (const client of clients) {
    expect(await client.count('many/')).toBe(keys);
  }
  console.log(
    `${keys} keys of ${valueBytes} bytes: resident ${loadedMb} MB after loading, ` +
      `${describeResident(cluster)} MB after the restart; ` +
      `one serves ${aloneServingMs.toFixed(0)} ms after it was started, ` +
      `all three at once ${servingMs.toFixed(0)} ms`,
  );
});
