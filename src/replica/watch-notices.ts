/**
 * What the reader of a stream of watches is told of the events that waited for it: as it sees them,
 * with what keys were before where its watch wants that, without values where it wants none.
 *
 * What is made of an array of events is kept for as long as the array is: all watches that want the
 * same are offered the same one.
 */
import { emptyBytes, must } from '../base/index.ts';
import { type HistoryEvent, type Reading, readPrevious } from '../kv/index.ts';
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

/** Whether history must be asked before the reader can be told. */
export function needsReading(waiting: Waiting): waiting is OfferedEvents {
  return waiting.type === 'events' && waiting.watch.prevKv;
}

/** What the reader is told, with what keys were before if the watch wants that. */
export function* noticeOf(waiting: Waiting): Reading<WatchNotice> {
  if (needsReading(waiting)) {
    for (const part of waiting.parts) {
      yield* findPrevious(part);
    }
  }
  return plainNotice(waiting);
}

/** The same, once what keys were before has been found. */
export function plainNotice(waiting: Waiting): WatchNotice {
  if (waiting.type === 'notice') {
    return waiting.notice;
  }
  const { watch, parts, revision } = waiting;
  const told = parts.map((part) => {
    const whole = (watch.prevKv ? eventsWithPrevious.get(part) : undefined) ?? plainEvents(part);
    return watch.keysOnly ? withoutValues(whole) : whole;
  });
  return { type: 'events', watchId: watch.id, revision, parts: told };
}

/** Finds what keys were before these events; undefined where that is compacted. */
function* findPrevious(part: readonly HistoryEvent[]): Reading<void> {
  if (eventsWithPrevious.has(part)) {
    return;
  }
  const changes = part.filter(({ previousKey }) => previousKey !== undefined);
  const keys = changes.map(({ previousKey }) => must(previousKey, 'what a change changes'));
  const found = keys.length === 0 ? [] : yield* readPrevious(keys);
  const previous = new Map(changes.map((event, at) => [event, found[at]]));
  const told = part.map((event) => ({ prevKv: previous.get(event), ...eventOf(event) }));
  eventsWithPrevious.set(part, told);
}

/** Events as readers see them, by what was offered: the same arrays for all readers. */
const toldEvents = new WeakMap<readonly HistoryEvent[], readonly WatchEvent[]>();
/** The same with what the keys were before. */
const eventsWithPrevious = new WeakMap<readonly HistoryEvent[], readonly WatchEvent[]>();
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
