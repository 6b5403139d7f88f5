/**
 * Watches in a run: the production hub and streams over each member's state, and readers that
 * follow it from one member to another, late, slowly, and through crashes.
 *
 * What a watch must be (etcd's API guarantees, G6): ordered, unique, reliable, atomic, resumable,
 * bookmarkable. Checked with each notice against all events that were ever applied: a reader that
 * is told everything from one revision up to another must have been told exactly that, filters,
 * values and what keys were before included.
 *
 * Readers only look: they draw from a stream of their own, so a run is the same without them.
 */
import { AuthTable } from '../../src/kv/auth-table.ts';
import { must, type Prng } from '../../src/base/index.ts';
import {
  HistoryEvent,
  type KeySelector,
  type KeyValue,
  readHistory,
  WatchHub,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import type { WatchEvent, WatchNotice } from '../../src/replica/watch-api.ts';
import { noticeOf, type Waiting } from '../../src/replica/watch-notices.ts';
import { WatchQueue } from '../../src/replica/watch-queue.ts';
import type { VirtualClock } from './clock.ts';
import { holds } from './failure.ts';
import { runOver } from './lane.ts';
import { describe } from './ledger-model.ts';
import type { AppliedBatch, SimMember } from './member.ts';
import type { Observer } from './observer.ts';

const name = 'watch';
const readers = 4;
/** Watches of one reader, on one stream. */
const watchesMax = 2;
/** Of events in memory; small, so that readers need history. */
const recentBytes = 4_000;
/** Of events that wait for a reader; small, so that its watches fall behind. */
const queuedBytesMax = 600;

/** What runs: members, and the clock they share. */
interface WatchedCluster {
  readonly clock: VirtualClock;
  readonly members: ReadonlyMap<number, SimMember>;
  readonly parameters: { readonly member: { readonly tickUs: number } };
}

/** An event, and what its key was before it. */
interface TrueEvent {
  readonly event: HistoryEvent;
  readonly before: KeyValue | undefined;
}

/** All events, as the first member that applied them told them. */
class EventLedger {
  readonly #events: TrueEvent[] = [];
  readonly #newestByKey = new Map<string, KeyValue>();
  revision = 1;
  /** Of any member: history up to here may be gone. */
  compactRevision = -1;

  add({ events, revision, compactRevision }: AppliedBatch): void {
    this.compactRevision = Math.max(this.compactRevision, compactRevision);
    if (revision <= this.revision) {
      return;
    }
    for (const record of events) {
      const event = new HistoryEvent(record);
      if (event.main > this.revision) {
        const key = mapKeyOf(event.key);
        this.#events.push({ event, before: this.#newestByKey.get(key) });
        if (event.isDelete) {
          this.#newestByKey.delete(key);
        } else {
          this.#newestByKey.set(key, event.keyValue);
        }
      }
    }
    this.revision = revision;
  }

  between(from: number, through: number): readonly TrueEvent[] {
    return this.#events.slice(this.#indexOf(from), this.#indexOf(through + 1));
  }

  /** Of the first event at or after a revision. */
  #indexOf(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as TrueEvent).event.main < revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** The watches of one run of a member. */
interface Place {
  readonly hub: WatchHub;
  /** Streams that are to tell progress once they are as far. */
  readonly awaiting: Set<WatchQueue>;
}

/** See the module comment. */
export class Watching implements Observer {
  readonly name = name;
  readonly #ledger = new EventLedger();
  readonly #places = new Map<number, Place>();
  readonly #readers: readonly Reader[];
  readonly #cluster: WatchedCluster;

  constructor(cluster: WatchedCluster, prng: Prng) {
    this.#cluster = cluster;
    this.#readers = Array.from({ length: readers }, () => new Reader(this.#ledger, prng));
    for (const reader of this.#readers) {
      this.#schedule(reader, prng);
    }
  }

  started(member: SimMember): void {
    const { revision, compactRevision } = member.run.stateMachine;
    const hub = new WatchHub(revision, compactRevision, recentBytes);
    this.#places.set(member.id, { hub, awaiting: new Set() });
  }

  crashed(member: SimMember): void {
    this.#places.delete(member.id);
    for (const reader of this.#readers) {
      if (reader.member === member) {
        reader.leave();
      }
    }
  }

  applied(member: SimMember, batch: AppliedBatch): void {
    this.#ledger.add(batch);
    const { hub, awaiting } = this.#place(member);
    hub.publish(batch.events, batch.revision, batch.compactRevision);
    for (const stream of awaiting) {
      if (stream.maybeTellProgress()) {
        awaiting.delete(stream);
      }
    }
  }

  installed(member: SimMember): void {
    const { revision, compactRevision } = member.run.stateMachine;
    this.#place(member).hub.reset(revision, compactRevision);
  }

  /** Lets every reader hear the rest, on any member: the cluster has come to rest. */
  finish(): void {
    const [id] = this.#places.keys();
    const member = this.#cluster.members.get(id ?? 0);
    if (member === undefined) {
      return;
    }
    const place = this.#place(member);
    for (const reader of this.#readers) {
      reader.leave();
      reader.join(member, place);
    }
    // Each turn brings at least one revision to somebody.
    const turnsMax = readers * watchesMax * (place.hub.revision + 4);
    const isThrough = (): boolean => this.#readers.every((reader) => reader.hasHeard(place.hub));
    for (let turn = 0; turn < turnsMax && !isThrough(); turn++) {
      serve(member, place.hub, place.hub.revision + 1);
      for (const reader of this.#readers) {
        // A watch that was compacted, and begun anew, was not there when it was told.
        reader.requestProgress();
        reader.read();
      }
    }
    holds(isThrough(), name, () => 'watches never hear the rest, or of having heard it');
  }

  #place(member: SimMember): Place {
    return must(this.#places.get(member.id), 'the watches of a running member');
  }

  #schedule(reader: Reader, prng: Prng): void {
    const { clock, parameters, members } = this.#cluster;
    clock.after(prng.nextInt(1, 20 * parameters.member.tickUs), () => {
      this.#schedule(reader, prng);
      const ids = [...this.#places.keys()];
      const id = ids[prng.nextInt(0, Math.max(1, ids.length))] ?? 0;
      const place = this.#places.get(id);
      const member = members.get(id);
      if (place === undefined || member === undefined) {
        return;
      }
      if (prng.nextInt(0, 8) === 0 || reader.member === undefined) {
        reader.leave();
        reader.join(member, place);
      }
      reader.act();
      serve(member, place.hub, prng.nextInt(1, 30));
    });
  }
}

/** What a member does for watches that are behind; history is what its engine shows now. */
function serve(member: SimMember, hub: WatchHub, limit: number): void {
  const { historyFrom } = hub.catchUp();
  const through = member.run.readableRevision;
  if (historyFrom !== undefined && historyFrom <= through) {
    const reading = readHistory(historyFrom, through, limit);
    hub.feedHistory(historyFrom, runOver(member.disk.engine, reading));
  }
}

/** What a reader wants to hear of, wherever it is. */
interface Interest {
  readonly ranges: readonly KeySelector[];
  readonly wantsPuts: boolean;
  readonly wantsDeletes: boolean;
  readonly prevKv: boolean;
  readonly keysOnly: boolean;
  readonly progressNotify: boolean;
  /** First revision that it has not heard of; undefined before it has ever watched. */
  nextRevision: number | undefined;
  /** The stream has told that the watch is there. */
  isCreated: boolean;
}

/** Somebody who watches, wherever there is a member. */
class Reader {
  readonly #ledger: EventLedger;
  readonly #prng: Prng;
  readonly #interests: readonly Interest[];
  member: SimMember | undefined;
  #stream: WatchQueue | undefined;
  readonly #interestsById = new Map<number, Interest>();
  #lastId = 0;
  /** Taken from the stream; it waits until the engine shows what was before it. */
  #pending: Waiting | undefined;

  constructor(ledger: EventLedger, prng: Prng) {
    this.#ledger = ledger;
    this.#prng = prng;
    this.#interests = Array.from({ length: watchesMax }, () => drawInterest(prng));
  }

  /** Watches on a member, from where it has come to. */
  join(member: SimMember, { hub, awaiting }: Place): void {
    const stream: WatchQueue = new WatchQueue({
      ...{ hub, queuedBytesMax, mayAdd: () => true, auth: new AuthTable() },
      complete: async () => Promise.reject(new Error('readers of a run take what there is')),
      onRoom: () => undefined,
      onProgressDue: () => {
        awaiting.add(stream);
      },
      onClosed: () => {
        awaiting.delete(stream);
      },
    });
    this.member = member;
    this.#stream = stream;
    for (const interest of this.#interests) {
      if (interest.nextRevision === undefined && this.#prng.nextInt(0, 3) > 0) {
        // In the past, or in the future; the others begin where the member is.
        const from = hub.revision + this.#prng.nextInt(-20, 5);
        interest.nextRevision = Math.max(1, from);
      }
      this.#create(interest);
    }
  }

  leave(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.member = undefined;
    this.#pending = undefined;
    this.#interestsById.clear();
  }

  /** Takes what there is, and asks for this or that. */
  act(): void {
    switch (this.#prng.nextInt(0, 12)) {
      case 0:
      case 1:
        this.requestProgress();
        break;
      case 2:
        this.#stream?.tellProgress();
        break;
      case 3: {
        // It is watched again once the stream tells that it is over.
        const [id] = this.#interestsById.keys();
        this.#stream?.cancel(id ?? 0);
        break;
      }
    }
    if (this.#prng.nextInt(0, 3) > 0) {
      this.read();
    }
  }

  requestProgress(): void {
    this.#stream?.requestProgress();
  }

  /** Whether it knows that there is nothing more. */
  hasHeard(hub: WatchHub): boolean {
    return this.#interests.every(({ nextRevision }) => (nextRevision ?? 0) > hub.revision);
  }

  /** Takes all that the stream has, and that the engine can complete. */
  read(): void {
    while (this.#stream !== undefined && this.member !== undefined) {
      const waiting = this.#pending ?? this.#stream.take();
      this.#pending = undefined;
      if (waiting === undefined) {
        return;
      }
      const { run, disk } = this.member;
      if (waiting.type === 'events' && waiting.revision > run.readableRevision) {
        this.#pending = waiting;
        return;
      }
      this.#hear(runOver(disk.engine, noticeOf(waiting)));
    }
  }

  #create(interest: Interest): void {
    const { nextRevision, ...request } = interest;
    const id = ++this.#lastId;
    interest.isCreated = false;
    this.#interestsById.set(id, interest);
    this.#stream?.create(id, { ...request, startRevision: nextRevision ?? 0 });
  }

  #hear(notice: WatchNotice): void {
    holds(notice.type !== 'rejected', name, () => `a watch is rejected: ${describe(notice)}`);
    if (notice.type === 'progress' && notice.watchId === undefined) {
      for (const interest of this.#interestsById.values()) {
        // Of a watch that has come later it says nothing.
        if (interest.isCreated) {
          this.#hearUpTo(interest, notice.revision, []);
        }
      }
      return;
    }
    const { revision, watchId = 0 } = notice as Extract<WatchNotice, { watchId?: unknown }>;
    const interest = must(this.#interestsById.get(watchId), 'the watch of a notice');
    if (notice.type === 'created') {
      interest.isCreated = true;
      interest.nextRevision ??= revision + 1;
    } else if (notice.type === 'canceled') {
      this.#interestsById.delete(watchId);
      this.#hearEnd(interest, notice.compactRevision);
      this.#create(interest);
    } else {
      this.#hearUpTo(interest, revision, notice.type === 'events' ? notice.parts.flat() : []);
    }
  }

  /** It has been told these, and that there is no more up to `revision`. */
  #hearUpTo(interest: Interest, revision: number, events: readonly WatchEvent[]): void {
    holds(interest.isCreated, name, () => 'a watch tells something before it is there');
    const from = interest.nextRevision ?? 1;
    const truth = this.#ledger
      .between(from, revision)
      .filter(({ event }) => wants(interest, event))
      .map((each) => this.#tell(interest, each));
    const told = events.map((each) => this.#describe(each, each.kv.modRevision));
    holds(told.join(' ') === truth.join(' '), name, () => {
      return (
        `from ${from} to ${revision} a reader should hear ${truth.join(' ')}, ` +
        `it hears ${told.join(' ')}`
      );
    });
    interest.nextRevision = Math.max(from, revision + 1);
  }

  #hearEnd(interest: Interest, compactRevision: number | undefined): void {
    const from = interest.nextRevision ?? 1;
    if (compactRevision !== undefined) {
      holds(from < compactRevision, name, () => {
        return `a reader that goes on from ${from} is told that ${compactRevision} is compacted`;
      });
      interest.nextRevision = compactRevision;
    }
  }

  /** An event as a reader should hear it, as text. */
  #tell(interest: Interest, { event, before }: TrueEvent): string {
    const without = (kv: KeyValue): KeyValue =>
      interest.keysOnly ? { ...kv, value: new Uint8Array() } : kv;
    const told: WatchEvent = {
      type: event.isDelete ? 'delete' : 'put',
      kv: without(event.keyValue),
      prevKv: interest.prevKv && before !== undefined ? without(before) : undefined,
      isExpiry: event.isExpiry,
    };
    return this.#describe(told, event.main);
  }

  /** Whatever was before an event that is compacted itself may be there or not. */
  #describe(told: WatchEvent, revision: number): string {
    const isCompacted = revision <= this.#ledger.compactRevision;
    return describe(isCompacted ? { ...told, prevKv: undefined } : told);
  }
}

