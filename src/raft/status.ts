/** What a node says of itself, for its host, for operators and for tests. */
import type { Core } from './core.ts';
import type { Leadership } from './leader.ts';
import type { Configuration, LogIndex, NodeId, Role, Term } from './types.ts';

/** A leader's view of one peer. */
export interface PeerStatus {
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly isPaused: boolean;
  /** Heard within an election timeout. */
  readonly isRecentlyActive: boolean;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
}

/** A picture of the node; not updated afterwards. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly votedFor: NodeId;
  /** 0 when none is known. */
  readonly leader: NodeId;
  readonly commitIndex: LogIndex;
  readonly applyingIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly stableIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Everything up to here is compacted. */
  readonly snapshotIndex: LogIndex;
  readonly configuration: Configuration;
  readonly electionElapsed: number;
  readonly randomizedElectionTimeout: number;
  /** On a leader: its peers, by ascending id; else empty. */
  readonly progress: ReadonlyMap<NodeId, PeerStatus>;
  /** On a leader: the member it hands over to, or 0. */
  readonly transferTarget: NodeId;
  readonly uncommittedBytes: number;
  readonly pendingReads: number;
  /** Requests for a read index that leases have answered, since the start. */
  readonly leaseReads: number;
  readonly cacheBytes: number;
}

/** Takes the picture. */
export function statusOf(core: Core, leadership: Leadership | undefined): RaftStatus {
  const { log } = core;
  const progress = new Map<NodeId, PeerStatus>();
  for (const [id, peer] of leadership?.peers.progressById ?? []) {
    progress.set(id, {
      matchIndex: peer.matchIndex,
      nextIndex: peer.nextIndex,
      state: peer.state,
      isPaused: peer.isPaused,
      isRecentlyActive: leadership?.peers.isActive(peer) === true,
      inflightMessages: peer.inflights.count,
      inflightBytes: peer.inflights.bytes,
    });
  }
  return {
    id: core.id,
    role: core.role,
    term: core.term,
    votedFor: core.votedFor,
    leader: core.leader,
    commitIndex: log.commitIndex,
    applyingIndex: log.applyingIndex,
    appliedIndex: log.appliedIndex,
    stableIndex: log.stableIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    snapshotIndex: log.snapshotIndex,
    configuration: core.configuration,
    electionElapsed: core.electionElapsed,
    randomizedElectionTimeout: core.randomizedElectionTimeout,
    progress,
    transferTarget: leadership?.transferTarget ?? 0,
    uncommittedBytes: leadership?.uncommittedBytes ?? 0,
    pendingReads: leadership?.pendingReads ?? 0,
    leaseReads: core.leaseReads,
    cacheBytes: log.cacheBytes,
  };
}
