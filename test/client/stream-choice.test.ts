/**
 * On which stream operations travel: to which member, until when, and what becomes of those that a
 * stream owes when it is left or lost. Members are answered by the test, under virtual time.
 */
import { describe, expect, test } from 'vitest';
import type { ReceivedStream } from './fake-members.ts';
import { c, errorOf, failed, puts, putDone, setUp, usual } from './fake-pipelines.ts';

describe('a stream that breaks', () => {
  test('costs time only: all that it owed is sent again, with the same numbers', async () => {
    const { members, kv, loop, batches, state } = setUp();
    state.behave = ((first: string | undefined) => (operation, stream, batch) => {
      first ??= stream.address;
      if (stream.address === first) {
        stream.end({ status: 'UNAVAILABLE', message: 'connection reset' });
        return undefined;
      }
      return usual(operation, stream, batch);
    })(undefined);

    const done = await loop.settle(Promise.all([kv.put('a', '1'), kv.put('b', '2')]));

    expect(done).toHaveLength(2);
    expect(batches[0]?.address).not.toBe(batches.at(-1)?.address);
    expect(puts(batches[0]?.batch)).toEqual([1, 2]);
    expect(puts(batches.at(-1)?.batch)).toEqual([1, 2]);
    expect(members.callsOf('LeaseGrant')).toHaveLength(1);
  });

  test('because its member is silent is left', async () => {
    const { kv, loop, batches, state } = setUp();
    await loop.settle(kv.get('warm'));
    const silent = batches[0]?.address;
    state.behave = (operation, stream, batch) =>
      stream.address === silent ? undefined : usual(operation, stream, batch);

    await loop.settle(kv.get('a'));

    expect(batches.at(-1)?.address).not.toBe(silent);
    expect(loop.nowMs()).toBeLessThan(5000);
  });
});

describe('a client that is closed while it waits for another stream', () => {
  test('leaves no timer behind', async () => {
    const { client, members, kv, loop } = setUp();
    members.onStream = (stream) => stream.end({ status: 'UNAVAILABLE' });
    const failure = errorOf(kv.get('a'));
    await loop.runUntil(() => members.streams.length > 1, 1000, 1);

    await client.close();

    expect(await failure).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(loop.pendingTimers).toBe(0);
  });
});

describe('the leader', () => {
  test('is moved to once it is known, and what is under way ends where it is', async () => {
    const { members, kv, loop, batches, state } = setUp();
    await loop.settle(kv.get('a'));
    await loop.run(1500);
    state.leader = '3';
    const first = members.streams.at(-1);
    first?.answer({ leader: '3', answers: [] });
    await loop.run(600);
    await loop.settle(kv.get('b'));
    first?.answer({ leader: '3', answers: [] });
    await loop.run(1500);
    await loop.settle(kv.get('c'));
    await loop.settle(kv.get('d'));

    expect(batches.at(-1)?.address).toBe(c);
  });

  test('is found as well where members tell only whom they know', async () => {
    const { members, kv, loop, batches, state } = setUp({
      auth: { name: 'ann', password: 'secret' },
    });
    const onCall = members.onCall;
    members.onCall = (call) => {
      if (call.path.endsWith('/Authenticate')) {
        call.answer('token1');
      } else if (call.metadata['token'] === 'token1') {
        onCall?.(call);
      } else {
        call.fail({ status: 'INVALID_ARGUMENT', message: 'etcdserver: user name is empty' });
      }
    };
    state.leader = '3';

    for (let i = 0; i < 3; i++) {
      await loop.settle(kv.get('a'));
      await loop.run(1500);
    }
    await loop.settle(kv.get('a'));

    expect(batches.at(-1)?.address).toBe(c);
    expect(members.callsOf('Authenticate')).toHaveLength(1);
  });

  test('gets what waits for numbers once the member before it has answered', async () => {
    const { members, kv, loop, batches, state } = setUp();
    await loop.settle(kv.put('warm', ''));
    const first = members.streams.at(-1);
    const held: number[] = [];
    state.behave = (operation, stream, ...rest) => {
      const isHeld = operation.request?.type === 'put' && stream === first;
      return isHeld ? void held.push(operation.id) : usual(operation, stream, ...rest);
    };
    const all = Promise.all(Array.from({ length: 1500 }, async (_, i) => kv.put(`k${i}`, 'x')));
    await loop.run(1500);
    state.leader = '3';
    first?.answer({ leader: '3', answers: [] });
    await loop.run(600);
    first?.answer({ leader: '3', answers: [] });
    await loop.run(100);

    first?.answer({ answers: held.map((id) => ({ id, answer: putDone })) });
    await loop.settle(all);

    expect(held).toHaveLength(1024);
    expect(batches.at(-1)?.address).toBe(c);
    expect(loop.nowMs()).toBeLessThan(5000);
  });
});

