import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  member.clusterMembers = [
    { id: 1002, name: 'n2', peerUrls: ['http://b:2380'], clientUrls: [], isLearner: false },
  ];
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

describe('MemberDemote', () => {
  test('makes a voter a learner and answers all members', async () => {
    const answer = await answerTo((done) => serving.admin.MemberDemote({ id: '1002' }, done));

    expect(answer).toMatchObject({
      header: { member_id: '1001' },
      members: [{ ID: '1002', name: 'n2' }],
    });
    expect(member.askedByRoot).toMatchObject([{ method: 'demoteMember', id: 1002 }]);
  });

  test('says what the cluster refuses it with', async () => {
    member.onChange = async () => Promise.reject(new KvError('NOT_ENOUGH_STARTED'));

    const error = await refusalOf((done) => serving.admin.MemberDemote({ id: '1002' }, done));

    expect(error).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: re-configuration failed due to not enough started members',
    });
  });
});

describe('MemberReplace', () => {
  test('answers the successor and all members without the one replaced', async () => {
    const answer = await answerTo((done) =>
      serving.admin.MemberReplace(
        { id: '1002', peer_urls: ['http://d:2380'], is_learner: true, auto_promote: true },
        done,
      ),
    );

    expect(answer).toMatchObject({
      member: { ID: '2001', name: '', peerURLs: ['http://d:2380'], isLearner: true },
      members: [{ ID: '2001' }],
    });
    expect(member.askedByRoot).toMatchObject([
      {
        method: 'replaceMember',
        id: 1002,
        by: { peerUrls: ['http://d:2380'], isLearner: true, autoPromote: true },
      },
    ]);
  });

  test.each([
    [{ id: '1002', peer_urls: [] }, status.INVALID_ARGUMENT],
    [{ id: '18446744073709551615', peer_urls: ['http://d:2380'] }, status.NOT_FOUND],
  ])('refuses %j without asking the member', async (request, code) => {
    const error = await refusalOf((done) => serving.admin.MemberReplace(request, done));

    expect(error.code).toBe(code);
    expect(member.askedByRoot).toEqual([]);
  });
});
