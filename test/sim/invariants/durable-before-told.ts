/**
 * Servers persist their term, their vote and their log before they answer (Raft thesis §3.8): what
 * a vote, an acknowledgement or an answer in a term says must be on the sender's disk when it
 * leaves. And nobody is told of two votes in a term (§3.4).
 */
import type { Message, NodeId } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class DurableBeforeTold implements Observer {
  readonly name = 'durable-before-told';
  /** Whom each member has told that it has its vote, by `term * 64 + member`. */
  readonly #votes = new Map<number, NodeId>();

  sent(member: SimMember, message: Message): void {
    switch (message.type) {
      case 'RequestVote':
        this.#checkVote(member, message.term, member.id);
        break;
      case 'RequestVoteResponse':
        if (message.isGranted) {
          this.#checkVote(member, message.term, message.to);
        } else {
          this.#checkTerm(member, message);
        }
        break;
      case 'AppendEntriesResponse':
        this.#checkTerm(member, message);
        if (!message.isRejected) {
          this.#checkLog(member, message.term, message.index);
        }
        break;
      case 'HeartbeatResponse':
      case 'AppendEntries':
      case 'Heartbeat':
        this.#checkTerm(member, message);
        break;
      default:
        break;
    }
  }

  #checkTerm(member: SimMember, message: Message): void {
    const { currentTerm } = member.disk.log.durableHardState;
    holds(currentTerm >= message.term, this.name, () => {
      return (
        `${member.id} sends ${message.type} of term ` +
        `${message.term}, its disk says ${currentTerm}`
      );
    });
  }

  #checkVote(member: SimMember, term: number, candidate: NodeId): void {
    const { currentTerm, votedFor } = member.disk.log.durableHardState;
    const isStored = currentTerm > term || (currentTerm === term && votedFor === candidate);
    holds(isStored, this.name, () => {
      return (
        `${member.id} tells of its vote for ${candidate} in term ${term}, ` +
        `its disk says term ${currentTerm} and vote ${votedFor}`
      );
    });
    const place = term * 64 + member.id;
    const earlier = this.#votes.get(place) ?? candidate;
    holds(earlier === candidate, this.name, () => {
      return `${member.id} votes for ${earlier} and for ${candidate} in term ${term}`;
    });
    this.#votes.set(place, candidate);
  }

  #checkLog(member: SimMember, term: number, index: number): void {
    const { log } = member.disk;
    // In a later term the log may have been cut since.
    const isStored = log.durableHardState.currentTerm > term || log.durableIndex >= index;
    holds(isStored, this.name, () => {
      return `${member.id} acknowledges ${index} in term ${term}, its disk has ${log.durableIndex}`;
    });
  }
}
