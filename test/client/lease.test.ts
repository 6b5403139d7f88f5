/** Leases under virtual time: how long they last here, and what they say before they end. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Holdfast, HoldfastError } from '../../src/client/index.ts';
import { renewOnStream } from '../../src/client/lease-calls.ts';
import { Leases } from '../../src/client/lease.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

type Renewal = (seconds: number | Error) => void;

/** Leases of 10 s; grants are answered after `grantMs`, renewals by the test. */
async function setUp(grantMs = 0) {
  const environment = virtualEnvironment();
  const { loop } = environment;
  const members = new FakeMembers();
  const client = new Holdfast({ endpoints: '127.0.0.1:1' }, { transport: members, environment });
  members.onCall = (call) => {
    if (call.path.endsWith('LeaseGrant')) {
      loop.after(grantMs, () => call.answer({ ID: '255', TTL: '10' }));
    } else {
      call.answer({});
    }
  };
  const renewals: Renewal[] = [];
  const sentMs: number[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const leases = new Leases({
    ...{ environment, caller: client.caller },
    renew: async (id, { timeoutMs = 0, signal }) =>
      new Promise((resolve, reject) => {
        expect(id).toBe('255');
        signals.push(signal);
        sentMs.push(Math.round(loop.nowMs()));
        renewals.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
        loop.after(timeoutMs, () => reject(new HoldfastError('DEADLINE_EXCEEDED', 'too late')));
      }),
  });
  const lease = await loop.settle(leases.grant({ ttlSeconds: 10 }, true));
  const log: string[] = [];
  const note = (what: string) => (): void => void log.push(`${what} ${Math.round(loop.nowMs())}`);
  lease.lost.addEventListener('abort', note('lost'));
  lease.expiring.addEventListener('abort', note('expiring'));
  return { loop, members, client, leases, lease, log, renewals, sentMs, signals };
}

describe('a lease', () => {
  test('lasts from when it was asked for, a little less than it is granted', async () => {
    const { lease, loop } = await setUp(2000);

    // What was granted at 0 is known at 2000; the clocks may differ by a hundredth, timers be late.
    expect(loop.nowMs() + lease.remainingMs).toBe(9800);
    expect([lease.id, lease.ttlSeconds, lease.isHeld]).toEqual([255n, 10, true]);
  });

  test('is renewed when a third of its time is over, again and again', async () => {
    const { lease, loop, renewals, sentMs, log } = await setUp();

    for (let i = 0; i < 4; i++) {
      await loop.run(3400);
      renewals.at(-1)?.(10);
    }
    await loop.run(0);

    expect(sentMs.map((ms) => Math.round(ms / 100))).toEqual([33, 67, 100, 133]);
    expect(log).toEqual([]);
    expect(lease.remainingMs).toBeGreaterThan(9000);
  });

  test('counts a renewal from when that was sent', async () => {
    const { lease, loop, renewals } = await setUp();

    await loop.run(3400);
    await loop.run(2000);
    renewals[0]?.(10);
    await loop.run(0);

    expect(Math.round(loop.nowMs() + lease.remainingMs)).toBe(3333 + 9800);
  });

  test('says that it is expiring, and then that it is lost, before its end', async () => {
    const { lease, loop, log } = await setUp();

    await loop.run(20_000);

    expect(log).toEqual(['expiring 6467', 'lost 9800']);
    expect(lease.lost.reason).toMatchObject({ code: 'LEASE_LOST', retryable: true });
    expect(String(lease.lost.reason)).toContain('lease ff is lost: it was not renewed within its');
    expect(String(lease.lost.reason)).toContain('too late');
    expect([lease.isHeld, lease.remainingMs]).toEqual([false, 0]);
    expect(loop.pendingTimers).toBeLessThanOrEqual(1);
  });

  test('that is renewed at the last moment has a new word of expiry', async () => {
    const { lease, loop, renewals, log } = await setUp();
    const first = lease.expiring;

    await loop.run(9000);
    renewals.at(-1)?.(10);
    await loop.run(0);

    expect(log).toEqual(['expiring 6467']);
    expect(first.aborted).toBe(true);
    expect(lease.expiring.aborted).toBe(false);
    expect(lease.isHeld).toBe(true);
  });

  test('that the members do not know is lost at once', async () => {
    const [gone, unknown] = [await setUp(), await setUp()];

    await gone.loop.run(3400);
    gone.renewals[0]?.(0);
    await unknown.loop.run(3400);
    unknown.renewals[0]?.(new HoldfastError('LEASE_NOT_FOUND', 'no such lease'));
    await unknown.loop.run(0);
    await gone.loop.run(0);

    expect([gone.log, unknown.log]).toEqual([['lost 3410'], ['lost 3410']]);
  });

  test('is not held by a process that wakes up too late, before any timer has fired', async () => {
    const { lease, loop, log } = await setUp();
    await loop.run(100);

    // As after a stop: the clock has moved on, and no timer has run.
    const nowMs = loop.nowMs.bind(loop);
    loop.nowMs = () => nowMs() + 60_000;

    expect(lease.isHeld).toBe(false);
    expect(lease.lost.aborted).toBe(true);
    expect(log).toHaveLength(1);
  });

  test('that is revoked is not lost, but not held either', async () => {
    const { lease, loop, members, log } = await setUp();

    await lease[Symbol.asyncDispose]();
    await loop.run(20_000);

    expect(members.callsOf('LeaseRevoke')).toMatchObject([{ request: { ID: '255' } }]);
    expect([lease.isHeld, lease.remainingMs, log]).toEqual([false, 0, []]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('that is revoked ends the renewal under way', async () => {
    const { lease, loop, signals } = await setUp();
    await loop.run(3400);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);

    await lease.revoke();

    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  });

  test('that has ended at the members is revoked all the same', async () => {
    const { lease, members } = await setUp();
    members.onCall = (call) =>
      call.fail({ code: 'LEASE_NOT_FOUND', status: 'NOT_FOUND', message: 'gone' });

    await expect(lease.revoke()).resolves.toBeUndefined();
  });

  test('is lost and revoked with its client', async () => {
    const { lease, leases, members, log } = await setUp();

    await leases.close();

    expect(log).toEqual(['lost 10']);
    expect(lease.lost.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(members.callsOf('LeaseRevoke')).toHaveLength(1);
  });
});

describe('the leases of a client', () => {
  test('are bounded, those among them that are being granted', async () => {
    const { leases, members, loop } = await setUp(1000);

    const grants = Array.from({ length: 10_001 }, async () =>
      leases.grant({ ttlSeconds: 10 }, false),
    );
    const results = await loop.settle(Promise.allSettled(grants));

    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused).toMatchObject(refused.map(() => ({ reason: { code: 'CLIENT_OVERLOADED' } })));
    expect(members.callsOf('LeaseGrant')).toHaveLength(10_000);
  });

  test('make room when they end, and when they are not granted', async () => {
    const { leases, lease, members, loop } = await setUp();
    const { onCall } = members;
    const grant = async () => leases.grant({ ttlSeconds: 10 }, false);
    members.onCall = (call) => call.fail({ code: 'NO_SPACE', message: 'no' });
    const failing = Array.from({ length: 9_999 }, grant);
    await loop.settle(Promise.allSettled(failing));
    members.onCall = onCall;

    await lease.revoke();
    const granted = Promise.allSettled(Array.from({ length: 10_000 }, grant));

    expect((await loop.settle(granted)).every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  test('are not granted any more while they are being closed', async () => {
    const { leases, members } = await setUp();
    const asked = members.callsOf('LeaseGrant').length;

    const closing = leases.close();

    await expect(leases.grant({ ttlSeconds: 10 }, true)).rejects.toMatchObject({
      ...{ code: 'CLIENT_CLOSED' },
    });
    await closing;
    expect(members.callsOf('LeaseGrant')).toHaveLength(asked);
  });
});

describe('a renewal on a stream', () => {
  test('goes to another member when one fails, and ends its stream', async () => {
    const { client, loop, members } = await setUp();
    members.onMessage = (stream) => {
      if (members.streams.length === 1) {
        stream.end({ status: 'UNAVAILABLE' });
      } else {
        stream.answer({ ID: '255', TTL: '10' });
      }
    };
    members.onStream = () => undefined;

    const renewal = renewOnStream('255', {
      ...{ caller: client.caller, timers: loop, timeoutMs: 3000 },
    });

    expect(await loop.settle(renewal)).toBe(10);
    expect(members.streams.map(({ received }) => received)).toEqual([
      [{ ID: '255' }],
      [{ ID: '255' }],
    ]);
    expect(members.streams.at(-1)?.isCancelled).toBe(true);
  });

  test('ends with its time, and at once where it is refused', async () => {
    const { client, loop, members } = await setUp();
    members.onStream = () => undefined;
    const spec = { caller: client.caller, timers: loop, timeoutMs: 3000 };

    await expect(loop.settle(renewOnStream('255', spec))).rejects.toMatchObject({
      ...{ code: 'DEADLINE_EXCEEDED' },
    });
    members.onStream = (stream) => stream.end({ status: 'PERMISSION_DENIED', message: 'no' });
    await expect(loop.settle(renewOnStream('255', spec))).rejects.toMatchObject({
      ...{ code: 'PERMISSION_DENIED' },
    });
  });

  test('ends with its stream when its signal fires', async () => {
    const { client, lease, loop, members } = await setUp();
    members.onStream = () => undefined;
    const abort = new AbortController();
    const { signal } = abort;
    const renewal = renewOnStream('255', {
      ...{ caller: client.caller, timers: loop, timeoutMs: 3000, signal },
    });
    await loop.run(100);
    expect(members.streams[0]?.received).toEqual([{ ID: '255' }]);

    abort.abort('enough');

    await expect(renewal).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(members.streams.map(({ isCancelled }) => isCancelled)).toEqual([true]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await lease.revoke();
    expect(loop.pendingTimers).toBe(0);
  });
});
