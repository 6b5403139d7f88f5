/**
 * The one text form of messages, entries, status and what a node hands out: for stories, traces,
 * and the message of a broken invariant. An entry reads `index/term`. Nothing here is parsed again.
 */
import type { Message } from './message.ts';
import type { RaftEvent, Ready } from './ready.ts';
import type { RaftStatus } from './status.ts';
import type { Entry, HardState } from './types.ts';

/** Longest data shown in full; longer data is named by its length. */
const shownBytesMax = 16;

/** `index/term` and the data, as text where it is short and printable. */
function describeEntry(entry: Entry): string {
  const { index, term, data } = entry;
  if (data.length === 0) {
    return `${index}/${term}`;
  }
  const isText = data.length <= shownBytesMax && data.every((byte) => byte > 0x20 && byte < 0x7f);
  return `${index}/${term}:${isText ? String.fromCharCode(...data) : `(${data.length} bytes)`}`;
}

/**
 * Entries in brackets.
 *
 * @public for stories and traces.
 */
export function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(' ')}]`;
}

/**
 * Sender, receiver, type, then the fields that matter.
 *
 * @public for stories and traces.
 */
export function describeMessage(message: Message): string {
  const head = `${message.from}->${message.to} ${message.type} term=${message.term}`;
  const body = describeBody(message);
  return body === '' ? head : `${head} ${body}`;
}

function describeBody(message: Message): string {
  switch (message.type) {
    case 'RequestVote':
    case 'PreVote':
      return (
        `last=${message.lastIndex}/${message.lastTerm}` + (message.isTransfer ? ' transfer' : '')
      );
    case 'RequestVoteResponse':
    case 'PreVoteResponse':
      return message.isGranted ? 'granted' : 'refused';
    case 'AppendEntries':
      return (
        `prev=${message.prevLogIndex}/${message.prevLogTerm} commit=${message.commitIndex} ` +
        describeEntries(message.entries)
      );
    case 'AppendEntriesResponse':
      return message.isRejected
        ? `refused=${message.index} hint=${message.hintIndex}/${message.hintTerm}`
        : `accepted=${message.index}`;
    case 'Heartbeat':
      return `commit=${message.commitIndex} round=${message.readRound}`;
    case 'CommitNotice':
      return `commit=${message.commitIndex}/${message.commitTerm}`;
    case 'HeartbeatResponse':
      return (
        `round=${message.readRound}` +
        (message.leaseMs === undefined ? '' : ` lease=${message.leaseMs}`)
      );
    case 'TimeoutNow':
      return '';
    case 'TransferLeader':
      return `target=${message.target}`;
    case 'Propose':
      return `context=${message.context} proposals=${message.proposals.length}`;
    case 'ProposeConfChange':
      return (
        `context=${message.context} base=${message.baseIndex} ` +
        `voters=${message.voters.join(',')} learners=${message.learners.join(',')}`
      );
    case 'InstallSnapshot':
      return `index=${message.index} source=${message.source}`;
    case 'ProposeRejected':
      return `context=${message.context} reason=${message.reason}`;
    case 'ReadIndex':
      return 'forwarded';
    case 'ReadIndexResponse':
      return `index=${message.index}`;
  }
}

/**
 * The event's type and its fields, in the order in which they were given.
 *
 * @public for stories and traces.
 */
export function describeEvent(event: RaftEvent): string {
  const { type, ...fields } = event;
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return [type, ...parts].join(' ');
}

/**
 * Everything a node hands out, a line each; the messages that wait for the write are marked `after
 * sync`.
 *
 * @public for stories and traces.
 */
export function describeReady(ready: Ready): readonly string[] {
  const lines = ready.events.map(describeEvent);
  for (const message of ready.messages) {
    lines.push(`send ${describeMessage(message)}`);
  }
  const { write } = ready;
  if (write !== undefined) {
    const state = write.hardState === undefined ? '' : describeHardState(write.hardState);
    const { install } = write;
    const entries =
      install === undefined
        ? describeEntries(write.entries)
        : `install ${install.index}/${install.term}`;
    lines.push(`write${state} ${entries}${write.mustSync ? '' : ' unsynced'}`);
    for (const message of write.messages) {
      lines.push(`after sync ${describeMessage(message)}`);
    }
  }
  if (ready.committedEntries.length > 0) {
    lines.push(`apply ${describeEntries(ready.committedEntries)}`);
  }
  for (const { context, index } of ready.readStates) {
    lines.push(`read ${context} at ${index}`);
  }
  for (const { lo, hi } of ready.loads) {
    lines.push(`load [${lo}, ${hi})`);
  }
  if (ready.snapshotRequest !== undefined) {
    const { from, minIndex } = ready.snapshotRequest;
    lines.push(`fetch a snapshot of ${minIndex} or later from ${from}`);
  }
  return lines;
}

function describeHardState({ currentTerm, votedFor, commitIndex }: HardState): string {
  return ` term=${currentTerm} vote=${votedFor} commit=${commitIndex}`;
}

/** One line on the node itself; see {@link describeProgress} for its view of the others. */
export function describeStatus(status: RaftStatus): string {
  const { id, role, term, votedFor, leader, commitIndex, appliedIndex, stableIndex } = status;
  return (
    `${id} ${role} term=${term} vote=${votedFor} leader=${leader} ` +
    `applied=${appliedIndex} commit=${commitIndex} stable=${stableIndex} ` +
    `last=${status.lastIndex}/${status.lastTerm}`
  );
}

/**
 * A leader's view of its peers, a line each.
 *
 * @public for stories and traces.
 */
export function describeProgress(status: RaftStatus): readonly string[] {
  return [...status.progress].map(
    ([id, peer]) =>
      `${id} ${peer.state}${peer.isPaused ? ' paused' : ''} ` +
      `match=${peer.matchIndex} next=${peer.nextIndex} inflight=${peer.inflightMessages}`,
  );
}
