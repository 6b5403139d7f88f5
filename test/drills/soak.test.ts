/**
 * Drill with real processes: mixed load (puts, deletes, transactions, leases, compaction) while the
 * leader is killed again and again. Watchers on all members, a learner's among them, must hear
 * everything once, as it was written (G6); leases end when they should (G5); memory stays what it
 * is.
 *
 * `DRILL_SOAK_MINUTES`, `DRILL_SOAK_RATE` (writes per second), `DRILL_SOAK_KILL_SECONDS` and
 * `DRILL_SEED` set what is done. Memory is printed; it is judged from ten minutes on: before that
 * there is nothing to see.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { eventually } from '../harness/admin-client.ts';
import { connectLease } from '../harness/lease-client.ts';
import { Follower } from '../harness/watch-client.ts';
import { Drill, type Seat } from './drill.ts';
import { EventLedger } from './event-ledger.ts';
import { describeDistribution } from './load.ts';
import { MemoryLog } from './memory.ts';
import { SoakLoad } from './soak-load.ts';

const minutes = Number(process.env['DRILL_SOAK_MINUTES'] ?? 0.1);
const rate = Number(process.env['DRILL_SOAK_RATE'] ?? 200);
const killMs = 1000 * Number(process.env['DRILL_SOAK_KILL_SECONDS'] ?? (minutes < 1 ? 2.5 : 20));
const seed = Number(process.env['DRILL_SEED'] ?? Date.now() % 1_000_000);
const prefixes = ['soak/a/', 'soak/b/', 'soak/c/'];
/** Revisions that are left behind the slowest watcher. */
const historyMax = 500;
/** A machine that does other things too may take long to start a process. */
const restartMsMax = 120_000;
/** For the leases of the end, to end. */
const lastEndsMs = 10_000;
const memoryParts = 6;
/** From here on memory is judged. */
const judgedMinutes = 10;
/** Garbage that has not been collected makes up so much at times. */
const growthMaxMb = 24;
const growthMax = 1.15;

/** Watchers of every prefix on every member, and what they hear. */
class Audience {
  readonly ledgers = prefixes.map(() => new EventLedger());
  readonly #followers: Follower[];

  constructor(endpoints: readonly string[], startRevision: number, load: SoakLoad) {
    this.#followers = prefixes.flatMap((prefix, i) =>
      endpoints.map((_, first) => {
        const ledger = this.ledgers[i] as EventLedger;
        const prevKv = (i + first) % 2 === 0;
        const onEvents = ledger.listen({
          ...{ name: `watcher ${first + 1} of ${prefix}`, prevKv },
          onNew: (event) => {
            load.heard(event);
          },
        });
        const onProblem = (problem: string): void => {
          ledger.note(problem);
        };
        const options = { prefix, startRevision, prevKv, onEvents, onProblem };
        return new Follower(endpoints, first, options);
      }),
    );
  }

  get moves(): number {
    return this.#followers.reduce((sum, { moves }) => sum + moves, 0);
  }

  /** One of them goes elsewhere, though its member is well. */
  moveOne(which: number): void {
    this.#followers[which % this.#followers.length]?.move();
  }

  /** Everything up to here has been heard by all. */
  get heardRevision(): number {
    return Math.min(...this.#followers.map(({ nextRevision }) => nextRevision)) - 1;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#followers.map(async (follower) => follower.stop()));
  }
}

/** Drops history that no watcher needs any more: sometimes all of it, up to the slowest watcher. */
async function compact(drill: Drill, revision: number, audience: Audience): Promise<number> {
  if (revision <= 0) {
    return 0;
  }
  for (const ledger of audience.ledgers) {
    ledger.compactRevision = Math.max(ledger.compactRevision, revision);
  }
  const client = drill.clients.at(-1);
  try {
    await client?.compact(revision, 2000);
    return 1;
  } catch {
    // No leader just now, or it was compacted further already.
    return 0;
  }
}

async function killLeader(drill: Drill): Promise<void> {
  const leader = await drill.leader();
  await drill.cluster.signal(leader.index, 'SIGKILL');
  await sleep(300);
  await drill.cluster.start(leader.index);
  try {
    await leader.client.waitUntilReady(restartMsMax);
  } catch (error) {
    const isRunning = drill.cluster.isRunning(leader.index);
    const state = `it ${isRunning ? 'runs' : 'has ended'}; ${await drill.report()}`;
    throw new Error(`member ${leader.id} does not come back: ${state}`, { cause: error });
  }
}

