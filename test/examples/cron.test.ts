import { startTestCluster, type TestCluster } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cron } from './cron.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
});
afterAll(async () => cluster.stop());

const minuteMs = 60_000;

/** Three processes with a clock that the test sets. */
function setUp() {
  const clock = { ms: 10 * minuteMs };
  const crons = [1, 2, 3].map(() => new Cron(cluster.client(), () => clock.ms));
  return { clock, crons };
}

test('a job is run once for each time it is due, by one of the processes', async () => {
  const { clock, crons } = setUp();
  const ids: string[] = [];
  const job = {
    ...{ name: 'report', everyMs: minuteMs },
    run: async ({ id }: { id: string }) => {
      ids.push(id);
      return Promise.resolve();
    },
  };
  const tick = async () => Promise.all(crons.map(async (cron) => cron.maybeRun(job)));

  const ran = await tick();
  await tick();
  clock.ms += minuteMs - 1;
  await tick();
  expect(ran.filter(Boolean)).toHaveLength(1);
  expect(ids).toEqual(['report/600000']);

  clock.ms += 1;
  await tick();
  clock.ms += 5 * minuteMs;
  await tick();

  expect(ids).toEqual(['report/600000', 'report/660000', 'report/960000']);
});

test('nobody else runs a job while somebody does', async () => {
  const { crons } = setUp();
  let finish = (): void => undefined;
  let runs = 0;
  let first: Promise<boolean> | undefined;
  const job = { name: 'long', everyMs: minuteMs, run: async () => Promise.resolve() };
  await new Promise<void>((begun) => {
    job.run = async () =>
      new Promise<void>((resolve) => {
        runs++;
        finish = resolve;
        begun();
      });
    first = crons[0]?.maybeRun(job);
  });

  const second = await crons[1]?.maybeRun(job);
  finish();

  expect([await first, second, runs]).toEqual([true, false, 1]);
  expect(await crons[2]?.maybeRun(job)).toBe(false);
});

test('a job that failed is run again, with the same id', async () => {
  const { crons } = setUp();
  const ids: string[] = [];
  const job = {
    ...{ name: 'shaky', everyMs: minuteMs },
    run: async ({ id }: { id: string }) => {
      ids.push(id);
      return ids.length === 1 ? Promise.reject(new Error('oops')) : Promise.resolve();
    },
  };

  await expect(crons[0]?.maybeRun(job)).rejects.toThrow('oops');
  expect(await crons[1]?.maybeRun(job)).toBe(true);

  expect(ids).toEqual(['shaky/600000', 'shaky/600000']);
});
