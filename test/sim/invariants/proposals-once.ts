/**
 * No proposal takes effect twice (Raft thesis §6.3: "each command should appear to execute exactly
 * once"), although members propose again what a change of leader may have lost
 * (`src/replica/proposals.ts`); and one that was refused as surely without effect has none.
 */
import { decodeEnvelope } from '../../../src/replica/proposals.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { Observer } from '../observer.ts';
import type { RaftStatus } from '../../../src/raft/index.ts';
import type { SimMember } from '../member.ts';

/** See the module comment. */
export class ProposalsOnce implements Observer {
  readonly name = 'proposals-once';
  readonly #ledger: Ledger;
  readonly #indexByProposal = new Map<string, number>();
  #seen = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  stepped(_member: SimMember, _before: RaftStatus, _after: RaftStatus): void {
    while (this.#seen < this.#ledger.commitIndex) {
      const { entry } = this.#ledger.slots[this.#seen++] ?? {};
      if (entry?.type !== 'normal' || entry.data.length === 0) {
        continue;
      }
      const { origin, incarnation, id } = decodeEnvelope(entry.data);
      if (id === 0) {
        // A stamp of the cluster's time, which nobody proposes again.
        continue;
      }
      const proposal = `${origin}/${incarnation}/${id}`;
      const earlier = this.#indexByProposal.get(proposal);
      holds(earlier === undefined, this.name, () => {
        return `proposal ${proposal} is committed at ${earlier ?? 0} and again at ${entry.index}`;
      });
      this.#indexByProposal.set(proposal, entry.index);
    }
  }
}
