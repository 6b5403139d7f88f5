import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Holdfast } from '../../../src/client/index.ts';
import { startTestCluster } from '../../../src/cli/testing/index.ts';
import type { TestClusterOptions } from '../../../src/cli/testing/index.ts';

async function folders(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-test-'));
}

describe('a test cluster', () => {
  test('serves at once, has one leader, and closes its clients when it stops', async () => {
    const cluster = await startTestCluster();
    const client = cluster.client();

    const { revision } = await client.kv.put('a', '1');
    const leader = await cluster.leader();
    await cluster.stop();
    await cluster.stop();

    expect(revision).toBe(2);
    expect(cluster.endpoints).toHaveLength(3);
    expect(cluster.endpoints).toContain(leader.endpoint);
    await expect(client.kv.get('a')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(cluster.members.map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
  });

  test('goes on without its leader, which has all data when it comes back', async () => {
    await using cluster = await startTestCluster({ nodes: 3 });
    const { kv } = cluster.client({ namespace: 'app/' });
    await kv.put('a', '1');
    const first = await cluster.leader();

    await first.kill();
    const { revision } = await kv.put('a', '2');
    const second = await cluster.leader();
    await first.start();

    expect(second.name).not.toBe(first.name);
    expect(first.isRunning).toBe(true);
    for (const { endpoint } of cluster.members) {
      await using one = new Holdfast({ endpoints: endpoint, namespace: 'app/' });
      expect(await one.kv.get('a', { noOlderThan: revision })).toMatchObject({ value: '2' });
    }
  });

  test('keeps what it has when each member is restarted in turn', async () => {
    await using cluster = await startTestCluster();
    const { kv } = cluster.client();
    await kv.put('a', '1');

    for (const member of cluster.members) {
      await member.restart();
      await kv.put('b', member.name);
    }

    expect((await kv.get('a'))?.value).toBe('1');
    expect((await kv.get('b'))?.version).toBe(3);
  });

  test('of one member works, beside another cluster', async () => {
    await using one = await startTestCluster({ nodes: 1 });
    await using other = await startTestCluster({ nodes: 1 });

    await one.client().kv.put('a', 'one');

    expect(await other.client().kv.get('a')).toBeUndefined();
  });

  test('has the settings that it is given', async () => {
    await using cluster = await startTestCluster({
      nodes: 1,
      settings: { 'max-txn-ops': '1' },
    });
    const { kv } = cluster.client();

    const txn = kv.txn({ then: [kv.ops.put('a', '1'), kv.ops.put('b', '1')] });

    await expect(txn).rejects.toMatchObject({ code: 'TOO_MANY_OPERATIONS' });
  });

  test('leaves no folder behind', async () => {
    const before = await folders();
    const cluster = await startTestCluster({ nodes: 1 });
    const during = await folders();

    await cluster.stop();

    expect(during.length).toBeGreaterThan(before.length);
    const [own] = during.filter((name) => !before.includes(name));
    expect(await folders()).not.toContain(own);
  });

  test.each<[TestClusterOptions, string]>([
    [{ nodes: 0 }, 'nodes is 0: give a whole number from 1 to 7'],
    [{ nodes: 2.5 }, 'nodes is 2.5'],
    [{ settings: { name: 'x' } }, '"name" is chosen by the test cluster'],
    [{ settings: { quota: '1' } as TestClusterOptions['settings'] }, '"quota" is no flag'],
    [{ settings: { 'max-txn-ops': 'many' } }, '--max-txn-ops'],
  ])('refuses %j', async (options, text) => {
    await expect(startTestCluster(options)).rejects.toMatchObject({
      ...{ name: 'HoldfastError', code: 'CONFIG_INVALID' },
      message: expect.stringContaining(text) as string,
    });
  });
});
