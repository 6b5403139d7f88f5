import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const header = {
  cluster_id: '9007199254740991',
  member_id: '1001',
  revision: '0',
  raft_term: '3',
};
const n1 = {
  id: 1001,
  name: 'n1',
  peerUrls: ['http://a:2380'],
  clientUrls: ['http://a:2379'],
  isLearner: false,
};
const n1OnTheWire = {
  ID: '1001',
  name: 'n1',
  peerURLs: ['http://a:2380'],
  clientURLs: ['http://a:2379'],
  isLearner: false,
};

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  member.clusterMembers = [n1];
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

describe('MemberList', () => {
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
      header,
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

describe('MemberAdd', () => {
  test('answers the new member, without a name, and all members with it', async () => {
    const added = {
      ID: '2001',
      name: '',
      peerURLs: ['http://d:2380'],
      clientURLs: [],
      isLearner: false,
    };

    expect(
      await answerTo((done) => serving.cluster.MemberAdd({ peerURLs: ['http://d:2380'] }, done)),
    ).toEqual({ header, member: added, members: [n1OnTheWire, added] });
  });

  test.each([
    [{}, { isLearner: false, autoPromote: false }],
    [{ isLearner: true }, { isLearner: true, autoPromote: false }],
    [
      { isLearner: true, holdfastAutoPromote: true },
      { isLearner: true, autoPromote: true },
    ],
    // A voter is promoted already.
    [{ holdfastAutoPromote: true }, { isLearner: false, autoPromote: false }],
  ])('asked with %j adds a member with %j', async (fields, expected) => {
    const peerURLs = [' http://d:2380', 'http://[::1]:2380', 'http://d:2380'];
    await answerTo((done) => serving.cluster.MemberAdd({ ...fields, peerURLs }, done));

    expect(member.askedByRoot).toMatchObject([
      {
        method: 'addMember',
        member: { ...expected, peerUrls: ['http://d:2380', 'http://[::1]:2380'] },
      },
    ]);
  });

  test.each([
    [],
    ['d:2380'],
    ['http://d'],
    ['http://d:0'],
    ['http://d:65536'],
    ['http://d:2380/'],
    ['ftp://d:2380'],
    ['ftp://d:2380'],
    ['http://d:2380', ''],
  ])('refuses the URLs %j %j, as in etcd, without asking the member', async (...peerURLs) => {
    const error = await refusalOf((done) => serving.cluster.MemberAdd({ peerURLs }, done));

    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'etcdserver: given member URLs are invalid',
    });
    expect(member.askedByRoot).toEqual([]);
  });

  test('says what the cluster refuses it with', async () => {
    member.onChange = async () => Promise.reject(new KvError('PEER_URL_EXISTS'));

    const error = await refusalOf((done) =>
      serving.cluster.MemberAdd({ peerURLs: ['http://a:2380'] }, done),
    );

    expect(error).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: Peer URLs already exists',
    });
  });

  test('passes the deadline of the call on', async () => {
    await answerTo((done) =>
      serving.cluster.MemberAdd(
        { peerURLs: ['http://d:2380'] },
        { deadline: Date.now() + 60_000 },
        done,
      ),
    );

    const [asked] = member.askedByRoot;
    expect(asked?.method).toBe('addMember');
    expect(asked?.options?.deadlineMs).toBeGreaterThan(0);
  });
});

describe('MemberRemove', () => {
  test('answers the members that are left', async () => {
    member.clusterMembers = [n1, { ...n1, id: 1002 }];

    expect(await answerTo((done) => serving.cluster.MemberRemove({ ID: '1002' }, done))).toEqual({
      header,
      members: [n1OnTheWire],
    });
    expect(member.askedByRoot).toMatchObject([
      { method: 'confirmRead' },
      { method: 'removeMember', id: 1002 },
    ]);
  });

  test('does not find a member that is not, or no longer, there', async () => {
    const error = await refusalOf((done) => serving.cluster.MemberRemove({ ID: '1002' }, done));

    expect(error).toMatchObject({
      code: status.NOT_FOUND,
      details: 'etcdserver: member not found',
    });
    expect(member.askedByRoot).toMatchObject([{ method: 'confirmRead' }]);
  });
});

describe('MemberUpdate', () => {
  test('changes the peer URLs', async () => {
    const request = { ID: '1001', peerURLs: ['http://new:2380'] };

    expect(await answerTo((done) => serving.cluster.MemberUpdate(request, done))).toEqual({
      header,
      members: [n1OnTheWire],
    });
    expect(member.askedByRoot).toMatchObject([
      { method: 'updateMember', id: 1001, peerUrls: ['http://new:2380'] },
    ]);
  });

  test('refuses what is no URL', async () => {
    const error = await refusalOf((done) =>
      serving.cluster.MemberUpdate({ ID: '1001', peerURLs: ['new'] }, done),
    );

    expect(error.details).toBe('etcdserver: given member URLs are invalid');
    expect(member.askedByRoot).toEqual([]);
  });
});

describe('MemberPromote', () => {
  test('promotes', async () => {
    await answerTo((done) => serving.cluster.MemberPromote({ ID: '1002' }, done));

    expect(member.askedByRoot).toMatchObject([{ method: 'promoteMember', id: 1002 }]);
  });

  test.each([
    ['NOT_LEARNER', 'etcdserver: can only promote a learner member'],
    [
      'LEARNER_NOT_READY',
      'etcdserver: can only promote a learner member which is in sync with leader',
    ],
  ] as const)('says %s in the words of etcd', async (code, details) => {
    member.onChange = async () => Promise.reject(new KvError(code));

    const error = await refusalOf((done) => serving.cluster.MemberPromote({ ID: '1002' }, done));

    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details });
  });
});

test.each(['MemberRemove', 'MemberUpdate', 'MemberPromote'] as const)(
  '%s does not find an id that no member can have',
  async (method) => {
    const request = { ID: '18446744073709551615', peerURLs: ['http://d:2380'] };
    const error = await refusalOf((done) => serving.cluster[method](request, done));

    expect(error).toMatchObject({
      code: status.NOT_FOUND,
      details: 'etcdserver: member not found',
    });
    expect(member.askedByRoot).toEqual([]);
  },
);
