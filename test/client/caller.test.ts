/** Calls to members: where they go, what is repeated, and how they end. */
import { describe, expect, test } from 'vitest';
import { type CallSpec, MemberCaller } from '../../src/client/caller.ts';
import { Endpoints } from '../../src/client/endpoints.ts';
import type { HoldfastError } from '../../src/client/errors.ts';
import { LeaderFinder } from '../../src/client/leader-finder.ts';
import { RetryPace } from '../../src/client/pace.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

const [a, b, c] = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] as const;
const method = {
  path: '/test/Echo',
  requestSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};

function setUp(addresses: readonly string[] = [a, b, c]) {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const endpoints = new Endpoints(addresses, {
    transport: members,
    clock: environment.loop,
    first: 0,
  });
  const caller = new MemberCaller({
    environment,
    endpoints,
    pace: new RetryPace(environment),
    finder: new LeaderFinder(endpoints, environment.loop),
    timeoutMs: 10_000,
  });
  const call = async (spec: Partial<CallSpec<string, string>> = {}): Promise<string> =>
    caller.call({ what: 'echo', method, request: 'hello', purpose: 'read', ...spec });
  return { members, endpoints, caller, call, loop: environment.loop };
}

async function errorOf(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    () => Promise.reject(new Error('the call has succeeded')),
    (error: unknown) => error as HoldfastError,
  );
}

describe('a call', () => {
  test('goes to an endpoint and brings its answer', async () => {
    const { members, call } = setUp();
    members.onCall = (received) => received.answer('world');

    expect(await call({ metadata: { name: 'value' } })).toBe('world');
    expect(members.calls).toMatchObject([
      { address: a, request: 'hello', metadata: { name: 'value' } },
    ]);
  });

  test('goes on to the next endpoint when one is a learner, and leaves it alone', async () => {
    const { members, call, loop } = setUp();
    members.onCall = (received) =>
      received.address === a
        ? received.fail({ message: 'etcdserver: rpc not supported for learner' })
        : received.answer(received.address);

    expect(await loop.settle(call({ purpose: 'write' }))).toBe(b);
    expect(await loop.settle(call())).not.toBe(a);
    expect(await loop.settle(call())).not.toBe(a);
    expect(members.calls.filter(({ address }) => address === a)).toHaveLength(1);
  });

  test('goes on to the next endpoint when one refuses connections', async () => {
    const { members, call, loop } = setUp();
    members.down.set(a, 'connection refused');
    members.onCall = (received) => received.answer(received.address);

    expect(await loop.settle(call({ purpose: 'write' }))).toBe(b);
  });

  test('goes on when a connection is neither made nor refused', async () => {
    const { members, call, loop } = setUp();
    members.silent.add(a);
    members.onCall = (received) => received.answer(received.address);

    expect(await loop.settle(call({ purpose: 'write' }))).toBe(b);
    expect(loop.nowMs()).toBeLessThan(3000);
  });

  test('fails at once when certificates are refused at every endpoint, and says so', async () => {
    const { members, call, loop } = setUp();
    for (const address of [a, b, c]) {
      members.mistrusted.set(address, 'TLS: not trusted');
    }

    const error = await loop.settle(errorOf(call({ purpose: 'write' })));

    expect(error).toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      retryable: false,
      outcome: 'rejected',
      message: expect.stringMatching(/^echo failed at 127.0.0.1:\d: TLS: not trusted$/) as string,
      hint: expect.stringContaining('check tls') as string,
    });
    expect(loop.nowMs()).toBeLessThan(2000);
  });

  test('goes on where a certificate is taken, and waits for who cannot be reached', async () => {
    const { members, call, loop } = setUp();
    members.mistrusted.set(a, 'TLS: not trusted').set(b, 'TLS: not trusted');
    members.onCall = (received) => received.answer(received.address);

    expect(await loop.settle(call())).toBe(c);
    members.down.set(c, 'connection refused');
    const error = await loop.settle(errorOf(call()));

    expect(error.code).toBe('DEADLINE_EXCEEDED');
  });

  test('leaves an endpoint alone for a while after it has failed', async () => {
    const { members, call, loop } = setUp([a, b]);
    members.down.set(a, 'connection refused');
    members.onCall = (received) => received.answer(received.address);

    await loop.settle(call());
    members.down.delete(a);
    const soon = await Promise.all([call(), call()]);
    await loop.run(1000);
    const later = await Promise.all([call(), call()]);

    expect(soon).toEqual([b, b]);
    expect(new Set(later)).toEqual(new Set([a, b]));
  });

  test('leaves nothing behind', async () => {
    const { members, call, loop } = setUp();
    members.onCall = (received) => received.answer('world');
    const controller = new AbortController();

    await call({ signal: controller.signal });

    expect(loop.pendingTimers).toBe(0);
  });
});

