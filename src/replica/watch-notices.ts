/**
 * What the reader of a stream of watches is told of the events that waited for it: as it sees them,
 * with what keys were before where its watch wants that, without values where it wants none. What
 * keys were before is read in bounded pieces; events whose turn has not come wait on.
 *
 * What is made of an array of events alone is kept for as long as the array is: all watches that
 * want the same are offered the same one.
 */
import { emptyBytes, must } from '../base/index.ts';
import { type HistoryEvent, type KeyValue, type Reading, readPrevious } from '../kv/index.ts';
import type { WatchEvent, WatchNotice } from './watch-api.ts';

/** Events that become one notice when their turn comes. */
export interface OfferedEvents {
  readonly type: 'events';
  readonly watch: { readonly id: number; readonly prevKv: boolean; readonly keysOnly: boolean };
  /** As they were offered. */
  readonly parts: readonly (readonly HistoryEvent[])[];
  /** All events that the watch wants up to here have been told with these. */
  readonly revision: number;
}

/** What waits: a notice, or events. */
export type Waiting = { readonly type: 'notice'; readonly notice: WatchNotice } | OfferedEvents;

/** What the reader is told next of what waited. */
export type NextNotice =
  | {
      readonly type: 'notice';
      readonly notice: WatchNotice;
      /** Of what keys were before, in this notice. */
      readonly previousBytes: number;
      /** What is left to be told, in further notices. */
      readonly rest?: OfferedEvents | undefined;
    }
  /** What keys were before this revision is too long: it cannot be told. */
  | { readonly type: 'too-long'; readonly revision: number };

/**
 * Limit: bytes of what keys were before one revision, which is told as a whole. A transaction
 * deletes any number of keys at one revision.
 */
const revisionBytesMax = 64 * 1024 * 1024;

/** Remembers events with what keys were before, for others that are told the same. */
export interface KnownEvents {
  get(part: readonly HistoryEvent[]): ToldEvents | undefined;
  add(part: readonly HistoryEvent[], found: ToldEvents): void;
}

/** Events with what keys were before, and the bytes of that. */
interface ToldEvents {
  readonly told: readonly WatchEvent[];
  readonly bytes: number;
}

/** Whether history must be asked before the reader can be told. */
function needsReading(waiting: Waiting): waiting is OfferedEvents {
  return waiting.type === 'events' && waiting.watch.prevKv;
}

/**
 * What the reader is told next, with what keys were before if the watch wants that: `bytesMax` of
 * it, about, or of a single revision more, up to `revisionMax`.
 */
export function* noticeOf(
  waiting: Waiting,
  bytesMax: number,
  known: KnownEvents,
  revisionMax = revisionBytesMax,
): Reading<NextNotice> {
  if (!needsReading(waiting)) {
    return { type: 'notice', notice: plainNotice(waiting), previousBytes: 0 };
  }
  const { parts } = waiting;
  const told: Found[] = [];
  let bytes = 0;
  for (const [at, part] of parts.entries()) {
    if (told.length > 0 && bytes >= bytesMax) {
      return partOf(waiting, told, parts.slice(at));
    }
    const found = yield* findPrevious(part, known, { bytesMax: bytesMax - bytes, revisionMax });
    const count = found.events.length;
    if (count === 0) {
      return told.length === 0
        ? { type: 'too-long', revision: must(part[0], 'a part has events').main }
        : partOf(waiting, told, parts.slice(at));
    }
    told.push(found);
    bytes += found.bytes;
    if (count < part.length) {
      return partOf(waiting, told, [part.slice(count), ...parts.slice(at + 1)]);
    }
  }
  return foundNotice(waiting, told, waiting.revision);
}

/** A notice of the first parts, which are told up to their last event, and what is left. */
function partOf(
  waiting: OfferedEvents,
  parts: readonly Found[],
  rest: OfferedEvents['parts'],
): NextNotice {
  const revision = must(parts.at(-1)?.events.at(-1), 'a part has events').main;
  const { type, watch } = waiting;
  return {
    ...foundNotice(waiting, parts, revision),
    rest: { type, watch, parts: rest, revision: waiting.revision },
  };
}

function foundNotice(
  { watch }: OfferedEvents,
  found: readonly Found[],
  revision: number,
): Extract<NextNotice, { type: 'notice' }> {
  const parts = found.map(({ told }) => (watch.keysOnly ? withoutValues(told) : told));
  let previousBytes = 0;
  for (const { bytes } of found) {
    previousBytes += bytes;
  }
  return {
    type: 'notice',
    notice: { type: 'events', watchId: watch.id, revision, parts },
    previousBytes,
  };
}

