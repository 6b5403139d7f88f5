/** Watches on running members: the real driver under virtual time. */
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/kv/index.ts';
import type { Member } from '../../src/replica/index.ts';
import type {
  WatchAllowance,
  WatchNotice,
  WatchRequest,
  WatchStream,
} from '../../src/replica/watch-api.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { bytes, put } from './commands.ts';

const soon = { entriesMax: 20, marginEntries: 5, bytesMax: 1024 * 1024 };

/** Reads a stream for as long as it is open. */
class Reader {
  readonly notices: WatchNotice[] = [];
  readonly stream: WatchStream;
  failure: unknown;
  isClosed = false;

  constructor(member: Member, allowance?: WatchAllowance) {
    this.stream = member.openWatchStream(allowance);
    this.#read().catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** `created 0 @1 · events 0 @2 +a=1`: what was told so far. */
  get told(): string {
    return this.notices.map(describeNotice).join(' · ');
  }

  async #read(): Promise<void> {
    for (;;) {
      const notice = await this.stream.next();
      if (notice === undefined) {
        this.isClosed = true;
        return;
      }
      this.stream.sent();
      this.notices.push(notice);
    }
  }
}

function describeNotice(notice: WatchNotice): string {
  const { type, revision } = notice;
  const watchId = 'watchId' in notice ? ` ${notice.watchId}` : '';
  const rest =
    notice.type === 'events'
      ? notice.parts.flat().map(({ type: kind, kv, prevKv }) => {
          const before = prevKv === undefined ? '' : `<${text(prevKv.value)}`;
          return `${kind === 'put' ? '+' : '-'}${text(kv.key)}=${text(kv.value)}${before}`;
        })
      : notice.type === 'rejected'
        ? [notice.reason]
        : notice.type === 'canceled' && notice.compactRevision !== undefined
          ? [`compacted ${notice.compactRevision}`]
          : [];
  return [`${type}${watchId} @${revision}`, ...rest].join(' ');
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

function request(fields: Partial<WatchRequest> = {}): WatchRequest {
  return {
    ranges: [{ key: bytes('a'), rangeEnd: bytes('b') }],
    startRevision: 0,
    ...{ wantsPuts: true, wantsDeletes: true },
    ...{ prevKv: false, keysOnly: false, progressNotify: false },
    ...fields,
  };
}

const del = (key: string): Command => ({ type: 'deleteRange', key: bytes(key), prevKv: false });

async function started(size: number, seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed, { logCompaction: soon });
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

async function run(cluster: VirtualCluster, ...commands: readonly Command[]): Promise<void> {
  const member = cluster.member(await cluster.leader());
  for (const command of commands) {
    await cluster.loop.settle(member.propose(command));
  }
  await cluster.loop.run(500);
}

describe('A stream of watches', () => {
  test('tells each watch its events, on any member', async () => {
    const cluster = await started(3, 1);
    const readers = cluster.members.map((member) => new Reader(member));
    for (const { stream } of readers) {
      stream.create(0, request());
    }

    await run(cluster, put('a', '1'), put('b', '1'), put('a', '2'), del('a'));

    for (const { told, notices } of readers) {
      expect(told).toMatch(/^created 0 @1 · events 0 @2 \+a=1/);
      const events = notices.flatMap((each) => (each.type === 'events' ? each.parts.flat() : []));
      expect(events.map(({ kv }) => kv.modRevision)).toEqual([2, 4, 5]);
    }
  });

  test('tells what comes before a notice of progress though its watch is cancelled', async () => {
    const cluster = await started(1, 31);
    const stream = cluster.member(1).openWatchStream();
    stream.create(1, request());
    await run(cluster, put('a', '1'));
    stream.requestProgress();
    await run(cluster, put('a', '2'));

    stream.cancel(1);

    const told: string[] = [];
    while (stream.pending > 0) {
      const notice = await cluster.loop.settle(stream.next());
      told.push(notice === undefined ? 'closed' : describeNotice(notice));
    }
    expect(told).toEqual(['created 1 @1', 'events 1 @2 +a=1', 'progress @2', 'canceled 1 @3']);
  });

  test('begins where it is told to, with what keys were before, or with keys alone', async () => {
    const cluster = await started(1, 2);
    await run(cluster, put('a', '1'), put('a', '2'), del('a'));
    const { stream, notices } = new Reader(cluster.member(1));

    stream.create(5, request({ startRevision: 3, prevKv: true }));
    stream.create(0, request({ startRevision: 2, keysOnly: true, wantsDeletes: false }));
    await cluster.loop.run(100);

    const of = (id: number): readonly string[] =>
      notices
        .filter((each) => 'watchId' in each && each.watchId === id)
        .map((each) => describeNotice(each));
    expect(of(5)).toEqual(['created 5 @4', 'events 5 @4 +a=2<1 -a=<2']);
    expect(of(0)).toEqual(['created 0 @4', 'events 0 @4 +a= +a=']);
  });

  test('has as many watches as its reader is allowed, and gives back those that end', async () => {
    const cluster = await started(1, 3);
    let taken = 0;
    const allowance = {
      maybeTake: () => taken < 2 && ++taken > 0,
      give: (count: number) => {
        taken -= count;
      },
    };
    const reader = new Reader(cluster.member(1), allowance);
    const none = { ranges: [{ key: bytes('b'), rangeEnd: bytes('a') }] };
    reader.stream.create(9, request(none));
    for (const id of [1, 2, 3]) {
      reader.stream.create(id, request());
    }
    reader.stream.cancel(1);
    reader.stream.create(4, request());
    await cluster.loop.run(10);

    expect(reader.told).toBe(
      'rejected @1 mvcc: watcher range is empty · created 1 @1 · created 2 @1 · ' +
        'rejected @1 etcdserver: too many requests (there are too many watches) · ' +
        'canceled 1 @1 · created 4 @1',
    );
    reader.stream.close();
    reader.stream.close();
    expect(taken).toBe(0);
  });

  test('counts a watch of many or long keys as so many as have room in them', async () => {
    const cluster = await started(1, 3);
    const taken: number[] = [];
    const given: number[] = [];
    const allowance = {
      maybeTake: (places: number) => taken.push(places) > 0,
      give: (places: number) => given.push(places),
    };
    const reader = new Reader(cluster.member(1), allowance);
    const long = [{ key: new Uint8Array(5000) }];
    const many = Array.from({ length: 100 }, (_, at) => ({ key: bytes(String(at)) }));

    reader.stream.create(1, request());
    reader.stream.create(2, request({ ranges: long }));
    reader.stream.create(3, request({ ranges: many }));
    reader.stream.cancel(2);
    reader.stream.close();

    expect(taken).toEqual([1, 5, 7]);
    expect(given).toEqual([5, 8]);
  });

  test('chooses ids, refuses those that are taken, and ranges without keys', async () => {
    const cluster = await started(1, 3);
    const reader = new Reader(cluster.member(1));

    reader.stream.create(1, request());
    reader.stream.create(0, request());
    reader.stream.create(0, request());
    reader.stream.create(1, request());
    reader.stream.create(9, request({ ranges: [{ key: bytes('b'), rangeEnd: bytes('a') }] }));
    await cluster.loop.run(10);

    expect(reader.told).toBe(
      'created 1 @1 · created 0 @1 · created 2 @1 · ' +
        'rejected @1 mvcc: duplicate watch ID provided on the WatchStream · ' +
        'rejected @1 mvcc: watcher range is empty',
    );
  });

  test('tells the end of a watch, and nothing of it afterwards', async () => {
    const cluster = await started(1, 4);
    const reader = new Reader(cluster.member(1));
    reader.stream.create(0, request());
    reader.stream.cancel(0);
    reader.stream.cancel(7);

    await run(cluster, put('a', '1'));

    expect(reader.told).toBe('created 0 @1 · canceled 0 @1');
  });

  test('says from which revision history is left when a watch begins before it', async () => {
    const cluster = await started(1, 5);
    await run(cluster, put('a', '1'), put('a', '2'), { type: 'compact', revision: 3 });
    const reader = new Reader(cluster.member(1));

    reader.stream.create(0, request({ startRevision: 2 }));
    reader.stream.create(0, request({ startRevision: 3 }));
    await cluster.loop.run(100);

    expect(reader.told).toBe(
      'created 0 @3 · created 1 @3 · canceled 0 @3 compacted 3 · events 1 @3 +a=2',
    );
  });

  test('tells progress once all its watches are up to date, those of the future too', async () => {
    const cluster = await started(1, 6);
    await run(cluster, put('a', '1'));
    const reader = new Reader(cluster.member(1));
    reader.stream.create(0, request({ startRevision: 2 }));
    reader.stream.create(0, request({ startRevision: 4 }));

    reader.stream.requestProgress();
    await cluster.loop.run(100);
    expect(reader.told).toBe('created 0 @2 · created 1 @2 · events 0 @2 +a=1');
    await run(cluster, put('c', '1'));

    expect(reader.told).toMatch(/ · progress @3$/);
  });

  test('tells those that want it how far they are when nothing happens', async () => {
    const cluster = await started(1, 7);
    const reader = new Reader(cluster.member(1));
    reader.stream.create(0, request({ progressNotify: true }));
    reader.stream.create(0, request());
    await run(cluster, put('a', '1'), put('c', '1'));

    await cluster.loop.run(2 * 600_000);

    const progress = reader.notices.filter(({ type }) => type === 'progress');
    expect(progress).toEqual([{ type: 'progress', watchId: 0, revision: 3 }]);
  });

  test('holds a bounded share for a reader that takes nothing, and loses nothing', async () => {
    const cluster = await started(1, 8);
    const member = cluster.member(1);
    const stream = member.openWatchStream();
    stream.create(0, request());
    const value = 'x'.repeat(60_000);
    const revisions: number[] = [];
    for (let i = 0; i < 200; i++) {
      await cluster.loop.settle(member.propose(put('a', value)));
    }
    await cluster.loop.run(1000);
    expect(stream.pending).toBeLessThan(90);

    while (revisions.length < 200) {
      const notice = await cluster.loop.settle(stream.next());
      stream.sent();
      if (notice?.type === 'events') {
        revisions.push(...notice.parts.flat().map(({ kv }) => kv.modRevision));
      }
    }

    expect(revisions).toEqual(Array.from({ length: 200 }, (_, i) => i + 2));
  });

  test('events that wait are joined by later ones of their watch, not past progress', async () => {
    const cluster = await started(1, 12);
    const stream = cluster.member(1).openWatchStream();
    stream.create(1, request());
    stream.create(2, request({ keysOnly: true }));
    await run(cluster, put('a', '1'), put('a', '2'), put('a', '3'));
    stream.requestProgress();
    await run(cluster, put('a', '4'), put('a', '5'));

    const told: string[] = [];
    while (stream.pending > 0) {
      const notice = await cluster.loop.settle(stream.next());
      told.push(notice === undefined ? '' : describeNotice(notice));
    }

    expect(told).toEqual([
      'created 1 @1',
      'created 2 @1',
      'events 1 @4 +a=1 +a=2 +a=3',
      'events 2 @4 +a= +a= +a=',
      'progress @4',
      'events 1 @6 +a=4 +a=5',
      'events 2 @6 +a= +a=',
    ]);
  });

  test('watches that want the same are told of the same arrays', async () => {
    const cluster = await started(1, 13);
    await run(cluster, put('a', '0'));
    const readers = [1, 2, 3].map(() => new Reader(cluster.member(1)));
    for (const { stream } of readers) {
      stream.create(1, request());
      stream.create(2, request({ prevKv: true, keysOnly: true }));
    }

    await run(cluster, put('a', '1'));

    const parts = readers.map(({ notices }) =>
      notices.flatMap((each) => (each.type === 'events' ? each.parts : [])),
    );
    expect(parts.map((each) => each.length)).toEqual([2, 2, 2]);
    expect(new Set(parts.map(([plain]) => plain)).size).toBe(1);
    expect(parts[0]?.[1]).not.toBe(parts[0]?.[0]);
  });

  test('goes on with its other watches when the one that filled it is cancelled', async () => {
    const cluster = await started(1, 11);
    const member = cluster.member(1);
    const stream = member.openWatchStream();
    stream.create(1, request());
    stream.create(2, request({ ranges: [{ key: bytes('c') }] }));
    for (let i = 0; i < 100; i++) {
      await cluster.loop.settle(member.propose(put('a', 'x'.repeat(60_000))));
    }
    await run(cluster, put('c', '1'));

    stream.cancel(1);
    const notices: WatchNotice[] = [];
    while (notices.at(-1)?.type !== 'events') {
      const notice = await cluster.loop.settle(stream.next());
      notices.push(...(notice === undefined ? [] : [notice]));
    }

    expect(notices.map(describeNotice).at(-1)).toBe('events 2 @102 +c=1');
  });

  test('goes on when a snapshot replaces the state of its member', async () => {
    const cluster = new VirtualCluster(3, 9, { logCompaction: soon });
    const logged: unknown[] = [];
    const info = (fields: object): void => {
      logged.push('event' in fields ? fields.event : undefined);
    };
    for (const id of [1, 2, 3]) {
      await cluster.start(id, { logger: { info, warn: info, error: info } });
    }
    const leader = await cluster.leader();
    const away = cluster.member((leader % 3) + 1);
    const reader = new Reader(away);
    reader.stream.create(0, request());
    await run(cluster, put('a', '0'));
    cluster.network.isolate(away.memberId);
    const values = Array.from({ length: 100 }, (_, i) => String(i + 1));
    for (const value of values) {
      await cluster.loop.settle(cluster.member(leader).propose(put('a', value)));
    }
    await cluster.loop.run(5000);

    cluster.network.heal();
    await cluster.loop.runUntil(() => away.revision === 102, 20_000);
    await run(cluster, put('a', 'last'));

    const events = reader.notices.flatMap((each) =>
      each.type === 'events' ? each.parts.flat() : [],
    );
    expect(logged).toContain('snapshot-installed');
    expect(events.map(({ kv }) => text(kv.value))).toEqual(['0', ...values, 'last']);
  });

  test('ends when its reader closes it, and when its member stops', async () => {
    const cluster = await started(1, 10);
    const [one, two] = [new Reader(cluster.member(1)), new Reader(cluster.member(1))];

    one.stream.close();
    await cluster.loop.settle(cluster.member(1).stop());

    expect(one.isClosed).toBe(true);
    expect(two.failure).toMatchObject({ code: 'STOPPED' });
    expect(() => cluster.member(1).openWatchStream()).toThrow(
      expect.objectContaining({ code: 'STOPPED' }),
    );
  });
});
