/**
 * Drills with real processes: a cluster grows and shrinks under write load until none of its first
 * members is left, and nothing acknowledged may be lost.
 *
 * `DRILL_MEMBERSHIP_PAUSE_MS` sets how long the load goes on between two changes. The longest gap
 * between acknowledged writes is printed, never asserted: bounds belong to `docs/performance.md`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Drill } from './drill.ts';
import { longestGapMs, returnsOf, WriteLoad } from './load.ts';

const pauseMs = Number(process.env['DRILL_MEMBERSHIP_PAUSE_MS'] ?? 100);
const prefix = 'membership';

test('a cluster of one grows to five and shrinks to three others, and loses nothing', {
  timeout: 120_000 + 12 * pauseMs,
}, async () => {
  // A short log, so that whoever joins late needs a snapshot.
  const drill = await Drill.start(1, ['--snapshot-count=500', '--snapshot-catchup-entries=100']);
  const load = new WriteLoad(drill.clients, 2000);
  load.start(8, prefix);
  const originals = [...drill.seats];
  await sleep(pauseMs);

  // As learners first, so that the quorum never waits for one that is behind.
  while (drill.seats.length < 5) {
    const via = await drill.leader();
    const added = await drill.add(via, true);
    await drill.promote(via, added);
    if (drill.seats.length <= 3) {
      originals.push(added);
    }
    await added.client.waitUntilReady(20_000);
    await sleep(pauseMs);
  }
  // Two of the three that were there first go, and the leader among them; then one comes, the last
  // goes.
  for (const leaving of originals.slice(0, 2)) {
    await drill.remove(drill.other(leaving), leaving);
    await sleep(pauseMs);
  }
  const last = originals[2] as (typeof originals)[0];
  const replacement = await drill.add(last, true);
  await drill.promote(last, replacement);
  await drill.remove(replacement, last);
  await sleep(pauseMs);
  await load.stop();

  expect(drill.seats).toHaveLength(3);
  expect(drill.seats.some((seat) => originals.includes(seat))).toBe(false);
  await drill.expectIntact(load, prefix);
  await drill.expectConverged();
  const { acknowledged, unknown, rejected } = load.record;
  console.log(
    `1 → 3 → 5 → 3 members, all replaced: ${acknowledged.size} acknowledged, ` +
      `${unknown.size} unknown, ${rejected.size} rejected; ` +
      `longest write gap ${longestGapMs(returnsOf(load.record)).toFixed(0)} ms`,
  );
});
