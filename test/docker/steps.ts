/** Steps of both stories of the cluster in containers: in plain text, and by TLS. */
import { afterAll, expect } from 'vitest';
import { type ComposedCluster, members } from './composed.ts';
import { eventually } from './run.ts';

/** Undoes something that was done. */
type Cleanup = () => Promise<unknown>;

/** What a file has to undo once its tests have ended, whatever they came to: last first. */
export function cleanUpAtEnd(): { push(...cleanups: readonly Cleanup[]): void } {
  const cleanups: Cleanup[] = [];
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });
  return cleanups;
}

/** Starts services, whose images are there; members are healthy then. */
export async function bringUp(
  cluster: ComposedCluster,
  services: readonly string[] = cluster.services,
): Promise<void> {
  await cluster.compose('up', '-d', '--no-build', ...services);
  await cluster.untilHealthy();
}

/** Puts the greeting through one member; all the others have it. */
export async function greetThroughOne(cluster: ComposedCluster): Promise<void> {
  expect(await cluster.holdfast('n1', 'put', 'greeting', 'hello')).toBe('OK\n');

  for (const name of members.slice(1)) {
    expect(await cluster.holdfast(name, 'get', 'greeting', '-w', 'plain')).toBe('hello\n');
  }
}

/** Prometheus is there, and reaches every member. */
export async function watchAll(cluster: ComposedCluster): Promise<void> {
  await cluster.untilHealthy(['prometheus']);
  await eventually(
    'all are up',
    async () => cluster.query('up{job="holdfast"} == 1'),
    (series) => series.length === members.length,
  );
}

/** Cuts the leader off: the others elect one, and it acknowledges nothing until it is back. */
export async function cutOffLeader(cluster: ComposedCluster): Promise<void> {
  const old = await cluster.leader();
  const others = members.filter((name) => name !== old);
  await cluster.setLinksOf(old, false);

  const next = await cluster.leader(others);
  expect(next).not.toBe(old);
  expect(await cluster.holdfast(next, 'put', 'who', next)).toBe('OK\n');
  const tooLate = cluster.holdfast(old, 'put', 'who', old, '--command-timeout', '2s');
  await expect(tooLate).rejects.toThrow();

  await cluster.setLinksOf(old, true);
  await cluster.untilHealthy();
  expect(await cluster.holdfast(old, 'get', 'who', '-w', 'plain')).toBe(`${next}\n`);
}

/** Takes everything away, and sees that nothing is left. */
export async function takeAway(cluster: ComposedCluster): Promise<void> {
  await cluster.compose('down', '-v');

  expect(await cluster.containers()).toBe('');
  expect(await cluster.leftOvers('volume')).toBe('');
  expect(await cluster.leftOvers('network')).toBe('');
}
