/**
 * Operations in batches: what travels together, what is sent again and where, and how each ends.
 * Members are answered by the test, under virtual time.
 */
import { describe, expect, test } from 'vitest';
import { Holdfast, type HoldfastError, type HoldfastOptions } from '../../src/client/index.ts';
import {
  type PipelineAnswer,
  readOperationBatch,
  type ReceivedBatch,
  type ReceivedOperation,
} from '../../src/wire/pipeline-codec.ts';
import { FakeMembers, type ReceivedStream, virtualEnvironment } from './fake-members.ts';

const [a, b, c] = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] as const;

/** What a member does about an operation: answers it, or nothing. */
type Behaviour = (
  operation: ReceivedOperation,
  stream: ReceivedStream,
  batch: ReceivedBatch,
) => PipelineAnswer | undefined;

const putDone: PipelineAnswer = { type: 'put', revision: 7, prevKv: undefined };
const found: PipelineAnswer = { type: 'range', revision: 7, kvs: [], more: false, count: 0 };
const usual: Behaviour = ({ request }) =>
  request?.type === 'range'
    ? found
    : request?.type === 'leaseKeepAlive'
      ? { type: 'leaseKeepAlive', ttlSeconds: 60 }
      : putDone;

function failed(code: string, isOutcomeUnknown = false): PipelineAnswer {
  const status = code === 'UNAUTHENTICATED' ? 16 : 14;
  return { type: 'failure', failure: { status, code, message: code, isOutcomeUnknown } };
}

function setUp(options: Partial<HoldfastOptions> = {}) {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const state = { behave: usual, leader: '0', sessions: 0 };
  const batches: { readonly address: string; readonly batch: ReceivedBatch }[] = [];
  const idOf = (address: string): string => address.slice(-1);
  members.onCall = (call) => {
    if (call.path.endsWith('/LeaseGrant')) {
      call.answer({ ID: String(++state.sessions * 100), TTL: '60' });
    } else {
      call.answer({ header: { member_id: idOf(call.address) }, leader: state.leader });
    }
  };
  members.onStream = (stream) => {
    stream.answer({
      welcome: {
        ...{ clusterId: '9', memberId: idOf(stream.address) },
        ...{ operationsMax: 4096, operationBytesMax: 16 * 1024 * 1024 },
      },
      leader: state.leader,
      answers: [],
    });
  };
  members.onMessage = (stream, message) => {
    const batch = readOperationBatch(message as Buffer);
    batches.push({ address: stream.address, batch });
    const answers = batch.operations.flatMap((operation) => {
      const answer = state.behave(operation, stream, batch);
      return answer === undefined ? [] : [{ id: operation.id, answer }];
    });
    if (answers.length > 0) {
      stream.answer({ welcome: undefined, leader: undefined, answers });
    }
  };
  const client = new Holdfast(
    { endpoints: [a, b, c], ...options },
    { transport: members, environment },
  );
  return { members, client, kv: client.kv, loop: environment.loop, state, batches };
}

async function errorOf(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    () => Promise.reject(new Error('the call has succeeded')),
    (error: unknown) => error as HoldfastError,
  );
}

const puts = (batch: ReceivedBatch | undefined): readonly number[] =>
  (batch?.operations ?? []).map(({ sequence }) => sequence);

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

  test('that has ended fails what was sent before: it may have happened', async () => {
    const { kv, loop, state } = setUp();
    const answers = [failed('LEADER_CHANGED', true), failed('SESSION_EXPIRED', true)];
    state.behave = (...args) => answers.shift() ?? usual(...args);

    expect(await loop.settle(errorOf(kv.put('a', '1')))).toMatchObject({
      ...{ code: 'SESSION_EXPIRED', outcome: 'unknown' },
    });
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
