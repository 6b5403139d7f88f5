import { describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import type { Command, EventPiece, HistoryEvent, KeySelector } from '../../src/kv/index.ts';
import { encodeCommand } from '../../src/kv/index.ts';
import { readHistory } from '../../src/kv/history.ts';
import { Watcher, type WatcherOptions, WatchHub, type WatchSink } from '../../src/kv/watch-hub.ts';
import { del, put, txn } from './commands.ts';
import { bytes, Machine, runReading, text } from './map-store.ts';

/** Notes what it is offered. */
class Sink implements WatchSink {
  hasRoom = true;
  readonly events: HistoryEvent[] = [];
  readonly revisions: number[] = [];
  compactedAt: number | undefined;
  caughtUpTimes = 0;
  /** Takes no more after so many offers. */
  roomFor = Number.POSITIVE_INFINITY;

  /** Bytes that it takes at a time. */
  bytesMax = Number.POSITIVE_INFINITY;

  get room(): number {
    return this.hasRoom ? this.bytesMax : 0;
  }

  offer(_watcher: Watcher, { events, bytes: taken }: EventPiece, revision: number): void {
    expect(this.hasRoom, 'nothing is offered to a sink that is full').toBe(true);
    const isOneRevision = events.every(({ main }) => main === events[0]?.main);
    expect(taken <= this.bytesMax || isOneRevision, 'it fits, or is one revision').toBe(true);
    this.events.push(...events);
    this.revisions.push(revision);
    this.hasRoom = --this.roomFor > 0;
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    this.compactedAt = compactRevision;
  }

  caughtUp(): void {
    this.caughtUpTimes++;
  }

  get seen(): string {
    return this.events.map(describeEvent).join(' ');
  }
}

function describeEvent({ main, isDelete, key }: HistoryEvent): string {
  return `${main}${isDelete ? '-' : '+'}${text(key)}`;
}

/** A store whose events reach a hub, as those of a member do. */
class World {
  readonly machine = new Machine();
  readonly hub: WatchHub;

  constructor(recentBytes = 1_000_000) {
    this.hub = new WatchHub(1, -1, recentBytes);
  }

  run(...commands: readonly Command[]): void {
    const output = this.machine.apply(commands.map(encodeCommand));
    this.hub.publish(output.events, output.revision, output.compactRevision);
    this.machine.settle();
  }

  watch(sink: Sink, from: number, options: Partial<WatcherOptions> = {}): Watcher {
    const watcher = new Watcher(
      sink,
      { ranges: [{ key: bytes('a'), rangeEnd: bytes('c') }], ...both, ...options },
      from,
    );
    this.hub.add(watcher);
    return watcher;
  }

  /** Goes on until nobody with room is behind. */
  catchUp(limit = 3): void {
    for (;;) {
      const { isUnfinished, historyFrom } = this.hub.catchUp();
      if (historyFrom !== undefined) {
        const { revision } = this.machine.machine;
        const piece = runReading(readHistory(historyFrom, revision, limit), this.machine.store);
        this.hub.feedHistory(historyFrom, piece);
      } else if (!isUnfinished) {
        return;
      }
    }
  }
}

const both = { wantsPuts: true, wantsDeletes: true };

describe('WatchHub', () => {
  test('offers what is published to those who watch it, whole revisions at a time', () => {
    const world = new World();
    const sink = new Sink();
    world.watch(sink, 2);

    world.run(put('a', '1'), put('z', '1'));
    world.run(txn([], [put('b', '2'), put('a', '2')]), del('a'));

    expect(sink.seen).toBe('2+a 4+b 4+a 5-a');
    expect(sink.revisions).toEqual([3, 5]);
  });

  test('a key in several ranges of a watch is told once', () => {
    const world = new World();
    const sink = new Sink();
    world.watch(sink, 2, {
      ranges: [{ key: bytes('a') }, { key: bytes('a'), rangeEnd: bytes('b') }],
    });

    world.run(put('a', '1'), put('b', '1'), put('ab', '1'));

    expect(sink.seen).toBe('2+a 4+ab');
  });

  test('who wants the same is offered the same array', () => {
    const world = new World();
    const offered: (readonly HistoryEvent[])[] = [];
    class Keeper extends Sink {
      override offer(watcher: Watcher, piece: EventPiece, revision: number): void {
        offered.push(piece.events);
        super.offer(watcher, piece, revision);
      }
    }
    for (const wantsDeletes of [true, true, false, false]) {
      world.watch(new Keeper(), 2, { wantsDeletes });
    }
    const later = new Keeper();
    world.watch(later, 3);

    world.run(put('a', '1'), put('b', '1'));

    expect(later.seen).toBe('3+b');
    expect(new Set(offered).size).toBe(3);
    expect(offered.length).toBe(5);
  });

  test('a watch of several ranges is told of them in one order', () => {
    const world = new World();
    const sink = new Sink();
    world.watch(sink, 2, { ranges: [{ key: bytes('b') }, { key: bytes('a') }] });

    world.run(put('a', '1'), put('b', '1'), put('a', '2'));

    expect(sink.seen).toBe('2+a 3+b 4+a');
  });

  test('puts or deletions can be left out', () => {
    const world = new World();
    const [puts, deletes] = [new Sink(), new Sink()];
    world.watch(puts, 2, { wantsDeletes: false });
    world.watch(deletes, 2, { wantsPuts: false });

    world.run(put('a', '1'), del('a'));

    expect(puts.seen).toBe('2+a');
    expect(deletes.seen).toBe('3-a');
  });

  test.each([
    ['memory', 1_000_000],
    ['history', 0],
  ])('a watch from the past gets it from %s, then goes on', (_from, recentBytes) => {
    const world = new World(recentBytes);
    world.run(put('a', '1'), put('b', '1'), put('a', '2'), put('z', '1'));
    const sink = new Sink();
    const watcher = world.watch(sink, 3);
    expect(world.hub.isUpToDate(watcher)).toBe(false);

    world.catchUp();
    world.run(put('b', '2'));

    expect(sink.seen).toBe('3+b 4+a 6+b');
    expect(sink.caughtUpTimes).toBe(1);
    expect(world.hub.isUpToDate(watcher)).toBe(true);
  });

  test('a watch of the future is not told what comes before it', () => {
    const world = new World();
    const sink = new Sink();
    const watcher = world.watch(sink, 4);

    world.run(put('a', '1'));
    expect(world.hub.isUpToDate(watcher)).toBe(false);
    world.run(put('a', '2'), put('a', '3'));

    expect(sink.seen).toBe('4+a');
    expect(world.hub.isUpToDate(watcher)).toBe(true);
  });

  test('a sink that is full gets the rest once it has room, and nobody waits for it', () => {
    const world = new World();
    const [slow, quick] = [new Sink(), new Sink()];
    slow.roomFor = 1;
    world.watch(slow, 2);
    world.watch(quick, 2);

    world.run(put('a', '1'));
    world.run(put('a', '2'));
    world.run(put('a', '3'));
    expect(slow.seen).toBe('2+a');
    expect(quick.seen).toBe('2+a 3+a 4+a');
    expect(world.hub.behind).toBe(1);
    slow.roomFor = Number.POSITIVE_INFINITY;
    slow.hasRoom = true;
    world.catchUp();

    expect(slow.seen).toBe('2+a 3+a 4+a');
    expect(world.hub.behind).toBe(0);
  });

  test('a watch of what is compacted is told so, once, and is gone', () => {
    const world = new World(0);
    world.run(put('a', '1'), put('a', '2'), put('a', '3'), { type: 'compact', revision: 3 });
    const [late, inTime] = [new Sink(), new Sink()];
    world.watch(late, 2);
    world.watch(inTime, 3);

    world.catchUp();

    expect(late).toMatchObject({ compactedAt: 3, events: [] });
    expect(inTime.seen).toBe('3+a 4+a');
    expect(world.hub.watchers).toBe(1);
  });

  test('watches go on from the history of a state that replaces theirs', () => {
    const world = new World();
    const sink = new Sink();
    world.watch(sink, 2);
    world.run(put('a', '1'));
    world.machine.run(put('a', '2'), put('b', '3'));
    world.machine.settle();

    world.hub.reset(4, -1);
    world.catchUp();
    world.run(put('a', '4'));

    expect(sink.seen).toBe('2+a 3+a 4+b 5+a');
  });

  test('whoever is removed is offered nothing more', () => {
    const world = new World();
    const [one, two] = [new Sink(), new Sink()];
    const gone = world.watch(one, 2);
    world.run(put('a', '1'));
    const behind = world.watch(two, 2);

    world.hub.remove(gone);
    world.hub.remove(behind);
    world.run(put('a', '2'));
    world.catchUp();

    expect(one.seen).toBe('2+a');
    expect(two.seen).toBe('');
    expect(world.hub.watchers).toBe(0);
  });
});

/** A watch, and what it should have seen. */
interface Expectation {
  readonly sink: Sink;
  readonly from: number;
  readonly ranges: readonly KeySelector[];
}

function randomCommand(prng: Prng, revision: number): Command {
  const key = (): string => ['a', 'aa', 'b', 'c', 'd'][prng.nextInt(0, 5)] ?? 'a';
  switch (prng.nextInt(0, 12)) {
    case 0:
      return del('a', 'c');
    case 1:
      return del(key());
    case 2:
      return txn([], [put('a', 't'), put('b', 't'), put('c', 't')]);
    case 3:
      return { type: 'compact', revision: Math.max(0, revision - prng.nextInt(0, 60)) };
    default:
      return put(key(), 'v');
  }
}

test('every watch sees each event it wants once and in order, or is told it is too late', () => {
  let compactions = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const prng = createPrng(seed);
    const world = new World(prng.nextInt(0, 3) * 3000);
    const all: HistoryEvent[] = [];
    const watches: Expectation[] = [];
    for (let step = 0; step < 120; step++) {
      const { revision } = world.machine.machine;
      const commands = Array.from({ length: prng.nextInt(1, 5) }, () =>
        randomCommand(prng, revision),
      );
      const output = world.machine.apply(commands.map(encodeCommand));
      world.hub.publish(output.events, output.revision, output.compactRevision);
      world.machine.settle();
      if (output.events.length > 0) {
        const from = revision + 1;
        const piece = readHistory(from, output.revision, 1000);
        all.push(...runReading(piece, world.machine.store).events);
      }
      if (prng.nextInt(0, 4) === 0) {
        const sink = new Sink();
        const from = Math.max(1, output.revision - prng.nextInt(-10, 40));
        const ranges = [
          { key: bytes('a'), rangeEnd: bytes('b') },
          prng.nextInt(0, 2) === 0
            ? { key: bytes('c') }
            : { key: bytes('b'), rangeEnd: bytes('\0') },
        ];
        watches.push({ sink, from, ranges });
        world.watch(sink, from, { ranges });
      }
      for (const { sink } of watches) {
        sink.hasRoom = prng.nextInt(0, 3) > 0;
        sink.roomFor = sink.hasRoom ? prng.nextInt(1, 4) : 0;
        sink.bytesMax = prng.nextInt(1, 2000);
      }
      world.catchUp(prng.nextInt(1, 6));
      if (prng.nextInt(0, 3) === 0) {
        world.machine.compactStep(prng.nextInt(1, 50));
        world.machine.settle();
      }
    }
    for (const { sink } of watches) {
      sink.hasRoom = true;
      sink.roomFor = Number.POSITIVE_INFINITY;
    }
    world.catchUp();
    for (const { sink, from, ranges } of watches) {
      const wanted = all.filter(
        ({ main, key }) => main >= from && ranges.some((each) => isIn(each, text(key))),
      );
      const expected = wanted.map(describeEvent);
      const seen = sink.events.map(describeEvent);
      if (sink.compactedAt === undefined) {
        expect(seen, `seed ${seed}`).toEqual(expected);
      } else {
        compactions++;
        expect(seen, `seed ${seed}`).toEqual(expected.slice(0, seen.length));
      }
    }
  }
  expect(compactions).toBeGreaterThan(10);
});

function isIn({ key, rangeEnd }: KeySelector, wanted: string): boolean {
  if (rangeEnd === undefined) {
    return text(key) === wanted;
  }
  return wanted >= text(key) && (text(rangeEnd) === '\0' || wanted < text(rangeEnd));
}
