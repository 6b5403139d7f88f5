/**
 * Where the events of each applied batch meet the watchers that want them (G6).
 *
 * A watcher is either up to date, then it is in the index and each batch finds it; or it is behind,
 * then it is fed from the events that are still in memory or from history, until it has caught up.
 * It falls behind when it begins in the past, when its reader takes nothing for a while, and when
 * a snapshot has replaced the state. So a slow reader costs a note of where it is, and no events.
 *
 * ```text
 *              history (engine)               in memory          next batch
 *   ... ───────────────────────────┬───────────────────────────┬─────────────
 *        behind: fed by whoever    │ behind: caught up in      │ up to date:
 *        reads history             │ `catchUp`, at once        │ `publish`
 * ```
 *
 * Invariant: a watcher is offered every event it wants from its start on once, in order, whole
 * revisions at a time; or it is told the compact revision, and then nothing any more.
 *
 * Pure: no clock, no I/O. Whoever runs it reads history when `catchUp` asks for it.
 */
import { assert, must } from '../base/index.ts';
import type { KeySelector } from './command.ts';
import { type EventPiece, EventPieces } from './event-pieces.ts';
import { HistoryEvent, type HistoryPiece } from './history.ts';
import type { StoredRecord } from './need.ts';
import { watchedRange, type WatchedRange, type WatchGroup, WatchIndex } from './watch-index.ts';

export type { EventPiece } from './event-pieces.ts';

/** Limit: bytes of events that are kept for watchers that fall behind a little. */
const recentBytesMax = 8 * 1024 * 1024;
/** Limit: events in memory that are gone through at a time. */
const recentPieceEvents = 2048;

/** Takes the events of one or more watchers. Calls back into the hub only later. */
export interface WatchSink {
  /**
   * Bytes of events that it takes now, or one revision if that is longer; 0 for nothing. What there
   * is no room for comes again from memory or history.
   */
  readonly room: number;
  /**
   * All events that the watcher wants up to `revision` have been offered with these. Watchers that
   * want the same are offered the same array, so what is made of it need be made once.
   */
  offer(watcher: Watcher, piece: EventPiece, revision: number): void;
  /** The watcher wants events below this revision, which are gone; it is no longer in the hub. */
  compacted(watcher: Watcher, compactRevision: number): void;
  /** A watcher that was behind is up to date. */
  caughtUp(): void;
}

/** What is left to do for those that are behind. */
export interface CatchUp {
  /** Some have more to come from memory: call again, in another turn. */
  readonly isUnfinished: boolean;
  /** Where history has to be read from for who is next in turn; undefined when nobody needs it. */
  readonly historyFrom: number | undefined;
}

/** What a watcher wants. */
export interface WatcherOptions {
  readonly ranges: readonly KeySelector[];
  readonly wantsPuts: boolean;
  readonly wantsDeletes: boolean;
}

/** One watch of a sink. There may be a great many of them: it holds no more than it must. */
export class Watcher {
  readonly sink: WatchSink;
  readonly ranges: readonly WatchedRange[];
  readonly wantsPuts: boolean;
  readonly wantsDeletes: boolean;
  /**
   * First revision not offered yet. Of one that is up to date: no event below it is offered, all
   * published ones from it on have been.
   */
  nextRevision: number;
  isBehind = false;

  constructor(sink: WatchSink, options: WatcherOptions, nextRevision: number) {
    this.sink = sink;
    this.ranges = options.ranges.map(watchedRange);
    this.wantsPuts = options.wantsPuts;
    this.wantsDeletes = options.wantsDeletes;
    this.nextRevision = nextRevision;
  }
}

/** See the module comment. */
export class WatchHub {
  readonly #upToDate = new Set<Watcher>();
  /** Of those that are up to date. */
  readonly #index = new WatchIndex<Watcher>();
  /** In the order in which they get their turn. */
  readonly #behind = new Set<Watcher>();
  #recent: HistoryEvent[] = [];
  #recentBytes = 0;
  /** All events from this revision on are in memory. */
  #recentFrom: number;
  #revision: number;
  #compactRevision: number;

  readonly #recentBytesMax: number;

  /** Over a state at `revision`. */
  constructor(revision: number, compactRevision: number, recentBytes = recentBytesMax) {
    this.#recentBytesMax = recentBytes;
    this.#revision = revision;
    this.#recentFrom = revision + 1;
    this.#compactRevision = compactRevision;
  }

  /** All events up to here have been published. */
  get revision(): number {
    return this.#revision;
  }

  get watchers(): number {
    return this.#upToDate.size + this.#behind.size;
  }

  /** Watchers that have events to come that were published already. */
  get behind(): number {
    return this.#behind.size;
  }

  /** Begins to feed a watcher; call `catchUp` afterwards. */
  add(watcher: Watcher): void {
    if (watcher.nextRevision <= this.#revision) {
      this.#fallBehind(watcher);
    } else {
      this.#join(watcher);
    }
  }

