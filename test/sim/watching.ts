/**
 * Watches in a run: the production hub over each member's state, and readers that follow it from
 * one member to another, late, slowly, and through crashes.
 *
 * What a watch must be (etcd's API guarantees, G6): ordered, unique, reliable, atomic, resumable.
 * Checked at each offer against all events that were ever applied: a reader that says it has heard
 * everything from one revision up to another must have been told exactly that.
 *
 * Readers only look: they draw from a stream of their own, so a run is the same without them.
 */
import type { Prng } from '../../src/base/index.ts';
import {
  HistoryEvent,
  type KeySelector,
  readHistory,
  Watcher,
  WatchHub,
  type WatchSink,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import type { VirtualClock } from './clock.ts';
import { holds } from './failure.ts';
import type { AppliedBatch, SimMember } from './member.ts';
import type { Observer } from './observer.ts';

const name = 'watch';
const readers = 4;
/** Of events in memory; small, so that readers need history. */
const recentBytes = 4_000;
/** Offers after which a reader takes no more before its next turn. */
const offersMax = 2;

/** What runs: members, and the clock they share. */
interface WatchedCluster {
  readonly clock: VirtualClock;
  readonly members: ReadonlyMap<number, SimMember>;
  readonly parameters: { readonly member: { readonly tickUs: number } };
}

/** All events, as the first member that applied them told them. */
class EventLedger {
  readonly #events: HistoryEvent[] = [];
  revision = 1;

  add(events: readonly HistoryEvent[], revision: number): void {
    if (revision > this.revision) {
      this.#events.push(...events.filter(({ main }) => main > this.revision));
      this.revision = revision;
    }
  }

  between(from: number, through: number): readonly HistoryEvent[] {
    return this.#events.slice(this.#indexOf(from), this.#indexOf(through + 1));
  }

  /** Of the first event at or after a revision. */
  #indexOf(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as HistoryEvent).main < revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** See the module comment. */
export class Watching implements Observer {
  readonly name = name;
  readonly #ledger = new EventLedger();
  readonly #hubs = new Map<number, WatchHub>();
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
    this.#hubs.set(member.id, new WatchHub(revision, compactRevision, recentBytes));
  }

  crashed(member: SimMember): void {
    this.#hubs.delete(member.id);
  }

  applied(member: SimMember, { events, revision, compactRevision }: AppliedBatch): void {
    const told = events.map((record) => new HistoryEvent(record));
    this.#ledger.add(told, revision);
    this.#hubs.get(member.id)?.publish(events, revision, compactRevision);
  }

  installed(member: SimMember): void {
    const { revision, compactRevision } = member.run.stateMachine;
    this.#hubs.get(member.id)?.reset(revision, compactRevision);
  }

  /** Lets every reader hear the rest, on any member: the cluster has come to rest. */
  finish(): void {
    const [id] = this.#hubs.keys();
    const member = this.#cluster.members.get(id ?? 0);
    const hub = this.#hubs.get(id ?? 0);
    if (member === undefined || hub === undefined) {
      return;
    }
    for (const reader of this.#readers) {
      reader.leave();
      reader.join(hub);
    }
    // Each turn brings at least one revision to somebody.
    for (let turn = 0; turn < readers * (hub.revision + 2) && hub.behind > 0; turn++) {
      this.#serve(member, hub, hub.revision + 1);
      this.#readers.forEach((reader) => {
        reader.take();
      });
    }
    holds(hub.behind === 0, name, () => `${hub.behind} watches never catch up`);
  }

  #schedule(reader: Reader, prng: Prng): void {
    const { clock, parameters, members } = this.#cluster;
    clock.after(prng.nextInt(1, 20 * parameters.member.tickUs), () => {
      this.#schedule(reader, prng);
      const ids = [...this.#hubs.keys()];
      const id = ids[prng.nextInt(0, Math.max(1, ids.length))];
      const hub = this.#hubs.get(id ?? 0);
      if (prng.nextInt(0, 8) === 0 || ![...this.#hubs.values()].includes(reader.hub as WatchHub)) {
        reader.leave();
        if (hub !== undefined) {
          reader.join(hub);
        }
      }
      reader.take();
      const member = members.get(id ?? 0);
      if (member !== undefined && hub !== undefined) {
        this.#serve(member, hub, prng.nextInt(1, 30));
      }
    });
  }

  /** What a member does for watches that are behind; history is what its engine shows now. */
  #serve(member: SimMember, hub: WatchHub, limit: number): void {
    const { historyFrom } = hub.catchUp();
    const through = member.run.readableRevision;
    if (historyFrom !== undefined && historyFrom <= through) {
      const reading = readHistory(historyFrom, through, limit);
      let step = reading.next();
      while (step.done !== true) {
        step = reading.next(member.disk.engine.load(step.value));
      }
      hub.feedHistory(historyFrom, step.value);
    }
  }
}