function drawInterest(prng: Prng): Interest {
  const key = bytesOf(`k${prng.nextInt(0, 4)}`);
  const choices: readonly (readonly KeySelector[])[] = [
    [{ key: bytesOf('k'), rangeEnd: bytesOf('l') }],
    [{ key }],
    [{ key, rangeEnd: bytesOf('\0') }, { key }],
  ];
  const filter = prng.nextInt(0, 6);
  return {
    ranges: must(choices[prng.nextInt(0, choices.length)], 'what is watched'),
    wantsPuts: filter !== 0,
    wantsDeletes: filter !== 1,
    prevKv: prng.nextInt(0, 2) === 0,
    keysOnly: prng.nextInt(0, 4) === 0,
    progressNotify: prng.nextInt(0, 2) === 0,
    nextRevision: undefined,
    isCreated: false,
  };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function wants(
  { ranges, wantsPuts, wantsDeletes }: Interest,
  { key, isDelete }: HistoryEvent,
): boolean {
  return (
    (isDelete ? wantsDeletes : wantsPuts) && ranges.some((range) => isIn(range, mapKeyOf(key)))
  );
}

function isIn({ key, rangeEnd }: KeySelector, wanted: string): boolean {
  if (rangeEnd === undefined) {
    return mapKeyOf(key) === wanted;
  }
  const end = mapKeyOf(rangeEnd);
  return wanted >= mapKeyOf(key) && (end === '\0' || wanted < end);
}
