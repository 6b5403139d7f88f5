import { describe, expect, test } from 'vitest';
import { type ClientUse, Limits, type RequestLimits } from '../../src/rpc/limits.ts';
import type { Work } from '../../src/rpc/work-classes.ts';
import { farLimits } from './admitting.ts';

const put: Work = { class: 'ordinary', keeps: 'nothing' };
const stream: Work = { class: 'ordinary', keeps: 'stream' };
const grant: Work = { class: 'ordinary', keeps: 'record' };
const snapshot: Work = { class: 'bulk', keeps: 'nothing' };
const revoke: Work = { class: 'renewal', keeps: 'nothing' };
const keepAlive: Work = { class: 'renewal', keeps: 'stream' };
const health: Work = { class: 'system', keeps: 'nothing' };

const requestBytesMax = 100;

class Clock {
  nowMs = 0;
}

function limitsOf(fields: Partial<RequestLimits>, clock = new Clock()): Limits {
  return new Limits({ ...farLimits, ...fields }, requestBytesMax, () => clock.nowMs);
}

/** Has a client begin calls until it is refused; how many it could begin, and why no more. */
function enterAll(limits: Limits, client: ClientUse, work: Work, max = 10_000): [number, string] {
  for (let entered = 0; entered < max; entered++) {
    const refusal = limits.maybeEnter(client, work);
    if (refusal !== undefined) {
      return [entered, refusal.reason];
    }
  }
  return [max, 'not refused'];
}

describe('requests under way', () => {
  test('one client takes half of what a member has, and the next one finds room', () => {
    const limits = limitsOf({ inflightRequests: { client: 1000, member: 100 } });

    expect(enterAll(limits, limits.client('a', 1), put)).toEqual([50, 'requests']);
    expect(enterAll(limits, limits.client('b', 1), put)).toEqual([25, 'requests']);
    expect(limits.maybeEnter(limits.client('c', 1), put)).toBeUndefined();
  });

  test('many greedy clients leave room for one more', () => {
    const limits = limitsOf({ inflightRequests: { client: 1000, member: 1100 } });
    const greedy = Array.from({ length: 10 }, (_, port) => limits.client('a', port));
    for (let round = 0; round < 1000; round++) {
      for (const client of greedy) {
        limits.maybeEnter(client, put);
      }
    }

    expect(greedy.map(({ ordinary }) => ordinary.requests)).toEqual(Array(10).fill(100));
    expect(enterAll(limits, limits.client('b', 1), put)).toEqual([50, 'requests']);
  });

  test('a client has a limit of its own, and room again once a call is over', () => {
    const limits = limitsOf({ inflightRequests: { client: 3, member: 100 } });
    const client = limits.client('a', 1);

    expect(enterAll(limits, client, put)).toEqual([3, 'requests']);
    limits.leave(client, put, 0);
    expect(enterAll(limits, client, put)).toEqual([1, 'requests']);
  });

  test('system work and renewals pass when nothing else does, up to a bound of their own', () => {
    const limits = limitsOf({ inflightRequests: { client: 1, member: 2 } });
    const client = limits.client('a', 1);
    enterAll(limits, client, put);

    expect(limits.maybeEnter(client, health)).toBeUndefined();
    expect(limits.maybeEnter(client, revoke)).toBeUndefined();
    expect(enterAll(limits, client, health)).toEqual([1022, 'requests']);
  });
});

describe('bytes of requests', () => {
  const bytesOf = (member: number, client = member): Limits =>
    limitsOf({ inflightBytes: { client, member } });

  test('are charged up to what is free, and given back with the call', () => {
    const limits = bytesOf(1000);
    const [a, b] = [limits.client('a', 1), limits.client('b', 1)];

    expect(limits.maybeCharge(a, 'ordinary', 500)).toBeUndefined();
    expect(limits.maybeCharge(a, 'ordinary', 1)?.reason).toBe('bytes');
    expect(limits.maybeCharge(b, 'ordinary', 250)).toBeUndefined();
    limits.maybeEnter(a, put);
    limits.leave(a, put, 500);

    expect(limits.total.ordinary).toEqual({ requests: 0, bytes: 250, streams: 0 });
    expect(limits.maybeCharge(b, 'ordinary', 125)).toBeUndefined();
  });

  test('of system work and renewals are not in the way of others, nor others of them', () => {
    const limits = bytesOf(1000);
    const client = limits.client('a', 1);
    limits.charge(client, 'ordinary', 5000);

    expect(limits.maybeCharge(client, 'renewal', 100)).toBeUndefined();
    expect(limits.maybeCharge(limits.client('b', 1), 'ordinary', 1)?.reason).toBe('bytes');
    expect(limits.maybeCharge(client, 'system', 4 * 1024 * 1024)?.reason).toBe('bytes');
  });

  test('a client has a limit of its own', () => {
    const limits = bytesOf(1000, 100);

    expect(limits.maybeCharge(limits.client('a', 1), 'ordinary', 101)?.reason).toBe('bytes');
  });
});

