/**
 * Messages between nodes. Every one carries sender, receiver and the sender's term; `term` is 0
 * only in what concerns a client and no term: `ReadIndex`, its answer, and `ProposeRejected`.
 */
import type { Entry, LogIndex, NodeId, Term } from './types.ts';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/** Asks for a vote (Raft thesis §3.4), or whether one would be given (`PreVote`, §9.6). */
export interface VoteRequest extends Envelope {
  readonly type: 'RequestVote' | 'PreVote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /**
   * Set when the leader itself asked this node to campaign: overrides vote stickiness (§3.10,
   * §4.2.3).
   */
  readonly isTransfer: boolean;
}

/**
 * Answers a vote request. A granted pre-vote carries the term asked for, a refusal the voter's own.
 */
export interface VoteResponse extends Envelope {
  readonly type: 'RequestVoteResponse' | 'PreVoteResponse';
  readonly isGranted: boolean;
}

/** Replicates `entries`, which follow (`prevLogIndex`, `prevLogTerm`); may be empty. */
export interface AppendEntries extends Envelope {
  readonly type: 'AppendEntries';
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly commitIndex: LogIndex;
  readonly entries: readonly Entry[];
}

/**
 * Answers AppendEntries. Accepted: `index` is the last entry vouched for. Refused: `index` is the
 * refused `prevLogIndex`, and the hint is the follower's largest index whose term is not above
 * `prevLogTerm`.
 */
export interface AppendEntriesResponse extends Envelope {
  readonly type: 'AppendEntriesResponse';
  readonly isRejected: boolean;
  readonly index: LogIndex;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

/**
 * Keeps followers quiet, carries a commit index they surely hold, and confirms reads by its round.
 */
export interface Heartbeat extends Envelope {
  readonly type: 'Heartbeat';
  readonly commitIndex: LogIndex;
  /** The leader's newest ReadIndex round in this term; answers echo it (Raft thesis §6.4). */
  readonly readRound: number;
}

/**
 * Tells how far the log is committed, and of which term the last committed entry is: whoever holds
 * that entry holds everything before it. It is not answered: an answer would be no news, and one
 * that is lost, or comes too early, is made good by the next append or heartbeat (ADR-013).
 */
export interface CommitNotice extends Envelope {
  readonly type: 'CommitNotice';
  readonly commitIndex: LogIndex;
  readonly commitTerm: Term;
}

/** Answers a heartbeat; to an earlier term, with the later one and round 0. */
export interface HeartbeatResponse extends Envelope {
  readonly type: 'HeartbeatResponse';
  readonly readRound: number;
  /**
   * For so many milliseconds from when it handled the heartbeat the sender helps to elect nobody
   * but this leader (Raft thesis §6.4.1); a whole number. Left out: it promises nothing.
   */
  readonly leaseMs?: number | undefined;
}

/** Tells the receiver to campaign at once (Raft thesis §3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'TimeoutNow';
}

/** A follower passes on an order to hand leadership to `target`. */
export interface TransferLeader extends Envelope {
  readonly type: 'TransferLeader';
  readonly target: NodeId;
}

/** A follower passes proposals to the leader; `context` names the batch in a refusal. */
export interface Propose extends Envelope {
  readonly type: 'Propose';
  readonly context: number;
  readonly proposals: readonly Uint8Array[];
}

/** The leader refused forwarded proposals: they surely had no effect. */
export interface ProposeRejected extends Envelope {
  readonly type: 'ProposeRejected';
  readonly context: number;
  readonly reason: DropReason;
}

/**
 * A follower asks the leader for a read index; `context` is the asker's own, unique while it runs.
 */
export interface ReadIndexRequest extends Envelope {
  readonly type: 'ReadIndex';
  readonly context: number;
}

/** Answers with the index to wait for. */
export interface ReadIndexResponse extends Envelope {
  readonly type: 'ReadIndexResponse';
  readonly context: number;
  readonly index: LogIndex;
}

/**
 * The leader no longer has the entries that the receiver needs next: its log starts after `index`.
 * The receiver is to fetch a snapshot from `source`; its state does not travel in this message.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: 'InstallSnapshot';
  readonly index: LogIndex;
  readonly source: NodeId;
}

/**
 * A configuration that shall follow the one of the entry at `baseIndex`, if that is still the
 * newest (Raft thesis §4.1).
 */
export interface ConfChangeProposal {
  readonly baseIndex: LogIndex;
  /** Ids ascend. */
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** What the host keeps with the configuration; the core never looks into it. */
  readonly data: Uint8Array;
}

/** A follower passes a change of the membership to the leader; `context` names it in a refusal. */
export interface ProposeConfChange extends Envelope, ConfChangeProposal {
  readonly type: 'ProposeConfChange';
  readonly context: number;
}

/** Everything that travels between nodes. */
export type Message =
  | VoteRequest
  | VoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | CommitNotice
  | HeartbeatResponse
  | TimeoutNow
  | TransferLeader
  | Propose
  | ProposeConfChange
  | ProposeRejected
  | InstallSnapshot
  | ReadIndexRequest
  | ReadIndexResponse;

/** Why a proposal or read was not taken. All of them mean: it surely had no effect. */
export type DropReason =
  | 'no-leader'
  | 'transferring'
  | 'log-full'
  | 'not-leader'
  | 'removed'
  /** The configuration has changed since the change was worked out: work it out again. */
  | 'conf-stale'
  /** Another change is under way, or the leader is too new to know that none is. */
  | 'conf-pending'
  /** It cannot be: no voter would be left, or a node would both vote and learn. */
  | 'conf-invalid'
  /** A learner that shall vote is too far behind. */
  | 'learner-not-ready'
  /** Too few of the voters that there would be are known to be up. */
  | 'quorum-at-risk';
