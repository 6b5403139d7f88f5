/** The Lease service over real gRPC, in front of a fake member. */
import { once } from 'node:events';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import type { Command, CommandResult } from '../../src/kv/index.ts';
import { Tokens } from '../../src/rpc/tokens.ts';
import { farLimits } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, serve, type Serving } from './serving.ts';

const mebibyte = 1024 * 1024;

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async (command: Command): Promise<CommandResult> =>
    Promise.resolve(
      command.type === 'leaseGrant'
        ? { kind: 'ok', revision: 9, result: command }
        : { kind: 'ok', revision: 9, result: { type: 'leaseRevoke' } },
    );
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

async function grant(request: { TTL?: string; ID?: string }): Promise<unknown> {
  return answerTo((done) => serving.lease.LeaseGrant(request, done));
}

describe('the Lease service', () => {
  test('grants with the id asked for, or one of its own, for one second at least', async () => {
    expect(await grant({ TTL: '60', ID: '-5' })).toMatchObject({ ID: '-5', TTL: '60' });
    expect(await grant({ TTL: '0' })).toMatchObject({ ID: '77', TTL: '1', error: '' });
    const commands = member.asked.map((each) => 'command' in each && each.command);
    expect(commands).toEqual([
      { type: 'leaseGrant', id: -5n, ttlMs: 60_000 },
      { type: 'leaseGrant', id: 77n, ttlMs: 1000 },
    ]);
  });

  test('refuses a time that is too long, and what the state refuses', async () => {
    await expect(grant({ TTL: '9000000001' })).rejects.toMatchObject({
      code: status.OUT_OF_RANGE,
      details: 'etcdserver: too large lease TTL',
    });
    member.onPropose = async () =>
      Promise.resolve({ kind: 'refused', code: 'LEASE_EXISTS', revision: 1 });
    await expect(grant({ TTL: '5', ID: '1' })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: lease already exists',
    });
  });

  test('revokes', async () => {
    const answer = await answerTo((done) => serving.lease.LeaseRevoke({ ID: '4' }, done));
    expect(answer).toMatchObject({ header: { revision: '9' } });
  });

  test('tells what remains in whole seconds, and -1 of a lease that is not there', async () => {
    const lease = { id: 4n, ttlMs: 60_000, remainingMs: 59_999, keys: [Uint8Array.of(97)] };
    member.onLease = async (id) => Promise.resolve(id === 4n ? lease : undefined);
    const ask = async (ID: string): Promise<unknown> =>
      answerTo((done) => serving.lease.LeaseTimeToLive({ ID, keys: true }, done));
    expect(await ask('4')).toMatchObject({
      ...{ ID: '4', TTL: '59', grantedTTL: '60', keys: [Buffer.from('a')] },
    });
    expect(await ask('5')).toMatchObject({ ID: '5', TTL: '-1', grantedTTL: '0', keys: [] });
  });

  test('has the keys of a lease make room for themselves while they are read', async () => {
    const small = await serve(member, { limits: { ...farLimits, bulkBytes: 64 * mebibyte } });
    onTestFinished(async () => small.close());
    let letGo: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = 0;
    member.onLease = async (id, _withKeys, options) => {
      asked++;
      options?.charge?.(30 * mebibyte);
      await first;
      return { id, ttlMs: 60_000, remainingMs: 59_999, keys: [] };
    };
    const ask = async (): Promise<unknown> =>
      answerTo((done) => small.lease.LeaseTimeToLive({ ID: '4', keys: true }, done));

    const alone = ask();
    await vi.waitFor(() => expect(asked).toBe(1));
    await expect(ask()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    letGo();

    expect(await alone).toMatchObject({ ID: '4' });
    // All of it has been given back.
    expect(await ask()).toMatchObject({ ID: '4' });
  });

  test('lists leases', async () => {
    member.onAllLeases = async () =>
      Promise.resolve([2n, -1n].map((id) => ({ id, ttlMs: 1000, remainingMs: 5 })));
    const answer = await answerTo((done) => serving.lease.LeaseLeases({}, done));
    expect(answer).toMatchObject({ leases: [{ ID: '2' }, { ID: '-1' }] });
  });

  test('renews many leases of a stream at once and answers in their order', async () => {
    const waiting: (() => void)[] = [];
    member.onKeepAlive = async (id) =>
      new Promise((resolve) => {
        waiting.unshift(() => {
          resolve(id === 2n ? undefined : 5000);
        });
        if (waiting.length === 3) {
          waiting.forEach((answer) => {
            answer();
          });
        }
      });
    const call = serving.lease.LeaseKeepAlive();
    const answers: unknown[] = [];
    call.on('data', (answer) => answers.push(answer));
    for (const ID of ['1', '2', '3']) {
      call.write({ ID });
    }
    call.end();
    await once(call, 'end');
    expect(answers).toMatchObject([
      { ID: '1', TTL: '5' },
      { ID: '2', TTL: '0' },
      { ID: '3', TTL: '5' },
    ]);
  });

  test('ends a stream whose renewal fails, and says why', async () => {
    member.onKeepAlive = async () => Promise.reject(new KvError('TIMEOUT'));
    const call = serving.lease.LeaseKeepAlive();
    call.write({ ID: '1' });
    const [error] = (await once(call, 'error')) as [ServiceError];
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('ends a stream of renewals whose client wants a leader, once there is none', async () => {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    const call = serving.lease.LeaseKeepAlive(metadata);
    call.write({ ID: '4' });
    await once(call, 'data');
    const ended = once(call, 'error') as Promise<[ServiceError]>;

    member.leader = 0;
    await serving.timers.run(10_000);

    const [error] = await ended;
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'etcdserver: no leader' });
  });

  test('renews on behalf of whoever calls, and says whose session it is not', async () => {
    const callers: unknown[] = [];
    member.onKeepAlive = async (_id, options) => {
      callers.push(options?.caller);
      return Promise.reject(new KvError('SESSION_OF_ANOTHER'));
    };
    const hash = Uint8Array.of(1);
    member.authTable.change({ type: 'userAdd', user: 'root', passwordHash: hash });
    member.authTable.change({ type: 'userGrantRole', user: 'root', role: 'root' });
    member.authTable.change({ type: 'enable', secret: Uint8Array.of(1) });
    const caller = { user: 'root', credentials: 2 };
    const metadata = new Metadata();
    const tokens = new Tokens(nodeCryptography, member.auth, member.clusterId);
    metadata.set('token', tokens.issue(caller, 1000));

    const call = serving.lease.LeaseKeepAlive(metadata);
    call.write({ ID: '1' });
    const [error] = (await once(call, 'error')) as [ServiceError];

    expect(error).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(error.metadata.getMap()).toMatchObject({
      ...{ 'holdfast-code': 'SESSION_OF_ANOTHER', 'holdfast-outcome': 'rejected' },
    });
    expect(callers).toEqual([caller]);
  });
});
