/**
 * A member answers a read just when its caller may read these keys by the users and roles that the
 * member has applied, and what it answers is no newer than those: nothing that was written after a
 * revocation is read without leave (ADR-016, `replica/auth.ts`).
 *
 * While a batch is applied the table is ahead of the index that the member is said to be at: any
 * place up to what it knows to be committed may be meant.
 */
import { holds } from '../failure.ts';
import type { GuardedRead } from '../gate.ts';
import { describe, type LedgerModel } from '../ledger-model.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class PermittedReads implements Observer {
  readonly name = 'permitted-reads';
  readonly #ledger: LedgerModel;

  constructor(ledger: LedgerModel) {
    this.#ledger = ledger;
  }

  read(member: SimMember, { caller, range, refusal }: GuardedRead): void {
    const { run } = member;
    const { index } = run.stateMachine.lastApplied;
    holds(run.readableIndex <= index, this.name, () => {
      return `${member.id} shows ${run.readableIndex}, and checks by users as of ${index}`;
    });
    const auths = this.#ledger.authsWithin(index, run.replica.status().commitIndex);
    const isTrue = auths.some((auth) => auth?.readRefusal(caller, range) === refusal);
    holds(isTrue, this.name, () => {
      const truly = auths[0]?.readRefusal(caller, range);
      return (
        `at ${index} ${member.id} ${refusal ?? 'permits'} a read of ${describe(range.key)} by ` +
        `${caller?.user ?? 'nobody'}; it is ${truly ?? 'permitted'}`
      );
    });
  }
}
