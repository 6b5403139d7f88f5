/**
 * Loading a cache from three members as processes: `npx vitest bench --run
 * test/client/cache-loading.bench.ts`. Besides the time it prints the processor time that one load
 * takes of the client, and of all members together.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, bench } from 'vitest';
import { Holdfast } from '../../src/client/index.ts';
import { ProcessCluster } from '../harness/processes.ts';

const keysInAll = Number(process.env['BENCH_KEYS'] ?? 100_000);
const iterations = 3;
/** Milliseconds of one tick in `/proc/PID/stat` on Linux. */
const tickMs = 10;

const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
const cluster = await ProcessCluster.create([1, 2, 3].map((i) => join(directory, `n${i}`)));
await cluster.startAll();
const client = new Holdfast({ endpoints: cluster.endpoints });
const kv = client.kv.namespace('flags/');
const value = 'x'.repeat(256);
for (let i = 0; i < keysInAll; i += 5000) {
  const names = Array.from({ length: Math.min(5000, keysInAll - i) }, (_, j) => i + j);
  await Promise.all(names.map(async (each) => kv.put(String(each).padStart(8, '0'), value)));
}

async function membersCpuMs(): Promise<number> {
  const stats = cluster.members.map(async (_, i) =>
    readFile(`/proc/${String(cluster.pid(i))}/stat`, 'utf8'),
  );
  return (await Promise.all(stats)).reduce((sum, stat) => {
    const [user = 0, system = 0] = stat.split(' ').slice(13, 15).map(Number);
    return sum + (user + system) * tickMs;
  }, 0);
}

const used: string[] = [];

bench(
  `a cache of ${keysInAll} keys`,
  async () => {
    const [members, own, startedMs] = [await membersCpuMs(), process.cpuUsage(), performance.now()];
    const cache = await kv.cache();
    const ownUsage = process.cpuUsage(own);
    const elapsedMs = performance.now() - startedMs;
    if (cache.size !== keysInAll) {
      throw new Error(`the cache has ${cache.size} keys`);
    }
    cache.close();
    const ownMs = (ownUsage.user + ownUsage.system) / 1000;
    const times = [elapsedMs, ownMs, (await membersCpuMs()) - members].map((ms) => Math.round(ms));
    used.push(`${times[0]} ms; processor: client ${times[1]} ms, members ${times[2]} ms`);
  },
  { iterations, time: 0, warmupIterations: 0, warmupTime: 0 },
);

afterAll(async () => {
  process.stdout.write(`${used.join('\n')}\n`);
  await client.close();
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});
