/**
 * If a log entry is committed in a given term, then that entry will be present in the logs of the
 * leaders for all higher-numbered terms (Raft thesis §3.6.3).
 *
 * By log matching it is enough to look for the last of them.
 */
import type { RaftStatus } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class LeaderCompleteness implements Observer {
  readonly name = 'leader-completeness';
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    if (after.role !== 'leader' || (before.role === 'leader' && before.term === after.term)) {
      return;
    }
    const index = this.#ledger.committedBefore(after.term);
    const slot = this.#ledger.at(index);
    holds(slot === undefined || member.disk.log.holds(index, slot.entry.term), this.name, () => {
      const has = `has term ${member.disk.log.termAt(index) ?? 0} there`;
      return (
        `leader ${member.id} of term ${after.term} lacks ${index}/${slot?.entry.term ?? 0}, ` +
        `committed in term ${slot?.commitTerm ?? 0}: it ${has}`
      );
    });
  }
}
