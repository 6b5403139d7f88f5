/**
 * What a message does to a node: dropped, refused, or handled in the term and the role that it is
 * for (Raft thesis §3.3).
 *
 * Invariant: nothing of an earlier term changes this node. A later term is entered before anything
 * else is done, if its message says that it must be (`other-terms.ts`).
 */
import type { Core } from './core.ts';
import { answerVoteRequest } from './election.ts';
import {
  handleAppendEntries,
  handleCommitNotice,
  handleHeartbeat,
  handleInstallSnapshot,
} from './follower.ts';
import type { ForwardedReads } from './forwarded-reads.ts';
import { refuse } from './forwarding.ts';
import type {
  AppendEntries,
  CommitNotice,
  Heartbeat,
  InstallSnapshot,
  Message,
  Propose,
  ProposeConfChange,
  ReadIndexResponse,
  VoteRequest,
} from './message.ts';
import { answerEarlierTerm, effectOfLaterTerm } from './other-terms.ts';
import type { Roles } from './roles.ts';
import type { StorageQueue } from './storage-queue.ts';

/** What messages change. */
export interface DispatchTargets {
  readonly core: Core;
  readonly roles: Roles;
  readonly storage: StorageQueue;
  readonly forwardedReads: ForwardedReads;
}

/** See the module comment. */
export class Dispatch {
  readonly #core: Core;
  readonly #roles: Roles;
  readonly #storage: StorageQueue;
  readonly #forwardedReads: ForwardedReads;

  constructor({ core, roles, storage, forwardedReads }: DispatchTargets) {
    this.#core = core;
    this.#roles = roles;
    this.#storage = storage;
    this.#forwardedReads = forwardedReads;
  }

  /**
   * Takes a message; one that is not to this node is ignored.
   *
   * @remarks
   * The sender need not be in the configuration: this node's may be out of date (Raft thesis
   * §4.1).
   */
  step(message: Message): void {
    const { id, term } = this.#core;
    if (message.to !== id || message.from === id) {
      return;
    }
    if (message.term === 0) {
      this.#stepTermless(message);
    } else if (message.term < term) {
      answerEarlierTerm(this.#core, message);
    } else if (message.term === term || this.#enterTermOf(message)) {
      this.#stepInTerm(message);
    }
    this.#roles.maybeStepDown();
  }

  /**
   * Enters the later term of a message if it must; false when the message is to be ignored
   * altogether.
   */
  #enterTermOf(message: Message): boolean {
    switch (effectOfLaterTerm(this.#core, message)) {
      case 'ignored':
        return false;
      case 'asked':
        return true;
      case 'entered':
        this.#roles.becomeFollower(message.term, 0);
        return true;
      case 'followed':
        this.#roles.becomeFollower(message.term, message.from);
        return true;
    }
  }

  #stepTermless(message: Message): void {
    switch (message.type) {
      case 'ReadIndex':
        this.#roles.leadership?.handleReadIndex(message);
        break;
      case 'ReadIndexResponse':
        this.#handleReadIndexResponse(message);
        break;
      case 'ProposeRejected':
        this.#core.events.push({
          type: 'proposals-rejected',
          context: message.context,
          reason: message.reason,
        });
        break;
      default:
        break;
    }
  }

  #stepInTerm(message: Message): void {
    switch (message.type) {
      case 'RequestVote':
      case 'PreVote':
        this.#handleVoteRequest(message);
        break;
      case 'RequestVoteResponse':
      case 'PreVoteResponse':
        this.#roles.countVote(message);
        break;
      case 'AppendEntries':
      case 'Heartbeat':
      case 'CommitNotice':
      case 'InstallSnapshot':
        this.#handleLeader(message);
        break;
      case 'AppendEntriesResponse':
        this.#roles.leadership?.handleAppendResponse(message);
        break;
      case 'HeartbeatResponse':
        this.#roles.leadership?.handleHeartbeatResponse(message);
        break;
      case 'TimeoutNow':
        this.#roles.takeOver();
        break;
      case 'TransferLeader':
        this.#roles.leadership?.transfer(message.target);
        break;
      case 'Propose':
        this.#handlePropose(message);
        break;
      case 'ProposeConfChange':
        this.#handleProposeConfChange(message);
        break;
      case 'ProposeRejected':
      case 'ReadIndex':
      case 'ReadIndexResponse':
        break;
    }
  }

  #handleVoteRequest(message: VoteRequest): void {
    if (message.isTransfer || !this.#core.promise.isBinding) {
      answerVoteRequest(this.#core, message);
    }
  }

  /** A message that only this term's leader sends. */
  #handleLeader(message: AppendEntries | Heartbeat | CommitNotice | InstallSnapshot): void {
    const core = this.#core;
    this.#roles.heardLeader(message.from);
    if (message.type === 'Heartbeat') {
      handleHeartbeat(core, message);
      return;
    }
    if (message.type === 'CommitNotice') {
      handleCommitNotice(core, message);
      return;
    }
    if (message.type === 'InstallSnapshot') {
      handleInstallSnapshot(core, message);
      return;
    }
    const lastIndex = core.log.lastIndex;
    const fromIndex = handleAppendEntries(core, message);
    if (fromIndex > 0) {
      this.#storage.noteTruncation(fromIndex);
      core.events.push({ type: 'log-truncated', fromIndex, lastIndex });
    }
  }

  #handlePropose(message: Propose): void {
    const result = this.#roles.leadership?.propose(message.proposals) ?? 'not-leader';
    if (typeof result !== 'number') {
      refuse(this.#core, message, result);
    }
  }

  #handleProposeConfChange(message: ProposeConfChange): void {
    const result = this.#roles.leadership?.proposeConfChange(message) ?? 'not-leader';
    if (typeof result !== 'number') {
      refuse(this.#core, message, result);
    }
  }

  #handleReadIndexResponse(message: ReadIndexResponse): void {
    for (const context of this.#forwardedReads.take(message.context)) {
      this.#core.readStates.push({ context, index: message.index });
    }
  }
}