describe('a token that members do not know any more', () => {
  const auth = { name: 'ann', password: 'secret' };
  const stranger = failed('UNAUTHENTICATED');
  const unauthenticated = { status: 'UNAUTHENTICATED', message: 'etcdserver: invalid auth token' };

  function withTokens() {
    const side = setUp({ auth });
    const { onCall, onStream } = side.members;
    let tokens = 0;
    side.members.onCall = (call) =>
      call.path.endsWith('/Authenticate') ? call.answer(`token${++tokens}`) : onCall?.(call);
    const tokenOf = (stream: ReceivedStream | undefined) => stream?.metadata['token'];
    return { ...side, onStream, tokenOf };
  }

  test('is replaced when a stream ends for it, also after another one was lost', async () => {
    const { members, kv, loop, state, onStream, tokenOf } = withTokens();
    await loop.settle(kv.put('a', '1'));
    members.onStream = (stream) =>
      tokenOf(stream) === 'token1' ? stream.end(unauthenticated) : onStream?.(stream);
    state.behave = (_, stream) => {
      state.behave = usual;
      stream.end();
      return undefined;
    };

    expect(await loop.settle(kv.put('b', '2'))).toEqual({ revision: 7 });
    expect(members.streams.map(tokenOf)).toEqual(['token1', 'token1', 'token2']);
  });

  test('is replaced when an operation is refused for it, which is sent again', async () => {
    const { members, kv, loop, batches, state, tokenOf } = withTokens();
    await loop.settle(kv.put('a', '1'));
    state.behave = (operation, stream, batch) =>
      tokenOf(stream) === 'token1' ? stranger : usual(operation, stream, batch);

    await loop.settle(Promise.all([kv.put('b', '2'), kv.put('c', '3')]));

    expect(members.streams.map(tokenOf)).toEqual(['token1', 'token2']);
    expect(members.streams[0]?.hasEnded).toBe(true);
    expect(batches.map(({ batch }) => puts(batch))).toEqual([[1], [2, 3], [2, 3]]);
  });

  test('is asked for once for an operation that is refused all the same', async () => {
    const { members, kv, loop, state } = withTokens();
    state.behave = () => stranger;

    expect(await loop.settle(errorOf(kv.get('a')))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(members.callsOf('Authenticate')).toHaveLength(2);
  });
});

describe('members without pipelines', () => {
  test('are called one by one, once that is known', async () => {
    const { members, kv, loop } = setUp();
    members.onStream = (stream) => stream.end({ status: 'UNIMPLEMENTED', message: 'unknown' });
    members.onCall = (call) => call.answer(putDone);

    await loop.settle(Promise.all([kv.put('a', '1'), kv.put('b', '2')]));
    await loop.settle(kv.put('c', '3'));

    expect(members.callsOf('Put')).toHaveLength(3);
    expect(members.streams).toHaveLength(1);
  });

  test('are not asked again for a write whose outcome is unknown', async () => {
    const { members, kv, loop } = setUp();
    members.onStream = (stream) => stream.end({ status: 'UNIMPLEMENTED', message: 'unknown' });
    members.onCall = (call) => call.fail({ message: 'connection reset' });

    expect(await loop.settle(errorOf(kv.put('a', '1')))).toMatchObject({
      ...{ code: 'CONNECTION_LOST', outcome: 'unknown' },
    });
    expect(members.callsOf('Put')).toHaveLength(1);
  });
});
