import type { Holdfast } from 'holdfast/client';
import { startTestCluster, type TestCluster } from 'holdfast/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addJob, runWorker, type Work } from './worker.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => cluster.stop());

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map(async (stop) => stop()));
});

/** A worker in a namespace of its own; `stop` lets it leave. */
function startWorker(namespace: string, name: string, work: Work) {
  const controller = new AbortController();
  const client = cluster.client({ namespace });
  const running = runWorker(client, { name, work, signal: controller.signal, ttlSeconds: 1 });
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  stops.push(stop);
  return { client, stop };
}

/** The results, once there are so many. */
async function results(client: Holdfast, count: number): Promise<Record<string, string>> {
  const range = { prefix: 'results/' };
  const { entries, revision } = await client.kv.getRange(range);
  const found = new Map(entries.map(({ key, value }) => [key, value]));
  if (found.size < count) {
    for await (const event of client.kv.watch(range, { startRevision: revision + 1 })) {
      if (event.type === 'put' && found.set(event.key, event.entry.value).size === count) {
        break;
      }
    }
  }
  return Object.fromEntries(found);
}

test('jobs are done by one worker, in order, and by the next one when it leaves', async () => {
  const did: string[] = [];
  const worker = (name: string) =>
    startWorker('one/', name, async (job) => {
      did.push(`${name} ${job}`);
      return Promise.resolve(job.toUpperCase());
    });
  const first = worker('first');
  await addJob(first.client, '1', 'a');
  await results(first.client, 1);
  worker('second');
  await addJob(first.client, '2', 'b');
  await results(first.client, 2);

  await first.stop();
  await addJob(first.client, '3', 'c');

  expect(await results(first.client, 3)).toEqual({
    ...{ 'results/1': 'A', 'results/2': 'B', 'results/3': 'C' },
  });
  expect(did).toEqual(['first a', 'first b', 'second c']);
});

test('a worker that leads no longer writes nothing, and stands again', async () => {
  const started: (() => void)[] = [];
  let attempts = 0;
  const work: Work = async (_job, { signal }) => {
    attempts++;
    const attempt = attempts;
    started.shift()?.();
    if (attempt === 1) {
      // It finishes all the same, but late.
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    return `attempt ${attempt}`;
  };
  const begun = new Promise<void>((resolve) => started.push(resolve));
  const { client } = startWorker('late/', 'only', work);
  await addJob(client, '1', 'x');
  await begun;

  // As an operator would who wants another one to lead.
  const leader = await client.election('worker').leader();
  await client.kv.delete(leader?.key ?? '');

  expect(await results(client, 1)).toEqual({ 'results/1': 'attempt 2' });
  expect(await client.kv.count({ prefix: 'jobs/' })).toBe(0);
});

test('work goes on when a member dies', async () => {
  const { client } = startWorker('fail-over/', 'only', async (job) => Promise.resolve(job));
  await addJob(client, '1', 'before');
  await results(client, 1);

  const leader = await cluster.leader();
  await leader.kill();
  await addJob(client, '2', 'after');

  expect(await results(client, 2)).toEqual({ 'results/1': 'before', 'results/2': 'after' });
  await leader.start();
});
