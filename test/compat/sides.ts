/** What the comparisons run on: one etcd, and a cluster of three Holdfast processes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessCluster } from '../harness/processes.ts';
import { startEtcd, waitUntilReady } from './etcd-server.ts';

const logTailChars = 2000;

/** A Holdfast cluster with its data. */
export interface HoldfastSide {
  readonly cluster: ProcessCluster;
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

/** Both sides, fresh, each at revision 1. */
export interface Sides {
  /** etcd's client address, `host:port`. */
  readonly etcd: string;
  readonly holdfast: HoldfastSide;
  stop(): Promise<void>;
}

/** Starts three Holdfast members and waits until all of them serve. */
export async function startHoldfast(): Promise<HoldfastSide> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-compat-'));
  const cluster = await ProcessCluster.create(['a', 'b', 'c'].map((name) => join(directory, name)));
  const stop = async (): Promise<void> => {
    await cluster.killAll();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await cluster.startAll();
    await Promise.all(cluster.endpoints.map(waitUntilReady));
  } catch (error) {
    await cluster.killAll();
    const logs = await Promise.all(
      cluster.members.map(async ({ logFile }) => readFile(logFile, 'utf8')),
    );
    await stop();
    const tails = logs.map((log) => log.slice(-logTailChars)).join('\n');
    throw new Error(`Holdfast does not come up; its logs:\n${tails}`, { cause: error });
  }
  return { cluster, endpoints: cluster.endpoints, stop };
}

/** Starts both sides. */
export async function startSides(): Promise<Sides> {
  const [etcd, holdfast] = await bothOrNone(startEtcd(), startHoldfast());
  const [endpoint = ''] = etcd.endpoints;
  return {
    etcd: endpoint,
    holdfast,
    async stop() {
      await Promise.all([etcd.stop(), holdfast.stop()]);
    },
  };
}

/** Waits for two servers; if one does not come up, the other is stopped. */
export async function bothOrNone<First extends Stoppable, Second extends Stoppable>(
  first: Promise<First>,
  second: Promise<Second>,
): Promise<[First, Second]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    for (const started of await Promise.allSettled([first, second])) {
      if (started.status === 'fulfilled') {
        await started.value.stop();
      }
    }
    throw error;
  }
}

interface Stoppable {
  stop(): Promise<void>;
}
