import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

describe('MemberList', () => {
  let member: FakeMember;
  let serving: Serving;

  beforeEach(async () => {
    member = new FakeMember();
    serving = await serve(member);
  });

  afterEach(async () => {
    await serving.close();
  });

  test('answers every member with its addresses, and ids to the last digit', async () => {
    member.clusterMembers = [
      {
        id: Number.MAX_SAFE_INTEGER - 1,
        name: 'n1',
        peerUrls: ['http://a:2380', 'http://b:2380'],
        clientUrls: ['http://a:2379'],
        isLearner: false,
      },
      { id: 2, name: 'n2', peerUrls: ['http://c:2380'], clientUrls: [], isLearner: true },
    ];

    expect(await answerTo((done) => serving.cluster.MemberList({}, done))).toEqual({
      header: {
        cluster_id: '9007199254740991',
        member_id: '1001',
        revision: '0',
        raft_term: '3',
      },
      members: [
        {
          ID: '9007199254740990',
          name: 'n1',
          peerURLs: ['http://a:2380', 'http://b:2380'],
          clientURLs: ['http://a:2379'],
          isLearner: false,
        },
        { ID: '2', name: 'n2', peerURLs: ['http://c:2380'], clientURLs: [], isLearner: true },
      ],
    });
  });

  test('answers from its own knowledge unless the client asks for more', async () => {
    await answerTo((done) => serving.cluster.MemberList({ linearizable: false }, done));

    expect(member.asked).toEqual([]);
  });

  test('asked to be linearizable waits for a confirmed read, and fails with it', async () => {
    await answerTo((done) => serving.cluster.MemberList({ linearizable: true }, done));
    expect(member.asked).toMatchObject([{ method: 'confirmRead' }]);

    member.onConfirmRead = async () => Promise.reject(new KvError('TIMEOUT'));
    const error = await refusalOf((done) =>
      serving.cluster.MemberList({ linearizable: true }, done),
    );

    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'etcdserver: request timed out',
    });
  });
});
