/**
 * The role of a node, and the only place where it changes: follower, preCandidate, candidate,
 * leader (`README.md` has the picture). Here is what moves a node from one to the next, and what
 * exists in one role only: the campaign, the leadership.
 *
 * Invariant: there is a leadership exactly while the role is leader, a campaign exactly while it is
 * preCandidate or candidate. Leader to candidate, and follower to leader, never happen directly.
 */
import { assert, must } from '../base/index.ts';
import type { Core } from './core.ts';
import { Campaign } from './election.ts';
import type { ForwardedReads } from './forwarded-reads.ts';
import { verifyRaft } from './invariants.ts';
import { Leadership } from './leader.ts';
import type { VoteResponse } from './message.ts';
import { PromptElection } from './prompt-election.ts';
import { statusOf } from './status.ts';
import type { NodeId, Role, Term } from './types.ts';

/** See the module comment. */
export class Roles {
  readonly #core: Core;
  readonly #forwardedReads: ForwardedReads;
  readonly #promptElection: PromptElection;
  #leadership: Leadership | undefined;
  #campaign: Campaign | undefined;

  constructor(core: Core, forwardedReads: ForwardedReads) {
    this.#core = core;
    this.#forwardedReads = forwardedReads;
    this.#promptElection = new PromptElection(core);
  }

  /** Present exactly while this node leads. */
  get leadership(): Leadership | undefined {
    return this.#leadership;
  }

  /** One tick: a leader looks for its quorum, the others for the end of their patience. */
  tick(): void {
    const core = this.#core;
    if (this.#leadership !== undefined) {
      if (!this.#leadership.tick()) {
        core.events.push({ type: 'quorum-lost', term: core.term });
        this.#handOver(this.#leadership);
      }
      return;
    }
    core.electionElapsed++;
    this.#promptElection.tick();
    if (core.electionElapsed >= core.randomizedElectionTimeout) {
      this.campaign();
    }
  }

  /** Starts an election, unless this node leads, may not lead, or is bound to a leader. */
  campaign(): void {
    const { role, isPromotable, promise } = this.#core;
    if (role === 'leader' || !isPromotable || promise.isBinding) {
      return;
    }
    this.#startCampaign(this.#core.options.preVote, false);
  }

  /** The leader orders this node to take over: no pre-vote, and no promise stands against it. */
  takeOver(): void {
    if (this.#core.role === 'follower' && this.#core.isPromotable) {
      this.#startCampaign(false, true);
    }
  }

  /** See `Raft.reportDown`. */
  reportDown(peer: NodeId): void {
    const core = this.#core;
    if (core.leader !== peer || !core.isPromotable) {
      return;
    }
    this.becomeFollower(core.term, 0);
    this.#promptElection.expect(peer);
  }

  /** See `Raft.reportStarted`. */
  reportStarted(): void {
    const { id, role, leader, options, isPromotable } = this.#core;
    if (role === 'follower' && leader === 0 && options.preVote && isPromotable) {
      this.#promptElection.expect(id);
    }
  }

  /** A message has come that only the leader of this term sends. */
  heardLeader(from: NodeId): void {
    const core = this.#core;
    assert(core.role !== 'leader', () => `two leaders in term ${core.term}: ${core.id}, ${from}`);
    if (core.leader !== from) {
      this.becomeFollower(core.term, from);
    }
    core.electionElapsed = 0;
  }

  /** Counts a voice, if it is for the campaign under way. */
  countVote(message: VoteResponse): void {
    const campaign = this.#campaign;
    const isPreVote = message.type === 'PreVoteResponse';
    if (campaign?.isPreVote !== isPreVote) {
      return;
    }
    if (message.isGranted && message.term !== campaign.term) {
      return;
    }
    campaign.record(message.from, message.isGranted);
    this.#concludeCampaign(campaign);
  }

  /** Counts a candidate's own vote in its election; it must be durable. */
  countOwnVote(): void {
    const campaign = must(this.#campaign, 'the campaign of a candidate');
    campaign.record(this.#core.id, true);
    this.#concludeCampaign(campaign);
  }

  /** Enters `term`, if it is a later one, and follows `leader` there, if that is not 0. */
  becomeFollower(term: Term, leader: NodeId): void {
    if (term > this.#core.term) {
      this.#core.enterTerm(term);
    }
    this.#setRole('follower', leader);
    verifyRaft(statusOf(this.#core, this.#leadership));
  }

  /**
   * A leader that has seen its removal committed hands over to the voter that is furthest (Raft
   * thesis §4.2.2).
   */
  maybeStepDown(): void {
    const leadership = this.#leadership;
    if (leadership?.isRemoved !== true) {
      return;
    }
    this.#core.events.push({ type: 'leader-removed', term: this.#core.term });
    // What it has not been told yet, that the removal is committed, its own leadership will tell.
    leadership.flush();
    this.#handOver(leadership);
  }

  /**
   * Ends the leadership, and lets the voter that is furthest campaign at once. A leader that is
   * heard but does not hear has kept the others waiting until now (ADR-014).
   */
  #handOver(leadership: Leadership): void {
    const { id, term, messages } = this.#core;
    const to = leadership.peers.furthestVoter;
    if (to !== 0) {
      messages.push({ type: 'TimeoutNow', from: id, to, term });
    }
    this.becomeFollower(term, 0);
  }

  #startCampaign(isPreVote: boolean, isTransfer: boolean): void {
    const core = this.#core;
    assert(core.role !== 'leader', 'a leader never campaigns');
    if (isPreVote) {
      this.#setRole('preCandidate', 0);
    } else {
      core.enterTerm(core.term + 1);
      core.votedFor = core.id;
      this.#setRole('candidate', 0);
    }
    const campaign = new Campaign(core, isPreVote);
    this.#campaign = campaign;
    core.events.push({ type: 'election-started', term: campaign.term, isPreVote });
    campaign.start(isTransfer);
    this.#concludeCampaign(campaign);
  }

  #concludeCampaign(campaign: Campaign): void {
    switch (campaign.outcome) {
      case 'won':
        if (campaign.isPreVote) {
          this.#startCampaign(false, false);
        } else {
          this.#becomeLeader();
        }
        break;
      case 'lost':
        this.becomeFollower(this.#core.term, 0);
        break;
      case 'pending':
        break;
    }
  }

  #becomeLeader(): void {
    assert(this.#core.role === 'candidate', 'only a candidate becomes leader');
    this.#setRole('leader', this.#core.id);
    this.#leadership = new Leadership(this.#core);
    verifyRaft(statusOf(this.#core, this.#leadership));
  }

  /** The one place where the role, and the leader known, change. */
  #setRole(role: Role, leader: NodeId): void {
    const core = this.#core;
    const dropped = this.#leadership?.end() ?? [];
    this.#leadership = undefined;
    this.#campaign = undefined;
    this.#promptElection.forget();
    const isNewLeader = core.leader !== leader;
    const isNewRole = core.role !== role;
    core.role = role;
    core.leader = leader;
    core.resetElectionTimer();
    if (isNewRole) {
      core.events.push({ type: 'role-changed', role, term: core.term, leader });
    }
    if (isNewLeader) {
      core.events.push({ type: 'leader-changed', term: core.term, leader });
    }
    this.#dropReads(dropped);
  }

  /**
   * Reads passed on or pending under another leader will not be answered; their callers ask again.
   */
  #dropReads(local: readonly number[]): void {
    const contexts = [...local, ...this.#forwardedReads.drop()];
    if (contexts.length > 0) {
      this.#core.events.push({ type: 'reads-dropped', contexts, reason: 'the leader changed' });
    }
  }
}
