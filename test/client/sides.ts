/** The clusters that the client is tried on: Holdfast and, where it is installed, etcd. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HoldfastError } from '../../src/client/index.ts';
import { hasEtcd, startEtcd } from '../compat/etcd-server.ts';
import { ProcessCluster } from '../harness/processes.ts';

/** A cluster that the cases are run on. */
export interface Side {
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

async function startHoldfast(): Promise<Side> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-client-'));
  const cluster = await ProcessCluster.create([1, 2, 3].map((i) => join(directory, `n${i}`)));
  await cluster.startAll();
  return {
    endpoints: cluster.endpoints,
    stop: async () => {
      await cluster.stopAll();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Those that there are on this machine. */
export const sides = [
  { name: 'Holdfast', start: startHoldfast },
  ...(hasEtcd() ? [{ name: 'etcd 3.4', start: async () => startEtcd(1) }] : []),
];

/** What a call fails with. */
export async function errorOf(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    () => Promise.reject(new Error('the call has succeeded')),
    (error: unknown) => error as HoldfastError,
  );
}
