/**
 * Leases as a member offers them to the services in front of it (G5). Granting and revoking are
 * commands; renewing and looking are here. So is looking at keys that have a time to live of their
 * own.
 */
import type { KeyValue, LeaseId } from '../kv/index.ts';
import type { CallOptions, Charge } from './call-options.ts';

/** A lease as it is now. */
export interface LeaseState {
  readonly id: LeaseId;
  /** Milliseconds that it was granted for. */
  readonly ttlMs: number;
  /** Milliseconds until it ends; at least 0, and at most `ttlMs`. */
  readonly remainingMs: number;
}

/** A lease and the keys attached to it, in byte order. */
export interface LeaseContent extends LeaseState {
  readonly keys: readonly Uint8Array[];
}

/** How a lease is looked at. */
export interface LeaseOptions extends CallOptions {
  readonly charge?: Charge | undefined;
}

/** What a member does about leases; on any member. */
export interface LeaseApi {
  /** Leases that this member knows of. */
  readonly count: number;
  /** An id that no lease has, with all but certainty: positive, 63 bits. */
  nextLeaseId(): LeaseId;
  /**
   * Renews a lease and resolves, once that is committed, with its full time in milliseconds;
   * undefined when there is no such lease (any more).
   *
   * @throws {KvError} what `propose` throws; SESSION_OF_ANOTHER.
   */
  keepAlive(id: LeaseId, options?: CallOptions): Promise<number | undefined>;
  /**
   * Linearizable; undefined when there is no such lease. `withKeys`: without, `keys` is empty.
   *
   * @throws {KvError} what `confirmRead` throws; what `charge` throws.
   */
  lease(id: LeaseId, withKeys: boolean, options?: LeaseOptions): Promise<LeaseContent | undefined>;
  /**
   * All leases, the first to end first; linearizable.
   *
   * @throws {KvError} what `confirmRead` throws.
   */
  allLeases(options?: CallOptions): Promise<readonly LeaseState[]>;
  /**
   * Milliseconds that are left of the times of keys, as they were read from this member; undefined
   * for those that have none, or have changed since.
   *
   * @throws {KvError} STOPPED.
   */
  remainingTtls(kvs: readonly KeyValue[]): Promise<readonly (number | undefined)[]>;
}
