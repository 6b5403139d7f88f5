import { Metadata } from '@grpc/grpc-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { AuthChange } from '../../src/kv/index.ts';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { Metrics } from '../../src/observability/index.ts';
import { Callers, type DenialEvent, type IdentifiedCall } from '../../src/rpc/callers.ts';
import { FakeMember } from './fake-member.ts';

let member: FakeMember;
let callers: Callers;
let metrics: Metrics;
let denials: DenialEvent[];
let nowMs: number;

function change(...changes: readonly AuthChange[]): void {
  for (const each of changes) {
    member.authTable.change(each);
  }
}

beforeEach(async () => {
  member = new FakeMember();
  metrics = new Metrics();
  denials = [];
  nowMs = 0;
  callers = new Callers({
    ...{ member, metrics, nowMs: () => nowMs, tokenLifeMs: 1000 },
    cryptography: nodeCryptography,
    passwordWork: { cost: 2, blockSize: 1, parallelization: 1 },
    onDenied: (event) => {
      denials.push(event);
    },
  });
  change(
    { type: 'userAdd', user: 'root', passwordHash: await callers.passwords.hash('pw') },
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'userAdd', user: 'ann', passwordHash: await callers.passwords.hash('secret') },
    { type: 'userAdd', user: 'mute', passwordHash: new Uint8Array(0) },
  );
});

function enable(): void {
  change({ type: 'enable', secret: callers.newSecret() });
}

function callOf(path: string, token?: string, key = 'token'): IdentifiedCall {
  const metadata = new Metadata();
  if (token !== undefined) {
    metadata.set(key, token);
  }
  return { metadata, getPath: () => path };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return error instanceof KvError ? error.code : String(error);
  }
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof KvError ? error.code : String(error)),
  );
}

const put = '/etcdserverpb.KV/Put';
const status = '/etcdserverpb.Maintenance/Status';

describe('while nobody is asked', () => {
  test('a call has no caller, whatever it brings', () => {
    expect(callers.callerOf(callOf(put))).toBeUndefined();
    expect(callers.callerOf(callOf(put, 'anything'))).toBeUndefined();
  });

  test('nobody signs in', async () => {
    expect(await refusal(callers.signIn('ann', 'secret', {}))).toBe('AUTH_NOT_ENABLED');
  });
});

describe('once everybody is asked', () => {
  beforeEach(enable);

  test('who signs in is known by the token, in either metadata', async () => {
    const token = await callers.signIn('ann', 'secret', {});

    const { credentials } = member.authTable.user('ann') ?? {};
    expect(callers.callerOf(callOf(put, token))).toEqual({ user: 'ann', credentials });
    expect(callers.callerOf(callOf(put, token, 'authorization'))).toMatchObject({ user: 'ann' });
    expect(callers.callerOf(callOf(status, token))).toMatchObject({ user: 'ann' });
  });

  test('nobody else is', () => {
    expect(codeOf(() => callers.callerOf(callOf(put)))).toBe('USER_EMPTY');
    expect(codeOf(() => callers.callerOf(callOf(put, 'x')))).toBe('INVALID_AUTH_TOKEN');
    expect(codeOf(() => callers.callerOf(callOf(status)))).toBe('USER_EMPTY');
  });

  test('what is open needs no token, nor does a stream that asks each time', () => {
    for (const path of [
      '/etcdserverpb.Auth/Authenticate',
      '/grpc.health.v1.Health/Check',
      '/etcdserverpb.Watch/Watch',
    ]) {
      expect(callers.callerOf(callOf(path))).toBeUndefined();
      expect(callers.callerOf(callOf(path, 'x'))).toBeUndefined();
    }
  });

  test('a wrong password, an unknown user and one without a password get no token', async () => {
    for (const [name, password] of [
      ['ann', 'Secret'],
      ['eve', 'secret'],
      ['mute', ''],
    ] as const) {
      expect(await refusal(callers.signIn(name, password, {}))).toBe('AUTH_FAILED');
    }
  });

  test('a password is looked at by what a majority knows', async () => {
    member.onConfirmRead = async () => {
      change({ type: 'userChangePassword', user: 'ann', passwordHash: await hashOf('new') });
    };
    const hashOf = async (password: string): Promise<Uint8Array> =>
      callers.passwords.hash(password);

    expect(await refusal(callers.signIn('ann', 'secret', {}))).toBe('AUTH_FAILED');
    expect(await refusal(callers.signIn('ann', 'new', {}))).toBe('ok');
  });

  test('a token ends with its time, and with its user where that is all that counts', async () => {
    const token = await callers.signIn('ann', 'secret', {});
    change({ type: 'userDelete', user: 'ann' });
    expect(codeOf(() => callers.callerOf(callOf(status, token)))).toBe('INVALID_AUTH_TOKEN');

    member.timeMs = 1000;

    expect(codeOf(() => callers.callerOf(callOf(put, token)))).toBe('INVALID_AUTH_TOKEN');
  });

  test('root is looked for in the newest state, or in what the member has', async () => {
    const add = callOf('/etcdserverpb.Cluster/MemberAdd');
    const defragment = callOf('/etcdserverpb.Maintenance/Defragment');
    const caller = { user: 'ann', credentials: member.authTable.user('ann')?.credentials ?? 0 };
    expect([add, defragment, callOf(put)].map((each) => callers.takesRoot(each))).toEqual([
      ...[true, true, false],
    ]);

    expect(await refusal(callers.confirmRoot(defragment, { caller }))).toBe('PERMISSION_DENIED');
    member.onConfirmRead = async () => {
      change({ type: 'userGrantRole', user: 'ann', role: 'root' });
      return Promise.resolve();
    };
    expect(await refusal(callers.confirmRoot(add, { caller }))).toBe('ok');
  });
});

