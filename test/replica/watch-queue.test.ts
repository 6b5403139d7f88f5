import { describe, expect, test } from 'vitest';
import { type Command, encodeCommand, type Watcher, WatchHub } from '../../src/kv/index.ts';
import { Access, AuthTable } from '../../src/kv/auth-table.ts';
import type { WatchEvent, WatchNotice } from '../../src/replica/watch-api.ts';
import { RecentlyFound } from '../../src/replica/recently-found.ts';
import { noticeOf } from '../../src/replica/watch-notices.ts';
import { WatchQueue } from '../../src/replica/watch-queue.ts';
import { WatchRoom, type WatchShare } from '../../src/replica/watch-room.ts';
import { put } from '../kv/commands.ts';
import { bytes, Machine, runReading } from '../kv/map-store.ts';

const watches = 200;
const ranges = [{ key: bytes('a'), rangeEnd: bytes('') }];
const request = {
  ...{ ranges, startRevision: 0, prevKv: false, keysOnly: false, progressNotify: false },
  ...{ wantsPuts: true, wantsDeletes: true },
};

describe('WatchQueue', () => {
  test('who is behind is called for each half of the room, not for each event', () => {
    const hub = new WatchHub(1, -1);
    let calls = 0;
    const queue = new WatchQueue({
      ...{ hub, share: new WatchRoom(1e9).share(2000), mayAdd: () => true, auth: new AuthTable() },
      complete: async () => Promise.reject(new Error('nothing before is wanted')),
      onRoom: () => {
        calls++;
        hub.catchUp();
      },
      onProgressDue: () => undefined,
      onClosed: () => undefined,
    });
    for (let i = 0; i < watches; i++) {
      queue.create(0, request);
    }
    const { events, revision, compactRevision } = new Machine().apply([
      encodeCommand(put('a', '1')),
    ]);
    hub.publish(events, revision, compactRevision);
    hub.catchUp();
    expect(hub.behind, 'there is room for some of them only').toBeGreaterThan(watches / 2);
    const served = watches - hub.behind;

    let told = 0;
    for (let waiting = queue.take(); waiting !== undefined; waiting = queue.take()) {
      told += waiting.type === 'events' ? 1 : 0;
      queue.sent();
    }

    expect(told, 'each watch is told once').toBe(watches);
    expect(hub.behind).toBe(0);
    expect(calls).toBeLessThanOrEqual(Math.ceil((2 * watches) / served) + 1);
  });
});

/** Counts how often it is asked how far a watch is. */
class AskedHub extends WatchHub {
  asked = 0;

  override isUpToDate(watcher: Watcher): boolean {
    this.asked++;
    return super.isUpToDate(watcher);
  }
}

test('progress that is waited for is not a look at all watches for each that catches up', () => {
  const many = 10_000;
  const hub = new AskedHub(1, -1);
  const share = new WatchRoom(1e12).share(1e9);
  const queue = new WatchQueue({
    ...{ hub, share, mayAdd: () => true, auth: new AuthTable() },
    complete: async () => Promise.reject(new Error('nothing before is wanted')),
    onRoom: () => undefined,
    onProgressDue: () => undefined,
    onClosed: () => undefined,
  });
  const { events, revision, compactRevision } = new Machine().apply([encodeCommand(put('a', '1'))]);
  hub.publish(events, revision, compactRevision);
  for (let id = 1; id <= many; id++) {
    queue.create(id, { ...request, startRevision: revision });
  }
  queue.requestProgress();
  expect(hub.behind).toBe(many);

  for (let id = 1; id <= many / 2; id++) {
    queue.cancel(id);
  }
  while (hub.catchUp().isUnfinished) {
    // Until all have had their turn.
  }

  const types: string[] = [];
  for (let waiting = queue.take(); waiting !== undefined; waiting = queue.take()) {
    types.push(waiting.type === 'events' ? 'events' : waiting.notice.type);
  }
  expect(types.filter((type) => type === 'events')).toHaveLength(many / 2);
  expect(types.indexOf('progress'), 'told once, after all of it').toBe(types.length - 1);
  expect(hub.asked).toBeLessThan(5 * many);
});

