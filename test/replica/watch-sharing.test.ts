/** Streams of watches that share one room, over one hub, with readers that read now and then. */
import { expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import { AuthTable } from '../../src/kv/auth-table.ts';
import { readHistory } from '../../src/kv/history.ts';
import { encodeCommand, WatchHub } from '../../src/kv/index.ts';
import { WatchQueue } from '../../src/replica/watch-queue.ts';
import { WatchRoom } from '../../src/replica/watch-room.ts';
import { del, put } from '../kv/commands.ts';
import { bytes, Machine, runReading } from '../kv/map-store.ts';

const roomBytes = 4000;
const streamBytes = 2000;
/** Of events in memory; small, so that much comes from history. */
const recentBytes = 5000;

/** What a watch is told, as revisions. */
type Heard = Map<number, { readonly from: number; readonly revisions: number[]; isOver: boolean }>;

/** A stream, and what its reader has heard. */
class Reader {
  readonly heard: Heard = new Map();
  readonly queue: WatchQueue;
  readonly #world: World;
  /** Bytes of what has been taken, and not told to have been sent. */
  readonly onTheWay: number[] = [];

  constructor(world: World) {
    this.#world = world;
    const { hub, room } = world;
    this.queue = new WatchQueue({
      ...{ hub, share: room.share(streamBytes), mayAdd: () => true, auth: new AuthTable() },
      complete: async () => Promise.reject(new Error('nothing before is wanted')),
      onRoom: () => undefined,
      onProgressDue: () => undefined,
      onClosed: () => undefined,
    });
  }

  watch(from: number): void {
    const id = this.heard.size + 1;
    this.heard.set(id, { from, revisions: [], isOver: false });
    this.queue.create(id, {
      ...{ ranges: [{ key: bytes('a'), rangeEnd: bytes('b') }], startRevision: from },
      ...{ wantsPuts: true, wantsDeletes: true },
      ...{ prevKv: false, keysOnly: false, progressNotify: true },
    });
  }

  /** Takes the next notice; false when there is none. */
  take(): boolean {
    const waiting = this.queue.take();
    if (waiting?.type === 'events') {
      const heard = this.heard.get(waiting.watch.id);
      const events = waiting.parts.flat();
      heard?.revisions.push(...events.map(({ main }) => main));
      this.onTheWay.push(events.reduce((sum, event) => sum + event.bytes, 0));
    } else if (waiting !== undefined) {
      this.onTheWay.push(0);
    }
    return waiting !== undefined;
  }

  sent(): void {
    if (this.onTheWay.length > 0) {
      this.onTheWay.shift();
      this.queue.sent();
    }
  }

  cancel(prng: Prng): void {
    const id = prng.nextInt(1, this.heard.size + 2);
    const heard = this.heard.get(id);
    if (heard !== undefined) {
      heard.isOver = true;
      this.queue.cancel(id);
      this.#world.catchUp();
    }
  }

  /** Bytes that it holds, once all of it has been taken. */
  takeAll(): number {
    while (this.queue.pending > 0) {
      this.take();
    }
    return this.onTheWay.reduce((sum, each) => sum + each, 0);
  }
}

/** A store whose events reach a hub, as those of a member do. */
class World {
  readonly room = new WatchRoom(roomBytes);
  readonly hub = new WatchHub(1, -1, recentBytes);
  readonly #machine = new Machine();
  readonly revisions: number[] = [];
  /** The longest revision so far. */
  longest = 0;

  get store(): Machine['store'] {
    return this.#machine.store;
  }

  get revision(): number {
    return this.#machine.machine.revision;
  }

  write(prng: Prng): void {
    const commands = Array.from({ length: prng.nextInt(1, 5) }, () =>
      prng.nextInt(0, 6) === 0 ? del('a') : put('a', 'x'.repeat(prng.nextInt(0, 900))),
    );
    const before = this.revision;
    const output = this.#machine.apply(commands.map((each) => encodeCommand(each)));
    this.hub.publish(output.events, output.revision, output.compactRevision);
    this.#machine.settle();
    for (let revision = before + 1; revision <= output.revision; revision++) {
      this.revisions.push(revision);
    }
    this.longest = Math.max(this.longest, ...output.events.map(({ value }) => value.length + 200));
    this.catchUp();
  }

  /** Goes on until nobody with room is behind. */
  catchUp(): void {
    for (;;) {
      const { isUnfinished, historyFrom } = this.hub.catchUp();
      if (historyFrom !== undefined) {
        const piece = runReading(readHistory(historyFrom, this.revision, 5), this.store);
        this.hub.feedHistory(historyFrom, piece);
      } else if (!isUnfinished) {
        return;
      }
    }
  }
}

test('hold what is charged, within the bound, and hear each event once and in order', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const prng = createPrng(seed);
    const world = new World();
    let readers = Array.from({ length: 8 }, () => new Reader(world));
    for (let step = 0; step < 150; step++) {
      const reader = readers[prng.nextInt(0, readers.length)] as Reader;
      switch (prng.nextInt(0, 9)) {
        case 0:
          reader.watch(Math.max(1, world.revision - prng.nextInt(-3, 20)));
          world.catchUp();
          break;
        case 1:
          reader.cancel(prng);
          break;
        case 2:
          reader.queue.tellProgress();
          reader.queue.requestProgress();
          break;
        case 3:
        case 4:
          reader.take();
          break;
        case 5:
          reader.sent();
          world.catchUp();
          break;
        default:
          world.write(prng);
      }
      expect(world.room.bytes, `seed ${seed}`).toBeLessThanOrEqual(
        roomBytes + readers.length * world.longest,
      );
    }

    const held = readers.reduce((sum, reader) => sum + reader.takeAll(), 0);
    expect(world.room.bytes, `seed ${seed}`).toBe(held);
    const [closed, ...others] = readers as [Reader, ...Reader[]];
    closed.queue.close();
    readers = others;
    hearTheRest(world, readers);
    for (const { heard } of readers) {
      for (const { from, revisions, isOver } of heard.values()) {
        const wanted = world.revisions.filter((revision) => revision >= from);
        const expected = isOver ? wanted.slice(0, revisions.length) : wanted;
        expect(revisions, `seed ${seed}`).toEqual(expected);
      }
    }
    expect(world.room.bytes).toBe(0);
  }
});

/** Has readers read until nothing more comes. */
function hearTheRest(world: World, readers: readonly Reader[]): void {
  for (let isMore = true; isMore; ) {
    isMore = false;
    for (const reader of readers) {
      while (reader.take() || reader.onTheWay.length > 0) {
        isMore = true;
        reader.sent();
      }
      world.catchUp();
    }
  }
}
