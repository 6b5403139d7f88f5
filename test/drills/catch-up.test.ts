/**
 * Drills with real processes: a member joins a large store by a snapshot while writes go on at a
 * steady rate. It must end with the same keys as the others.
 *
 * `DRILL_CATCH_UP_MB` sets the size of the values in the store (its state and the snapshot are
 * twice as large: the history has them, too), `DRILL_CATCH_UP_RATE` the writes per second;
 * `DRILL_CATCH_UP_CLIENT=1` has them made by the client library instead of by unary calls.
 *
 * One load runs from before the member is added until it has caught up, and every write counts by
 * the time at which it was due: those of a while before; those from the beginning of the snapshot
 * to its end; those from its beginning until the new member has applied what the leader had
 * committed when its state was installed. So each of the last two lies in that time as a whole, and
 * no quiet time dilutes it. In none of them, and printed by itself, is the time in which the
 * process of the new member starts: elsewhere that is another machine. How fast the snapshot came,
 * and what the writes had of it, is printed, never asserted: bounds belong to
 * `docs/performance.md`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../harness/admin-client.ts';
import { RunningCommand, runCommand } from '../harness/command.ts';
import { Drill, type Seat } from './drill.ts';

const stateMb = Number(process.env['DRILL_CATCH_UP_MB'] ?? 16);
const rate = Number(process.env['DRILL_CATCH_UP_RATE'] ?? 200);
const isByClient = process.env['DRILL_CATCH_UP_CLIENT'] === '1';
const catchUpMsMax = 60_000 + stateMb * 200;
/** Of the load before the member is added: about as long as the snapshot takes. */
const beforeMs = Math.max(1000, Math.round(stateMb / 32) * 1000);
/** Until the load is steady, and until what was due has been answered. */
const settleMs = 2000;
const valueBytes = 16 * 1024;
/** As a shell counts a program that SIGINT ended. */
const exitInterrupted = 130;

const benchArgs = ['bench', 'put', '-w', 'json', '--warmup', '0s'];

/** A write: when it was due (milliseconds since 1970), and how it went. */
interface Sample {
  readonly dueMs: number;
  readonly latencyMs: number;
  readonly isOk: boolean;
}

/** Fills the store; the log is compacted on the way. */
async function fill(endpoints: string): Promise<void> {
  const values = (stateMb * 1024 * 1024) / valueBytes;
  const { exitCode, stderr } = await runCommand(
    [
      ...[...benchArgs, '--endpoints', endpoints, '--clients', '16', '--sequential-keys'],
      ...['--value-size', String(valueBytes), '--key-space', String(values)],
      ...['--total', String(values + 800)],
    ],
    { limitMs: catchUpMsMax },
  );
  expect(exitCode, stderr).toBe(0);
}

function steadyLoad(endpoints: string, ...args: readonly string[]): readonly string[] {
  const steady = ['--clients', '64', '--connections', '6', '--rate', String(rate)];
  const client = isByClient ? ['--client', 'only'] : [];
  return [...benchArgs, '--endpoints', endpoints, ...steady, ...client, ...args];
}

async function samplesIn(path: string): Promise<readonly Sample[]> {
  const [, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [dueMs = 0, latencyMs = 0, ok = 0] = line.split(',').map(Number);
    return { dueMs, latencyMs, isOk: ok === 1 };
  });
}

/** The latencies of the writes that were due in a stretch of time. */
function figures(samples: readonly Sample[], [fromMs, toMs]: readonly [number, number]): string {
  const latencies = samples
    .filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs)
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);
  const quantile = (fraction: number): string =>
    (latencies[Math.ceil(latencies.length * fraction) - 1] ?? 0).toFixed(1);
  const seconds = ((toMs - fromMs) / 1000).toFixed(1);
  return (
    `p50 ${quantile(0.5)}, p99 ${quantile(0.99)}, maximum ${quantile(1)} ms ` +
    `(${latencies.length} in ${seconds} s)`
  );
}

/** What the log of a member says of an event, and when: milliseconds since 1970. */
async function logged<Fields>(
  drill: Drill,
  { index }: Seat,
  event: string,
): Promise<Fields & { readonly time: number }> {
  return eventually(async () => {
    const lines = (await drill.cluster.output(index)).split('\n');
    const line = lines.find((each) => each.includes(`"event":"${event}"`));
    expect(line, event).toBeDefined();
    return JSON.parse(line ?? '{}') as Fields & { readonly time: number };
  }, catchUpMsMax);
}

/** Waits until `joined` has applied what `leader` has committed by now; returns when. */
async function caughtUp(leader: Seat, joined: Seat): Promise<number> {
  const { raftIndex } = await leader.admin.status();
  return eventually(async () => {
    const { raftAppliedIndex } = await joined.admin.status();
    expect(Number(raftAppliedIndex)).toBeGreaterThanOrEqual(Number(raftIndex));
    return Date.now();
  }, catchUpMsMax);
}

test(`a member catches up on ${stateMb} MB beside ${rate} writes per second`, {
  timeout: 4 * catchUpMsMax,
}, async () => {
  const drill = await Drill.start(3, ['--snapshot-count=500', '--snapshot-catchup-entries=100']);
  const endpoints = drill.seats.map(({ index }) => drill.cluster.endpoints[index]).join(',');
  await fill(endpoints);
  // Lets the members compact their logs, and warms them up.
  await runCommand(steadyLoad(endpoints, '--duration', '2s'));
  const leader = await drill.leader();

  const path = join(drill.directory, 'samples.csv');
  const load = new RunningCommand(
    steadyLoad(endpoints, '--duration', `${catchUpMsMax}ms`, '--samples', path),
  );
  await sleep(settleMs);
  const beforeFromMs = Date.now();
  await sleep(beforeMs);
  const addedMs = Date.now();
  const joined = await drill.add(leader, true);
  const { time: fromMs } = await logged(drill, joined, 'snapshot-fetching');
  const fetched = await logged<{ readonly bytes: number; readonly seconds: number }>(
    ...([drill, joined, 'snapshot-fetched'] as const),
  );
  await logged(drill, joined, 'snapshot-installed');
  const caughtUpMs = await caughtUp(leader, joined);
  await sleep(settleMs);
  load.signal('SIGINT');
  expect((await load.ended()).exitCode, load.stderr).toBe(exitInterrupted);
  await drill.expectConverged(catchUpMsMax);

  const samples = await samplesIn(path);
  expect(samples.filter(({ isOk }) => !isOk)).toEqual([]);
  const mb = fetched.bytes / 1024 / 1024;
  const lines = [
    `a snapshot of ${mb.toFixed(0)} MB in ${fetched.seconds.toFixed(1)} s: ` +
      `${(mb / fetched.seconds).toFixed(0)} MB/s; ${rate} writes/s`,
    `before: ${figures(samples, [beforeFromMs, addedMs])}`,
    `while the new member's process started: ${figures(samples, [addedMs, fromMs])}`,
    `beside the snapshot: ${figures(samples, [fromMs, fetched.time])}`,
    `beside all of the catching up: ${figures(samples, [fromMs, caughtUpMs])}`,
  ];
  console.log(lines.join('\n'));
  expect(samples.some(({ dueMs }) => dueMs >= fromMs && dueMs < caughtUpMs)).toBe(true);
});
