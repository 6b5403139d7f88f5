import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const header = {
  cluster_id: '9007199254740991',
  member_id: '1001',
  revision: '7',
  raft_term: '3',
};

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

describe('Status', () => {
  test('tells what the member says of itself', async () => {
    member.errors = ['the disk is slow'];

    expect(await answerTo((done) => serving.maintenance.Status({}, done))).toEqual({
      header,
      version: '9.8.7',
      dbSize: '123456',
      dbSizeInUse: '123456',
      leader: '1001',
      raftIndex: '42',
      raftTerm: '3',
      raftAppliedIndex: '41',
      errors: ['the disk is slow'],
      isLearner: false,
    });
  });

  test('without a leader still answers, with leader 0', async () => {
    member.leader = 0;

    const answer = await answerTo((done) => serving.maintenance.Status({}, done));

    expect(answer).toMatchObject({ leader: '0' });
  });
});

describe('Alarm', () => {
  test('lists no alarms, as none can be raised yet', async () => {
    expect(await answerTo((done) => serving.maintenance.Alarm({ action: 'GET' }, done))).toEqual({
      header,
      alarms: [],
    });
  });

  test.each(['ACTIVATE', 'DEACTIVATE'] as const)('%s is not implemented', async (action) => {
    const error = await refusalOf((done) =>
      serving.maintenance.Alarm({ action, alarm: 'NOSPACE' }, done),
    );

    expect(error).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: 'etcdserver: not implemented',
    });
  });
});

describe('MoveLeader', () => {
  test('hands leadership to the member named', async () => {
    await answerTo((done) => serving.maintenance.MoveLeader({ targetID: '1002' }, done));

    expect(member.asked).toMatchObject([{ method: 'moveLeader', target: 1002 }]);
  });

  test('on a follower is refused, as in etcd: "etcdserver: not leader"', async () => {
    member.leader = 1002;

    const error = await refusalOf((done) =>
      serving.maintenance.MoveLeader({ targetID: '1003' }, done),
    );

    expect(error).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: not leader',
    });
    expect(member.asked).toEqual([]);
  });

  test('to an id that no member can have is refused', async () => {
    const error = await refusalOf((done) =>
      serving.maintenance.MoveLeader({ targetID: '18446744073709551615' }, done),
    );

    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain('targetID 18446744073709551615');
  });
});

test('a method of etcd that is not there is unimplemented', async () => {
  const error = await refusalOf((done) =>
    serving.maintenance.makeUnaryRequest(
      '/etcdserverpb.Maintenance/Defragment',
      (value: Buffer) => value,
      (bytes) => bytes,
      Buffer.alloc(0),
      done,
    ),
  );

  expect(error.code).toBe(status.UNIMPLEMENTED);
});
