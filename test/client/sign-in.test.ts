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
});
