/**
 * What a node does on a leader's word: takes entries over, moves its commit index, answers (Raft
 * thesis §3.5).
 *
 * Answers to appends rest on what has been stored, refusals included, so they leave after the next
 * sync.
 */
import { assert } from '../base/index.ts';
import type { Core } from './core.ts';
import type { AppendEntries, CommitNotice, Heartbeat, InstallSnapshot } from './message.ts';
import type { LogIndex, NodeId } from './types.ts';

/**
 * Takes over a leader's entries where they fit; returns the index from which a conflicting tail was
 * dropped, or 0.
 *
 * @remarks
 * Entries that are already there in the same terms stay, so a late duplicate never shortens the
 * log. The commit index moves at most to the last entry that this append vouches for.
 */
export function handleAppendEntries(core: Core, message: AppendEntries): LogIndex {
  const { log } = core;
  const { prevLogIndex, prevLogTerm, entries, commitIndex } = message;
  if (prevLogIndex < log.commitIndex) {
    answer(core, message, log.commitIndex);
    return 0;
  }
  if (!log.matches(prevLogIndex, prevLogTerm)) {
    const hintIndex = log.lastIndexNotAbove(prevLogIndex, prevLogTerm);
    core.afterSync.push({
      type: 'AppendEntriesResponse',
      from: core.id,
      to: message.from,
      term: core.term,
      isRejected: true,
      index: prevLogIndex,
      hintIndex,
      hintTerm: log.termAt(hintIndex) ?? 0,
    });
    return 0;
  }
  const firstNew = log.firstNewIndex(entries);
  let truncatedFrom = 0;
  if (firstNew !== 0) {
    if (firstNew <= log.lastIndex) {
      core.truncateFrom(firstNew);
      truncatedFrom = firstNew;
    }
    core.append(entries.slice(firstNew - prevLogIndex - 1));
  }
  const lastVouched = prevLogIndex + entries.length;
  core.commitTo(Math.min(commitIndex, lastVouched));
  answer(core, message, lastVouched);
  return truncatedFrom;
}

/** Takes a commit index over if this node holds the entry there: then it holds all before it. */
export function handleCommitNotice(core: Core, { commitIndex, commitTerm }: CommitNotice): void {
  if (commitIndex > core.log.commitIndex && core.log.matches(commitIndex, commitTerm)) {
    core.commitTo(commitIndex);
  }
}

/** A heartbeat's commit index never lies beyond what the leader knows this node to hold. */
export function handleHeartbeat(core: Core, message: Heartbeat): void {
  assert(
    message.commitIndex <= core.log.lastIndex,
    () => `a heartbeat commits ${message.commitIndex} beyond the log's ${core.log.lastIndex}`,
  );
  core.commitTo(message.commitIndex);
  core.sendInTerm({
    type: 'HeartbeatResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    readRound: message.readRound,
    leaseMs: core.promise.maybeGive(),
  });
}

/**
 * The leader's log begins after what this node needs next: the host is asked for a snapshot, again
 * with every offer, unless this node has come that far by now (Raft thesis §5.1).
 */
export function handleInstallSnapshot(core: Core, message: InstallSnapshot): void {
  if (message.index <= core.log.commitIndex) {
    answer(core, message, core.log.commitIndex);
  } else {
    core.snapshotRequest = { from: message.source, minIndex: message.index };
  }
}

/** Tells the leader, if one is known, that this node holds everything up to `index`. */
export function answerInstalled(core: Core, index: LogIndex): void {
  if (core.leader !== 0) {
    answer(core, { from: core.leader }, index);
  }
}

function answer(core: Core, message: { readonly from: NodeId }, index: LogIndex): void {
  core.afterSync.push({
    type: 'AppendEntriesResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    isRejected: false,
    index,
    hintIndex: 0,
    hintTerm: 0,
  });
}
