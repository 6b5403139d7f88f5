/**
 * Somebody who watches, wherever there is a member: late, slowly, and with an account in runs with
 * users. What it is told is compared with all events that were ever applied (`event-ledger.ts`):
 * whoever is told everything from one revision up to another must have been told exactly that,
 * filters, values and what keys were before included.
 *
 * A watch that is refused, or ended, is asked for again later, and goes on where it was: so what
 * its reader may hear in the end it has heard once.
 */
import { assert, type ErrorCode, must, type Prng } from '../../src/base/index.ts';
import type {
  Caller,
  EventPiece,
  HistoryEvent,
  KeySelector,
  KeyValue,
  WatchHub,
  Watcher,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import type { RecentlyFound } from '../../src/replica/recently-found.ts';
import type { WatchEvent, WatchNotice } from '../../src/replica/watch-api.ts';
import { noticeOf, type OfferedEvents, type Waiting } from '../../src/replica/watch-notices.ts';
import { WatchQueue, type WatchQueueOptions } from '../../src/replica/watch-queue.ts';
import type { WatchRoom } from '../../src/replica/watch-room.ts';
import type { EventLedger, TrueEvent } from './event-ledger.ts';
import { holds } from './failure.ts';
import type { Places } from './gate.ts';
import { describe } from './ledger-model.ts';
import type { SimMember } from './member.ts';

const name = 'watch';
/** Watches of one reader, on one stream. */
export const watchesOfReader = 2;
/** Of events that wait for a reader; small, so that its watches fall behind. */
const queuedBytesMax = 600;

/** Of what keys were before; small for a notice, so that it takes several. */
const previousBytesMax = 50;

/** What watches of one run of a member stand on. */
export interface Place {
  readonly hub: WatchHub;
  readonly room: WatchRoom;
  readonly found: RecentlyFound;
  readonly streams: Set<WatchQueue>;
  /** Streams that are to tell progress once they are as far. */
  readonly awaiting: Set<WatchQueue>;
  /** A batch is being published: what is applied is known to be that and no more. */
  isPublishing: boolean;
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
}

/** A watch on the reader's stream. */
interface Watching {
  readonly interest: Interest;
  readonly caller: Caller | undefined;
  /** Where the member was when the watch was asked for. */
  readonly askedAt: Places;
  /** The stream has told that it is there. */
  isCreated: boolean;
}

/** A stream, and somebody who sees what is about to wait in it. */
class SeenStream extends WatchQueue {
  readonly #onOffer: (watchId: number) => void;

  constructor(options: WatchQueueOptions, onOffer: (watchId: number) => void) {
    super(options);
    this.#onOffer = onOffer;
  }

  override offer(watcher: Watcher, piece: EventPiece, revision: number): void {
    this.#onOffer((watcher as Watcher & OfferedEvents['watch']).id);
    super.offer(watcher, piece, revision);
  }
}

/** Who reads. */
export interface ReaderOptions {
  readonly ledger: EventLedger;
  readonly prng: Prng;
  /** Whose account it has; undefined in runs without users. */
  readonly user: string | undefined;
}

/** See the module comment. */
export class WatchReader {
  readonly #options: ReaderOptions;
  readonly #interests: readonly Interest[];
  member: SimMember | undefined;
  #place: Place | undefined;
  #stream: WatchQueue | undefined;
  readonly #watchesById = new Map<number, Watching>();
  /** Asked for, and not answered yet: in their order. */
  #asked: number[] = [];
  #lastId = 0;
  /** Taken from the stream; it waits until the engine shows what was before it. */
  #pending: Waiting | undefined;
  #token: string | undefined;
  /** Whether a member has asked who watches. */
  #isAskedWho = false;

  constructor(options: ReaderOptions) {
    const { prng, user } = options;
    this.#options = options;
    const choices = user === undefined ? choicesOfAll : [...choicesOfAll, ...choicesOfFew];
    this.#interests = Array.from({ length: watchesOfReader }, () => drawInterest(prng, choices));
  }

  /** Watches on a member, from where it has come to. */
  join(member: SimMember, place: Place): void {
    const { hub, room, streams, awaiting } = place;
    const { gate } = member.run;
    const { prng, user } = this.#options;
    if (user !== undefined && this.#isAskedWho) {
      this.#token ??= gate.maybeIssue(user);
    }
    const options: WatchQueueOptions = {
      ...{ hub, mayAdd: () => true, auth: gate.auth, share: room.share(queuedBytesMax) },
      complete: async () => Promise.reject(new Error('readers of a run take what there is')),
      onRoom: () => undefined,
      onProgressDue: () => {
        awaiting.add(stream);
      },
      onClosed: () => {
        streams.delete(stream);
        awaiting.delete(stream);
      },
    };
    const stream: WatchQueue = new SeenStream(options, (watchId) => {
      this.#seeOffer(watchId);
    });
    streams.add(stream);
    this.member = member;
    this.#place = place;
    this.#stream = stream;
    for (const interest of this.#interests) {
      if (interest.nextRevision === undefined && prng.nextInt(0, 3) > 0) {
        // In the past, or in the future; the others begin where the member is.
        const from = hub.revision + prng.nextInt(-20, 5);
        interest.nextRevision = Math.max(1, from);
      }
      this.#create(interest);
    }
  }

  leave(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#place = undefined;
    this.member = undefined;
    this.#pending = undefined;
    this.#watchesById.clear();
    this.#asked = [];
  }

  /** Takes what there is, and asks for this or that. */
  act(): void {
    const { prng } = this.#options;
    switch (prng.nextInt(0, 12)) {
      case 0:
      case 1:
        this.requestProgress();
        break;
      case 2:
        this.#stream?.tellProgress();
        break;
      case 3: {
        // It is watched again once the stream tells that it is over.
        const [id] = this.#watchesById.keys();
        this.#stream?.cancel(id ?? 0);
        break;
      }
      case 4:
        this.#askAgain();
        break;
    }
    if (prng.nextInt(0, 3) > 0) {
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
      const { run } = this.member;
      const { found } = must(this.#place, 'what its watches stand on');
      if (waiting.type === 'events' && waiting.revision > run.readableRevision) {
        this.#pending = waiting;
        return;
      }
      const next = run.runReading(noticeOf(waiting, previousBytesMax, found));
      assert(next.type === 'notice', 'a revision of a run is not too long');
      this.#pending = next.rest;
      if (next.rest === undefined) {
        this.#stream.sent();
      }
      this.#hear(this.member, next.notice);
    }
  }

  /** Of what it was refused, or had to give up. */
  #askAgain(): void {
    const watched = new Set([...this.#watchesById.values()].map(({ interest }) => interest));
    for (const interest of this.#interests) {
      if (!watched.has(interest)) {
        this.#create(interest);
      }
    }
  }

  #create(interest: Interest): void {
    const { member } = this;
    const { nextRevision, ...request } = interest;
    if (member === undefined) {
      return;
    }
    const id = ++this.#lastId;
    const caller = member.run.gate.whoWatches(this.#token);
    const askedAt = placesOf(member);
    this.#watchesById.set(id, { interest, caller, askedAt, isCreated: false });
    this.#asked.push(id);
    this.#stream?.create(id, { ...request, caller, startRevision: nextRevision ?? 0 });
  }

  /** Events are about to wait: by then whose they are must be settled. */
  #seeOffer(watchId: number): void {
    const member = must(this.member, 'the member that offers');
    const { caller, interest } = must(this.#watchesById.get(watchId), 'the watch of an offer');
    const { from, through } = placesOf(member);
    const asOf = { from, through: this.#place?.isPublishing === true ? from : through };
    const { ranges } = interest;
    member.host.observers.watched(member, { caller, ranges, refusal: undefined, asOf });
  }

  #hear(member: SimMember, notice: WatchNotice): void {
    switch (notice.type) {
      case 'created':
        this.#hearDecision(member, undefined).nextRevision ??= notice.revision + 1;
        break;
      case 'rejected':
        holds(notice.refusal !== undefined, name, () => {
          return `a watch is rejected: ${describe(notice)}`;
        });
        this.#hearDecision(member, notice.refusal);
        break;
      case 'canceled':
        this.#hearEnd(member, notice);
        break;
      case 'events':
        this.#hearUpTo(this.#watchOf(notice), notice.revision, notice.parts.flat());
        break;
      case 'progress':
        if (notice.watchId !== undefined) {
          this.#hearUpTo(this.#watchOf(notice), notice.revision, []);
          break;
        }
        for (const watch of this.#watchesById.values()) {
          // Of a watch that has come later it says nothing.
          if (watch.isCreated) {
            this.#hearUpTo(watch, notice.revision, []);
          }
        }
        break;
    }
  }

  #watchOf({ watchId = 0 }: { readonly watchId?: number | undefined }): Watching {
    return must(this.#watchesById.get(watchId), 'the watch of a notice');
  }

  /** The watch asked for before the others is there, or is not to be. */
  #hearDecision(member: SimMember, refusal: ErrorCode | undefined): Interest {
    const id = must(this.#asked.shift(), 'a watch that was asked for');
    const watch = this.#watchOf({ watchId: id });
    const { interest, caller, askedAt } = watch;
    const { ranges } = interest;
    member.host.observers.watched(member, { caller, ranges, refusal, asOf: askedAt });
    if (refusal === undefined) {
      watch.isCreated = true;
    } else {
      this.#watchesById.delete(id);
      this.#learn(refusal);
    }
    return interest;
  }

  /** It has been told these, and that there is no more up to `revision`. */
  #hearUpTo(
    { interest, isCreated }: Watching,
    revision: number,
    events: readonly WatchEvent[],
  ): void {
    holds(isCreated, name, () => 'a watch tells something before it is there');
    const from = interest.nextRevision ?? 1;
    const truth = this.#options.ledger
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

  #hearEnd(member: SimMember, notice: Extract<WatchNotice, { readonly type: 'canceled' }>): void {
    const { watchId, compactRevision, refusal } = notice;
    const { interest, caller, askedAt } = this.#watchOf(notice);
    this.#watchesById.delete(watchId);
    if (refusal !== undefined) {
      const { ranges } = interest;
      const asOf = { from: askedAt.from, through: placesOf(member).through };
      member.host.observers.watched(member, { caller, ranges, refusal, asOf });
      this.#learn(refusal);
      return;
    }
    const from = interest.nextRevision ?? 1;
    if (compactRevision !== undefined) {
      holds(from < compactRevision, name, () => {
        return `a reader that goes on from ${from} is told that ${compactRevision} is compacted`;
      });
      interest.nextRevision = compactRevision;
    }
    this.#create(interest);
  }

  /** It may not watch. Somebody else than it says it needs another token, and so another stream. */
  #learn(refusal: ErrorCode): void {
    if (refusal !== 'PERMISSION_DENIED') {
      this.#isAskedWho = true;
      this.#token = undefined;
      this.leave();
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
    const isCompacted = revision <= this.#options.ledger.compactRevision;
    return describe(isCompacted ? { ...told, prevKv: undefined } : told);
  }
}

/**
 * What a member may have gone by: while it applies a batch, users and roles are ahead of the index
 * that it is said to be at.
 */
function placesOf({ run }: SimMember): Places {
  return { from: run.stateMachine.lastApplied.index, through: run.replica.status().commitIndex };
}

/** Makes what may be watched of one key. */
type Choice = (key: Uint8Array) => readonly KeySelector[];

const choicesOfAll: readonly Choice[] = [
  () => [{ key: bytesOf('k'), rangeEnd: bytesOf('l') }],
  (key) => [{ key }],
  (key) => [{ key, rangeEnd: bytesOf('\0') }, { key }],
];

/** Where permissions begin and end, so that many a user may watch some of it. */
const choicesOfFew: readonly Choice[] = [
  () => [{ key: bytesOf('k'), rangeEnd: bytesOf('k2') }],
  () => [{ key: bytesOf('k2'), rangeEnd: bytesOf('l') }, { key: bytesOf('k0') }],
  (key) => [{ key: bytesOf('k0') }, { key }],
];

function drawInterest(prng: Prng, choices: readonly Choice[]): Interest {
  const key = bytesOf(`k${prng.nextInt(0, 4)}`);
  const filter = prng.nextInt(0, 6);
  const choose = must(choices[prng.nextInt(0, choices.length)], 'what is watched');
  return {
    ranges: choose(key),
    wantsPuts: filter !== 0,
    wantsDeletes: filter !== 1,
    prevKv: prng.nextInt(0, 2) === 0,
    keysOnly: prng.nextInt(0, 4) === 0,
    progressNotify: prng.nextInt(0, 2) === 0,
    nextRevision: undefined,
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