test('to cancel all watches of a stream one by one is not to go through all for each', () => {
  const many = 100_000;
  const hub = new WatchHub(1, -1);
  const queue = new WatchQueue({
    ...{ hub, share: new WatchRoom(1e12).share(1e9), mayAdd: () => true, auth: new AuthTable() },
    complete: async () => Promise.reject(new Error('nothing before is wanted')),
    onRoom: () => undefined,
    onProgressDue: () => undefined,
    onClosed: () => undefined,
  });
  for (let id = 1; id <= many; id++) {
    queue.create(id, request);
  }
  const { events, revision, compactRevision } = new Machine().apply([encodeCommand(put('a', '1'))]);
  hub.publish(events, revision, compactRevision);
  expect(queue.pending).toBe(2 * many);

  for (let id = 1; id <= many; id++) {
    queue.cancel(id);
  }

  const told = new Map<string, number>();
  for (let waiting = queue.take(); waiting !== undefined; waiting = queue.take()) {
    const type = waiting.type === 'events' ? 'events' : waiting.notice.type;
    told.set(type, (told.get(type) ?? 0) + 1);
  }
  expect(Object.fromEntries(told)).toEqual({ created: many, canceled: many });
});

describe('the keys of a watch', () => {
  test('are its own: the memory that they came in is neither kept nor looked at again', () => {
    const permission = { access: 'read', key: bytes('a'), rangeEnd: bytes('b') } as const;
    let access = new Access(false, [permission]);
    const hub = new WatchHub(1, -1);
    const share = new WatchRoom(1e9).share();
    const queue = new WatchQueue({
      ...{ hub, share, mayAdd: () => true, auth: { isEnabled: true, accessOf: () => access } },
      complete: async () => Promise.reject(new Error('nothing before is wanted')),
      onRoom: () => undefined,
      onProgressDue: () => undefined,
      onClosed: () => undefined,
    });
    const received = Buffer.from('a1a2');
    const key = received.subarray(0, 2);
    const rangeEnd = received.subarray(2);
    const caller = { user: 'ann', credentials: 1 };
    queue.create(1, { ...request, caller, ranges: [{ key, rangeEnd }] });

    received.fill('z');
    access = new Access(false, [permission]);
    queue.reauthorise();

    expect(queue.pending).toBe(1);
    expect(hub.watchers).toBe(1);
  });
});