  remove(watcher: Watcher): void {
    if (!this.#behind.delete(watcher)) {
      this.#unjoin(watcher);
    }
  }

  /**
   * Takes the events of the next applied batch, in order; `revision` and `compactRevision` are the
   * state's after it.
   */
  publish(records: readonly StoredRecord[], revision: number, compactRevision: number): void {
    assert(revision >= this.#revision, 'revisions never decrease');
    this.#compactRevision = compactRevision;
    const events = records.map((record) => new HistoryEvent(record));
    if (!this.#index.isEmpty) {
      this.#offerAll(events, revision);
    }
    this.#revision = revision;
    this.#remember(events);
  }

  /** Another state has replaced this one; all watchers go on from its history. */
  reset(revision: number, compactRevision: number): void {
    assert(
      revision >= this.#revision || this.watchers === 0,
      'a state that is watched is not replaced by an older one',
    );
    for (const watcher of [...this.#upToDate]) {
      this.#unjoin(watcher);
      watcher.nextRevision = Math.max(watcher.nextRevision, this.#revision + 1);
      if (watcher.nextRevision <= revision) {
        this.#fallBehind(watcher);
      } else {
        this.#join(watcher);
      }
    }
    this.#revision = revision;
    this.#compactRevision = compactRevision;
    this.#recent = [];
    this.#recentBytes = 0;
    this.#recentFrom = revision + 1;
  }

  /**
   * Ends watchers that want what is compacted, and offers a piece of what is in memory to those
   * that are behind and have room.
   */
  catchUp(): CatchUp {
    const served: Watcher[] = [];
    let historyFrom: number | undefined;
    for (const watcher of [...this.#behind]) {
      if (watcher.nextRevision < this.#compactRevision) {
        this.#behind.delete(watcher);
        watcher.sink.compacted(watcher, this.#compactRevision);
      } else if (watcher.sink.room > 0) {
        if (watcher.nextRevision >= this.#recentFrom) {
          served.push(watcher);
        } else {
          historyFrom ??= watcher.nextRevision;
        }
      }
    }
    const [first] = served;
    if (first !== undefined) {
      this.#feed(first.nextRevision, served, this.#recentPiece(first.nextRevision));
    }
    const isUnfinished = served.some(({ isBehind, sink }) => isBehind && sink.room > 0);
    return { isUnfinished, historyFrom };
  }

  /**
   * Takes a piece of history that begins at `from`, for those that are behind. The compact revision
   * may have moved meanwhile: who wanted what is below it ends in the next `catchUp`.
   */
  feedHistory(from: number, piece: HistoryPiece): void {
    const ready = [...this.#behind].filter(
      ({ nextRevision, sink }) => nextRevision >= this.#compactRevision && sink.room > 0,
    );
    this.#feed(from, ready, piece);
  }

  /** Whether a watcher has been offered all there is, and may be told so. */
  isUpToDate({ isBehind, nextRevision }: Watcher): boolean {
    return !isBehind && nextRevision <= this.#revision + 1;
  }

  #offerAll(events: readonly HistoryEvent[], revision: number): void {
    const pieces = new EventPieces();
    for (const [watcher, wanted] of collect(this.#index, events)) {
      const piece = pieces.whole(wanted);
      if (piece.bytes <= watcher.sink.room) {
        watcher.sink.offer(watcher, piece, revision);
      } else {
        this.#unjoin(watcher);
        watcher.nextRevision = Math.max(watcher.nextRevision, this.#revision + 1);
        this.#fallBehind(watcher);
      }
    }
  }

  #remember(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      this.#recent.push(event);
      this.#recentBytes += event.bytes;
    }
    if (this.#recentBytes <= this.#recentBytesMax) {
      return;
    }
    // Half of it goes at once, so that what is moved is little on average.
    let drop = 0;
    while (this.#recentBytes > this.#recentBytesMax / 2) {
      const event = this.#recent[drop];
      if (event === undefined) {
        break;
      }
      this.#recentBytes -= event.bytes;
      this.#recentFrom = event.main + 1;
      drop++;
    }
    while (this.#recent[drop]?.main === this.#recentFrom - 1) {
      this.#recentBytes -= this.#recent[drop]?.bytes ?? 0;
      drop++;
    }
    this.#recent = this.#recent.slice(drop);
  }

  /** A piece of what is in memory, from a revision on that is. */
  #recentPiece(from: number): HistoryPiece {
    const first = firstFrom(this.#recent, from);
    const events = this.#recent.slice(first, first + recentPieceEvents);
    const next = this.#recent[first + recentPieceEvents];
    const last = events.at(-1);
    if (next === undefined || last === undefined) {
      return { events, throughRevision: this.#revision };
    }
    // A revision is not cut in two: either it waits for the next piece, or it is this one.
    const whole = events.filter(({ main }) => main < next.main);
    return whole.length > 0
      ? { events: whole, throughRevision: next.main - 1 }
      : {
          events: this.#recent.slice(first, firstFrom(this.#recent, next.main + 1)),
          throughRevision: next.main,
        };
  }

  /** Offers a piece that begins at `from` to those, all behind, whose next revision is in it. */
  #feed(from: number, watchers: readonly Watcher[], piece: HistoryPiece): void {
    const { events, throughRevision } = piece;
    const served = watchers.filter(
      ({ nextRevision }) => nextRevision >= from && nextRevision <= throughRevision,
    );
    const index = new WatchIndex<Watcher>();
    for (const watcher of served) {
      addTo(index, watcher);
    }
    const eventsByWatcher = collect(index, events);
    const pieces = new EventPieces();
    for (const watcher of served) {
      const { room } = watcher.sink;
      // Its sink may have become full with another watcher of it.
      if (room > 0) {
        const wanted = eventsByWatcher.get(watcher) ?? [];
        const fitting = pieces.fitting(wanted, room);
        const isCut = fitting.events.length < wanted.length;
        const revision = isCut ? lastRevisionOf(fitting) : throughRevision;
        this.#offerBehind(watcher, fitting, revision);
      }
    }
  }

  #offerBehind(watcher: Watcher, piece: EventPiece, revision: number): void {
    if (piece.events.length > 0) {
      watcher.sink.offer(watcher, piece, revision);
    }
    watcher.nextRevision = revision + 1;
    this.#behind.delete(watcher);
    if (revision === this.#revision) {
      this.#join(watcher);
      watcher.sink.caughtUp();
    } else {
      // At the end: the others come first.
      this.#behind.add(watcher);
    }
  }

  #fallBehind(watcher: Watcher): void {
    watcher.isBehind = true;
    this.#behind.add(watcher);
  }

  #join(watcher: Watcher): void {
    watcher.isBehind = false;
    addTo(this.#index, watcher);
    this.#upToDate.add(watcher);
  }

  #unjoin(watcher: Watcher): void {
    for (const range of watcher.ranges) {
      this.#index.remove(range, watcher);
    }
    this.#upToDate.delete(watcher);
  }
}

function addTo(index: WatchIndex<Watcher>, watcher: Watcher): void {
  for (const range of watcher.ranges) {
    index.add(range, watcher);
  }
}

function lastRevisionOf({ events }: EventPiece): number {
  return must(events.at(-1), 'a piece that is cut has events').main;
}

/** Events of a key or range, and those of them that its watchers may want. */
class FoundEvents {
  readonly all: HistoryEvent[] = [];
  #puts: readonly HistoryEvent[] | undefined;
  #deletes: readonly HistoryEvent[] | undefined;