/** The same for a watch that does not want to know what keys were before. */
export function plainNotice(waiting: Waiting): WatchNotice {
  if (waiting.type === 'notice') {
    return waiting.notice;
  }
  const { watch, parts, revision } = waiting;
  const told = parts.map((part) => {
    const whole = plainEvents(part);
    return watch.keysOnly ? withoutValues(whole) : whole;
  });
  return { type: 'events', watchId: watch.id, revision, parts: told };
}

/** The first events of a part, whole revisions, none when those of the first are too long. */
interface Found extends ToldEvents {
  /** As they were offered. */
  readonly events: readonly HistoryEvent[];
}

/** Finds what keys were before these events; undefined where that is compacted. */
function* findPrevious(
  part: readonly HistoryEvent[],
  known: KnownEvents,
  { bytesMax, revisionMax }: { readonly bytesMax: number; readonly revisionMax: number },
): Reading<Found> {
  const before = known.get(part);
  if (before !== undefined && (before.bytes <= bytesMax || isOneRevision(part))) {
    return { events: part, ...before };
  }
  const changes = part.filter(({ previousKey }) => previousKey !== undefined);
  let found = yield* previousOf(changes, bytesMax);
  let count = countBefore(part, changes[found.length]?.main);
  if (count === 0) {
    // The first revision alone is longer.
    const first = changes[found.length]?.main ?? 0;
    const ofFirst = changes.filter(({ main }) => main === first);
    const left = revisionMax - bytesOf(found);
    const more = yield* previousOf(ofFirst.slice(found.length), left);
    found = [...found, ...more];
    count = found.length < ofFirst.length ? 0 : countBefore(part, first + 1);
  }
  const events = count === part.length ? part : part.slice(0, count);
  const previous = new Map(changes.slice(0, found.length).map((event, at) => [event, found[at]]));
  const told = events.map((event) => ({ prevKv: previous.get(event), ...eventOf(event) }));
  const bytes = bytesOf(told.map(({ prevKv }) => prevKv));
  if (count < part.length) {
    return { events, told, bytes };
  }
  // Somebody else may have read the same meanwhile.
  const others = known.get(part);
  if (others === undefined) {
    known.add(part, { told, bytes });
  }
  return { events, ...(others ?? { told, bytes }) };
}

function isOneRevision(part: readonly HistoryEvent[]): boolean {
  return part[0]?.main === part.at(-1)?.main;
}

function* previousOf(
  changes: readonly HistoryEvent[],
  bytesMax: number,
): Reading<readonly (KeyValue | undefined)[]> {
  const keys = changes.map(({ previousKey }) => must(previousKey, 'what a change changes'));
  return yield* readPrevious(keys, bytesMax);
}

function bytesOf(kvs: readonly (KeyValue | undefined)[]): number {
  let bytes = 0;
  for (const kv of kvs) {
    bytes += kv === undefined ? 0 : kv.key.length + kv.value.length;
  }
  return bytes;
}

/** How many events come before revision `main`; all of them without one. */
function countBefore(part: readonly HistoryEvent[], main: number | undefined): number {
  const at = main === undefined ? -1 : part.findIndex((event) => event.main >= main);
  return at < 0 ? part.length : at;
}

/** Events as readers see them, by what was offered: the same arrays for all readers. */
const toldEvents = new WeakMap<readonly HistoryEvent[], readonly WatchEvent[]>();
/** The same without values. */
const eventsWithoutValues = new WeakMap<readonly WatchEvent[], readonly WatchEvent[]>();

function plainEvents(part: readonly HistoryEvent[]): readonly WatchEvent[] {
  let told = toldEvents.get(part);
  if (told === undefined) {
    told = part.map(eventOf);
    toldEvents.set(part, told);
  }
  return told;
}

function eventOf({ isDelete, keyValue, isExpiry }: HistoryEvent): WatchEvent {
  return { type: isDelete ? 'delete' : 'put', kv: keyValue, isExpiry };
}

function withoutValues(events: readonly WatchEvent[]): readonly WatchEvent[] {
  let told = eventsWithoutValues.get(events);
  if (told === undefined) {
    told = events.map(({ type, isExpiry, kv, prevKv }) => ({
      type,
      isExpiry,
      kv: { ...kv, value: emptyBytes },
      prevKv: prevKv === undefined ? undefined : { ...prevKv, value: emptyBytes },
    }));
    eventsWithoutValues.set(events, told);
  }
  return told;
}
