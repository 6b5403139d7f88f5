/**
 * One attempt to become leader: a pre-vote (Raft thesis §9.6), or the election itself (§3.4).
 *
 * The object lives as long as the attempt. A pre-vote changes nothing on this node, so its own
 * voice counts at once; a candidate's own vote counts only when term and vote are on its disk
 * (§3.8).
 */
import type { Core } from './core.ts';
import type { VoteRequest } from './message.ts';
import { quorumVote, type VoteOutcome } from './quorum.ts';
import type { NodeId, Term } from './types.ts';

/** See the module comment. */
export class Campaign {
  readonly isPreVote: boolean;
  /** The term that is being campaigned for. */
  readonly term: Term;
  readonly #core: Core;
  readonly #votes = new Map<NodeId, boolean>();

  constructor(core: Core, isPreVote: boolean) {
    this.#core = core;
    this.isPreVote = isPreVote;
    this.term = isPreVote ? core.term + 1 : core.term;
    if (isPreVote) {
      this.#votes.set(core.id, true);
    }
  }

  /** Asks every other voter. Requests for real votes rest on this node's own vote being durable. */
  start(isTransfer: boolean): void {
    const { log, conf, peers, id } = this.#core;
    const outbox = this.isPreVote ? this.#core.messages : this.#core.afterSync;
    for (const to of peers) {
      if (conf.voters.includes(to) || conf.votersOutgoing.includes(to)) {
        outbox.push({
          type: this.isPreVote ? 'PreVote' : 'RequestVote',
          from: id,
          to,
          term: this.term,
          lastIndex: log.lastIndex,
          lastTerm: log.lastTerm,
          isTransfer,
        });
      }
    }
  }

  /** Counts a voice; the first one of each voter stands. */
  record(from: NodeId, isGranted: boolean): void {
    if (!this.#votes.has(from)) {
      this.#votes.set(from, isGranted);
    }
  }

  get outcome(): VoteOutcome {
    return quorumVote(this.#core.conf, (id) => this.#votes.get(id));
  }
}

/**
 * Decides on a vote or pre-vote request of this node's term, or, for a pre-vote, of a later one.
 *
 * @remarks
 * Invariant: one real vote a term, and only for a log at least as up to date as this node's
 * (§3.6.1). A pre-vote changes nothing here, whatever the answer.
 */
export function answerVoteRequest(core: Core, request: VoteRequest): void {
  const isPreVote = request.type === 'PreVote';
  const isFree =
    core.votedFor === request.from ||
    (core.votedFor === 0 && core.leader === 0) ||
    (isPreVote && request.term > core.term);
  const isGranted = isFree && core.log.isUpToDate(request.lastIndex, request.lastTerm);
  if (isGranted && !isPreVote) {
    core.votedFor = request.from;
    core.electionElapsed = 0;
  }
  const outbox = isPreVote ? core.messages : core.afterSync;
  outbox.push({
    type: isPreVote ? 'PreVoteResponse' : 'RequestVoteResponse',
    from: core.id,
    to: request.from,
    // A granted pre-vote speaks of the term asked for; a refusal tells the asker where this node
    // is.
    term: isGranted ? request.term : core.term,
    isGranted,
  });
}
