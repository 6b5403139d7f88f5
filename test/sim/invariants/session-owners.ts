/**
 * A session is used by one user (ADR-016), and every member knows whose it is.
 *
 * Two looks: what is carried out in a session while everybody is asked is all of one user, whoever
 * that is; and at every applied index each member has the owners of leases that the log makes up to
 * there: after each batch, after a restart, and after a snapshot of another member.
 */
import { levelOfOwners } from '../../../src/kv/feature-level.ts';
import type { LeaseId } from '../../../src/kv/index.ts';
import type { Model } from '../../kv/model.ts';
import { holds } from '../failure.ts';
import type { LedgerModel, TrueEntry } from '../ledger-model.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** What is known of a lease. */
type OwnedLease = readonly [id: LeaseId, lease: { readonly owner: string | undefined }];

/** See the module comment. */
export class SessionOwners implements Observer {
  readonly name = 'session-owners';
  readonly #ledger: LedgerModel;
  /** Owners from an index on, ascending; pictures. */
  readonly #owners: { readonly index: number; readonly picture: string }[] = [];
  /** Who has used a session. */
  readonly #users = new Map<LeaseId, string>();
  #level = 1;
  /** Entries up to here have been looked at. */
  #index = 0;

  constructor(ledger: LedgerModel) {
    this.#ledger = ledger;
    ledger.listen(({ index }, model) => {
      this.#note(index, model);
    });
  }

  started(member: SimMember): void {
    this.#compare(member);
  }

  applied(member: SimMember, { entries, results }: AppliedBatch): void {
    for (const [at, { index }] of entries.entries()) {
      const entry = this.#ledger.at(index);
      if (index > this.#index && entry !== undefined) {
        this.#index = index;
        const result = results[at];
        if (result?.kind === 'ok' && result.result.type === 'raiseLevel') {
          this.#level = result.result.level;
        }
        if (result?.kind === 'ok') {
          this.#look(member, entry);
        }
      }
    }
    this.#compare(member);
  }

  installed(member: SimMember): void {
    this.#compare(member);
  }

  #note(index: number, { leases }: Model): void {
    const picture = pictureOf([...leases]);
    if (picture !== (this.#owners.at(-1)?.picture ?? '')) {
      this.#owners.push({ index, picture });
    }
  }

  #look(member: SimMember, { index, command, caller }: TrueEntry): void {
    const isAsked = this.#ledger.authAt(index)?.isEnabled === true;
    if (command.type !== 'once' || command.id.type !== 'session' || !isAsked) {
      return;
    }
    const { session } = command.id;
    if (caller !== undefined && this.#level >= levelOfOwners) {
      const user = this.#users.get(session) ?? caller.user;
      this.#users.set(session, user);
      holds(user === caller.user, this.name, () => {
        return `${member.id} does for ${caller.user} what is asked in the session of ${user}`;
      });
    }
  }

  #compare(member: SimMember): void {
    const { leases, lastApplied } = member.run.stateMachine;
    const truly = this.#owners.findLast(({ index }) => index <= lastApplied.index)?.picture ?? '';
    const told = pictureOf(Array.from(leases.all(), (lease) => [lease.id, lease]));
    holds(told === truly, this.name, () => {
      return `at ${lastApplied.index} ${member.id} knows ${told}; the log says ${truly}`;
    });
  }
}

/** Whose leases are, as text; nobody's are left out. */
function pictureOf(leases: readonly OwnedLease[]): string {
  return leases
    .flatMap(([id, { owner }]) => (owner === undefined ? [] : [`${id} of ${owner}`]))
    .sort()
    .join('; ');
}