describe('a member that lags behind, and takes authentication for off', () => {
  const compact = '/etcdserverpb.KV/Compact';

  beforeEach(() => {
    member.onConfirmRead = async () => {
      enable();
      return Promise.resolve();
    };
  });

  test('lets nobody do what takes root', async () => {
    const call = callOf(compact);
    expect(callers.callerOf(call)).toBeUndefined();
    expect(callers.takesRoot(call)).toBe(true);

    expect(await refusal(callers.confirmRoot(call, {}))).toBe('USER_EMPTY');
  });

  test('finds out who calls', async () => {
    const secret = callers.newSecret();
    change({ type: 'enable', secret });
    const token = await callers.signIn('root', 'pw', {});
    change({ type: 'disable' });
    member.onConfirmRead = async () => {
      change({ type: 'enable', secret });
      return Promise.resolve();
    };

    expect(await callers.confirmRoot(callOf(compact, token), {})).toMatchObject({
      caller: { user: 'root' },
    });
  });
});

describe('calls that are turned away', () => {
  test('are counted by method and code, and told at a bounded rate', async () => {
    const denied = new KvError('PERMISSION_DENIED');
    for (let i = 0; i < 50; i++) {
      callers.noteFailure('Put', denied, { user: 'zo\u00c3\u00ab', credentials: 1 });
    }
    expect(denials).toHaveLength(20);
    expect(denials[0]).toEqual({
      method: 'Put',
      code: 'PERMISSION_DENIED',
      user: 'zoë',
      untold: 0,
    });

    nowMs = 10_000;
    callers.noteFailure('Put', new KvError('SESSION_OF_ANOTHER'), undefined);
    callers.noteFailure('Range', new KvError('INVALID_AUTH_TOKEN'), undefined);

    expect(denials.slice(20)).toEqual([
      { method: 'Put', code: 'SESSION_OF_ANOTHER', user: '', untold: 30 },
      { method: 'Range', code: 'INVALID_AUTH_TOKEN', user: '', untold: 0 },
    ]);
    expect(await metrics.render()).toContain(
      'holdfast_calls_denied_total{method="Put",code="PERMISSION_DENIED"} 50',
    );
  });

  test('for other reasons are not of interest here', () => {
    callers.noteFailure('Put', new KvError('TOO_MANY_REQUESTS'), undefined);
    callers.noteFailure('Put', new Error('PERMISSION_DENIED'), undefined);

    expect(denials).toEqual([]);
  });
});
