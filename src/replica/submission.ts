/**
 * What this member hands to Raft for its callers: proposals as one batch a turn, and one change of
 * membership at a time. A leader that is passed on to may refuse, later; so each goes under a
 * context, by which it is found again.
 *
 * Invariant: what is refused surely had no effect, and is queued again or fails as `rejected`. What
 * is not found again any more ends as `unknown` at its deadline: safe, only slow. A leader that has
 * refused proposals, or cannot be reached, is not asked again before the next tick, and this node's
 * own Raft not before it has committed something: all that waits here would be gone through,
 * encoded and sent, as often as there are turns.
 */
import type { DropReason, LogIndex, NodeId, Raft, Term } from '../raft/index.ts';
import { encodeMembership } from './membership.ts';
import type { ChangeId, ChangeResult, MembershipChanges } from './membership-changes.ts';
import type { ProposalId, ProposalTable } from './proposals.ts';

/** What it works with. */
export interface SubmissionOptions {
  readonly raft: Pick<
    Raft,
    'leader' | 'term' | 'propose' | 'proposeConfChange' | 'configuration' | 'commitIndex'
  >;
  readonly proposals: ProposalTable;
  readonly changes: MembershipChanges;
  /** At random, so that a refusal meant for an earlier run of this member matches nothing. */
  readonly firstContext: number;
}

/** Proposals passed to the leader of a term as one. */
interface ForwardedBatch {
  readonly ids: readonly ProposalId[];
  readonly term: Term;
}

/** That proposals were not taken: by whom, and when that was. */
interface Refusal {
  readonly leader: NodeId;
  readonly term: Term;
  readonly tick: number;
  /** Of this member, if it leads itself: a commit makes room in its log. */
  readonly commitIndex: LogIndex | undefined;
}

/**
 * Limit: bytes of proposals that go to Raft as one, and to another member in one message; a larger
 * proposal goes alone.
 */
const batchBytesMax = 4 * 1024 * 1024;
/** Limit: of either kind remembered; a refusal comes within a round trip or not at all. */
const forwardedMax = 1024;

const nothing: readonly ChangeResult[] = [];

/** See the module comment. */
export class Submission {
  readonly #options: SubmissionOptions;
  #nextContext: number;
  readonly #batchesByContext = new Map<number, ForwardedBatch>();
  readonly #changesByContext = new Map<number, ChangeId>();
  #refusal: Refusal | undefined;

  constructor(options: SubmissionOptions) {
    this.#options = options;
    this.#nextContext = options.firstContext;
  }

  /** Hands over what is queued, if a leader is known that has not refused it in this very tick. */
  submitQueued(tick: number): void {
    const { raft, proposals } = this.#options;
    while (proposals.hasQueued && raft.leader !== 0 && !this.#hasRefused(tick)) {
      const { ids, data } = proposals.takeQueued(batchBytesMax);
      if (ids.length > 0) {
        this.#submit(ids, data, tick);
      }
    }
  }

  #submit(ids: readonly ProposalId[], data: readonly Uint8Array[], tick: number): void {
    const { raft, proposals } = this.#options;
    const context = this.#nextContext++;
    const result = raft.propose(data, context);
    switch (result.kind) {
      case 'appended':
        proposals.markProposed(ids, result.term);
        break;
      case 'forwarded':
        proposals.markProposed(ids, result.term);
        this.#batchesByContext.set(context, { ids, term: result.term });
        trim(this.#batchesByContext);
        break;
      case 'dropped':
        // Nothing has happened: they wait for a leader, room in the log or the end of a transfer.
        proposals.requeue(ids);
        this.#refusal = {
          ...{ leader: raft.leader, term: raft.term, tick },
          commitIndex: raft.commitIndex,
        };
        break;
    }
  }

  /** Works out the change that is due, and hands it over; returns what is settled by that. */
  submitChange(tick: number): readonly ChangeResult[] {
    const { raft, changes } = this.#options;
    if (changes.count === 0 || raft.leader === 0) {
      return nothing;
    }
    const { configuration, commitIndex } = raft;
    if (configuration.index > commitIndex) {
      // What it says may be lost again, so nothing is told from it: neither that a change is done,
      // nor that it cannot be.
      return nothing;
    }
    const { due, results } = changes.takeDue(configuration, tick);
    if (due === undefined) {
      return results;
    }
    const context = this.#nextContext++;
    const proposal = {
      baseIndex: configuration.index,
      voters: due.voters,
      learners: due.learners,
      data: encodeMembership(due.membership),
    };
    changes.markProposed(due.id);
    const result = raft.proposeConfChange(proposal, context);
    if (result.kind === 'dropped') {
      return [...results, ...this.#changeRefused(due.id, result.reason, tick)];
    }
    if (result.kind === 'forwarded') {
      this.#changesByContext.set(context, due.id);
      trim(this.#changesByContext);
    }
    return results;
  }

  /**
   * What went under `context` has not been taken, or has not even left; returns what is settled by
   * that.
   */
  refused(context: number, reason: DropReason, tick: number): readonly ChangeResult[] {
    const { raft, proposals } = this.#options;
    const batch = this.#batchesByContext.get(context);
    if (batch !== undefined) {
      this.#batchesByContext.delete(context);
      this.#refusal = { leader: raft.leader, term: batch.term, tick, commitIndex: undefined };
      proposals.requeueRefused(batch.ids, batch.term);
    }
    const changeId = this.#changesByContext.get(context);
    this.#changesByContext.delete(context);
    return changeId === undefined ? [] : this.#changeRefused(changeId, reason, tick);
  }

  /** Whether whoever leads has refused proposals in this tick; another leader is asked at once. */
  #hasRefused(tick: number): boolean {
    const { leader, term, commitIndex } = this.#options.raft;
    const refusal = this.#refusal;
    return (
      refusal?.tick === tick &&
      refusal.leader === leader &&
      refusal.term === term &&
      (refusal.commitIndex ?? commitIndex) === commitIndex
    );
  }

  #changeRefused(id: ChangeId, reason: DropReason, tick: number): readonly ChangeResult[] {
    const result = this.#options.changes.refused(id, reason, tick);
    return result === undefined ? [] : [result];
  }
}

/** Gives up the oldest of what was passed on, beyond the limit. */
function trim(byContext: Map<number, unknown>): void {
  if (byContext.size > forwardedMax) {
    for (const oldest of byContext.keys()) {
      byContext.delete(oldest);
      break;
    }
  }
}
