/** Users and roles on running members: the real driver under virtual time. */
import { beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import {
  type AskedCommand,
  type AuthChange,
  type Caller,
  fingerprintOf,
  type Permission,
} from '../../src/kv/index.ts';
import type { CallOptions, WatchNotice, WatchStream } from '../../src/replica/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { bytes, get, put } from './commands.ts';

let cluster: VirtualCluster;
let leader: number;

/** What a promise comes to: its value, or the code of the refusal. */
async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  let settled: { readonly value: T | string } | undefined;
  promise.then(
    (value) => {
      settled = { value };
    },
    (error: unknown) => {
      settled = { value: error instanceof KvError ? error.code : String(error) };
    },
  );
  await cluster.loop.runUntil(() => settled !== undefined, 60_000);
  return settled?.value ?? 'unsettled';
}

async function propose(command: AskedCommand, caller?: Caller): Promise<string> {
  const result = await outcome(cluster.member(leader).propose(command, { caller }));
  return typeof result === 'string' ? result : result.kind === 'ok' ? 'ok' : result.code;
}

async function change(...changes: readonly AuthChange[]): Promise<void> {
  for (const each of changes) {
    const caller = cluster.member(leader).auth.isEnabled ? callerOf('root') : undefined;
    expect(await propose({ type: 'auth', change: each }, caller)).toBe('ok');
  }
}

function callerOf(user: string): Caller {
  const { credentials = 0 } = cluster.member(leader).auth.user(user) ?? {};
  return { user, credentials };
}

async function read(key: string, options: CallOptions & { isSerializable?: boolean } = {}) {
  const answer = await outcome(cluster.member(leader).range(get(key), options));
  return typeof answer === 'string' ? answer : answer.result.kvs.length;
}

const permission = (access: Permission['access'], key: string): AuthChange => ({
  type: 'roleGrantPermission',
  role: 'r',
  permission: { access, key: bytes(key) },
});

/** All that a stream tells. */
function listen(stream: WatchStream): readonly WatchNotice[] {
  const notices: WatchNotice[] = [];
  const next = async (): Promise<void> => {
    for (let notice = await stream.next(); notice !== undefined; notice = await stream.next()) {
      notices.push(notice);
    }
  };
  void next();
  return notices;
}

function watch(stream: WatchStream, key: string, caller?: Caller): void {
  stream.create(0, {
    ...{ ranges: [{ key: bytes(key) }], startRevision: 0, wantsPuts: true, wantsDeletes: true },
    ...{ prevKv: false, keysOnly: false, progressNotify: false, caller },
  });
}

function summary(notices: readonly WatchNotice[]): readonly string[] {
  return notices.map((notice) =>
    'refusal' in notice && notice.refusal !== undefined
      ? `${notice.type} ${notice.refusal}`
      : notice.type,
  );
}

const enable: AuthChange = { type: 'enable', secret: bytes('s') };

beforeEach(async () => {
  cluster = new VirtualCluster(3, 1);
  await cluster.startAll();
  leader = await cluster.leader();
  const user = (name: string): AuthChange => ({
    type: 'userAdd',
    user: name,
    passwordHash: bytes('h'),
  });
  await change(
    ...['root', 'ann'].map(user),
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'roleAdd', role: 'r' },
    permission('read', 'a'),
    permission('write', 'b'),
    { type: 'userGrantRole', user: 'ann', role: 'r' },
  );
  await propose(put('a', '1'));
});

describe('a session', () => {
  const lease = 7n;
  const numbered = (sequence: number): AskedCommand => {
    const command = put('b', String(sequence));
    const id = { type: 'session', session: lease, sequence, lowestUnanswered: 1 } as const;
    return { type: 'once', id, fingerprint: fingerprintOf(command), command };
  };
  const renewed = async (id: number, user: string): Promise<number | string | undefined> =>
    outcome(cluster.member(id).leases.keepAlive(lease, { caller: callerOf(user) }));

  beforeEach(async () => {
    await change(enable);
    await propose({ type: 'leaseGrant', id: lease, ttlMs: 60_000 }, callerOf('ann'));
  });

  test('is renewed, at any member, by its owner alone', async () => {
    expect(await renewed(leader, 'root')).toBe(60_000);
    expect(await propose(numbered(1), callerOf('ann'))).toBe('ok');
    await cluster.loop.run(1000);

    for (const id of [1, 2, 3]) {
      expect(await renewed(id, 'root')).toBe('SESSION_OF_ANOTHER');
      expect(await renewed(id, 'ann')).toBe(60_000);
    }
    await change({ type: 'disable' });
    await cluster.loop.run(1000);
    expect(await renewed(leader, 'root')).toBe(60_000);
  });

  test('is written in by its owner alone, whoever leads, and after a restart', async () => {
    expect(await propose(numbered(1), callerOf('ann'))).toBe('ok');
    await cluster.member(leader).stop('abrupt');
    await cluster.start(leader);
    leader = await cluster.leader();

    expect(await propose(numbered(2), callerOf('root'))).toBe('SESSION_OF_ANOTHER');
    expect(await propose(numbered(2), callerOf('ann'))).toBe('ok');
  });
});

