/**
 * Messages of other terms than the node's own (Raft thesis §3.3): what a later term makes of it,
 * and who of an earlier one must hear that it is behind.
 *
 * Nothing here changes the term or the role; `raft.ts` does, by the answer.
 */
import type { Core } from './core.ts';
import { refuse } from './forwarding.ts';
import type { Message } from './message.ts';

/**
 * What a message of a later term does: nothing at all; nothing to the term, which it only asks for;
 * it is entered; it is entered, and the sender leads there.
 */
export type LaterTermEffect = 'ignored' | 'asked' | 'entered' | 'followed';

/** Decides on a message of a later term. */
export function effectOfLaterTerm(core: Core, message: Message): LaterTermEffect {
  switch (message.type) {
    case 'RequestVote':
    case 'PreVote':
      if (core.refusesVotes && !message.isTransfer) {
        return 'ignored';
      }
      return message.type === 'RequestVote' ? 'entered' : 'asked';
    case 'PreVoteResponse':
      return message.isGranted ? 'asked' : 'entered';
    case 'AppendEntries':
    case 'Heartbeat':
    case 'CommitNotice':
    case 'InstallSnapshot':
      return 'followed';
    default:
      return 'entered';
  }
}

/**
 * A message of an earlier term changes nothing here; some senders must hear that they are behind.
 */
export function answerEarlierTerm(core: Core, message: Message): void {
  const { id, term, options, afterSync } = core;
  const { from: to } = message;
  switch (message.type) {
    case 'AppendEntries':
    case 'Heartbeat':
    case 'InstallSnapshot':
      if (options.checkQuorum || options.preVote) {
        // Or a node stuck at a higher term could never be freed: the leader steps down at this
        // answer.
        afterSync.push({ type: 'HeartbeatResponse', from: id, to, term, readRound: 0 });
      }
      break;
    case 'PreVote':
      afterSync.push({ type: 'PreVoteResponse', from: id, to, term, isGranted: false });
      break;
    case 'Propose':
    case 'ProposeConfChange':
      refuse(core, message, 'not-leader');
      break;
    default:
      break;
  }
}
