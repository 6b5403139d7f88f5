/**
 * How much of an array of events there is room for. Watchers that want the same, and have the same
 * room, get the same array, so that what is made of it need be made once; and an array is measured
 * once, though thousands are offered it.
 */
import type { HistoryEvent } from './history.ts';

/** Events that are offered together. */
export interface EventPiece {
  readonly events: readonly HistoryEvent[];
  readonly bytes: number;
}

/** See the module comment. For one round of offers. */
export class EventPieces {
  /** Watchers that want the same follow each other. */
  #measured: EventPiece = { events: [], bytes: 0 };
  readonly #cut = new Map<readonly HistoryEvent[], Map<number, EventPiece>>();

  /** All of the events. */
  whole(events: readonly HistoryEvent[]): EventPiece {
    if (this.#measured.events !== events) {
      this.#measured = { events, bytes: bytesOf(events) };
    }
    return this.#measured;
  }

  /** The first revisions of the events that take `room` bytes at most; one at least. */
  fitting(events: readonly HistoryEvent[], room: number): EventPiece {
    const whole = this.whole(events);
    if (whole.bytes <= room) {
      return whole;
    }
    const count = countFitting(events, room);
    return count === events.length ? whole : this.#first(events, count);
  }

  #first(events: readonly HistoryEvent[], count: number): EventPiece {
    let pieces = this.#cut.get(events);
    if (pieces === undefined) {
      pieces = new Map();
      this.#cut.set(events, pieces);
    }
    let piece = pieces.get(count);
    if (piece === undefined) {
      const first = events.slice(0, count);
      piece = { events: first, bytes: bytesOf(first) };
      pieces.set(count, piece);
    }
    return piece;
  }
}

function bytesOf(events: readonly HistoryEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += event.bytes;
  }
  return bytes;
}

function countFitting(events: readonly HistoryEvent[], room: number): number {
  let count = 0;
  let bytes = 0;
  for (const [at, event] of events.entries()) {
    bytes += event.bytes;
    const isLastOfRevision = events[at + 1]?.main !== event.main;
    if (isLastOfRevision) {
      if (count > 0 && bytes > room) {
        break;
      }
      count = at + 1;
    }
  }
  return count;
}
