/**
 * Watches in a run: the production hub and streams over each member's state, and readers that
 * follow it from one member to another, late, slowly, and through crashes (`watch-reader.ts`).
 *
 * What a watch must be (etcd's API guarantees, G6): ordered, unique, reliable, atomic, resumable,
 * bookmarkable; and, in runs with users, there for nobody who may not read its keys
 * (`invariants/permitted-watches.ts`).
 *
 * Readers only look: they draw from a stream of their own, and sign in where they are, so a run is
 * the same without them.
 */
import { must, type Prng } from '../../src/base/index.ts';
import { readHistory, WatchHub } from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { RecentlyFound } from '../../src/replica/recently-found.ts';
import { WatchRoom } from '../../src/replica/watch-room.ts';
import type { VirtualClock } from './clock.ts';
import { EventLedger } from './event-ledger.ts';
import { holds } from './failure.ts';
import type { AppliedBatch, SimMember } from './member.ts';
import type { Observer } from './observer.ts';
import { rootName, userName } from './permissions.ts';
import { type Place, WatchReader, watchesOfReader } from './watch-reader.ts';

const name = 'watch';
const readers = 4;
/** Of events in memory; small, so that readers need history. */
const recentBytes = 4_000;
/** Of events for all readers of a member; too small for what each of them may hold. */
const roomBytes = 1_500;
/** Of what keys were before that is kept for others. */
const foundBytes = 1_000;

/** What runs: members, and the clock they share. */
interface WatchedCluster {
  readonly clock: VirtualClock;
  readonly members: ReadonlyMap<number, SimMember>;
  readonly parameters: {
    readonly member: { readonly tickUs: number };
    readonly workload: { readonly users?: number | undefined };
  };
}

/** See the module comment. */
export class Watching implements Observer {
  readonly name = name;
  readonly #ledger = new EventLedger();
  readonly #places = new Map<number, Place>();
  readonly #readers: readonly WatchReader[];
  readonly #cluster: WatchedCluster;

  constructor(cluster: WatchedCluster, prng: Prng) {
    this.#cluster = cluster;
    const { users = 0 } = cluster.parameters.workload;
    this.#readers = Array.from({ length: readers }, (_, at) => {
      const user = users === 0 ? undefined : at === 0 ? rootName : userName(1 + (at % users));
      return new WatchReader({ ledger: this.#ledger, prng, user });
    });
    for (const reader of this.#readers) {
      this.#schedule(reader, prng);
    }
  }

  started(member: SimMember): void {
    const { revision, compactRevision } = member.run.stateMachine;
    const hub = new WatchHub(revision, compactRevision, recentBytes);
    const room = new WatchRoom(roomBytes);
    const found = new RecentlyFound(foundBytes);
    const place = { hub, room, found, streams: new Set<never>(), awaiting: new Set<never>() };
    this.#places.set(member.id, { ...place, isPublishing: false });
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
    const place = this.#place(member);
    const { hub, awaiting } = place;
    if (batch.changes.some(({ type }) => type === 'auth')) {
      reauthorise(place);
    }
    place.isPublishing = true;
    hub.publish(batch.events, batch.revision, batch.compactRevision);
    place.isPublishing = false;
    for (const stream of awaiting) {
      if (stream.maybeTellProgress()) {
        awaiting.delete(stream);
      }
    }
  }

  installed(member: SimMember): void {
    const { revision, compactRevision } = member.run.stateMachine;
    const place = this.#place(member);
    place.hub.reset(revision, compactRevision);
    reauthorise(place);
  }

  /** Lets every reader hear the rest, on a member that has all of it: the cluster is at rest. */
  finish(id: NodeId): void {
    const member = must(this.#cluster.members.get(id), 'the member that has everything');
    const place = this.#place(member);
    for (const reader of this.#readers) {
      reader.leave();
      reader.join(member, place);
    }
    // Each turn brings at least one revision to somebody.
    const turnsMax = readers * watchesOfReader * (place.hub.revision + 4);
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
    for (const reader of this.#readers) {
      reader.leave();
    }
    holds(place.room.bytes === 0, name, () => `nobody watches, ${place.room.bytes} bytes are held`);
  }

  #place(member: SimMember): Place {
    return must(this.#places.get(member.id), 'the watches of a running member');
  }

  #schedule(reader: WatchReader, prng: Prng): void {
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

/** Users and roles have changed. */
function reauthorise({ streams }: Place): void {
  for (const stream of streams) {
    stream.reauthorise();
  }
}

/** What a member does for watches that are behind; history is what its engine shows now. */
function serve(member: SimMember, hub: WatchHub, limit: number): void {
  const { historyFrom } = hub.catchUp();
  const through = member.run.readableRevision;
  if (historyFrom !== undefined && historyFrom <= through) {
    const reading = readHistory(historyFrom, through, limit);
    hub.feedHistory(historyFrom, member.run.runReading(reading));
  }
}
