/**
 * At most one leader can be elected in a given term (Raft thesis §3.6.3, Figure 3.2; how it comes
 * about: §3.4).
 */
import type { NodeId, RaftStatus } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class ElectionSafety implements Observer {
  readonly name = 'election-safety';
  readonly #leaderByTerm = new Map<number, NodeId>();

  /** Terms in which somebody was elected. */
  get leaders(): number {
    return this.#leaderByTerm.size;
  }

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    if (after.role !== 'leader' || (before.role === 'leader' && before.term === after.term)) {
      return;
    }
    const leader = this.#leaderByTerm.get(after.term);
    holds(leader === undefined || leader === member.id, this.name, () => {
      return `both ${leader ?? 0} and ${member.id} were elected in term ${after.term}`;
    });
    this.#leaderByTerm.set(after.term, member.id);
  }
}
