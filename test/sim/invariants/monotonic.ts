/**
 * Terms, commit index, applied index and revision never move back while a member runs, and its term
 * and vote not across a crash either (Raft thesis §3.3, §3.8). What always holds of one member at
 * any moment is in `src/raft/invariants.ts`; it is called here after each step.
 */
import type { RaftStatus } from '../../../src/raft/index.ts';
import { verifyDelta, verifyRaft } from '../../../src/raft/invariants.ts';
import { holds, SafetyViolation } from '../failure.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

interface Durable {
  readonly term: number;
  readonly votedFor: number;
}

/** See the module comment. */
export class Monotonic implements Observer {
  readonly name = 'monotonic';
  readonly #durableById = new Map<number, Durable>();
  readonly #revisionById = new Map<number, number>();

  started(member: SimMember, status: RaftStatus): void {
    const before = this.#durableById.get(member.id);
    if (before !== undefined) {
      const isVoteKept = status.term > before.term || status.votedFor === before.votedFor;
      holds(status.term >= before.term && isVoteKept, this.name, () => {
        return (
          `${member.id} went down with term ${before.term} and vote ${before.votedFor} on its ` +
          `disk, and is back with term ${status.term} and vote ${status.votedFor}`
        );
      });
    }
    this.#revisionById.delete(member.id);
    this.#verify(() => {
      verifyRaft(status);
    });
  }

  stepped(_member: SimMember, before: RaftStatus, after: RaftStatus): void {
    this.#verify(() => {
      verifyRaft(after);
      verifyDelta(before, after);
    });
  }

  /** Here the simulator looks, not the member: what it finds is no crash. */
  #verify(look: () => void): void {
    try {
      look();
    } catch (error) {
      throw new SafetyViolation(this.name, error instanceof Error ? error.message : String(error));
    }
  }

  applied(member: SimMember, { revision }: AppliedBatch): void {
    const before = this.#revisionById.get(member.id) ?? 0;
    holds(revision >= before, this.name, () => {
      return `the revision of ${member.id} goes from ${before} back to ${revision}`;
    });
    this.#revisionById.set(member.id, revision);
  }

  crashed(member: SimMember): void {
    const { currentTerm: term, votedFor } = member.disk.log.hardState;
    this.#durableById.set(member.id, { term, votedFor });
  }
}
