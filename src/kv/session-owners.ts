/**
 * Whose sessions are. A session (`answers.ts`) is used by one user: whoever else numbered requests
 * in it, or said which answers have arrived, would use up the numbers of its client's writes and
 * have their answers forgotten.
 *
 * It is the user's who granted its lease or, if that was while nobody had to say who calls, the
 * user's who is the first to number a request in it once somebody has to. That never changes. It
 * is a matter of names, as with kept answers: who has another password is the same user, and so is
 * who is made anew under the name of one that is gone.
 *
 * | what                                | who, while authentication is on                      |
 * |-------------------------------------|------------------------------------------------------|
 * | a request numbered in it            | its owner: of the lease also before it is a session  |
 * | a key put under its lease           | its owner                                            |
 * | renewing it (`replica/leases.ts`)   | its owner                                            |
 * | ending it                           | its owner, and root                                  |
 *
 * Root may end it as it may delete its user; to go on with it serves nobody. A lease that is no
 * session is used by whoever may by etcd's rules, and so is a session that is nobody's yet.
 */
import type { ErrorCode } from '../base/index.ts';
import type { Command, LeaseId, Operation } from './command.ts';
import type { Lease } from './leases.ts';

/** What is known of leases and sessions. */
export interface SessionsView {
  readonly leases: { get(id: LeaseId): Pick<Lease, 'owner'> | undefined };
  readonly answers: { isSession(id: LeaseId): boolean };
}

/** Who asks. */
interface Asker {
  readonly user: string;
  readonly isRoot: boolean;
}

/** Returns the user whose session a lease is; undefined when it is no session, or nobody's. */
export function sessionOwner({ leases, answers }: SessionsView, id: LeaseId): string | undefined {
  return answers.isSession(id) ? leases.get(id)?.owner : undefined;
}

/** Returns why somebody may not have a command carried out that uses a session, if so. */
export function checkSessions(
  view: SessionsView,
  asker: Asker,
  command: Command,
): ErrorCode | undefined {
  return usesOthersSession(view, asker, command) ? 'SESSION_OF_ANOTHER' : undefined;
}

function usesOthersSession(view: SessionsView, { user, isRoot }: Asker, command: Command): boolean {
  const isOthers = (owner: string | undefined): boolean => owner !== undefined && owner !== user;
  switch (command.type) {
    case 'once': {
      const { id } = command;
      const owner = id.type === 'session' ? view.leases.get(id.session)?.owner : undefined;
      return isOthers(owner) || usesOthersSession(view, { user, isRoot }, command.command);
    }
    case 'put':
    case 'txn':
      return leasesOf(command).some((lease) => isOthers(sessionOwner(view, lease)));
    case 'leaseRevoke':
      return !isRoot && isOthers(sessionOwner(view, command.id));
    default:
      return false;
  }
}

const none: readonly LeaseId[] = [];

/** Returns the leases that an operation might put keys under, each once. */
export function leasesOf(operation: Operation): readonly LeaseId[] {
  switch (operation.type) {
    case 'put':
      return operation.lease === 0n ? none : [operation.lease];
    case 'txn':
      return [...new Set([...operation.success, ...operation.failure].flatMap(leasesOf))];
    default:
      return none;
  }
}