describe('routing', () => {
  const statusOf = (members: Record<string, string>, leader: string) => (address: string) => ({
    header: { member_id: members[address] },
    leader,
  });

  test('leads to the leader once the members have said who it is', async () => {
    const { members, call, loop } = setUp();
    const status = statusOf({ [a]: '1', [b]: '2', [c]: '3' }, '3');
    members.onCall = (received) =>
      received.answer(
        received.path.endsWith('Status') ? status(received.address) : received.address,
      );

    await loop.settle(call({ route: 'leader' }));

    expect(await call({ route: 'leader' })).toBe(c);
    expect(await call({ route: 'leader' })).toBe(c);
  });

  test('asks each member once at a time who leads, and none once it is closed', async () => {
    const { members, caller, call, loop } = setUp();
    members.onCall = (received) => {
      if (!received.path.endsWith('Status')) {
        received.answer(received.address);
      }
    };

    for (let i = 0; i < 5; i++) {
      await call({ route: 'leader' });
      await loop.run(1000);
    }
    expect(members.callsOf('Status').map(({ address }) => address)).toEqual([a, b, c]);
    members.callsOf('Status')[0]?.fail({});
    await call({ route: 'leader' });
    expect(members.callsOf('Status').map(({ address }) => address)).toEqual([a, b, c, a]);
    caller.close();

    expect(members.callsOf('Status').map(({ isCancelled }) => isCancelled)).toEqual([
      ...[false, true, true, true],
    ]);
  });

  test('does not insist on a leader that cannot be reached', async () => {
    const { members, endpoints, call, loop } = setUp();
    members.onCall = (received) => received.answer(received.address);
    for (const [i, endpoint] of endpoints.all.entries()) {
      endpoints.learn(endpoint, String(i + 1), '3');
    }
    members.down.set(c, 'connection refused');

    expect(await loop.settle(call({ route: 'leader' }))).not.toBe(c);
    expect(endpoints.leader).toBeUndefined();
  });

  test('leads to one address when that is asked for', async () => {
    const { members, call } = setUp();
    members.onCall = (received) => received.answer(received.address);

    expect(await call({ route: { address: b } })).toBe(b);
  });
});