describe('large answers', () => {
  test('share a limit; one that is alone goes on however large it is', () => {
    const limits = limitsOf({ bulkBytes: 1000 });
    const [a, b] = [limits.client('a', 1), limits.client('b', 1)];

    expect(limits.maybeGrow(a, 0, 700)).toBeUndefined();
    expect(limits.maybeGrow(a, 700, 5000)).toBeUndefined();
    expect(limits.maybeGrow(b, 0, 1)?.reason).toBe('bulk');
    limits.grow(a, -5700);

    expect(limits.maybeGrow(b, 0, 300)).toBeUndefined();
    expect(limits.maybeGrow(a, 0, 350)).toBeUndefined();
    expect(limits.maybeGrow(b, 300, 51)?.reason).toBe('bulk');
  });
});

describe('what streams hold of messages', () => {
  test('counts as bytes under way, and is refused beyond twice as many', () => {
    const limits = limitsOf({ inflightBytes: { client: 100, member: 150 } });
    const [a, b] = [limits.client('a', 1), limits.client('b', 1)];

    expect(limits.maybeHold(a, 'ordinary', 150)).toBeUndefined();
    expect(limits.maybeCharge(a, 'ordinary', 1)?.reason).toBe('bytes');
    expect(limits.maybeHold(a, 'ordinary', 51)?.reason).toBe('bytes');
    expect(limits.maybeHold(b, 'ordinary', 151)?.reason).toBe('bytes');
    expect(limits.maybeHold(b, 'ordinary', 150)).toBeUndefined();
    expect(limits.maybeHold(b, 'ordinary', 1)?.reason).toBe('bytes');
    limits.charge(a, 'ordinary', -150);
    limits.charge(b, 'ordinary', -150);

    expect(limits.total.isIdle).toBe(true);
  });
});

describe('streams and watches', () => {
  test('are shared as requests are; streams of renewals have as many again', () => {
    const limits = limitsOf({ streams: { client: 100, member: 10 } });

    expect(enterAll(limits, limits.client('a', 1), stream)).toEqual([5, 'streams']);
    expect(enterAll(limits, limits.client('a', 1), keepAlive)).toEqual([5, 'streams']);
    expect(limits.maybeEnter(limits.client('b', 1), stream)).toBeUndefined();
  });

  test('watches begin up to the limits, and make room when they end', () => {
    const limits = limitsOf({ watches: { client: 2, member: 100 } });
    const client = limits.client('a', 1);

    expect(limits.maybeWatch(client)).toBeUndefined();
    expect(limits.maybeWatch(client)).toBeUndefined();
    expect(limits.maybeWatch(client)?.reason).toBe('watches');
    limits.endWatches(client, 2);

    expect(limits.maybeWatch(client)).toBeUndefined();
    expect(limits.total.watches).toBe(1);
  });

  test('a watch may take several places, and needs room for all of them', () => {
    const limits = limitsOf({ watches: { client: 10, member: 10 } });
    const client = limits.client('a', 1);

    expect(limits.maybeWatch(client, 6)?.reason).toBe('watches');
    expect(limits.maybeWatch(client, 5)).toBeUndefined();
    expect(limits.maybeWatch(client)?.reason).toBe('watches');
    limits.endWatches(client, 5);

    expect(limits.total.isIdle).toBe(true);
  });

  test('leases are granted below their number', () => {
    const limits = limitsOf({ leases: 2 });

    expect(limits.maybeGrant(1)).toBeUndefined();
    expect(limits.maybeGrant(2)?.reason).toBe('leases');
  });
});

