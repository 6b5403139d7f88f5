/**
 * A watch is there just while its user may read all its keys by the users and roles that its member
 * has applied: it is refused, or ended with the reason, exactly when that is not so, and before any
 * event of the batch that takes the permission is told. So what a watch tells is no newer than the
 * users and roles that it was checked by (ADR-016, `replica/watch-queue.ts`).
 */
import { holds } from '../failure.ts';
import type { GuardedWatch } from '../gate.ts';
import { describe, type LedgerModel } from '../ledger-model.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class PermittedWatches implements Observer {
  readonly name = 'permitted-watches';
  readonly #ledger: LedgerModel;

  constructor(ledger: LedgerModel) {
    this.#ledger = ledger;
  }

  watched(member: SimMember, { caller, ranges, refusal, asOf }: GuardedWatch): void {
    const auths = this.#ledger.authsWithin(asOf.from, asOf.through);
    const refusals = auths.map((auth) => auth?.readRefusal(caller, ...ranges));
    holds(refusals.includes(refusal), this.name, () => {
      const who = `${caller?.user ?? 'nobody'}, of ${caller?.credentials ?? 0}`;
      const truly = refusals.map((each) => each ?? 'permitted').join(', ');
      return (
        `${member.id} ${refusal === undefined ? 'has' : `refuses (${refusal})`} a watch of ` +
        `${describe(ranges)} for ${who}; from ${asOf.from} to ${asOf.through} it is ${truly}`
      );
    });
  }
}