/** Somebody who watches, wherever there is a member. */
class Reader implements WatchSink {
  readonly #ledger: EventLedger;
  readonly #prng: Prng;
  readonly #ranges: readonly KeySelector[];
  hub: WatchHub | undefined;
  #watcher: Watcher | undefined;
  /** First revision that it has not heard of; undefined before it has ever watched. */
  #nextRevision: number | undefined;
  #offers = 0;

  constructor(ledger: EventLedger, prng: Prng) {
    this.#ledger = ledger;
    this.#prng = prng;
    const key = bytesOf(`k${prng.nextInt(0, 4)}`);
    const everything = { key: bytesOf('k'), rangeEnd: bytesOf('l') };
    const choices = [[everything], [{ key }], [{ key, rangeEnd: bytesOf('\0') }, { key }]];
    this.#ranges = choices[prng.nextInt(0, choices.length)] ?? [everything];
  }

  get hasRoom(): boolean {
    return this.#offers < offersMax;
  }

  join(hub: WatchHub): void {
    this.#nextRevision ??= Math.max(1, hub.revision + this.#prng.nextInt(-20, 5));
    const options = { ranges: this.#ranges, wantsPuts: true, wantsDeletes: true };
    this.#watcher = new Watcher(this, options, this.#nextRevision);
    this.hub = hub;
    hub.add(this.#watcher);
  }

  leave(): void {
    if (this.#watcher !== undefined) {
      this.hub?.remove(this.#watcher);
    }
    this.#watcher = undefined;
    this.hub = undefined;
  }

  /** Reads what it was offered: it takes more from now on. */
  take(): void {
    this.#offers = 0;
  }

  offer(_watcher: Watcher, events: readonly HistoryEvent[], revision: number): void {
    const from = this.#nextRevision ?? 1;
    holds(this.hasRoom, name, () => 'a reader that takes no more is offered more');
    const wanted = this.#ledger
      .between(from, revision)
      .filter(({ key }) => this.#ranges.some((range) => isIn(range, mapKeyOf(key))));
    holds(listOf(events) === listOf(wanted), name, () => {
      return (
        `from ${from} to ${revision} a reader should hear ${listOf(wanted)}, ` +
        `it hears ${listOf(events)}`
      );
    });
    this.#offers++;
    this.#nextRevision = Math.max(from, revision + 1);
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    const from = this.#nextRevision ?? 1;
    holds(from < compactRevision, name, () => {
      return `a reader that goes on from ${from} is told that ${compactRevision} is compacted`;
    });
    this.#nextRevision = compactRevision;
    this.#watcher = undefined;
    this.hub = undefined;
  }

  caughtUp(): void {
    // Readers ask for nothing.
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function isIn({ key, rangeEnd }: KeySelector, wanted: string): boolean {
  if (rangeEnd === undefined) {
    return mapKeyOf(key) === wanted;
  }
  const end = mapKeyOf(rangeEnd);
  return wanted >= mapKeyOf(key) && (end === '\0' || wanted < end);
}

function listOf(events: readonly HistoryEvent[]): string {
  return events
    .map(({ main, isDelete, key }) => `${main}${isDelete ? '-' : '+'}${mapKeyOf(key)}`)
    .join(' ');
}
