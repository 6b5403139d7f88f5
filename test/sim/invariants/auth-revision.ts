/**
 * The revision of users and roles never goes backward on a member: not while it runs, not with a
 * snapshot, and not across a crash once the log is applied as far as it had been. Credentials rest
 * on that: a revision that comes again would let in who had an earlier password (ADR-016).
 */
import type { RaftStatus } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** As far as a member has ever been. */
interface Mark {
  readonly index: number;
  readonly revision: number;
}

/** See the module comment. */
export class AuthRevision implements Observer {
  readonly name = 'auth-revision';
  readonly #furthestById = new Map<number, Mark>();
  /** Of the run under way. */
  readonly #currentById = new Map<number, Mark>();

  started(member: SimMember, _status: RaftStatus): void {
    this.#currentById.delete(member.id);
    this.#look(member);
  }

  applied(member: SimMember, _batch: AppliedBatch): void {
    this.#look(member);
  }

  installed(member: SimMember): void {
    this.#look(member);
  }

  #look(member: SimMember): void {
    const { auth, lastApplied } = member.run.stateMachine;
    const { revision } = auth;
    const { index } = lastApplied;
    for (const marks of [this.#currentById, this.#furthestById]) {
      const before = marks.get(member.id) ?? { index: 0, revision: 1 };
      if (index >= before.index) {
        holds(revision >= before.revision, this.name, () => {
          return (
            `${member.id} had revision ${before.revision} of users at ${before.index}, ` +
            `and ${revision} at ${index}`
          );
        });
        marks.set(member.id, { index, revision });
      }
    }
  }
}
