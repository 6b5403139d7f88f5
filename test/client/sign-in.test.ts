/** Name and password become a token that goes with every call. */
import { describe, expect, test } from 'vitest';
import { Holdfast } from '../../src/client/index.ts';
import { FakeMembers, type ReceivedCall, virtualEnvironment } from './fake-members.ts';

function setUp() {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const client = new Holdfast(
    { endpoints: '127.0.0.1:1', auth: { name: 'ann', password: 'secret' } },
    { transport: members, environment },
  );
  return { members, client, loop: environment.loop };
}

const method = {
  path: '/test/Echo',
  requestSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const emptyRange = { type: 'range', revision: 1, kvs: [], more: false, count: 0 };

describe('signing in', () => {
  test('happens once, before the first call', async () => {
    const { members, client } = setUp();
    members.onCall = (call: ReceivedCall) =>
      call.answer(call.path.endsWith('Authenticate') ? 'token1' : emptyRange);

    await Promise.all([client.kv.get('a'), client.kv.get('b')]);
    await client.kv.get('c');

    expect(members.callsOf('Authenticate')).toMatchObject([
      { request: { name: 'ann', password: 'secret' } },
    ]);
    expect(members.callsOf('Range').map(({ metadata }) => metadata)).toEqual([
      ...[{ token: 'token1' }, { token: 'token1' }, { token: 'token1' }],
    ]);
  });

  test('happens again when the token is not known any more', async () => {
    const { members, client, loop } = setUp();
    let tokens = 0;
    members.onCall = (call: ReceivedCall) => {
      if (call.path.endsWith('Authenticate')) {
        call.answer(`token${++tokens}`);
      } else if (call.metadata['token'] === 'token1') {
        call.fail({ status: 'UNAUTHENTICATED', message: 'etcdserver: invalid auth token' });
      } else {
        call.answer(emptyRange);
      }
    };

    expect(await loop.settle(client.kv.get('a'))).toBeUndefined();
    expect(tokens).toBe(2);
  });

  test('happens once for all calls that learn, one after the other, that it has to', async () => {
    const { members, client, loop } = setUp();
    const held: ReceivedCall[] = [];
    members.onCall = (call: ReceivedCall) => {
      if (members.callsOf('Authenticate').length === 1 && call.path.endsWith('Authenticate')) {
        call.answer('token1');
      } else {
        held.push(call);
      }
    };
    const all = Promise.all(Array.from({ length: 50 }, async () => client.kv.get('a')));
    await loop.run(0);
    for (const call of held.splice(0)) {
      call.fail({ status: 'UNAUTHENTICATED', message: 'etcdserver: invalid auth token' });
      await loop.run(40);
    }
    expect(members.callsOf('Authenticate')).toHaveLength(2);

    members.onCall = (call) => call.answer(emptyRange);
    held.forEach((call) => call.answer('token2'));
    expect(await loop.settle(all)).toHaveLength(50);
  });

  test('that fails between two attempts does not undo what the first may have done', async () => {
    const { members, client, loop } = setUp();
    let puts = 0;
    members.onCall = (call: ReceivedCall) => {
      if (!call.path.endsWith('Authenticate')) {
        call.fail(
          ++puts === 1
            ? { status: 'UNAVAILABLE', message: 'connection reset' }
            : { status: 'UNAUTHENTICATED', message: 'etcdserver: invalid auth token' },
        );
      } else if (puts === 0) {
        call.answer('token1');
      } else {
        call.fail({ status: 'INVALID_ARGUMENT', message: 'etcdserver: authentication failed' });
      }
    };

    const error = await loop.settle(
      client.caller
        .call({
          ...{ what: 'echo', method, request: '', purpose: 'idempotent' },
          metadata: { 'idempotency-key': 'payment 7' },
        })
        .catch((thrown: unknown) => thrown),
    );

    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
  });

  test('with a wrong password is an error that says so, and not the password', async () => {
    const { members, client } = setUp();
    members.onCall = (call: ReceivedCall) =>
      call.fail({
        status: 'INVALID_ARGUMENT',
        message: 'etcdserver: authentication failed, invalid user ID or password',
      });

    const error = await client.kv.get('a').catch((it: unknown) => it as Error);

    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect((error as Error).message).not.toContain('secret');
  });

  test('is not needed where members let in everybody, until they do not', async () => {
    const { members, client, loop } = setUp();
    const state = { isAsked: false };
    members.onCall = (call: ReceivedCall) => {
      if (call.path.endsWith('Authenticate')) {
        const message = 'etcdserver: authentication is not enabled';
        if (state.isAsked) {
          call.answer('token1');
        } else {
          call.fail({ status: 'FAILED_PRECONDITION', message });
        }
      } else if (state.isAsked && call.metadata['token'] === undefined) {
        call.fail({ status: 'INVALID_ARGUMENT', message: 'etcdserver: user name is empty' });
      } else {
        call.answer(emptyRange);
      }
    };

    await client.kv.get('a');
    await client.kv.get('a');
    expect(members.callsOf('Authenticate')).toHaveLength(1);
    state.isAsked = true;

    expect(await loop.settle(client.kv.get('a'))).toBeUndefined();
    expect(members.callsOf('Range').at(-1)?.metadata).toEqual({ token: 'token1' });
  });

  test('that takes too long ends no call before its own time, and no watch', async () => {
    const { members, client, loop } = setUp();
    const state = { isServing: false };
    members.onStream = (stream) => {
      if (stream.path.endsWith('/Operate')) {
        stream.end({ status: 'UNIMPLEMENTED', message: 'unknown service' });
      }
    };
    members.onCall = (call: ReceivedCall) => {
      if (!state.isServing) {
        call.fail({ status: 'UNAVAILABLE', message: 'etcdserver: no leader' });
      } else {
        call.answer(call.path.endsWith('Authenticate') ? 'token1' : emptyRange);
      }
    };
    const ends: unknown[] = [];
    client.kv.watch('a').listen({
      onEvent: () => undefined,
      onEnd: (error) => void ends.push(error),
    });
    const read = client.kv.get('a', { timeoutMs: 120_000 });

    await loop.run(40_000);
    state.isServing = true;

    expect(await loop.settle(read)).toBeUndefined();
    await loop.run(5000);
    expect(ends).toEqual([]);
    expect(members.streams.at(-1)).toMatchObject({ path: '/etcdserverpb.Watch/Watch' });
    await client.close();
  });

  test('ends with the client', async () => {
    const { members, client, loop } = setUp();
    const failures: unknown[] = [];
    client.kv.get('a').catch((error: unknown) => void failures.push(error));
    await loop.run(10);

    await client.close();
    await loop.run(60_000);

    expect(failures).toMatchObject([{ code: 'CLIENT_CLOSED' }]);
    expect(members.callsOf('Authenticate')).toHaveLength(1);
  });
});