describe('a read', () => {
  beforeEach(async () => change(enable));

  test('is answered to who may read, linearizable or not', async () => {
    for (const isSerializable of [false, true]) {
      expect(await read('a', { caller: callerOf('ann'), isSerializable })).toBe(1);
      expect(await read('b', { caller: callerOf('ann'), isSerializable })).toBe(
        'PERMISSION_DENIED',
      );
      expect(await read('a', { isSerializable })).toBe('USER_EMPTY');
      expect(await read('b', { caller: callerOf('root'), isSerializable })).toBe(0);
    }
  });

  test('after a revocation is denied, whatever it was before', async () => {
    const member = cluster.member(leader);
    const revoked: AuthChange = { type: 'userRevokeRole', user: 'ann', role: 'r' };
    const caller = callerOf('ann');
    const reading = outcome(member.range(get('a', { revision: 2 }), { caller }));
    await change(revoked);

    expect(await reading).toMatchObject({ result: { kvs: [{ key: bytes('a') }] } });
    expect(await read('a', { caller })).toBe('PERMISSION_DENIED');
  });

  test('is checked again once it has been read', async () => {
    await change(permission('read', 'x'), { type: 'userGrantRole', user: 'ann', role: 'root' });
    const member = cluster.member(leader);
    const caller = callerOf('ann');
    // Takes root away in the middle of the read, as it would be applied then.
    const charge = (): void => {
      const { auth } = member as unknown as { auth: { accessOf: (of: Caller) => unknown } };
      auth.accessOf = () => 'INVALID_AUTH_TOKEN';
    };

    const answer = await outcome(
      member.range(get('a', { rangeEnd: bytes('z') }), { caller, charge }),
    );

    expect(answer).toBe('INVALID_AUTH_TOKEN');
  });
});

describe('a watch', () => {
  test('begins for who may read, and for nobody else', async () => {
    await change(enable);
    const stream = cluster.member(leader).openWatchStream();
    const notices = listen(stream);

    watch(stream, 'a', callerOf('ann'));
    watch(stream, 'b', callerOf('ann'));
    watch(stream, 'a');
    watch(stream, 'a', { user: 'ann', credentials: 1 });
    await cluster.loop.run(100);

    expect(summary(notices)).toEqual([
      'created',
      'rejected PERMISSION_DENIED',
      'rejected USER_EMPTY',
      'rejected INVALID_AUTH_TOKEN',
    ]);
  });

  test('ends when its caller may not read any more, before the events that come then', async () => {
    await change(enable);
    const root = callerOf('root');
    const stream = cluster.member(leader).openWatchStream();
    const notices = listen(stream);
    watch(stream, 'a', callerOf('ann'));
    watch(stream, 'a', root);
    const write = async (value: string): Promise<string> => propose(put('a', value), root);
    await write('2');
    await cluster.loop.run(100);
    expect(summary(notices)).toEqual(['created', 'created', 'events', 'events']);

    // In one batch of the log.
    const member = cluster.member(leader);
    const revoke = { type: 'auth', change: { type: 'roleDelete', role: 'r' } } as const;
    const both = [
      member.propose(revoke, { caller: root }),
      member.propose(put('a', 'secret'), { caller: root }),
    ];
    for (const each of both) {
      expect(await outcome(each)).toMatchObject({ kind: 'ok' });
    }
    await cluster.loop.run(100);

    expect(summary(notices.slice(4))).toEqual(['canceled PERMISSION_DENIED', 'events']);
    expect(notices[5]).toMatchObject({ watchId: 1 });
  });

  test('goes on through changes that do not concern it', async () => {
    await change(enable);
    const stream = cluster.member(leader).openWatchStream();
    const notices = listen(stream);
    watch(stream, 'a', callerOf('ann'));

    await change(permission('readwrite', 'c'), {
      type: 'userAdd',
      user: 'eve',
      passwordHash: bytes('h'),
    });
    await propose(put('a', '3'), callerOf('root'));
    await cluster.loop.run(100);

    expect(summary(notices)).toEqual(['created', 'events']);
  });

  test('that nobody was asked about ends once everybody is', async () => {
    const stream = cluster.member(leader).openWatchStream();
    const notices = listen(stream);
    watch(stream, 'a');

    await change(enable);
    await cluster.loop.run(100);

    expect(summary(notices)).toEqual(['created', 'canceled USER_EMPTY']);
  });
});

describe('users and roles', () => {
  test('are the same on every member, and after a restart', async () => {
    await change(enable);
    await cluster.loop.run(1000);
    const caller = callerOf('ann');
    const follower = (leader % 3) + 1;

    expect(await outcome(cluster.member(follower).range(get('b'), { caller }))).toBe(
      'PERMISSION_DENIED',
    );
    await outcome(cluster.member(follower).stop('abrupt'));
    await cluster.start(follower);
    await cluster.loop.run(1000);
    const { auth } = cluster.member(follower);
    expect([auth.isEnabled, auth.users, auth.roles]).toEqual([true, ['ann', 'root'], ['r']]);
    expect(auth.timeMs).toBeGreaterThan(0);
  });
});
