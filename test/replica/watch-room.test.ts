import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WatchRoom, type WatchShare } from '../../src/replica/watch-room.ts';

describe('A room for watches', () => {
  test('gives one stream what a stream may hold, and its last revision on top', () => {
    const share = new WatchRoom(1000).share(100);

    share.take(90);
    expect(share.room).toBe(10);
    share.take(25);

    expect(share.room).toBe(0);
    expect(share.bytes).toBe(115);
  });

  test('gives a stream as much as is still free, so one alone has half of it', () => {
    const room = new WatchRoom(1000);
    const [one, two, three] = [room.share(), room.share(), room.share()];

    for (const share of [one, two, three]) {
      share.take(share.room);
    }

    expect([one, two, three].map(({ bytes }) => bytes)).toEqual([500, 250, 125]);
    expect([one, two, three].map((share) => share.room)).toEqual([0, 0, 0]);
    expect(room.freeBytes).toBe(125);
  });

  test('has room for a stream again when half of what it held has gone, and says so once', () => {
    const share = new WatchRoom(1000).share(100);
    share.take(120);

    expect([30, 29, 1, 1].map((bytes) => share.give(bytes))).toEqual([false, false, true, false]);
    expect(share.room).toBe(41);
  });

  test('has room for a revision of a stream that holds nothing, whatever the others hold', () => {
    const room = new WatchRoom(1000);
    room.share(2000).take(1500);
    const share = room.share();

    for (const bytes of [1, 700]) {
      expect(share.room).toBe(1);
      share.take(bytes);
      expect(share.room).toBe(0);
      expect(share.give(bytes)).toBe(true);
    }
  });

  test('has none for a stream with half of it gone while there is none; but with all of it', () => {
    const room = new WatchRoom(1000);
    room.share(2000).take(1500);
    const share = room.share();
    share.take(100);

    expect([60, 39, 1].map((bytes) => share.give(bytes))).toEqual([false, false, true]);
  });
});

/** A stream, and its last revision, which may have gone beyond all bounds. */
interface Stream {
  readonly share: WatchShare;
  beyond: number;
}

test('all streams hold what is charged, within the bound and one revision each', () => {
  const step = fc.record({
    of: fc.nat(3),
    bytes: fc.integer({ min: 1, max: 400 }),
    kind: fc.nat(4),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.constantFrom(300, 1000, 5000),
      (steps, max) => {
        const room = new WatchRoom(max);
        const open = (): Stream => ({ share: room.share(500), beyond: 0 });
        const streams = [open(), open(), open(), open()];
        for (const { of, bytes, kind } of steps) {
          const stream = streams[of] ?? open();
          const { share } = stream;
          if (kind === 0) {
            share.end();
            streams[of] = open();
          } else if (kind === 1) {
            const wasFull = isFull(share);
            const isRoomAgain = share.give(Math.min(bytes, share.bytes));
            expect(isRoomAgain).toBe(wasFull && !isFull(share));
          } else if (share.room > 0) {
            stream.beyond = bytes > share.room ? bytes : stream.beyond;
            share.take(bytes);
          }
          const [held, beyond] = [sumOf(streams, 'held'), sumOf(streams, 'beyond')];
          expect(room.bytes).toBe(held);
          expect(held).toBeLessThanOrEqual(max + beyond);
          for (const { share: each } of streams) {
            expect(each.bytes > 0 || each.room > 0, 'who holds nothing goes on').toBe(true);
          }
        }
        for (const { share } of streams) {
          share.end();
        }
        expect(room.bytes).toBe(0);
      },
    ),
  );
});

function isFull({ room }: WatchShare): boolean {
  return room === 0;
}

function sumOf(streams: readonly Stream[], what: 'held' | 'beyond'): number {
  let sum = 0;
  for (const { share, beyond } of streams) {
    sum += what === 'held' ? share.bytes : beyond;
  }
  return sum;
}
