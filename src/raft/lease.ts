/**
 * Lease reads (Raft thesis §6.4.1, ADR-011): a leader to which a majority has promised, for a
 * while, to help elect nobody else answers reads without asking that majority again.
 *
 * Both halves are here: what a follower promises and keeps, and how a leader counts promises. Time
 * is told by the host (`Core.noteTime`); nothing here knows a clock. What it rests on is that no
 * member's clock runs faster than another's by more than {@link clockDriftMax}; were that not so,
 * reads could be stale, and nothing else could happen: votes and commits never look at a lease.
 */
import { quorumValue } from './quorum.ts';
import type { ConfState, NodeId } from './types.ts';

/**
 * By which fraction one member's monotonic clock may run faster than another's.
 *
 * @public for its test.
 */
export const clockDriftMax = 0.1;

/** Limit: sendings that a leader tells apart within the length of a lease. */
const sendingsMax = 64;

/**
 * A follower's half: until when this node helps to elect nobody but the leader that it has promised
 * to, except on that leader's own order (a transfer).
 *
 * @remarks
 * Invariant: a promise is kept whatever happens meanwhile to term, role or the leader known. A
 * restart forgets it, so a node that may have promised is bound for as long from its start on.
 */
export class LeasePromise {
  readonly #leaseMs: number;
  readonly #earlierMs: number;
  #nowMs: number | undefined;
  #untilMs = 0;

  /** `leaseMs`: how long a promise is; `earlierMs`: how long one of an earlier run may be. */
  constructor(leaseMs: number, earlierMs: number) {
    this.#leaseMs = leaseMs;
    this.#earlierMs = earlierMs;
  }

  noteTime(nowMs: number): void {
    if (this.#nowMs === undefined) {
      this.#untilMs = nowMs + this.#earlierMs;
    }
    this.#nowMs = nowMs;
  }

  /** Whether this node may neither vote nor campaign now. */
  get isBinding(): boolean {
    return this.#nowMs === undefined ? this.#earlierMs > 0 : this.#nowMs < this.#untilMs;
  }

  /** Promises anew if it may; returns for how many milliseconds from now. */
  maybeGive(): number | undefined {
    if (this.#leaseMs === 0 || this.#nowMs === undefined) {
      return undefined;
    }
    this.#untilMs = Math.max(this.#untilMs, this.#nowMs + this.#leaseMs);
    return this.#leaseMs;
  }
}

/** A round of heartbeats, and when it was sent at the earliest. */
interface Sending {
  readonly round: number;
  readonly sentMs: number;
}

/**
 * A leader's half: what the others have promised, as far as this leadership may count on it.
 *
 * @remarks
 * A promise begins when the follower handles the heartbeat, which is not before it was sent; so by
 * the leader's clock it lasts at least `leaseMs / (1 + clockDriftMax)` from the sending on, however
 * late the answer comes.
 *
 * ```text
 * leader    sent ──────────────────── lease ends      (sent + leaseMs / 1.1)
 *               ╲          ╱ answer
 * follower       handled ──────────────────── promise ends      (handled + leaseMs)
 * ```
 */
export class LeaderLease {
  readonly #sendingGapMs: number;
  readonly #leaseMs: number;
  /** Of the last `leaseMs`, ascending; see {@link noteSending}. */
  #sendings: Sending[] = [];
  readonly #untilMsById = new Map<NodeId, number>();
  #isSurrendered = false;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
    this.#sendingGapMs = leaseMs / sendingsMax;
  }

  /**
   * Heartbeats of this round leave now, or later. Rounds that follow closely count as sent with the
   * one before them: too early, so the lease is only shorter.
   */
  noteSending(round: number, nowMs: number): void {
    const last = this.#sendings.at(-1);
    if (last !== undefined && nowMs - last.sentMs < this.#sendingGapMs) {
      return;
    }
    this.#sendings = this.#sendings.filter(({ sentMs }) => nowMs - sentMs < this.#leaseMs);
    this.#sendings.push({ round, sentMs: nowMs });
  }

  /** `from` has promised something in answer to this round. */
  notePromise(from: NodeId, round: number, leaseMs: number | undefined): void {
    const sending = this.#sendings.findLast((each) => each.round <= round);
    if (sending !== undefined && leaseMs !== undefined) {
      const untilMs = sending.sentMs + leaseMs / (1 + clockDriftMax);
      this.#untilMsById.set(from, Math.max(untilMs, this.#untilMsById.get(from) ?? untilMs));
    }
  }

  /**
   * This leader tells another node to campaign, which no promise prevents: it counts on none any
   * more, whatever becomes of the transfer.
   */
  surrender(): void {
    this.#isSurrendered = true;
  }

  /**
   * Whether enough voters of this configuration, in both halves of a joint one, are bound to `self`
   * at `nowMs`, which must have been read after the read in question came.
   */
  isHeld(conf: ConfState, self: NodeId, nowMs: number): boolean {
    const untilMs = quorumValue(conf, (id) =>
      id === self ? Number.POSITIVE_INFINITY : this.#untilMsById.get(id),
    );
    return !this.#isSurrendered && nowMs < untilMs;
  }
}
