/**
 * Drills with real processes: a member joins a large store by a snapshot while writes go on at a
 * steady rate. It must end with the same keys as the others.
 *
 * `DRILL_CATCH_UP_MB` sets the size of the values in the store (its state and the snapshot are
 * twice as large: the history has them, too), `DRILL_CATCH_UP_RATE` the writes per second;
 * `DRILL_CATCH_UP_CLIENT=1` has them made by the client library instead of by unary calls. How fast
 * the snapshot came, and what the writes had of it, is printed, never asserted: bounds belong to
 * `docs/performance.md`.
 */
import { expect, test } from 'vitest';
import { eventually } from '../harness/admin-client.ts';
import { runCommand } from '../harness/command.ts';
import { Drill } from './drill.ts';

const stateMb = Number(process.env['DRILL_CATCH_UP_MB'] ?? 16);
const rate = Number(process.env['DRILL_CATCH_UP_RATE'] ?? 200);
const isByClient = process.env['DRILL_CATCH_UP_CLIENT'] === '1';
const catchUpMsMax = 60_000 + stateMb * 200;
/** Of the load beside the snapshot: about as long as the snapshot takes. */
const loadSeconds = Math.max(2, Math.round(stateMb / 32));
const valueBytes = 16 * 1024;

interface Load {
  readonly operations: number;
  readonly errorCount: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function bench(drill: Drill, args: readonly string[]): Promise<Load> {
  const endpoints = drill.seats.map(({ index }) => drill.cluster.endpoints[index]).join(',');
  const { exitCode, stdout, stderr } = await runCommand(
    ['bench', 'put', '--endpoints', endpoints, '-w', 'json', '--warmup', '0s', ...args],
    { limitMs: catchUpMsMax },
  );
  expect(exitCode, stderr).toBe(0);
  const { cases } = JSON.parse(stdout) as {
    readonly cases: { readonly subjects: { readonly rounds: readonly Load[] }[] }[];
  };
  return cases[0]?.subjects[0]?.rounds[0] as Load;
}

/** What the log of a member says of the snapshot that it has fetched. */
function fetched(output: string): { readonly bytes: number; readonly seconds: number } {
  const line = output.split('\n').find((each) => each.includes('"snapshot-fetched"'));
  return JSON.parse(line ?? '{}') as { readonly bytes: number; readonly seconds: number };
}

test(`a member catches up on ${stateMb} MB beside ${rate} writes per second`, {
  timeout: 4 * catchUpMsMax,
}, async () => {
  const drill = await Drill.start(3, ['--snapshot-count=500', '--snapshot-catchup-entries=100']);
  const values = (stateMb * 1024 * 1024) / valueBytes;
  await bench(drill, [
    ...['--clients', '16', '--value-size', String(valueBytes), '--sequential-keys'],
    ...['--key-space', String(values), '--total', String(values + 800)],
  ]);
  const steady = ['--clients', '64', '--connections', '6', '--rate', String(rate)];
  if (isByClient) {
    steady.push('--client', 'only');
  }
  // The first shorter one lets the members compact their logs, and warms them up.
  await bench(drill, [...steady, '--duration', '2s']);
  const alone = await bench(drill, [...steady, '--duration', `${loadSeconds}s`]);

  const [beside, joined] = await Promise.all([
    bench(drill, [...steady, '--duration', `${loadSeconds}s`]),
    drill.add(await drill.leader(), true),
  ]);
  await joined.client.waitUntilReady(catchUpMsMax);
  await eventually(async () => {
    expect(await drill.timesLogged(joined, 'snapshot-installed')).toBeGreaterThan(0);
  }, catchUpMsMax);
  await drill.expectConverged(catchUpMsMax);

  expect(beside.operations).toBeGreaterThan(0);
  expect(alone.errorCount + beside.errorCount).toBe(0);
  const output = await drill.cluster.output(joined.index);
  const { bytes, seconds } = fetched(output);
  const mb = bytes / 1024 / 1024;
  console.log(
    `a snapshot of ${mb.toFixed(0)} MB in ${seconds.toFixed(1)} s: ` +
      `${(mb / seconds).toFixed(0)} MB/s; ${rate} writes/s: ` +
      `p50 ${alone.p50Ms.toFixed(1)}, p99 ${alone.p99Ms.toFixed(1)} ms before, ` +
      `p50 ${beside.p50Ms.toFixed(1)}, p99 ${beside.p99Ms.toFixed(1)} ms beside it ` +
      `(${beside.operations} in ${loadSeconds} s)`,
  );
});
