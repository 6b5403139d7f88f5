/**
 * A drill with real processes: three members go from one feature level to the next, one at a time,
 * under write load; one of them goes back and forth before the level has risen, and is refused when
 * it tries to afterwards.
 *
 * `--feature-level-max` makes a member what a build before would be: what it says of itself, what
 * it opens, what it applies. The longest time without an acknowledged write is printed.
 */
import { expect, test } from 'vitest';
import { eventually } from '../harness/admin-client.ts';
import { Drill, type Seat } from './drill.ts';
import { longestGapMs, returnsOf, WriteLoad } from './load.ts';

const older = ['--feature-level-max=2'];
const limitMs = 30_000;

async function levelsOf({ admin }: Seat): Promise<readonly number[]> {
  const { feature_level, feature_level_max } = await admin.status();
  return [feature_level, feature_level_max];
}

/** Stops a member in good order, and starts it with these flags in the place of others. */
async function replaceBuild(
  drill: Drill,
  { index }: Seat,
  flags: readonly string[],
): Promise<void> {
  await drill.cluster.signal(index, 'SIGTERM');
  drill.cluster.reconfigure((i) => (i === index ? { extraArgs: flags } : {}));
  await drill.cluster.start(index);
}

async function upgrade(drill: Drill, seat: Seat, flags: readonly string[] = []): Promise<void> {
  await replaceBuild(drill, seat, flags);
  await seat.client.waitUntilReady(limitMs);
}

test('three members are upgraded one at a time under load, and none goes back after that', {
  timeout: 120_000,
}, async () => {
  const drill = await Drill.start(3, older);
  const load = new WriteLoad(drill.clients, 3000);
  load.start(4, 'roll', 2);
  const [first, second, third] = drill.seats as [Seat, Seat, Seat];
  await eventually(async () => {
    for (const seat of drill.seats) {
      expect(await levelsOf(seat)).toEqual([2, 2]);
    }
  }, limitMs);

  await upgrade(drill, first);
  expect(await levelsOf(first)).toEqual([2, 3]);
  // Nothing of the next level is written yet: the way back is open.
  await upgrade(drill, first, older);
  await upgrade(drill, first);
  await upgrade(drill, second);
  expect(await levelsOf(second)).toEqual([2, 3]);
  await upgrade(drill, third);
  await eventually(async () => {
    for (const seat of drill.seats) {
      expect(await levelsOf(seat)).toEqual([3, 3]);
    }
  }, limitMs);

  await replaceBuild(drill, first, older);
  expect(await drill.cluster.ended(first.index, limitMs)).toBeGreaterThan(0);
  const said = await drill.cluster.output(first.index);
  expect(said).toContain("the cluster's feature level is 3, and this member reads levels 1 to 2");
  await upgrade(drill, first);
  await load.stop();

  await drill.expectIntact(load, 'roll');
  await drill.expectConverged();
  const { acknowledged, unknown, rejected } = load.record;
  expect(acknowledged.size).toBeGreaterThan(0);
  const gapMs = longestGapMs(returnsOf(load.record));
  console.log(
    `rolling upgrade: ${acknowledged.size} acknowledged, ${unknown.size} unknown, ` +
      `${rejected.size} rejected; longest gap ${gapMs.toFixed(0)} ms`,
  );
});
