/**
 * Operations in batches: what travels together, what is sent again, and how each ends. Members are
 * answered by the test, under virtual time.
 */
import { describe, expect, test } from 'vitest';
import type { ReceivedStream } from './fake-members.ts';
import { a, b, c, errorOf, failed, puts, putDone, setUp, usual } from './fake-pipelines.ts';

describe('calls of one turn', () => {
  test('travel in one message, numbered within a session', async () => {
    const { kv, loop, batches } = setUp();

    await loop.settle(Promise.all([kv.put('a', '1'), kv.put('b', '2'), kv.put('c', '3')]));
    await loop.settle(Promise.all([kv.put('d', '4'), kv.put('e', '5')]));

    expect(
      batches.map(({ batch }) => [batch.session, batch.lowestUnanswered, puts(batch)]),
    ).toEqual([
      ['100', 1, [1, 2, 3]],
      ['100', 4, [4, 5]],
    ]);
  });

  test('are cut into messages that members take', async () => {
    const { kv, loop, batches } = setUp();
    const value = 'x'.repeat(200 * 1024);

    await loop.settle(Promise.all([1, 2, 3, 4, 5].map(async (i) => kv.put(`k${i}`, value))));

    expect(batches.map(({ batch }) => batch.operations.length)).toEqual([2, 2, 1]);
  });

  test('with what is too long for a batch go beside it, under a name of their own', async () => {
    const { members, kv, loop } = setUp();
    await loop.settle(kv.get('a'));
    members.onCall = (call) => call.answer({ type: 'put', revision: 8, prevKv: undefined });

    await loop.settle(kv.put('a', 'x'.repeat(600 * 1024)));

    expect(members.callsOf('Put')).toMatchObject([{ metadata: { 'idempotency-key': 'name1' } }]);
  });

  test('do not suffer from one that cannot be written as a message', async () => {
    const { kv, loop, batches } = setUp();
    // What gets past the checks of arguments: a forged operation of a transaction.
    const put = { key: Buffer.from('b'), value: Buffer.from('2'), lease: 'abc' };
    const forged = { message: { type: 'put', put } } as const;

    const bad = errorOf(kv.txn({ then: [forged] }));
    await loop.settle(Promise.all([kv.put('a', '1'), kv.put('c', '3'), kv.get('d'), bad]));

    expect(await bad).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'rejected' });
    expect(batches.flatMap(({ batch }) => batch.operations.length)).toEqual([1, 2]);
    await loop.settle(kv.put('e', '5'));
    expect(batches.at(-1)?.batch.operations).toHaveLength(1);
  });

  test('wait while the stream takes no more', async () => {
    const { members, kv, loop, batches } = setUp();
    await loop.settle(kv.get('a'));
    const stream = members.streams.at(-1);
    (stream as ReceivedStream).isBlocked = true;
    await loop.settle(kv.get('b'));
    const waiting = kv.get('c');
    await loop.run(100);
    expect(batches).toHaveLength(2);

    (stream as ReceivedStream).isBlocked = false;
    stream?.drain();
    await loop.settle(waiting);
    expect(batches).toHaveLength(3);
  });

  test('are as many as the session has numbers; the others wait for answers', async () => {
    const { kv, loop, batches, state } = setUp();
    const held: (() => void)[] = [];
    state.behave = (operation, stream) => {
      held.push(() => stream.answer({ answers: [{ id: operation.id, answer: putDone }] }));
      return undefined;
    };
    const all = Promise.all(Array.from({ length: 1500 }, async (_, i) => kv.put(`k${i}`, 'x')));
    await loop.run(100);
    expect(held).toHaveLength(1024);

    state.behave = usual;
    for (const answer of held) {
      answer();
    }
    expect(await loop.settle(all)).toHaveLength(1500);
    expect(Math.max(...batches.flatMap(({ batch }) => puts(batch)))).toBe(1500);
  });
});

