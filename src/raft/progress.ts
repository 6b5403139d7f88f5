/**
 * A leader's view of one peer: how far its log is known to match, what is on the way to it, and
 * whether more may be sent (Raft thesis §3.5, §10.2.2).
 *
 * `probe`: agreement is being looked for, one append at a time. `replicate`: appends stream ahead
 * of their acknowledgements, within the window. `snapshot`: the peer needs entries that are
 * compacted, so it is to fetch a snapshot; nothing else is sent until it has come that far.
 * Invariant: `matchIndex < nextIndex`.
 */
import { assert } from '../base/index.ts';
import type { LogIndex, NodeId } from './types.ts';

/** The window of unanswered appends: bounded by number and by data bytes. */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  /** Ring buffers: last index and data bytes of each append on the way, oldest at `#start`. */
  readonly #lastIndexes: number[] = [];
  readonly #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#count >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** Notes an append whose last entry is `lastIndex`. */
  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.isFull, 'nothing is sent into a full window');
    const slot = (this.#start + this.#count) % this.#countMax;
    this.#lastIndexes[slot] = lastIndex;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every append up to `index`. */
  freeTo(index: LogIndex): void {
    while (this.#count > 0 && (this.#lastIndexes[this.#start] as number) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = (this.#start + 1) % this.#countMax;
      this.#count--;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }
}

/** See the module comment. */
export class Progress {
  readonly id: NodeId;
  readonly inflights: Inflights;
  /** Last entry known to be on the peer's disk, as in the leader's log. */
  matchIndex: LogIndex = 0;
  /** Next entry to send. */
  nextIndex: LogIndex;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /**
   * In `probe`: an append is out, and nothing more is sent before an answer or a heartbeat answer.
   */
  isProbeSent = false;
  /** Tick of the leadership at which the peer came into its view. */
  readonly firstTick: number;
  /** Tick of the leadership at which the peer was last heard; negative if it never was. */
  lastHeardTick = -1;
  /** Highest commit index sent to it. */
  sentCommitIndex: LogIndex = 0;
  /** Highest read round that the peer has echoed in this term. */
  ackedReadRound = 0;
  /** Offers of a snapshot that this leader has made to the peer while it was up. */
  snapshotOffers = 0;
  /** A load of entries for this peer is under way. */
  isLoading = false;
  /** An append without entries is due, whatever the window says: to un-stick the peer. */
  needsEmptyAppend = false;

  constructor(id: NodeId, nextIndex: LogIndex, inflights: Inflights, firstTick = 0) {
    this.id = id;
    this.nextIndex = nextIndex;
    this.inflights = inflights;
    this.firstTick = firstTick;
  }

  /** No append with entries may be sent now. */
  get isPaused(): boolean {
    switch (this.state) {
      case 'probe':
        return this.isProbeSent;
      case 'replicate':
        return this.inflights.isFull;
      case 'snapshot':
        return true;
    }
  }

  becomeProbe(): void {
    this.state = 'probe';
    this.isProbeSent = false;
    this.nextIndex = this.matchIndex + 1;
    this.inflights.reset();
  }

  becomeReplicate(): void {
    this.state = 'replicate';
    this.isProbeSent = false;
    this.nextIndex = this.matchIndex + 1;
    this.inflights.reset();
  }

  becomeSnapshot(): void {
    this.state = 'snapshot';
    this.isProbeSent = false;
    this.inflights.reset();
  }

  /** Notes that an append up to `lastIndex` is on its way. */
  sent(lastIndex: LogIndex, bytes: number): void {
    if (this.state !== 'replicate') {
      this.isProbeSent = true;
    } else if (lastIndex >= this.nextIndex) {
      this.nextIndex = lastIndex + 1;
      this.inflights.add(lastIndex, bytes);
    }
  }

  /** The peer vouches for everything up to `index`; false when that was known. */
  maybeAdvance(index: LogIndex): boolean {
    if (index <= this.matchIndex) {
      return false;
    }
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    return true;
  }

  /**
   * The peer refused an append that followed `refusedIndex`; `agreeIndex` is where the logs may
   * agree. False when the refusal is out of date and changes nothing.
   */
  maybeRetreat(refusedIndex: LogIndex, agreeIndex: LogIndex): boolean {
    if (this.state === 'replicate') {
      if (refusedIndex <= this.matchIndex) {
        return false;
      }
      this.becomeProbe();
      return true;
    }
    if (this.state === 'snapshot' || refusedIndex !== this.nextIndex - 1) {
      return false;
    }
    this.nextIndex = Math.max(Math.min(refusedIndex, agreeIndex + 1), this.matchIndex + 1);
    this.isProbeSent = false;
    return true;
  }
}
