/**
 * Who may write all keys of a lease, as far as that has been found out: putting a key under a lease
 * takes leave for every key of it, and reading them all for each put would cost a put the more the
 * more keys there are, and have it wait for the writes before it.
 *
 * Only that somebody may is remembered. It spares a look and never changes what comes of it, so
 * members that remember different things decide alike.
 *
 * Invariant: who is remembered may write every key that is attached to the lease. A key that is
 * attached later is asked about there and then; one that is detached makes nothing untrue; and
 * whenever somebody's leave changes there is another `Access` of them (`auth-table.ts`).
 */
import type { Access } from './auth-table.ts';
import type { LeaseId } from './command.ts';

/** Limit: leases that something is remembered of; some hundred bytes each, the oldest go first. */
const leasesMax = 65_536;
/**
 * Limit: writers remembered of one lease; more take turns, and read.
 *
 * @internal for tests.
 */
export const writersMax = 4;

/** See the module comment. */
export class LeaseWriters {
  readonly #writersByLease = new Map<LeaseId, readonly Access[]>();
  /** Of users and roles; what was remembered before a change of them is let go, for its memory. */
  #authRevision = 0;

  /** Whether somebody surely may write all keys of a lease. */
  includes(lease: LeaseId, access: Access): boolean {
    return this.#writersByLease.get(lease)?.includes(access) === true;
  }

  /** It has been found that somebody may write all keys that are attached to a lease now. */
  remember(lease: LeaseId, access: Access, authRevision: number): void {
    if (authRevision !== this.#authRevision) {
      this.#writersByLease.clear();
      this.#authRevision = authRevision;
    }
    const others = this.#writersByLease.get(lease) ?? [];
    if (others.length === 0 && this.#writersByLease.size >= leasesMax) {
      const [oldest] = this.#writersByLease.keys();
      if (oldest !== undefined) {
        this.#writersByLease.delete(oldest);
      }
    }
    this.#writersByLease.set(lease, [...others, access].slice(-writersMax));
  }

  /** A key is attached to a lease: who may not write it is remembered no more. */
  attached(lease: LeaseId, key: Uint8Array): void {
    const writers = this.#writersByLease.get(lease);
    if (writers !== undefined && !writers.every((access) => access.mayWrite({ key }))) {
      this.#writersByLease.set(
        lease,
        writers.filter((access) => access.mayWrite({ key })),
      );
    }
  }

  /** A lease has ended. */
  forget(lease: LeaseId): void {
    this.#writersByLease.delete(lease);
  }
}
