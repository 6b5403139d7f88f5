import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { startCluster } from '../../../src/cli/bench/clusters.ts';
import { findLeader } from '../../../src/cli/bench/leader.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { createTempDir } from '../../storage/temp-dir.ts';

const never = new AbortController().signal;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startCluster', () => {
  test('starts three members with a leader, and stops all of them', async () => {
    const cluster = await startCluster(
      { kind: 'holdfast', dataRoot: createTempDir(), security: 'plain' },
      never,
    );
    const leader = await findLeader(cluster.endpoints, cluster.access);

    await cluster.stop();

    expect(cluster.endpoints.length).toBe(3);
    expect(cluster.endpoints).toContainEqual(leader);
    expect(new Set(cluster.pids).size).toBe(3);
    expect(cluster.pids.map(isAlive)).toEqual([false, false, false]);
    await expect(
      new Promise((resolve, reject) => {
        const { host, port } = cluster.endpoints[0] ?? { host: '', port: 0 };
        connect(port, host, () => resolve('connected')).on('error', reject);
      }),
    ).rejects.toThrow('ECONNREFUSED');
  });

  test('by TLS it is reached with the CA made for it, and not in plain text', async () => {
    const dataRoot = createTempDir();
    const cluster = await startCluster({ kind: 'holdfast', dataRoot, security: 'tls' }, never);
    try {
      const leader = await findLeader(cluster.endpoints, cluster.access);

      expect(cluster.endpoints).toContainEqual(leader);
      await expect(findLeader(cluster.endpoints, plainAccess)).rejects.toThrow();
    } finally {
      await cluster.stop();
    }
  });

  test('a missing etcd is an error that names its package', async () => {
    vi.stubEnv('PATH', '/nonexistent');

    const start = startCluster(
      { kind: 'etcd', dataRoot: createTempDir(), security: 'plain' },
      never,
    );

    await expect(start).rejects.toThrow('apt-get install etcd-server');
    await expect(start).rejects.toBeInstanceOf(ExitError);
  });

  test('an interruption while it starts leaves no member behind', async () => {
    const controller = new AbortController();
    const listenersBefore = process.listenerCount('exit');
    const start = startCluster(
      { kind: 'holdfast', dataRoot: createTempDir(), security: 'plain' },
      controller.signal,
    );
    controller.abort(new Error('interrupted'));

    await expect(start).rejects.toThrow();

    // Every member that runs has a listener that would kill it.
    expect(process.listenerCount('exit')).toBe(listenersBefore);
  });
});