describe('what is repeated', () => {
  test('a read after any failure that may pass', async () => {
    const { members, call, loop } = setUp();
    const failures = [
      { status: 'UNAVAILABLE', message: 'connection reset' },
      { status: 'UNAVAILABLE', message: 'etcdserver: leader changed' },
      { status: 'RESOURCE_EXHAUSTED', message: 'etcdserver: too many requests' },
      { status: 'INTERNAL', message: 'Received RST_STREAM with code 2' },
    ];
    members.onCall = (received) => {
      const next = failures.shift();
      if (next === undefined) {
        received.answer('world');
      } else {
        received.fail(next);
      }
    };

    expect(await loop.settle(call())).toBe('world');
    expect(members.calls).toHaveLength(5);
  });

  test('a write only while it surely had no effect', async () => {
    const { members, call, loop } = setUp();
    const failures = [
      { code: 'NO_LEADER', outcome: 'rejected' as const },
      { code: undefined, message: 'etcdserver: too many requests' },
      { code: 'LEADER_CHANGED', outcome: 'unknown' as const },
    ];
    members.onCall = (received) => received.fail(failures.shift() ?? {});

    const error = await loop.settle(errorOf(call({ purpose: 'write' })));

    expect(error).toMatchObject({ code: 'LEADER_CHANGED', outcome: 'unknown' });
    expect(members.calls).toHaveLength(3);
  });

  test('an idempotent request, though its outcome is unknown', async () => {
    const { members, call, loop } = setUp();
    members.onCall = (received) => {
      if (members.calls.length < 3) {
        received.fail({ message: 'connection reset' });
      } else {
        received.answer('world');
      }
    };

    expect(await loop.settle(call({ purpose: 'idempotent' }))).toBe('world');
  });

  test('nothing that was refused for good', async () => {
    const { members, call } = setUp();
    members.onCall = (received) =>
      received.fail({
        status: 'INVALID_ARGUMENT',
        message: 'etcdserver: key is not provided',
      });

    const error = await errorOf(call({ purpose: 'write' }));

    expect(error).toMatchObject({
      code: 'EMPTY_KEY',
      outcome: 'rejected',
      retryable: false,
      endpoint: a,
    });
    expect(error.message).toContain('echo failed at 127.0.0.1:1');
    expect(members.calls).toHaveLength(1);
  });

  test('what an endpoint does not answer, elsewhere; but not a write', async () => {
    const { members, call, loop } = setUp([a, b]);
    members.onCall = (received) => {
      if (received.address === b) {
        received.answer('world');
      }
    };

    expect(await loop.settle(call())).toBe('world');
    expect(members.calls[0]?.isCancelled).toBe(true);
    const write = await loop.settle(errorOf(call({ purpose: 'write', route: { address: a } })));
    expect(write).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'unknown', endpoint: a });
  });
});

describe('the end of a call', () => {
  test('comes with its deadline, and says where it was and what it did', async () => {
    const { members, call, loop } = setUp([a]);
    members.down.set(a, 'connect ECONNREFUSED 127.0.0.1:1');

    const error = await loop.settle(errorOf(call({ purpose: 'write', timeoutMs: 500 })));

    expect(error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      outcome: 'rejected',
      retryable: true,
      endpoint: a,
    });
    expect(error.message).toMatch(/echo has not succeeded within 500 ms: 127.0.0.1:1, .*REFUSED/);
    expect(loop.nowMs()).toBeLessThanOrEqual(510);
    expect(loop.pendingTimers).toBe(0);
  });

  test('of a write that was waiting for its answer is unknown', async () => {
    const { members, call, loop } = setUp();

    const error = await loop.settle(errorOf(call({ purpose: 'write', timeoutMs: 500 })));

    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
    expect(error.message).toContain('waiting for the answer');
    expect(members.calls[0]?.isCancelled).toBe(true);
  });

  test('comes when it is aborted, with the reason', async () => {
    const { members, call, loop } = setUp();
    const controller = new AbortController();
    const reason = new Error('no longer needed');

    const ended = errorOf(call({ purpose: 'write', signal: controller.signal }));
    await loop.run(10);
    controller.abort(reason);

    expect(await ended).toMatchObject({ code: 'ABORTED', outcome: 'unknown', cause: reason });
    expect(members.calls[0]?.isCancelled).toBe(true);
  });

  test('comes at once when it was aborted before', async () => {
    const { members, call } = setUp();

    const error = await errorOf(call({ signal: AbortSignal.abort() }));

    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'rejected' });
    expect(members.calls).toHaveLength(0);
  });

  test('comes when the client is closed, and no call begins after that', async () => {
    const { caller, call, loop } = setUp();

    const ended = errorOf(call());
    await loop.run(10);
    caller.close();

    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(await errorOf(call())).toMatchObject({ code: 'CLIENT_CLOSED', outcome: 'rejected' });
  });
});

