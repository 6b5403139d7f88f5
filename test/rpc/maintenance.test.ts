import { type ClientUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KvError } from '../../src/base/index.ts';
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
      storageVersion: '9.8.7',
      dbSizeQuota: '777',
      downgradeInfo: { enabled: false, targetVersion: '' },
      feature_level: 1,
      feature_level_max: 2,
    });
  });

  test('without a leader still answers, with leader 0', async () => {
    member.leader = 0;

    const answer = await answerTo((done) => serving.maintenance.Status({}, done));

    expect(answer).toMatchObject({ leader: '0' });
  });
});

describe('Alarm', () => {
  const alarms = [
    { memberId: 1001, alarm: 'nospace' },
    { memberId: 1002, alarm: 'corrupt' },
    { memberId: 1002, alarm: 'nospace' },
  ] as const;
  const onTheWire = [
    { memberID: '1001', alarm: 'NOSPACE' },
    { memberID: '1002', alarm: 'CORRUPT' },
    { memberID: '1002', alarm: 'NOSPACE' },
  ];

  beforeEach(() => {
    member.activeAlarms = alarms;
  });

  test('GET lists all alarms, or those of one type, after a confirmed read', async () => {
    const get = async (alarm: 'NONE' | 'NOSPACE' | 'CORRUPT'): Promise<unknown> =>
      answerTo((done) => serving.maintenance.Alarm({ action: 'GET', alarm }, done));

    expect(await get('NONE')).toEqual({ header, alarms: onTheWire });
    expect(member.asked).toMatchObject([{ method: 'confirmRead' }]);
    expect(await get('CORRUPT')).toMatchObject({ alarms: [onTheWire[1]] });
    expect(await get('NOSPACE')).toMatchObject({ alarms: [onTheWire[0], onTheWire[2]] });
  });

  test.each([
    ['ACTIVATE', '1003', true],
    ['DEACTIVATE', '1002', false],
  ] as const)('%s changes an alarm and answers it', async (action, memberID, isActive) => {
    const answer = await answerTo((done) =>
      serving.maintenance.Alarm({ action, memberID, alarm: 'NOSPACE' }, done),
    );

    expect(answer).toEqual({ header, alarms: [{ memberID, alarm: 'NOSPACE' }] });
    expect(member.asked).toMatchObject([
      { method: 'confirmRead' },
      { method: 'setAlarm', isActive, alarm: { memberId: Number(memberID), alarm: 'nospace' } },
    ]);
  });

  test.each([
    ['ACTIVATE', '1001', 'NOSPACE'],
    ['DEACTIVATE', '1001', 'CORRUPT'],
    ['ACTIVATE', '1003', 'NONE'],
    ['DEACTIVATE', '0', 'NONE'],
  ] as const)('%s of %s %s changes nothing and answers none', async (action, memberID, alarm) => {
    const answer = await answerTo((done) =>
      serving.maintenance.Alarm({ action, memberID, alarm }, done),
    );

    expect(answer).toEqual({ header, alarms: [] });
    expect(member.asked).toMatchObject([{ method: 'confirmRead' }]);
  });

  test.each([
    [{ action: 9, alarm: 'NOSPACE' }, 'etcdserver: unknown alarm action 9'],
    [{ action: 'ACTIVATE', alarm: 7 }, 'etcdserver: unknown alarm 7'],
  ] as const)('refuses %j', async (request, details) => {
    const error = await refusalOf((done) => serving.maintenance.Alarm(request as never, done));

    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details });
    expect(member.asked).toEqual([]);
  });

  test('fails with the read that it rests on', async () => {
    member.onConfirmRead = async () => Promise.reject(new KvError('TIMEOUT'));

    const error = await refusalOf((done) => serving.maintenance.Alarm({ action: 'GET' }, done));

    expect(error.details).toBe('etcdserver: request timed out');
  });
});

