import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventPieces } from '../../src/kv/event-pieces.ts';
import { encodeCommand } from '../../src/kv/index.ts';
import { HistoryEvent } from '../../src/kv/history.ts';
import { put, txn } from './commands.ts';
import { Machine } from './map-store.ts';

/** Of revisions with so many changes each. */
function eventsOf(counts: readonly number[]): readonly HistoryEvent[] {
  const commands = counts.map((count) =>
    txn(
      [],
      Array.from({ length: count }, (_, at) => put(`k${at}`, 'x'.repeat(10 * at))),
    ),
  );
  const { events } = new Machine().apply(commands.map((each) => encodeCommand(each)));
  return events.map((record) => new HistoryEvent(record));
}

test('a piece is the first whole revisions that fit, or the first one', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 6000 }), (revisions, room) => {
      const events = eventsOf(revisions);
      const { events: piece, bytes } = new EventPieces().fitting(events, room);

      expect(piece).toEqual(events.slice(0, piece.length));
      expect(bytes).toBe(piece.reduce((sum, event) => sum + event.bytes, 0));
      const last = piece.at(-1)?.main;
      const next = events[piece.length];
      expect(next?.main, 'revisions are whole').not.toBe(last);
      const isFirst = piece[0]?.main === last;
      expect(bytes <= room || isFirst).toBe(true);
      const more = events.filter(({ main }) => main === next?.main);
      const longer = more.reduce((sum, event) => sum + event.bytes, bytes);
      expect(next === undefined || longer > room, 'no more would fit').toBe(true);
    }),
  );
});

test('those who want the same and have the same room get the same array', () => {
  const events = eventsOf([1, 1, 1]);
  const pieces = new EventPieces();

  expect(pieces.whole(events).events).toBe(events);
  expect(pieces.fitting(events, 1e6).events).toBe(events);
  const [one, other] = [pieces.fitting(events, 500), pieces.fitting(events, 501)];
  expect(one.events).toHaveLength(2);
  expect(other.events).toBe(one.events);
  expect(pieces.fitting(events, 300).events).toHaveLength(1);
});