/** Medians of each member's memory, in MB, in equal parts of the time. */
function describeMemory(memory: MemoryLog, seats: readonly Seat[]): string {
  const each = seats.map(({ index }) => {
    const medians = memory.medians(index, memoryParts).map((mb) => mb.toFixed(0));
    return `${index + 1}: ${medians.join(' ') || 'too short to tell'}`;
  });
  return `resident memory of members over time, MB: ${each.join('; ')}`;
}

function judgeMemory(memory: MemoryLog, seats: readonly Seat[]): void {
  for (const { index } of seats) {
    // The first part fills caches.
    const [, early = 0, ...others] = memory.medians(index, memoryParts);
    expect(others.at(-1), `memory of member ${index + 1}`).toBeLessThan(
      early * growthMax + growthMaxMb,
    );
  }
}

test(`${minutes} minutes of mixed load: no watcher misses an event, memory is flat`, {
  timeout: 120_000 + restartMsMax + minutes * 70_000,
}, async () => {
  process.stdout.write(`DRILL_SEED=${seed}\n`);
  const drill = await Drill.start(3);
  const voters = [...drill.seats];
  const learner = await drill.add(voters[0] as Seat, true);
  await learner.client.waitUntilReady(30_000);
  const writers = voters.map(({ client }) => client);
  const leaseClients = voters.map(({ index }) =>
    connectLease(drill.cluster.endpoints[index] ?? ''),
  );
  const prng = createPrng(seed);
  const load = new SoakLoad({
    ...{ prng, clients: writers, leaseClients, prefixes, writesPerSecond: rate },
  });
  const startRevision = Number((await learner.admin.status()).header?.revision) + 1;
  const audience = new Audience(drill.cluster.endpoints, startRevision, load);
  onTestFinished(async () => {
    await Promise.all([load.stop(), audience.stop()]);
    for (const client of leaseClients) {
      client.close();
    }
  });
  const memory = new MemoryLog(drill.cluster);
  load.start();

  const endMs = performance.now() + minutes * 60_000;
  let killDueMs = performance.now() + killMs;
  let kills = 0;
  let compactions = 0;
  let killing = Promise.resolve();
  while (performance.now() < endMs) {
    await sleep(1000);
    memory.sample();
    const history = prng.nextInt(0, 2) * prng.nextInt(0, historyMax);
    compactions += await compact(drill, audience.heardRevision - history, audience);
    audience.moveOne(prng.nextInt(0, 100));
    if (performance.now() >= killDueMs) {
      await killing;
      killDueMs = performance.now() + killMs;
      kills++;
      killing = killLeader(drill);
    }
  }
  await killing;
  await load.stop();
  // What has not ended by then is told of below.
  const limitMs = performance.now() + lastEndsMs;
  while (load.livesGoing > 0 && performance.now() < limitMs) {
    await sleep(50);
  }
  await drill.expectConverged();
  const revision = Number((await learner.admin.status()).header?.revision);
  await eventually(() => {
    expect(audience.heardRevision, 'what all watchers have heard').toBeGreaterThanOrEqual(revision);
    return Promise.resolve();
  }, 30_000);

  load.compare(audience.ledgers);
  for (const [i, prefix] of prefixes.entries()) {
    for (const { client, id } of drill.seats) {
      audience.ledgers[i]?.compareState(await client.getPrefix(prefix), `member ${id}`);
    }
  }
  const ends = load.lives.map((life) =>
    life.endProblem((fromMs, toMs) => load.stalledMs(fromMs, toMs)),
  );
  const late = load.lives.flatMap(({ lateMs }) => lateMs ?? []);
  const heard = audience.ledgers.reduce((sum, { events }) => sum + events.length, 0);
  console.log(
    `${minutes} minutes, ${kills} kills, ${compactions} compactions: ` +
      `${load.acknowledged} acknowledged, ${load.unknown} unknown, ` +
      `${heard} events to each of ${drill.seats.length} watchers, which moved ` +
      `${audience.moves} times; ${load.lives.length} leases, ends seen after their time, ms ` +
      `${describeDistribution(late)}; longest time without a write ` +
      `${load.longestGapMs.toFixed(0)} ms`,
  );
  console.log(describeMemory(memory, drill.seats));
  expect(audience.ledgers.flatMap(({ problems }) => problems)).toEqual([]);
  expect(ends.filter((problem) => problem !== undefined)).toEqual([]);
  if (minutes >= judgedMinutes) {
    judgeMemory(memory, drill.seats);
  }
});
