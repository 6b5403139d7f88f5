/**
 * Leaders that are killed under load: no call fails, and what was done was done once.
 * `CLIENT_LEADER_KILLS` and `CLIENT_INCREMENTS` make it longer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { codecs, Holdfast, type Watch } from '../../src/client/index.ts';
import { connectKv } from '../harness/kv-client.ts';
import { ProcessCluster } from '../harness/processes.ts';

const kills = Number(process.env['CLIENT_LEADER_KILLS'] ?? 2);
const increments = Number(process.env['CLIENT_INCREMENTS'] ?? 200);
const writers = 8;

async function leaderOf(cluster: ProcessCluster): Promise<number> {
  for (;;) {
    for (const [i, endpoint] of cluster.endpoints.entries()) {
      if (cluster.isRunning(i)) {
        const kv = connectKv(endpoint);
        const leads = await kv.isLeader(1000).catch(() => false);
        kv.close();
        if (leads) {
          return i;
        }
      }
    }
    await sleep(50);
  }
}

/** Counts the changes of each row until the last of all; none may be missed, or come twice. */
async function countVersions(watch: Watch<string>): Promise<readonly number[]> {
  const versions = Array.from({ length: writers }, () => 0);
  let lastRevision = 0;
  for await (const event of watch) {
    if (event.type !== 'put' || event.key === 'row/end') {
      break;
    }
    const row = Number(event.key.slice('row/'.length));
    expect(event.entry.version).toBe((versions[row] ?? 0) + 1);
    expect(event.revision).toBeGreaterThan(lastRevision);
    lastRevision = event.revision;
    versions[row] = event.entry.version;
  }
  return versions;
}

test(
  'a counter ends at exactly what was added, no call fails, a watch sees each change once',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-kills-'));
    const cluster = await ProcessCluster.create([1, 2, 3].map((i) => join(directory, `n${i}`)));
    await cluster.startAll();
    const client = new Holdfast({ endpoints: cluster.endpoints });
    const kv = client.kv.as(codecs.json<number>());
    const state = { isKilling: true };
    await using watch = client.kv.watch({ prefix: 'row/' }, { startRevision: 1 });
    const watching = countVersions(watch);
    // It is judged below, unless something else fails before.
    watching.catch(() => undefined);
    try {
      // Each appends to a row of its own: a put that was done twice would show in its version.
      const write = async (writer: number): Promise<number> => {
        let count = 0;
        while (state.isKilling || count * writers < increments) {
          count++;
          await kv.put(`row/${writer}`, count);
        }
        return count;
      };
      const add = async (): Promise<number> => {
        let count = 0;
        while (state.isKilling || count < increments / 10) {
          await kv.transact(async (tx) => tx.put('total', ((await tx.get('total')) ?? 0) + 1));
          count++;
        }
        return count;
      };
      const rows = Promise.all(Array.from({ length: writers }, async (_, i) => write(i)));
      const total = add();
      for (let kill = 0; kill < kills; kill++) {
        await sleep(300);
        const leader = await leaderOf(cluster);
        await cluster.signal(leader, 'SIGKILL');
        await sleep(500);
        await cluster.start(leader);
        await sleep(1000);
      }
      state.isKilling = false;

      const counts = await rows;
      for (const [writer, count] of counts.entries()) {
        expect(await kv.get(`row/${writer}`)).toMatchObject({ value: count, version: count });
      }
      const added = await total;
      expect((await kv.get('total'))?.value).toBe(added);
      await kv.put('row/end', 0);
      expect(await watching).toEqual(counts);
    } finally {
      await client.close();
      await cluster.stopAll();
      await rm(directory, { recursive: true, force: true });
    }
  },
  60_000 + kills * 10_000,
);