describe('the rate of a client', () => {
  test('lets a second of requests through at once, then as many as time brings', () => {
    const clock = new Clock();
    const limits = limitsOf({ clientRequestsPerSecond: 10 }, clock);
    const client = limits.client('a', 1);

    expect(enterAll(limits, client, put)).toEqual([10, 'rate']);
    clock.nowMs = 250;
    expect(enterAll(limits, client, put)).toEqual([2, 'rate']);
    clock.nowMs = 100_000;
    expect(enterAll(limits, client, put)).toEqual([10, 'rate']);
  });

  test('is each client’s own, and not that of system work and renewals', () => {
    const limits = limitsOf({ clientRequestsPerSecond: 1 });
    const client = limits.client('a', 1);
    enterAll(limits, client, put);

    expect(limits.maybeEnter(limits.client('a', 2), put)).toBeUndefined();
    expect(limits.maybeEnter(client, revoke)).toBeUndefined();
    expect(limits.maybeEnter(client, health)).toBeUndefined();
  });

  test('says after how long there is a request again, and is not forgotten before', () => {
    const clock = new Clock();
    const limits = limitsOf({ clientRequestsPerSecond: 2 }, clock);
    const client = limits.client('a', 1);
    enterAll(limits, client, put);
    limits.leave(client, put, 0);
    limits.leave(client, put, 0);
    clock.nowMs = 100;

    const retryMs = limits.maybeEnter(client, put)?.retryMs ?? 0;

    expect(retryMs).toBeGreaterThanOrEqual(400);
    expect(retryMs).toBeLessThanOrEqual(800);
    limits.sweep();
    expect(limits.clients).toBe(1);
    clock.nowMs = 1000;
    limits.sweep();
    expect(limits.clients).toBe(0);
  });
});

describe('while memory is short for bulk work', () => {
  test('bulk work is refused, the rest goes on', () => {
    const limits = limitsOf({});
    const client = limits.client('a', 1);
    limits.shortage = 'bulk';

    expect(limits.maybeEnter(client, snapshot)?.reason).toBe('memory');
    expect(limits.maybeGrow(client, 0, 1)?.reason).toBe('memory');
    expect(limits.maybeEnter(client, put)).toBeUndefined();
    expect(limits.maybeEnter(client, stream)).toBeUndefined();
    expect(limits.maybeWatch(client)).toBeUndefined();
  });
});

describe('while memory is short for ordinary work', () => {
  test('what would stay is refused, and of the rest a sixteenth goes on', () => {
    const limits = limitsOf({ inflightRequests: { client: 1000, member: 320 } });
    const client = limits.client('a', 1);
    limits.shortage = 'ordinary';

    expect(limits.maybeEnter(client, stream)?.reason).toBe('memory');
    expect(limits.maybeEnter(client, grant)?.reason).toBe('memory');
    expect(limits.maybeWatch(client)?.reason).toBe('memory');
    expect(enterAll(limits, client, put)).toEqual([10, 'memory']);
    limits.shortage = 'none';
    expect(limits.maybeEnter(client, put)).toBeUndefined();
  });

  test('renewals and system work go on', () => {
    const limits = limitsOf({});
    const client = limits.client('a', 1);
    limits.shortage = 'ordinary';

    expect(limits.maybeEnter(client, keepAlive)).toBeUndefined();
    expect(limits.maybeEnter(client, revoke)).toBeUndefined();
    expect(limits.maybeEnter(client, health)).toBeUndefined();
    expect(limits.maybeCharge(client, 'renewal', 100)).toBeUndefined();
  });

  test('the largest request still passes', () => {
    const limits = limitsOf({ inflightBytes: { client: 1000, member: 1000 } });
    const client = limits.client('a', 1);
    limits.shortage = 'ordinary';

    expect(limits.maybeCharge(client, 'ordinary', requestBytesMax)).toBeUndefined();
    expect(limits.maybeCharge(client, 'ordinary', 1)?.reason).toBe('memory');
  });
});

describe('a refusal', () => {
  test('spreads repetitions over a pause, so that they do not all come back at once', () => {
    const limits = limitsOf({ leases: 0 });
    const pauses = Array.from({ length: 100 }, () => limits.maybeGrant(0)?.retryMs ?? 0);

    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2000);
    // Each tenth of the pause gets its share.
    for (let tenth = 0; tenth < 10; tenth++) {
      const from = 1000 + 100 * tenth;
      const share = pauses.filter((pause) => pause >= from && pause < from + 100);
      expect(share.length).toBeGreaterThanOrEqual(7);
    }
  });
});

describe('clients', () => {
  test('are told apart by address and port, and forgotten once they use nothing', () => {
    const limits = limitsOf({});
    const client = limits.client('a', 1);
    limits.client('a', 2);
    limits.client('b', 1);
    limits.maybeWatch(client);

    limits.sweep();

    expect(limits.clients).toBe(1);
    expect(limits.client('a', 1)).toBe(client);
    limits.endWatches(client, 1);
    limits.sweep();
    expect(limits.clients).toBe(0);
  });
});
