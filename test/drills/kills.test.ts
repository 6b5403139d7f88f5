/**
 * Drills with real processes: members are killed under write load, and nothing acknowledged may be
 * lost.
 *
 * `DRILL_LEADER_KILLS`, `DRILL_ALL_KILLS` and `DRILL_CATCH_UP_SECONDS` set how much; the defaults
 * keep `npm test` short. The times until writes flow again are printed, never asserted: bounds
 * belong to `docs/performance.md`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { type KvClient, waitForLeader } from '../harness/kv-client.ts';
import type { ProcessCluster } from '../harness/processes.ts';
import { Drill } from './drill.ts';
import { describeDistribution, WriteLoad } from './load.ts';

const leaderKills = Number(process.env['DRILL_LEADER_KILLS'] ?? 3);
const allKills = Number(process.env['DRILL_ALL_KILLS'] ?? 2);
const catchUpSeconds = Number(process.env['DRILL_CATCH_UP_SECONDS'] ?? 3);
/** Milliseconds that one round may take on a slow machine, on top of 30 s. */
const roundMsMax = 20_000;

let drill: Drill;
let cluster: ProcessCluster;
let clients: readonly KvClient[];

beforeEach(async () => {
  drill = await Drill.start(3);
  ({ cluster, clients } = drill);
});

describe('three processes under write load', () => {
  test('lose nothing acknowledged when the leader is killed again and again', {
    timeout: 30_000 + leaderKills * roundMsMax,
  }, async () => {
    const load = new WriteLoad(clients, 2000);
    load.start(16, 'leader-kill');
    const recoveries: number[] = [];

    for (let round = 0; round < leaderKills; round++) {
      const leader = await waitForLeader(clients, 20_000);
      await sleep(300);
      const killedMs = performance.now();
      await cluster.signal(leader, 'SIGKILL');
      const recoveredMs = await load.firstWriteAfter(killedMs, 30_000);
      expect(recoveredMs, `writes flow again after kill ${round + 1}`).toBeDefined();
      recoveries.push((recoveredMs ?? 0) - killedMs);
      await cluster.start(leader);
      await clients[leader]?.waitUntilReady(20_000);
    }
    await load.stop();

    await drill.expectIntact(load, 'leader-kill');
    console.log(
      `${leaderKills} leader kills: ${load.record.acknowledged.size} acknowledged, ` +
        `${load.record.unknown.size} unknown, ${load.record.rejected.size} rejected; ` +
        `writes again after ms ${describeDistribution(recoveries)}`,
    );
  });

  test('lose nothing acknowledged when all are killed at once', {
    timeout: 30_000 + allKills * roundMsMax,
  }, async () => {
    const load = new WriteLoad(clients, 2000);
    load.start(16, 'all-kill');

    for (let round = 0; round < allKills; round++) {
      await sleep(500);
      await cluster.killAll();
      await cluster.startAll();
      await waitForLeader(clients, 30_000);
    }
    await load.stop();

    await drill.expectIntact(load, 'all-kill');
    expect(load.record.acknowledged.size).toBeGreaterThan(0);
  });

  test('take a member back that was away, and it catches up', {
    timeout: 60_000 + catchUpSeconds * 2000,
  }, async () => {
    const load = new WriteLoad(clients.slice(0, 2), 5000);
    load.start(16, 'catch-up');
    await cluster.signal(2, 'SIGKILL');
    await sleep(catchUpSeconds * 1000);

    await cluster.start(2);
    await clients[2]?.waitUntilReady(30_000);
    await load.stop();

    await drill.expectIntact(load, 'catch-up');
  });
});
