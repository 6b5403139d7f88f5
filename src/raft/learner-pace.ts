/**
 * How fast learners that lag behind are sent what they lack.
 *
 * Nobody waits for a learner, but all that it is sent at once has to be read, encoded and copied by
 * the leader in the turns that writes wait for. So a learner gets a share of entries and bytes for
 * each tick, and the rest of them later. Invariant: the share is at least twice what the log grew
 * by in the tick before, so a learner comes nearer whatever the load is. Voters are never held
 * back: a commit may wait for any of them.
 */
import type { Core } from './core.ts';
import { isVoter } from './quorum.ts';
import type { NodeId } from './types.ts';

/** A number of entries, and the bytes of their data. */
export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

/** How much faster than the log grows a learner is sent its entries, at least. */
const headway = 2;

const nothing: Amount = { entries: 0, bytes: 0 };
const noLimit: Amount = { entries: Infinity, bytes: Infinity };

/** See the module comment. */
export class LearnerPace {
  readonly #core: Core;
  #share: Amount;
  /** By how much the log has grown in this tick. */
  #appended = nothing;
  /** What each learner has been sent in this tick; those that got nothing are not here. */
  readonly #sentById = new Map<NodeId, Amount>();
  #isHolding = false;

  constructor(core: Core) {
    this.#core = core;
    this.#share = this.#shareFor(nothing);
  }

  /** Begins a tick; true when it lets something go that was held back. */
  tick(): boolean {
    const wasHolding = this.#isHolding;
    this.#isHolding = false;
    this.#share = this.#shareFor(this.#appended);
    this.#appended = nothing;
    this.#sentById.clear();
    return wasHolding;
  }

  /** Notes that the log has grown by so much. */
  appended(growth: Amount): void {
    this.#appended = sum(this.#appended, growth);
  }

  /** What `peer` may still be sent in this tick; no entries: it has to wait for the next one. */
  room(peer: NodeId): Amount {
    if (isVoter(this.#core.conf, peer)) {
      return noLimit;
    }
    const sent = this.#sentById.get(peer) ?? nothing;
    const left = {
      entries: this.#share.entries - sent.entries,
      bytes: this.#share.bytes - sent.bytes,
    };
    if (left.entries > 0 && left.bytes > 0) {
      return left;
    }
    this.#isHolding = true;
    return nothing;
  }

  /** Notes what `peer` was sent. */
  sent(peer: NodeId, amount: Amount): void {
    if (!isVoter(this.#core.conf, peer)) {
      this.#sentById.set(peer, sum(this.#sentById.get(peer) ?? nothing, amount));
    }
  }

  #shareFor(growth: Amount): Amount {
    const { learnerEntriesPerTick, learnerBytesPerTick } = this.#core.options;
    return {
      entries: Math.max(learnerEntriesPerTick, headway * growth.entries),
      bytes: Math.max(learnerBytesPerTick, headway * growth.bytes),
    };
  }
}

function sum(a: Amount, b: Amount): Amount {
  return { entries: a.entries + b.entries, bytes: a.bytes + b.bytes };
}