describe('an operation', () => {
  test('is sent again after a failure that may pass', async () => {
    const { kv, loop, batches, state } = setUp();
    const failures = [failed('NO_LEADER'), failed('LEADER_CHANGED', true), failed('TIMEOUT', true)];
    state.behave = (...args) => failures.shift() ?? usual(...args);

    expect(await loop.settle(kv.put('a', '1'))).toMatchObject({ revision: 7 });
    expect(batches.map(({ batch }) => puts(batch))).toEqual([[1], [1], [1], [1]]);
  });

  test('is sent again before those that its number holds up', async () => {
    const { kv, loop, state } = setUp();
    let refusals = 0;
    // Not answered, the lowest number of the session lets no more than a window of others begin.
    state.behave = ({ sequence, request }) =>
      request?.type === 'put' && sequence === 1 && refusals++ === 0 ? failed('NO_LEADER') : putDone;

    const all = Array.from({ length: 1500 }, async (_, i) => kv.put(`key-${i}`, 'x'));
    await loop.settle(Promise.all(all));

    expect(refusals).toBe(2);
    expect(loop.nowMs()).toBeLessThan(1000);
  });

  test('that is given up lets those begin that its number held up', async () => {
    const { kv, loop, state } = setUp();
    state.behave = (...args) => (args[0].sequence === 1 ? undefined : usual(...args));
    const controller = new AbortController();
    const first = errorOf(kv.put('a', '1', { signal: controller.signal }));
    const others = Promise.all(Array.from({ length: 1500 }, async (_, i) => kv.put(`k${i}`, 'x')));
    await loop.run(100);

    controller.abort();
    await loop.settle(others);

    expect(await first).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    expect(loop.nowMs()).toBeLessThan(1000);
  });

  test('fails with what will not pass, and only it', async () => {
    const { kv, loop, state } = setUp();
    state.behave = (operation, ...args) =>
      operation.request?.type === 'put' && operation.request.request.value.length === 0
        ? failed('NO_SPACE')
        : usual(operation, ...args);

    const [error, done] = await loop.settle(
      Promise.all([errorOf(kv.put('a', '')), kv.put('b', '2')]),
    );

    expect(error).toMatchObject({ code: 'NO_SPACE', outcome: 'rejected' });
    expect(done.revision).toBe(7);
  });

  test('ends with its deadline; its number is not waited for any more', async () => {
    const { kv, loop, batches, state } = setUp();
    await loop.settle(kv.put('warm', ''));
    state.behave = () => undefined;
    const error = await loop.settle(errorOf(kv.put('a', '1', { timeoutMs: 500 })));
    state.behave = usual;
    await loop.settle(kv.put('b', '2'));

    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
    expect(error.message).toMatch(/put has not succeeded within 500 ms: 127.*waiting for the ans/);
    expect(batches.at(-1)?.batch).toMatchObject({ lowestUnanswered: 3 });
  });

  test('ends when it is aborted', async () => {
    const { kv, loop, state } = setUp();
    state.behave = () => undefined;
    const controller = new AbortController();
    const ended = errorOf(kv.put('a', '1', { signal: controller.signal }));
    await loop.run(100);
    controller.abort('reason');

    expect(await ended).toMatchObject({ code: 'ABORTED', outcome: 'unknown', cause: 'reason' });
    expect(await errorOf(kv.get('a', { signal: AbortSignal.abort() }))).toMatchObject({
      ...{ code: 'ABORTED', outcome: 'rejected' },
    });
  });

  test('ends when the client is closed', async () => {
    const { client, kv, loop, state } = setUp();
    state.behave = () => undefined;
    const ended = errorOf(kv.put('a', '1'));
    await loop.run(100);

    await loop.settle(client.close());

    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED', outcome: 'unknown' });
    await loop.run(2000);
    expect(loop.pendingTimers).toBe(0);
  });

  test('that may have happened is not called rejected by a later refusal', async () => {
    const { kv, loop, state } = setUp();
    let sent = 0;
    state.behave = (operation, stream, batch) => {
      if (operation.request?.type !== 'put') {
        return usual(operation, stream, batch);
      }
      if (++sent > 1) {
        return failed('PERMISSION_DENIED');
      }
      stream.end({ status: 'UNAVAILABLE', message: 'connection reset' });
      return undefined;
    };

    expect(await loop.settle(errorOf(kv.put('a', '1')))).toMatchObject({
      ...{ code: 'PERMISSION_DENIED', outcome: 'unknown' },
    });
    expect(await loop.settle(errorOf(kv.put('a', '1')))).toMatchObject({
      ...{ code: 'PERMISSION_DENIED', outcome: 'rejected' },
    });
  });

  test('that was refused for certain until its time was up surely had no effect', async () => {
    const { kv, loop, state } = setUp();
    state.behave = (operation, ...rest) =>
      operation.request?.type === 'put' ? failed('TOO_MANY_REQUESTS') : usual(operation, ...rest);

    expect(await loop.settle(errorOf(kv.put('a', '1', { timeoutMs: 995 })))).toMatchObject({
      ...{ code: 'DEADLINE_EXCEEDED', outcome: 'rejected' },
    });
  });

  test('has a name when its caller gives it one, instead of a number', async () => {
    const { kv, loop, batches } = setUp();

    await loop.settle(kv.put('a', '1', { idempotencyKey: 'payment 7' }));

    expect(batches[0]?.batch.operations).toMatchObject([
      { sequence: 0, idempotencyKey: Buffer.from('payment 7') },
    ]);
  });

  test('is refused when far too many wait already', async () => {
    const { members, kv, loop } = setUp();
    for (const address of [a, b, c]) {
      members.down.set(address, 'connection refused');
    }
    const value = 'x'.repeat(512 * 1024 - 100);
    const waiting = Array.from({ length: 128 }, async () => errorOf(kv.put('a', value)));

    const error = await errorOf(kv.put('a', value));
    expect(error).toMatchObject({ code: 'CLIENT_OVERLOADED', outcome: 'rejected' });
    await loop.run(31_000);
    expect(await waiting[0]).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'rejected' });
  });

  test('counts for that as well when it goes alone, being long or to members of etcd', async () => {
    const overloaded = { code: 'CLIENT_OVERLOADED', outcome: 'rejected' };
    for (const bytes of [600_000, 400_000]) {
      const { members, kv, loop } = setUp();
      members.onStream = (stream) => stream.end({ status: 'UNIMPLEMENTED', message: 'no such' });
      await loop.settle(errorOf(kv.get('a')));
      members.onCall = () => undefined;
      const value = 'x'.repeat(bytes);
      const count = Math.floor((64 * 1024 * 1024) / (bytes + 65));
      const waiting = Array.from({ length: count }, async () => errorOf(kv.put('a', value)));

      expect(await errorOf(kv.put('a', value))).toMatchObject(overloaded);
      await loop.run(31_000);
      await Promise.all(waiting);
      members.onCall = (call) => call.answer({ type: 'put', revision: 8, prevKv: undefined });
      expect(await loop.settle(kv.put('a', value))).toMatchObject({ revision: 8 });
    }
  });
});