describe('Hash and HashKV', () => {
  beforeEach(() => {
    member.onHashKv = async (revision) =>
      Promise.resolve({
        hash: 4_294_967_295,
        hashRevision: revision === 0 ? 7 : revision,
        compactRevision: -1,
        revision: 7,
      });
  });

  test('HashKV tells the hash and the revisions it covers', async () => {
    const answer = await answerTo((done) => serving.maintenance.HashKV({ revision: 5 }, done));

    expect(answer).toEqual({
      header,
      hash: 4_294_967_295,
      compact_revision: '-1',
      hash_revision: '5',
    });
  });

  test.each([
    ['0', 0],
    ['-3', 0],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
  ])('HashKV of revision %s asks for %d', async (revision, asked) => {
    await answerTo((done) => serving.maintenance.HashKV({ revision }, done));

    expect(member.asked).toEqual([{ method: 'hashKv', revision: asked }]);
  });

  test('HashKV of a compacted revision is refused as in etcd', async () => {
    member.onHashKv = async () => Promise.reject(new KvError('COMPACTED'));

    const error = await refusalOf((done) => serving.maintenance.HashKV({ revision: 1 }, done));

    expect(error).toMatchObject({
      code: status.OUT_OF_RANGE,
      details: 'etcdserver: mvcc: required revision has been compacted',
    });
  });

  test('are worked out one at a time, none for who has gone, and only some may wait', async () => {
    const letGo: (() => void)[] = [];
    const { onHashKv } = member;
    member.onHashKv = async (revision) => {
      await new Promise<void>((resolve) => letGo.push(resolve));
      return onHashKv(revision);
    };
    const calls: ClientUnaryCall[] = [];
    const outcomes = Array.from({ length: 18 }, async (_, at) =>
      answerTo((done) => {
        const call = serving.maintenance.HashKV({ revision: at + 1 }, done);
        calls.push(call);
        return call;
      }).then(
        () => 'answered',
        (error: unknown) => (error as ServiceError).details,
      ),
    );
    // The last one is turned away, so all have come by then.
    expect(await outcomes[17]).toBe('etcdserver: too many requests');
    for (const call of calls.slice(2, 17)) {
      call.cancel();
    }
    await Promise.all(outcomes.slice(2, 17));
    // By its answer the member has heard of those as well.
    await answerTo((done) => serving.maintenance.Status({}, done));
    for (let at = 0; at < 2; at++) {
      await vi.waitFor(() => expect(letGo).toHaveLength(1));
      letGo.pop()?.();
    }

    expect(await Promise.all(outcomes.slice(0, 2))).toEqual(['answered', 'answered']);
    expect(member.asked).toEqual([
      { method: 'hashKv', revision: 1 },
      { method: 'hashKv', revision: 2 },
    ]);
  });

  test('are given up when their client goes, and the next one has its turn', async () => {
    const { onHashKv } = member;
    const ends: unknown[] = [];
    member.onHashKv = async (_revision, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          ends.push(signal.reason);
          reject(signal.reason as Error);
        });
      });
    const call = serving.maintenance.HashKV({ revision: 1 }, () => undefined);
    await vi.waitFor(() => expect(member.asked).toHaveLength(1));
    member.onHashKv = onHashKv;
    const next = answerTo((done) => serving.maintenance.HashKV({ revision: 2 }, done));

    call.cancel();

    expect(await next).toMatchObject({ hash_revision: '2' });
    expect(ends).toMatchObject([{ code: 'CANCELLED' }]);
  });

  test('Hash is that of the newest revision', async () => {
    const answer = await answerTo((done) => serving.maintenance.Hash({}, done));

    expect(answer).toEqual({ header, hash: 4_294_967_295 });
    expect(member.asked).toEqual([{ method: 'hashKv', revision: 0 }]);
  });
});

describe('Defragment', () => {
  test('is done once at a time, and only some wait', async () => {
    const letGo: (() => void)[] = [];
    member.onDefragment = async () => new Promise<void>((resolve) => letGo.push(resolve));
    const outcomes = Array.from({ length: 6 }, async () =>
      answerTo((done) => serving.maintenance.Defragment({}, done)).then(
        () => 'answered',
        (error: unknown) => (error as ServiceError).details,
      ),
    );

    expect(await outcomes[5]).toBe('etcdserver: too many requests');
    for (let at = 0; at < 5; at++) {
      await vi.waitFor(() => expect(letGo).toHaveLength(1));
      letGo.pop()?.();
    }

    expect(await Promise.all(outcomes.slice(0, 5))).toEqual(Array(5).fill('answered'));
  });

  test('answers once it is done', async () => {
    expect(await answerTo((done) => serving.maintenance.Defragment({}, done))).toEqual({ header });
    expect(member.asked).toMatchObject([{ method: 'defragment' }]);
  });
});

describe('Downgrade', () => {
  test.each([
    ['VALIDATE', '3.4', status.INVALID_ARGUMENT, 'etcdserver: invalid downgrade target version'],
    ['ENABLE', '0.0.9', status.INVALID_ARGUMENT, 'etcdserver: invalid downgrade target version'],
    ['VALIDATE', '3', status.INVALID_ARGUMENT, 'etcdserver: wrong downgrade target version format'],
    ['ENABLE', '', status.INVALID_ARGUMENT, 'etcdserver: wrong downgrade target version format'],
    ['CANCEL', '', status.FAILED_PRECONDITION, 'etcdserver: no inflight downgrade job'],
  ] as const)('%s "%s" is refused, as there is no lower version', async (...row) => {
    const [action, version, code, details] = row;
    const error = await refusalOf((done) =>
      serving.maintenance.Downgrade({ action, version }, done),
    );

    expect(error).toMatchObject({ code, details });
  });

  test('of an unknown action is refused', async () => {
    const error = await refusalOf((done) =>
      serving.maintenance.Downgrade({ action: 5 as never, version: '3.4' }, done),
    );

    expect(error.details).toBe('etcdserver: unknown downgrade action 5');
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

  test.each([
    ['TIMEOUT', 'unknown'],
    ['BAD_TRANSFEREE', 'rejected'],
  ] as const)('that fails with %s has the outcome "%s"', async (code, outcome) => {
    member.onMoveLeader = async () => Promise.reject(new KvError(code));

    const error = await refusalOf((done) =>
      serving.maintenance.MoveLeader({ targetID: '1002' }, done),
    );

    expect(error.metadata.get('holdfast-outcome')).toEqual([outcome]);
  });

  test('to an id that no member can have is refused, as to any stranger', async () => {
    const error = await refusalOf((done) =>
      serving.maintenance.MoveLeader({ targetID: '18446744073709551615' }, done),
    );

    expect(error).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: bad leader transferee',
    });
    expect(member.asked).toEqual([]);
  });
});

test('a method that is not there is unimplemented', async () => {
  const error = await refusalOf((done) =>
    serving.maintenance.makeUnaryRequest(
      '/etcdserverpb.Maintenance/Mend',
      (value: Buffer) => value,
      (bytes) => bytes,
      Buffer.alloc(0),
      done,
    ),
  );

  expect(error.code).toBe(status.UNIMPLEMENTED);
});
