/**
 * At every applied index each member has the users, roles and permissions, the switch, the secret
 * and the revision that the log makes up to there, in memory: after each batch, after a restart
 * from its own disk, and after a snapshot of another member. So all members decide alike (ADR-016;
 * state machines are deterministic, Raft thesis §2.1).
 */
import { AuthModel } from '../../kv/auth-model.ts';
import { pictureOf, pictureOfModel } from '../../kv/auth-picture.ts';
import { holds } from '../failure.ts';
import type { LedgerModel } from '../ledger-model.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class AuthTables implements Observer {
  readonly name = 'auth-tables';
  readonly #ledger: LedgerModel;
  readonly #none = new AuthModel();

  constructor(ledger: LedgerModel) {
    this.#ledger = ledger;
  }

  started(member: SimMember): void {
    this.#look(member);
  }

  applied(member: SimMember): void {
    this.#look(member);
  }

  installed(member: SimMember): void {
    this.#look(member);
  }

  #look(member: SimMember): void {
    if (!this.#ledger.hasUsers) {
      return;
    }
    const { auth, lastApplied } = member.run.stateMachine;
    const { index } = lastApplied;
    const told = pictureOf(auth).join('; ');
    const truly = pictureOfModel(this.#ledger.authAt(index) ?? this.#none).join('; ');
    holds(told === truly, this.name, () => {
      return `at ${index} ${member.id} knows ${told}; the log says ${truly}`;
    });
  }
}