describe('a session', () => {
  test('that has ended is replaced without anybody noticing', async () => {
    const { kv, loop, batches, state } = setUp();
    await loop.settle(kv.put('a', '1'));
    state.behave = (operation, stream, batch) =>
      batch.session === '100' ? failed('SESSION_EXPIRED', true) : usual(operation, stream, batch);

    await loop.settle(Promise.all([kv.put('b', '2'), kv.put('c', '3')]));

    expect(batches.at(-1)?.batch).toMatchObject({ session: '200' });
    expect(puts(batches.at(-1)?.batch)).toEqual([1, 2]);
  });

  test('that is another user’s by now is replaced, too', async () => {
    const { kv, loop, batches, state } = setUp();
    await loop.settle(kv.put('a', '1'));
    state.behave = (operation, stream, batch) =>
      batch.session === '100' ? failed('SESSION_OF_ANOTHER') : usual(operation, stream, batch);

    await loop.settle(kv.put('b', '2'));

    expect(batches.at(-1)?.batch).toMatchObject({ session: '200' });
  });

  test('that has ended fails what was sent before: it may have happened', async () => {
    const { kv, loop, state } = setUp();
    const answers = [failed('LEADER_CHANGED', true), failed('SESSION_EXPIRED', true)];
    state.behave = (...args) => answers.shift() ?? usual(...args);

    expect(await loop.settle(errorOf(kv.put('a', '1')))).toMatchObject({
      ...{ code: 'SESSION_EXPIRED', outcome: 'unknown' },
    });
  });

  test('that has ended is no matter for what was refused in it for certain', async () => {
    const { kv, loop, batches, state } = setUp();
    const answers = [failed('NO_LEADER'), failed('SESSION_EXPIRED', true)];
    state.behave = (...args) => answers.shift() ?? usual(...args);

    expect(await loop.settle(kv.put('a', '1'))).toMatchObject({ revision: 7 });
    expect(batches.at(-1)?.batch).toMatchObject({ session: '200' });
  });

  test('that is refused fails the writes that wait for it, each with its own outcome', async () => {
    const { members, kv, loop, state } = setUp();
    await loop.settle(kv.put('warm', ''));
    const answers = [failed('LEADER_CHANGED', true), failed('SESSION_EXPIRED', true)];
    state.behave = (...args) => answers.shift() ?? usual(...args);
    members.onCall = (call) => call.fail({ status: 'PERMISSION_DENIED', message: 'not you' });

    const [first, second] = await loop.settle(
      Promise.all([errorOf(kv.put('a', '1')), errorOf(kv.put('b', '2'))]),
    );

    expect(first).toMatchObject({ code: 'PERMISSION_DENIED', outcome: 'unknown' });
    expect(second).toMatchObject({ code: 'PERMISSION_DENIED', outcome: 'rejected' });
  });

  test('is renewed while there are writes, and let go when there are none', async () => {
    const { members, kv, loop, batches } = setUp();
    const renewals = (): number =>
      batches.filter(({ batch }) => batch.operations[0]?.request?.type === 'leaseKeepAlive').length;
    await loop.settle(kv.put('a', '1'));
    await loop.run(16_000);
    expect(renewals()).toBe(1);
    await loop.run(60_000);
    expect(renewals()).toBe(1);

    await loop.settle(kv.put('b', '2'));
    expect(members.callsOf('LeaseGrant')).toHaveLength(2);
  });
});
