/**
 * The changes of membership that this member has been asked for and that are not settled yet.
 *
 * A change is worked out against the newest configuration and proposed as its successor; the leader
 * takes it only if that configuration is still the newest (`raft/leader.ts`). So proposing it again
 * is always safe: once it has taken effect, working it out again finds nothing left to do.
 *
 * Invariant: a change of which no attempt can be in a log, since there was none or all have been
 * refused, fails as `rejected`; any other as `unknown`.
 */
import { assert, type ErrorCode } from '../base/index.ts';
import type { Configuration, DropReason } from '../raft/index.ts';
import {
  type ChangeOrigin,
  decodeMembership,
  type Membership,
  type MembershipChange,
  planChange,
} from './membership.ts';

/** Identifies a change within one run of one member; ascends from 1. */
export type ChangeId = number;

/** How a change ended. */
export type ChangeResult =
  | { readonly id: ChangeId; readonly kind: 'done' }
  | {
      readonly id: ChangeId;
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly outcome: 'rejected' | 'unknown';
    };

interface PendingChange {
  readonly id: ChangeId;
  readonly change: MembershipChange;
  readonly deadlineTick: number;
  /** When to work it out and propose it (again). */
  dueTick: number;
  /** Proposed, and not refused: each of them may be in a log. */
  openAttempts: number;
}

/** What is to be proposed, and on which configuration it rests. */
export interface DueChange {
  readonly id: ChangeId;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  readonly membership: Membership;
}

/** Limit: changes under way on one member; the cluster takes one at a time anyway. */
const changesMax = 16;

/** Refusals that time does not heal, and what the caller is told. */
const finalCodes: Partial<Record<DropReason, ErrorCode>> = {
  'conf-invalid': 'INVALID_ARGUMENT',
  'learner-not-ready': 'LEARNER_NOT_READY',
  'quorum-at-risk': 'NOT_ENOUGH_STARTED',
  removed: 'MEMBER_REMOVED',
};

/** See the module comment. */
export class MembershipChanges {
  readonly #self: Omit<ChangeOrigin, 'id'>;
  readonly #retryTicks: number;
  readonly #pending = new Map<ChangeId, PendingChange>();
  #lastId: ChangeId = 0;

  constructor(self: Omit<ChangeOrigin, 'id'>, retryTicks: number) {
    this.#self = self;
    this.#retryTicks = retryTicks;
  }

  get count(): number {
    return this.#pending.size;
  }

  /** Takes a change; undefined when too many are under way. */
  maybeAdd(change: MembershipChange, tick: number, deadlineTick: number): ChangeId | undefined {
    if (this.#pending.size >= changesMax) {
      return undefined;
    }
    const id = ++this.#lastId;
    this.#pending.set(id, { id, change, deadlineTick, dueTick: tick, openAttempts: 0 });
    return id;
  }

  /**
   * Works out the oldest change that is due, against the newest configuration, which must be
   * committed; what turns out to be settled is in `results`.
   */
  takeDue(
    configuration: Configuration,
    tick: number,
  ): { readonly due?: DueChange | undefined; readonly results: readonly ChangeResult[] } {
    const results: ChangeResult[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.dueTick > tick) {
        continue;
      }
      const { id } = pending;
      const plan = planChange(configuration, pending.change);
      if (plan.kind === 'next') {
        pending.dueTick = tick + this.#retryTicks;
        const { voters, learners } = plan;
        const membership = { ...plan.membership, origin: { ...this.#self, id } };
        return { due: { id, voters, learners, membership }, results };
      }
      const isDone =
        plan.kind === 'done' || (pending.openAttempts > 0 && isPromoted(pending, plan));
      this.#pending.delete(id);
      results.push(
        isDone
          ? { id, kind: 'done' }
          : { id, kind: 'failed', code: plan.code, outcome: outcomeOf(pending) },
      );
    }
    return { results };
  }

  /** An attempt is made: the change may be in a log from now on. */
  markProposed(id: ChangeId): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) {
      pending.openAttempts++;
    }
  }

  /** The leader, or this node's own Raft, has not taken an attempt. */
  refused(id: ChangeId, reason: DropReason, tick: number): ChangeResult | undefined {
    const pending = this.#pending.get(id);
    const code = finalCodes[reason];
    if (pending === undefined) {
      return undefined;
    }
    assert(pending.openAttempts > 0, 'an attempt is refused once');
    pending.openAttempts--;
    if (code === undefined) {
      pending.dueTick = tick + 1;
      return undefined;
    }
    return this.#end(pending, code);
  }

  /** A configuration has been applied: the change that it came from, if it was this member's. */
  applied(configuration: Configuration): ChangeResult | undefined {
    const { origin } = decodeMembership(configuration.context);
    const isOwn =
      origin?.origin === this.#self.origin && origin.incarnation === this.#self.incarnation;
    const isJoint = configuration.confState.votersOutgoing.length > 0;
    if (!isOwn || isJoint || !this.#pending.delete(origin.id)) {
      return undefined;
    }
    return { id: origin.id, kind: 'done' };
  }

  /** Ends the changes whose time is up. */
  expire(tick: number): readonly ChangeResult[] {
    const results: ChangeResult[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.deadlineTick <= tick) {
        results.push(this.#end(pending, 'TIMEOUT'));
      }
    }
    return results;
  }

  /** Ends all of them: the member stops. */
  close(): readonly ChangeResult[] {
    return [...this.#pending.values()].map((pending) => this.#end(pending, 'STOPPED'));
  }

  #end(pending: PendingChange, code: ErrorCode): ChangeResult {
    this.#pending.delete(pending.id);
    return { id: pending.id, kind: 'failed', code, outcome: outcomeOf(pending) };
  }
}

function outcomeOf(pending: PendingChange): 'rejected' | 'unknown' {
  return pending.openAttempts > 0 ? 'unknown' : 'rejected';
}

/** A promotion of which the proposer was not told finds the member a voter already. */
function isPromoted(
  { change }: PendingChange,
  plan: { readonly kind: 'refused'; readonly code: ErrorCode },
): boolean {
  return change.type === 'promote' && plan.code === 'NOT_LEARNER';
}