describe('a stream', () => {
  test('fails when certificates are refused from the first; later it goes on', async () => {
    const { members, caller, loop } = setUp([a]);
    const open = async (): Promise<unknown> =>
      caller.stream({ what: 'listen', method, listener: listen([]) });
    members.mistrusted.set(a, 'TLS: not trusted');

    expect(await loop.settle(errorOf(open()))).toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    members.mistrusted.clear();
    await loop.settle(open());
    members.mistrusted.set(a, 'TLS: not trusted');
    const later = open();
    await loop.run(60_000);
    members.mistrusted.clear();

    expect(await loop.settle(later)).toBeDefined();
  });

  const listen = (seen: unknown[]) => ({
    onAnswer: (answer: string) => void seen.push(answer),
    onEnd: (reason: unknown) => void seen.push(reason),
  });

  test('is opened at an endpoint that is there', async () => {
    const { members, caller, loop } = setUp();
    members.down.set(a, 'connection refused');
    const seen: unknown[] = [];

    const stream = await loop.settle(
      caller.stream({ what: 'listen', method, listener: listen(seen) }),
    );
    stream.write('hello');
    members.streams[0]?.answer('world');
    members.streams[0]?.end();

    expect(stream.address).toBe(b);
    expect(members.streams[0]?.received).toEqual(['hello']);
    expect(seen).toEqual(['world', undefined]);
  });

  test('avoids the endpoint that has just failed, if there is another', async () => {
    const { caller } = setUp([a, b]);
    const spec = { what: 'listen', method, listener: listen([]) };

    expect((await caller.stream({ ...spec, avoid: a })).address).toBe(b);
    expect((await caller.stream({ ...spec, avoid: b })).address).toBe(a);
  });

  test('is waited for without a bound, unless aborted', async () => {
    const { members, caller, loop } = setUp([a]);
    members.down.set(a, 'connection refused');
    const controller = new AbortController();
    const { signal } = controller;

    const ended = errorOf(caller.stream({ what: 'listen', method, listener: listen([]), signal }));
    await loop.run(120_000);
    controller.abort();

    expect(await ended).toMatchObject({ code: 'ABORTED' });
  });

  test('that is cancelled here says nothing against its member', async () => {
    const { caller, endpoints, loop } = setUp([a]);
    const stream = await caller.stream({ what: 'listen', method, listener: listen([]) });

    stream.cancel();
    await loop.run(1);

    expect(endpoints.at(a)?.failures).toBe(0);
  });

  test('is not opened for who leaves in the turn in which it is connected', async () => {
    const [aborted, closed] = [setUp([a]), setUp([a])];
    const abort = new AbortController();
    aborted.members.onConnected = () => abort.abort();
    closed.members.onConnected = () => closed.caller.close();

    const codes = [aborted, closed].map(async ({ caller }, i) => {
      const signal = i === 0 ? abort.signal : undefined;
      const spec = { what: 'listen', method, listener: listen([]), signal };
      return (await errorOf(caller.stream(spec))).code;
    });

    expect(await Promise.all(codes)).toEqual(['ABORTED', 'CLIENT_CLOSED']);
    expect([...aborted.members.streams, ...closed.members.streams]).toEqual([]);
  });

  test('ends when the client is closed', async () => {
    const { caller, loop } = setUp();
    const seen: unknown[] = [];
    await caller.stream({ what: 'listen', method, listener: listen(seen) });

    caller.close();
    await loop.run(1);

    expect(seen).toMatchObject([{ status: 'CANCELLED' }]);
  });
});

test('a pause grows with the attempts and ends when it is aborted', async () => {
  const { caller, loop } = setUp();
  const times: number[] = [];
  for (const attempt of [1, 4, 10]) {
    const start = loop.nowMs();
    const pause = caller.pause(attempt).then(() => times.push(loop.nowMs() - start));
    await loop.run(2000);
    await pause;
  }

  const controller = new AbortController();
  const aborted = errorOf(caller.pause(10, controller.signal));
  controller.abort();

  expect(times[0]).toBeLessThanOrEqual(20);
  expect(times[1]).toBeGreaterThan(times[0] ?? 0);
  expect(times[2]).toBeLessThanOrEqual(1000);
  expect(await aborted).toMatchObject({ code: 'ABORTED' });
});