describe('what keys were before', () => {
  const length = 1000;
  const keys = Array.from({ length: 40 }, (_, at) => `a${String(at).padStart(2, '0')}`);

  /** A store of long values, and a queue that reads what was there within bounds. */
  function opened(bounds: {
    readonly noticeBytes: number;
    readonly revisionBytes: number;
    readonly roomBytes?: number;
  }): {
    readonly queue: WatchQueue;
    readonly share: WatchShare;
    readonly places: { given: number };
    readonly change: (...commands: readonly Command[]) => void;
  } {
    const machine = new Machine();
    const places = { given: 0 };
    machine.run(...keys.map((key) => put(key, 'x'.repeat(length))));
    const hub = new WatchHub(machine.machine.revision, -1);
    const share = new WatchRoom(bounds.roomBytes ?? 1e9).share();
    const known = new RecentlyFound(0);
    const queue = new WatchQueue({
      ...{ hub, share, mayAdd: () => true, auth: new AuthTable() },
      allowance: {
        maybeTake: () => true,
        give: (count) => {
          places.given += count;
        },
      },
      complete: async (waiting, bytesMax) => {
        const max = Math.min(bounds.noticeBytes, bytesMax());
        const reading = noticeOf(waiting, max, known, bounds.revisionBytes);
        return Promise.resolve(runReading(reading, machine.store));
      },
      onRoom: () => undefined,
      onProgressDue: () => undefined,
      onClosed: () => undefined,
    });
    queue.create(1, {
      ...{ ...request, prevKv: true },
      ranges: [{ key: bytes('a'), rangeEnd: bytes('b') }],
    });
    return {
      queue,
      share,
      places,
      change: (...commands) => {
        const output = machine.apply(commands.map((command) => encodeCommand(command)));
        hub.publish(output.events, output.revision, output.compactRevision);
      },
    };
  }

  /** All notices up to the next one of progress. */
  async function told(queue: WatchQueue): Promise<readonly WatchNotice[]> {
    queue.requestProgress();
    const notices: WatchNotice[] = [];
    for (;;) {
      const notice = await queue.next();
      queue.sent();
      if (notice === undefined || notice.type === 'progress') {
        return notices;
      }
      notices.push(notice);
    }
  }

  const eventsOf = (notice: WatchNotice): readonly WatchEvent[] =>
    notice.type === 'events' ? notice.parts.flat() : [];
  const before = ({ prevKv }: WatchEvent): number => prevKv?.value.length ?? 0;

  test('is told in several notices when it is long, each up to its last revision', async () => {
    const { queue, change } = opened({ noticeBytes: 5000, revisionBytes: 1e6 });
    change(...keys.slice(0, 30).map((key) => put(key, 'new')));
    change(...keys.slice(30).map((key) => put(key, 'new')));

    const [created, ...notices] = await told(queue);

    expect(created?.type).toBe('created');
    expect(notices.length).toBeGreaterThan(1);
    const events = notices.flatMap((notice) => eventsOf(notice));
    expect(events.map(({ kv }) => kv.modRevision)).toEqual(keys.map((_, at) => at + 42));
    expect(events.map(before)).toEqual(keys.map(() => length));
    for (const notice of notices) {
      expect(eventsOf(notice).length).toBeLessThanOrEqual(20);
      expect(notice.revision).toBe(eventsOf(notice).at(-1)?.kv.modRevision);
    }
  });

  test('of one revision is told as a whole', async () => {
    const { queue, change } = opened({ noticeBytes: 5000, revisionBytes: 1e6 });
    change(put('a00', 'new'), deletion, put('a01', 'new'));

    const [, ...notices] = await told(queue);

    expect(notices.map((notice) => eventsOf(notice).length)).toEqual([1, 40, 1]);
    expect(eventsOf(notices[1] as WatchNotice).filter((event) => before(event) > 0)).toHaveLength(
      40,
    );
  });

  test('of one revision ends the watch when it is too long, before anything later', async () => {
    const { queue, places, change } = opened({ noticeBytes: 5000, revisionBytes: 20_000 });
    change(put('a00', 'new'), deletion);
    change(put('a01', 'new'));

    const [, first, second, ...rest] = await told(queue);

    expect(eventsOf(first as WatchNotice).map(({ kv }) => kv.modRevision)).toEqual([42]);
    expect(second).toMatchObject({
      ...{ type: 'canceled', watchId: 1 },
      reason: expect.stringMatching(/revision 43 .* watch without prev_kv/) as unknown,
    });
    expect(rest).toEqual([]);
    expect(places.given).toBe(1);
    change(put('a02', 'new'));
    expect(await told(queue)).toEqual([]);
  });

  test('that is left to be told goes with a watch that is cancelled meanwhile', async () => {
    const { queue, share, change } = opened({ noticeBytes: 5000, revisionBytes: 1e6 });
    change(...keys.map((key) => put(key, 'new')));
    await queue.next();

    const first = await queue.next();
    queue.sent();
    queue.sent();
    queue.cancel(1);

    expect(eventsOf(first as WatchNotice).length).toBeLessThan(40);
    expect((await told(queue)).map(({ type }) => type)).toEqual(['canceled']);
    expect(share.bytes).toBe(0);
  });

  test('counts for the stream until it has been sent', async () => {
    const { queue, share, change } = opened({ noticeBytes: 1e6, revisionBytes: 1e6 });
    await queue.next();
    queue.sent();
    change(put('a00', 'new'), put('a01', 'new'));
    const waiting = share.bytes;

    await queue.next();
    expect(share.bytes).toBe(waiting + 2 * (length + 'a00'.length));
    queue.sent();

    expect(waiting).toBeGreaterThan(0);
    expect(share.bytes).toBe(0);
  });

  test('is told in smaller pieces where there is little room', async () => {
    const few = { noticeBytes: 1e6, revisionBytes: 1e6, roomBytes: 12_000 };
    const { queue, share, change } = opened(few);
    change(...keys.slice(0, 20).map((key) => put(key, 'new')));
    await queue.next();

    const counts: number[] = [];
    while (queue.pending > 0) {
      const notice = await queue.next();
      counts.push(eventsOf(notice as WatchNotice).length);
      queue.sent();
    }
    queue.sent();

    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(10);
    expect(Math.max(...counts)).toBeLessThan(8);
    expect(share.bytes).toBe(0);
  });
});

const deletion: Command = {
  ...{ type: 'deleteRange', key: bytes('a'), rangeEnd: bytes('b') },
  prevKv: false,
};
