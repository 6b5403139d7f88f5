/** What a member tells operators: Raft's events as log lines, its state as metrics. */
import type { StateMachine } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { RaftEvent } from '../raft/index.ts';
import type { PeerLink } from '../transport/index.ts';
import type { Replica } from './replica.ts';

/** Log lines as events with fields; pino's loggers fit. */
export interface EventLogger {
  info(fields: object): void;
  warn(fields: object): void;
  error(fields: object): void;
}

/** Reports one of Raft's events; those that are routine within the member are left out. */
export function reportEvent(event: RaftEvent, logger: EventLogger, metrics: Metrics): void {
  const { type, ...fields } = event;
  if (event.type === 'leader-changed') {
    metrics.leaderChanges.inc();
    metrics.hasLeader.set(event.leader === 0 ? 0 : 1);
  }
  const isTrouble =
    event.type === 'quorum-lost' ||
    event.type === 'transfer-abandoned' ||
    (event.type === 'leader-changed' && event.leader === 0);
  if (isTrouble) {
    logger.warn({ event: type, ...fields });
  } else if (event.type !== 'reads-dropped' && event.type !== 'proposals-rejected') {
    logger.info({ event: type, ...fields });
  }
}

/** Sets the gauges of a member to its present state. */
export function reportState(
  replica: Replica,
  stateMachine: StateMachine,
  links: readonly PeerLink[],
  metrics: Metrics,
): void {
  const raft = replica.status();
  metrics.isLeader.set(raft.role === 'leader' ? 1 : 0);
  metrics.hasLeader.set(raft.leader === 0 ? 0 : 1);
  metrics.term.set(raft.term);
  metrics.commitIndex.set(raft.commitIndex);
  metrics.appliedIndex.set(stateMachine.lastApplied.index);
  metrics.revision.set(stateMachine.revision);
  metrics.compactRevision.set(stateMachine.compactRevision);
  metrics.proposalsPending.set(replica.pendingProposals);
  metrics.readsPending.set(replica.pendingReads);
  metrics.leaseReads.set(raft.leaseReads);
  for (const link of links) {
    const labels = { peer: link.peer.name };
    metrics.peerConnected.set(labels, link.isConnected ? 1 : 0);
    metrics.peerQueueBytes.set(labels, link.queuedBytes);
    metrics.peerMessagesDropped.set(labels, link.droppedMessages);
    if (link.roundTripMs !== undefined) {
      metrics.peerRoundTripSeconds.set(labels, link.roundTripMs / 1000);
    }
  }
}