  /** What a watcher wants of them: the same array for all that want the same. */
  for({ wantsPuts, wantsDeletes, nextRevision }: Watcher): readonly HistoryEvent[] {
    const wanted =
      wantsPuts && wantsDeletes
        ? this.all
        : wantsPuts
          ? (this.#puts ??= this.all.filter(({ isDelete }) => !isDelete))
          : wantsDeletes
            ? (this.#deletes ??= this.all.filter(({ isDelete }) => isDelete))
            : [];
    const [first] = wanted;
    const isAllToCome = first === undefined || first.main >= nextRevision;
    return isAllToCome ? wanted : wanted.filter(({ main }) => main >= nextRevision);
  }
}

/** The events that each watcher of an index wants; those who want none are left out. */
function collect(
  index: WatchIndex<Watcher>,
  events: readonly HistoryEvent[],
): ReadonlyMap<Watcher, readonly HistoryEvent[]> {
  const foundByGroup = new Map<WatchGroup<Watcher>, FoundEvents>();
  for (const event of events) {
    index.visit(event.key, (group) => {
      let found = foundByGroup.get(group);
      if (found === undefined) {
        found = new FoundEvents();
        foundByGroup.set(group, found);
      }
      found.all.push(event);
    });
  }
  const eventsByWatcher = new Map<Watcher, readonly HistoryEvent[]>();
  for (const [group, found] of foundByGroup) {
    for (const watcher of group instanceof Watcher ? [group] : group) {
      const wanted = found.for(watcher);
      const others = eventsByWatcher.get(watcher);
      if (others !== undefined) {
        // Of another of its ranges: each event once, in the order of all.
        const either = new Set([...others, ...wanted]);
        eventsByWatcher.set(
          watcher,
          events.filter((event) => either.has(event)),
        );
      } else if (wanted.length > 0) {
        eventsByWatcher.set(watcher, wanted);
      }
    }
  }
  return eventsByWatcher;
}

/** Index of the first event at or after a revision. */
function firstFrom(events: readonly HistoryEvent[], revision: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as HistoryEvent).main < revision) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
