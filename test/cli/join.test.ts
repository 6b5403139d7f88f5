import { describe, expect, test } from 'vitest';
import { findCluster, placeInExistingCluster } from '../../src/cli/join.ts';
import { readServerConfig, type ServerConfig } from '../../src/cli/server-config.ts';
import { KvError } from '../../src/base/index.ts';
import type { ClusterDescription } from '../../src/transport/index.ts';

const identity = { clusterId: 77, memberId: 4, name: 'n4' };

function joining(): ServerConfig {
  const result = readServerConfig({
    flags: {
      name: 'n4',
      'initial-cluster-state': 'existing',
      'listen-peer-urls': 'http://127.0.0.1:4',
      'initial-cluster': 'n1=http://127.0.0.1:1,n2=http://127.0.0.1:2,n4=http://127.0.0.1:4',
    },
    env: {},
  });
  if (result.kind === 'invalid') {
    throw new Error(result.problems.join('\n'));
  }
  return result.config;
}

function described(ids: readonly number[], appliedIndex: number): ClusterDescription {
  const members = ids.map((id) => ({
    ...{ id, name: `n${id}`, isLearner: false },
    ...{ peerUrls: [`http://127.0.0.1:${id}`], clientUrls: [] },
  }));
  return { clusterId: 77, members, removedIds: [], appliedIndex };
}

/** Members that answer, by port; the others do not run. */
function cluster(answers: Readonly<Record<string, ClusterDescription>>) {
  return async (url: string): Promise<ClusterDescription> => {
    const answer = answers[new URL(url).port];
    return answer === undefined
      ? Promise.reject(new KvError('UNHEALTHY', { message: 'refused' }))
      : Promise.resolve(answer);
  };
}

describe('A member that joins', () => {
  test('is the one at its peer URL, as the newest answer says', async () => {
    const ask = cluster({ 1: described([1, 2], 5), 2: described([1, 2, 4], 6) });

    const place = await placeInExistingCluster(joining(), ask);

    expect(place).toEqual({ identity, initialMembers: [] });
  });

  test('asks on when a member does not answer', async () => {
    const ask = cluster({ 2: described([1, 2, 4], 6) });

    const members = await findCluster(joining(), identity, ask);

    expect(members.map(({ id }) => id)).toEqual([1, 2, 4]);
    expect(members[2]).toEqual({
      ...{ id: 4, name: 'n4', peerUrls: ['http://127.0.0.1:4'], autoPromote: false },
    });
  });

  test('is told to be added first when the cluster does not know it', async () => {
    const ask = cluster({ 1: described([1, 2], 5) });
    const refusal = {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(
        'holdfast member add n4 --peer-urls=http://127.0.0.1:4',
      ) as unknown,
    };

    await expect(placeInExistingCluster(joining(), ask)).rejects.toMatchObject(refusal);
    await expect(findCluster(joining(), identity, ask)).rejects.toMatchObject(refusal);
  });

  test('is told who did not answer when nobody does', async () => {
    await expect(findCluster(joining(), identity, cluster({}))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /127\.0\.0\.1:1: refused; .*127\.0\.0\.1:2: refused/,
      ) as unknown,
    });
  });

  test('is refused by a cluster of a feature level that it does not read', async () => {
    const ask = cluster({ 1: { ...described([1, 2, 4], 5), level: 4 } });
    const refusal = {
      code: 'VERSION_MISMATCH',
      message: expect.stringContaining(
        'level is 4, and this member reads levels 1 to 3',
      ) as unknown,
    };

    await expect(placeInExistingCluster(joining(), ask)).rejects.toMatchObject(refusal);
    await expect(findCluster(joining(), identity, ask)).rejects.toMatchObject(refusal);
  });

  test('does not join another cluster than that of its data directory', async () => {
    const ask = cluster({ 1: described([1, 2, 4], 5) });

    await expect(findCluster(joining(), { ...identity, clusterId: 78 }, ask)).rejects.toMatchObject(
      {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/cluster 4e.*cluster 4d/) as unknown,
      },
    );
  });
});
