/**
 * Linearizable reads waiting for permission: first for a read index, then for that index to be
 * readable.
 *
 * All reads asked for between two turns share one request to Raft. A request whose answer does not
 * come (the leader died, the message was lost) is made again under a fresh context, never the old
 * one: an answer to the first must not confirm the second (Raft thesis §6.4; the read may only join
 * a later round).
 */
import { must } from '../base/index.ts';
import type { LogIndex, ReadState } from '../raft/index.ts';

/** Identifies a waiting read within one run of one member; ascends from 1. */
export type ReadId = number;

interface Read {
  readonly id: ReadId;
  readonly deadlineTick: number;
}

/** Reads that travel under one context. */
interface ReadRound {
  readonly context: number;
  readonly reads: readonly Read[];
  readonly askedTick: number;
}

/** Reads that may be served once the state shows `index`. */
interface ConfirmedReads {
  readonly index: LogIndex;
  readonly reads: readonly Read[];
}

/** See the module comment. */
export class ReadQueue {
  readonly #countMax: number;
  #queued: Read[] = [];
  readonly #roundsByContext = new Map<number, ReadRound>();
  /** Confirmed reads; their indexes do not descend. */
  #confirmed: ConfirmedReads[] = [];
  readonly #cancelled = new Set<ReadId>();
  #nextId: ReadId = 1;
  #nextContext = 1;
  #count = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Reads waiting, in any stage; bounded by `countMax`. */
  get count(): number {
    return this.#count;
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  /** Queues a read, or says that too many wait. */
  maybeAdd(deadlineTick: number): ReadId | undefined {
    if (this.#count >= this.#countMax) {
      return undefined;
    }
    const id = this.#nextId++;
    this.#queued.push({ id, deadlineTick });
    this.#count++;
    return id;
  }

  /** The context under which the queued reads are to be confirmed; they are queued no longer. */
  startRound(tick: number): number {
    const context = this.#nextContext++;
    this.#roundsByContext.set(context, { context, reads: this.#queued, askedTick: tick });
    this.#queued = [];
    return context;
  }

  /** Queues the reads of these rounds again: Raft dropped them. */
  requeue(contexts: readonly number[]): void {
    for (const context of contexts) {
      const round = this.#roundsByContext.get(context);
      if (round !== undefined) {
        this.#roundsByContext.delete(context);
        this.#queued = [...round.reads, ...this.#queued];
      }
    }
  }

  /** Queues again the reads of rounds asked for at or before `askedTickMax`, unanswered since. */
  requeueStale(askedTickMax: number): void {
    const stale: number[] = [];
    for (const round of this.#roundsByContext.values()) {
      if (round.askedTick <= askedTickMax) {
        stale.push(round.context);
      }
    }
    this.requeue(stale);
  }

  /**
   * Notes the read index of a round; an answer under a context given up meanwhile counts for
   * nothing.
   */
  confirm(state: ReadState): void {
    const round = this.#roundsByContext.get(state.context);
    if (round === undefined) {
      return;
    }
    this.#roundsByContext.delete(state.context);
    const last = this.#confirmed.at(-1);
    // A later confirmation may carry a smaller index only when it raced another; waiting longer is
    // safe.
    const index = last === undefined ? state.index : Math.max(last.index, state.index);
    this.#confirmed.push({ index, reads: round.reads });
  }

  /** Reads that state at `readableIndex` may answer; they are forgotten here. */
  release(readableIndex: LogIndex): readonly ReadId[] {
    const released: ReadId[] = [];
    let done = 0;
    while (done < this.#confirmed.length) {
      const group = must(this.#confirmed[done], 'a confirmed group');
      if (group.index > readableIndex) {
        break;
      }
      for (const read of group.reads) {
        if (!this.#forgetCancelled(read)) {
          released.push(read.id);
        }
      }
      this.#count -= group.reads.length;
      done++;
    }
    if (done > 0) {
      this.#confirmed = this.#confirmed.slice(done);
    }
    return released;
  }

  /** Forgets a read that its caller has given up. */
  cancel(id: ReadId): void {
    this.#cancelled.add(id);
  }

  /** Ends every read whose time is up at `tick`, whatever it waits for. */
  expire(tick: number): readonly ReadId[] {
    const expired: ReadId[] = [];
    const keep = (reads: readonly Read[]): Read[] =>
      reads.filter((read) => {
        const isCancelled = this.#forgetCancelled(read);
        if (!isCancelled && read.deadlineTick > tick) {
          return true;
        }
        if (!isCancelled) {
          expired.push(read.id);
        }
        this.#count--;
        return false;
      });
    this.#queued = keep(this.#queued);
    for (const round of [...this.#roundsByContext.values()]) {
      const reads = keep(round.reads);
      if (reads.length === 0) {
        this.#roundsByContext.delete(round.context);
      } else {
        this.#roundsByContext.set(round.context, { ...round, reads });
      }
    }
    this.#confirmed = this.#confirmed.map((group) => ({ ...group, reads: keep(group.reads) }));
    return expired;
  }

  /** Ends all of them: the member stops. */
  close(): readonly ReadId[] {
    return this.expire(Number.MAX_SAFE_INTEGER);
  }

  #forgetCancelled(read: Read): boolean {
    return this.#cancelled.size > 0 && this.#cancelled.delete(read.id);
  }
}
