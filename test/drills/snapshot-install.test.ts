/**
 * Drills with real processes: members catch up by a snapshot, and the one that sends it or the one
 * that installs it is killed at a random point. It must end well every time, and lose nothing.
 *
 * `DRILL_INSTALL_KILLS` sets how many kills, `DRILL_INSTALL_MB` the size of the state,
 * `DRILL_SEED` the random choices; the defaults keep `npm test` short.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { eventually } from '../harness/admin-client.ts';
import { Drill, type Seat } from './drill.ts';
import { WriteLoad } from './load.ts';

const kills = Number(process.env['DRILL_INSTALL_KILLS'] ?? 2);
const stateMb = Number(process.env['DRILL_INSTALL_MB'] ?? 16);
const seed = Number(process.env['DRILL_SEED'] ?? Date.now() % 1_000_000);
/** An install takes about this long. */
const installMs = 2000;
const roundMsMax = 60_000;
const valueBytes = 16 * 1024;
const batchKeys = 16;
const prefix = 'install';

/** Fills the store with what a snapshot then has to carry. */
async function fill({ client }: Seat): Promise<void> {
  const batches = (stateMb * 1024 * 1024) / valueBytes / batchKeys;
  for (let batch = 0; batch < batches; batch++) {
    await client.putAll(
      Array.from({ length: batchKeys }, (_, i) => [
        `fill/${batch}/${i}`,
        Buffer.alloc(valueBytes, `${batch}/${i} `),
      ]),
    );
  }
}

/** Writes until the logs of these members have lost entries that they have now. */
async function outgrow(drill: Drill, seats: readonly Seat[]): Promise<void> {
  const count = async (): Promise<readonly number[]> =>
    Promise.all(seats.map(async (seat) => drill.timesLogged(seat, 'log-compacted')));
  const before = await count();
  await eventually(async () => {
    for (let i = 0; i < 40; i++) {
      await seats[0]?.client.putAll([[`outgrow/${i}`, Buffer.from('value')]]);
    }
    const now = await count();
    // Twice: the first time may have been under way.
    expect(now.every((times, i) => times >= (before[i] ?? 0) + 2)).toBe(true);
  }, roundMsMax);
}

/** A member that needs a snapshot, running: one that joins, or one that was away for too long. */
async function receiverOf(drill: Drill, round: number, pick: number): Promise<Seat> {
  if (round === 0) {
    await outgrow(drill, drill.seats);
    return drill.add(await drill.leader(), true);
  }
  const away = drill.seats[pick % drill.seats.length] as Seat;
  await drill.cluster.signal(away.index, 'SIGKILL');
  await drill.leader();
  await outgrow(
    drill,
    drill.seats.filter((seat) => seat !== away),
  );
  await drill.cluster.start(away.index);
  return away;
}

/** Whom a member fetches a snapshot from, as it said last; the leader if it has not said yet. */
async function senderTo(drill: Drill, receiver: Seat): Promise<Seat> {
  const output = await drill.cluster.output(receiver.index);
  const line = output.split('\n').findLast((each) => each.includes('"snapshot-fetching"'));
  const { peer } = JSON.parse(line ?? '{}') as { readonly peer?: number };
  return drill.seats.find(({ id }) => id === String(peer)) ?? drill.leader();
}

/** Whether a member answers a linearizable read, for which it must have caught up. */
async function isReady({ client }: Seat): Promise<boolean> {
  return client.waitUntilReady(0).then(
    () => true,
    () => false,
  );
}

const limits = [
  '--snapshot-count=200',
  '--snapshot-catchup-entries=50',
  `--snapshot-rate-bytes=${Math.round((stateMb * 1024 * 1024 * 1000) / installMs)}`,
];

test(`${kills} kills while a snapshot is installed all end well`, {
  timeout: 90_000 + kills * roundMsMax,
}, async () => {
  console.log(`seed ${seed}`);
  const prng = createPrng(seed);
  const drill = await Drill.start(3, limits);
  await fill(await drill.leader());
  const load = new WriteLoad(drill.clients, 2000);
  load.start(2, prefix);
  const points: string[] = [];

  for (let round = 0; points.length < kills; round++) {
    const before = round === 0 ? 0 : await drill.totalLogged('snapshot-installed');
    let fetches = round === 0 ? 0 : await drill.totalLogged('snapshot-fetching');
    const receiver = await receiverOf(drill, round, prng.nextInt(0, 1000));
    let isInstalled = false;
    for (let kill = 0; kill < 2 && points.length < kills && !isInstalled; kill++) {
      fetches = await eventually(async () => {
        const now = await drill.totalLogged('snapshot-fetching');
        // What a killed member has done last it may not have logged: then being up to date tells.
        isInstalled =
          (await drill.totalLogged('snapshot-installed')) > before || (await isReady(receiver));
        expect(now > fetches || isInstalled, await drill.report()).toBe(true);
        return now;
      }, roundMsMax);
      const afterMs = prng.nextInt(0, installMs);
      const isReceiver = prng.nextInt(0, 2) === 0;
      await sleep(afterMs);
      const victim = isReceiver ? receiver : await senderTo(drill, receiver);
      isInstalled = (await drill.totalLogged('snapshot-installed')) > before;
      await drill.cluster.signal(victim.index, 'SIGKILL');
      await drill.cluster.start(victim.index);
      const who = isReceiver ? 'receiver' : 'sender';
      points.push(`${who} ${afterMs} ms${isInstalled ? ' (over)' : ''}`);
    }
    await receiver.client.waitUntilReady(roundMsMax);
    if (round === 0) {
      await drill.promote(await drill.leader(), receiver);
    }
    await drill.expectConverged(roundMsMax);
  }
  await load.stop();

  await drill.expectIntact(load, prefix);
  expect(load.record.acknowledged.size).toBeGreaterThan(0);
  console.log(
    `${kills} kills during installs of ${stateMb} MB, after: ${points.join(', ')}; ` +
      `${load.record.acknowledged.size} acknowledged meanwhile`,
  );
});

test('a member whose sender is paused in the middle fetches from another one', {
  timeout: 60_000 + roundMsMax,
}, async () => {
  const drill = await Drill.start(3, limits);
  const leader = await drill.leader();
  await fill(leader);
  const [receiver, third] = drill.seats.filter((seat) => seat !== leader) as [Seat, Seat];
  await drill.cluster.signal(receiver.index, 'SIGKILL');
  await outgrow(drill, [leader, third]);
  await drill.cluster.start(receiver.index);
  await eventually(async () => {
    expect(await drill.timesLogged(receiver, 'snapshot-fetching')).toBe(1);
  }, roundMsMax);
  await sleep(installMs / 2);

  // Two are left, and no write is acknowledged before both have it.
  await drill.cluster.signal(leader.index, 'SIGSTOP');
  const startMs = performance.now();

  await receiver.client.waitUntilReady(roundMsMax);
  console.log(`served again ${Math.round(performance.now() - startMs)} ms after the pause`);
  expect(await senderTo(drill, receiver)).toBe(third);
  expect((await drill.cluster.output(receiver.index)).split('"snapshot-fetching"')).toHaveLength(3);
  await drill.cluster.signal(leader.index, 'SIGCONT');
  await drill.expectConverged(roundMsMax);
});
