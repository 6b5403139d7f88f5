/** What a member tells operators: Raft's events as log lines, its state as metrics. */
import type { MonotonicClock } from '../base/index.ts';
import type { AlarmType, LevelRange, MetaChange } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { RaftEvent } from '../raft/index.ts';
import type { PeerLink } from '../transport/index.ts';
import type { Effects } from './effects.ts';
import type { MemberState } from './member-state.ts';
import type { Replica } from './replica.ts';
import type { RemovalStep } from './state-lane.ts';

/** Log lines as events with fields; pino's loggers fit. */
export interface EventLogger {
  info(fields: object): void;
  warn(fields: object): void;
  error(fields: object): void;
}

/**
 * The audit trail: who has changed what about whom, on every member that has applied it. Secrets
 * are not part of it.
 */
export function reportAuthChange(
  { by, change, user, role }: Extract<MetaChange, { readonly type: 'auth' }>,
  logger: EventLogger,
): void {
  logger.warn({
    event: 'auth-changed',
    by: named(by) ?? '',
    change,
    user: named(user),
    role: named(role),
  });
}

/** A name of the log, as text: one character stands for each byte of its UTF-8. */
function named(name: string | undefined): string | undefined {
  return name === undefined
    ? undefined
    : new TextDecoder().decode(Uint8Array.from(name, (character) => character.charCodeAt(0)));
}

/** Reports what a turn has brought that operators may want to know. */
export function reportEffects(effects: Effects, logger: EventLogger, metrics: Metrics): void {
  if (effects.compaction !== undefined) {
    logger.info({ event: 'history-compacting', revision: effects.compaction });
    metrics.autoCompactions.inc();
  }
  for (const event of effects.events) {
    reportEvent(event, logger, metrics);
  }
}

/** Reports one of Raft's events; those that are routine within the member are left out. */
function reportEvent(event: RaftEvent, logger: EventLogger, metrics: Metrics): void {
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

/** What the gauges of a member tell about. */
export interface ReportedState {
  readonly replica: Replica;
  /** Why this member serves nothing; undefined when it is in order. */
  readonly integrity: { readonly reason: string | undefined };
  readonly state: Pick<MemberState, 'machine' | 'alarms'>;
  readonly links: readonly PeerLink[];
  /** Feature levels that this member reads. */
  readonly levels: LevelRange;
}

/** Approximate bytes on disk, and the limit of those of the state. */
export interface ReportedSizes {
  readonly logBytes: number;
  readonly stateBytes: number;
  readonly quotaBytes: number;
}

/** Kinds of alarms; each has a sample from the start, so that its absence is seen as 0. */
const alarmTypes: readonly AlarmType[] = ['nospace', 'corrupt'];

/** Returns what reports the removal of compacted history, a step at a time. */
export function removalReporter(config: {
  readonly eventLoop: MonotonicClock;
  readonly logger: EventLogger;
  readonly metrics: Metrics;
}): (step: RemovalStep) => void {
  const { eventLoop, logger, metrics } = config;
  let removal: { readonly startMs: number; events: number } | undefined;
  return ({ removed, compactRevision, isDone }) => {
    removal ??= { startMs: eventLoop.nowMs(), events: 0 };
    removal.events += removed;
    metrics.removedEvents.inc(removed);
    if (isDone) {
      const seconds = (eventLoop.nowMs() - removal.startMs) / 1000;
      metrics.removalSeconds.observe(seconds);
      const { events } = removal;
      logger.info({ event: 'history-removed', revision: compactRevision, events, seconds });
      removal = undefined;
    }
  };
}

/** Sets the gauges of a member to its present state. */
export function reportState(reported: ReportedState, metrics: Metrics): void {
  const { replica, integrity, state, links, levels } = reported;
  const stateMachine = state.machine;
  const raft = replica.status();
  metrics.isLeader.set(raft.role === 'leader' ? 1 : 0);
  metrics.hasLeader.set(raft.leader === 0 ? 0 : 1);
  metrics.isQuarantined.set(integrity.reason === undefined ? 0 : 1);
  for (const alarm of alarmTypes) {
    const count = state.alarms.filter((each) => each.alarm === alarm).length;
    metrics.alarms.set({ alarm }, count);
  }
  metrics.term.set(raft.term);
  metrics.commitIndex.set(raft.commitIndex);
  metrics.appliedIndex.set(stateMachine.lastApplied.index);
  metrics.revision.set(stateMachine.revision);
  metrics.compactRevision.set(stateMachine.compactRevision);
  metrics.removedRevision.set(stateMachine.removedRevision);
  metrics.proposalsPending.set(replica.pendingProposals);
  metrics.readsPending.set(replica.pendingReads);
  metrics.leaseReads.set(raft.leaseReads);
  metrics.featureLevel.set(stateMachine.level);
  metrics.featureLevelMax.set(levels.newest);
  reportLinks(links, metrics);
}

/** Those who are peers no more, or go by another name now, have no samples any longer. */
function reportLinks(links: readonly PeerLink[], metrics: Metrics): void {
  metrics.peerConnected.reset();
  metrics.peerQueueBytes.reset();
  metrics.peerMessagesDropped.reset();
  metrics.peerRoundTripSeconds.reset();
  metrics.peerFeatureLevelMax.reset();
  for (const link of links) {
    const labels = { peer: link.peer.name };
    metrics.peerConnected.set(labels, link.isConnected ? 1 : 0);
    metrics.peerQueueBytes.set(labels, link.queuedBytes);
    metrics.peerMessagesDropped.set(labels, link.droppedMessages);
    if (link.roundTripMs !== undefined) {
      metrics.peerRoundTripSeconds.set(labels, link.roundTripMs / 1000);
    }
    if (link.newestLevel !== undefined) {
      metrics.peerFeatureLevelMax.set(labels, link.newestLevel);
    }
  }
}

/** Sets the gauges of what a member stores; returns how much that is in all. */
export function reportSizes(sizes: ReportedSizes, metrics: Metrics): number {
  const { logBytes, stateBytes, quotaBytes } = sizes;
  const sizeBytes = logBytes + stateBytes;
  metrics.storeBytes.set(sizeBytes);
  metrics.stateBytes.set(stateBytes);
  metrics.quotaBytes.set(quotaBytes);
  return sizeBytes;
}
