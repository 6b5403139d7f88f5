/**
 * Ownership that others respect: locks and semaphores, and what elections are made of.
 *
 * Each acquisition has a lease of its own, which renews itself, and a key in the queue of the name
 * (`queue.ts`). Whoever owns has a fencing token: whoever owns later has a larger one, so what is
 * owned can refuse those who come too late. And a signal that is fired when ownership is lost: no
 * later than the lease's end by the clock of this process, or as soon as it is known that the key
 * is gone. A process that stands still is late all the same; only the token protects from that.
 */
import type { TimerHandle, Timers } from '../base/index.ts';
import { onAbort } from './abort-listeners.ts';
import {
  abortSignal,
  type Check,
  checkFields,
  optionChecks,
  positiveCount,
  waitLimit,
} from './arguments.ts';
import { abortedError, HoldfastError } from './errors.ts';
import type { CallOptions } from './caller.ts';
import type { Key } from './keys.ts';
import type { Lease, Leases } from './lease.ts';
import { isAmong, type Place, Queue, type QueueParts } from './queue.ts';

/** Seconds that an owner is still owner after its process has died; longer than a fail-over. */
const ttlDefaultSeconds = 15;
/** Limit: how long who gives up waits for leaving the queue. */
const leaveBounds = { timeoutMs: 1000 };
/** Limit: places of a semaphore; a waiting candidate watches as many keys. */
const placesMax = 1000;

/** How something is acquired. */
export interface OwnershipOptions {
  /** Seconds that it outlasts the silence of this process; 15 when absent. */
  readonly ttlSeconds?: number | undefined;
  /** Milliseconds to wait for it at most; for ever when absent. */
  readonly waitMs?: number | undefined;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** Fields of {@link OwnershipOptions}. */
export const ownershipChecks = {
  try: { ttlSeconds: positiveCount, signal: abortSignal },
  wait: { ttlSeconds: positiveCount, waitMs: waitLimit, signal: abortSignal },
} as const;

/** Places of a semaphore. */
export const placesCheck: Check = {
  fits: (value) => positiveCount.fits(value) && (value as number) <= placesMax,
  wanted: `a whole number from 1 to ${placesMax}`,
};

/** What ownership works with. */
export interface OwnershipParts extends QueueParts {
  readonly leases: Leases;
  readonly timers: Timers;
}

/** What is owned; until it is released or lost. */
export class Ownership implements AsyncDisposable, Disposable {
  /** The owner's key, as the client names keys. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** The fencing token: grows with each owner; give it along with what is done as the owner. */
  readonly token: number;
  readonly #lease: Lease;
  readonly #loss = new AbortController();
  readonly #done = new AbortController();
  readonly #leaveLease: () => void;

  /** @internal */
  constructor(parts: OwnershipParts, queue: Queue, { lease, place }: Candidate) {
    const keyBytes = parts.namespace.inner(Buffer.from(place.key));
    this.key = keyBytes.toString();
    this.keyBytes = keyBytes;
    this.token = place.token;
    this.#lease = lease;
    const loseLease = (): void => this.#lose(lease.lost.reason as HoldfastError);
    this.#leaveLease = onAbort(lease.lost, loseLease);
    if (lease.lost.aborted) {
      // While the key was being written.
      loseLease();
    }
    queue.gone(place, this.#done.signal).then(
      () => this.#loseKey(new HoldfastError('OWNERSHIP_LOST', `${this.key} has been deleted`)),
      // Whether it is still there cannot be known any more.
      (error: unknown) => this.#loseKey(error as HoldfastError),
    );
  }

  /** Fired when it is lost; the reason is a HoldfastError. Not when it is released. */
  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  /** Fired when it will be lost soon unless its lease is renewed; see the lease. */
  get expiring(): AbortSignal {
    return this.#lease.expiring;
  }

  /** Milliseconds that it lasts for certain. */
  get remainingMs(): number {
    return this.isHeld ? this.#lease.remainingMs : 0;
  }

  /** Whether it is owned, by the clock as it is now. Ask after whatever may have taken long. */
  get isHeld(): boolean {
    return this.#lease.isHeld && !this.#loss.signal.aborted && !this.#done.signal.aborted;
  }

  get leaseId(): bigint {
    return this.#lease.id;
  }

  /**
   * Gives it up: the next one may own.
   *
   * @throws {HoldfastError} the members have not heard of it; then it ends with its lease.
   */
  async release(options: CallOptions = {}): Promise<void> {
    checkFields('release', options, optionChecks.call);
    this.#finish();
    await this.#lease.revoke(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Begins to release it; if that fails it ends with its lease. */
  [Symbol.dispose](): void {
    this.release().catch(() => undefined);
  }

  /** A lease that goes on renewing itself would keep others waiting, if its key is still there. */
  #loseKey(reason: HoldfastError): void {
    if (!this.#done.signal.aborted) {
      this.#lose(reason);
      // What cannot be revoked ends by itself.
      this.#lease.revoke(leaveBounds).catch(() => undefined);
    }
  }

  #lose(reason: HoldfastError): void {
    if (!this.#done.signal.aborted) {
      this.#finish();
      this.#loss.abort(reason);
    }
  }

  #finish(): void {
    this.#leaveLease();
    this.#done.abort();
  }
}

/** Who waits for a place. */
interface Candidate {
  readonly lease: Lease;
  readonly place: Place;
}

/** What is to be acquired. */
export interface Acquisition {
  /** Names it in messages. */
  readonly what: string;
  readonly queue: Queue;
  /** The candidate's value. */
  readonly value: Uint8Array;
  /** @throws {HoldfastError} those who own do not fit to this candidate. */
  readonly check?: (place: Place) => void;
}

/**
 * Acquires something, however long that takes.
 *
 * @throws {HoldfastError} LOCK_HELD — not within `waitMs`; ABORTED; LEASE_LOST — the members could
 *   not be reached for too long while it waited. Then it is not in the queue any more.
 */
export async function acquire<T extends Ownership>(
  parts: OwnershipParts,
  { what, queue, value, check }: Acquisition,
  options: OwnershipOptions,
  create: (candidate: Candidate) => T,
): Promise<T> {
  const wait = new Wait(what, options, parts.timers);
  const { ttlSeconds = ttlDefaultSeconds } = options;
  let lease: Lease | undefined;
  let ownership: T | undefined;
  try {
    lease = await parts.leases.grant({ ttlSeconds, signal: wait.signal }, true);
    const place = await queue.enter(lease, value, { signal: wait.signal });
    check?.(place);
    ownership = create({ lease, place });
    wait.endWith(ownership.signal);
    await queue.turn(place, wait.signal);
    if (!ownership.isHeld) {
      throw ownership.signal.reason;
    }
    return ownership;
  } catch (error) {
    // What cannot be revoked ends by itself.
    const leaving = ownership?.release(leaveBounds) ?? lease?.revoke(leaveBounds);
    await leaving?.catch(() => undefined);
    throw wait.reason ?? error;
  } finally {
    wait.end();
  }
}

/** As `acquire`, if nobody is in the way; else undefined. */
async function tryAcquire<T extends Ownership>(
  parts: OwnershipParts,
  acquisition: Acquisition,
  { places, ...options }: Omit<OwnershipOptions, 'waitMs'> & { readonly places: number },
  create: (candidate: Candidate) => T,
): Promise<T | undefined> {
  const { queue, check } = acquisition;
  const { kvs } = await queue.owners({ signal: options.signal });
  if (kvs.length >= places) {
    return undefined;
  }
  const leave = new HoldfastError('LOCK_HELD', `${acquisition.what}: somebody else has it`);
  try {
    return await acquire(
      parts,
      {
        ...acquisition,
        check: (place) => {
          check?.(place);
          if (!isAmong(place, place.owners)) {
            throw leave;
          }
        },
      },
      options,
      create,
    );
  } catch (error) {
    if (error === leave) {
      return undefined;
    }
    throw error;
  }
}

/** Something that one may own at a time, or a number of them. */
export class Semaphore {
  readonly #parts: OwnershipParts;
  readonly #places: number;
  readonly #acquisition: Acquisition;

  /** @internal A lock is one with a single place, whose keys are empty, as etcd's. */
  constructor(parts: OwnershipParts, name: Key, places?: number) {
    const what = places === undefined ? 'lock' : 'semaphore';
    const value = Buffer.from(places === undefined ? '' : String(places));
    this.#parts = parts;
    this.#places = places ?? 1;
    this.#acquisition = {
      ...{ what, value, queue: new Queue(parts, name, this.#places) },
      check: ({ owners }) => {
        const other = owners.find((owner) => !owner.value.equals(value));
        if (places !== undefined && other !== undefined) {
          const theirs = other.value.toString();
          const text = `semaphore: it has ${places} places here, and "${theirs}" for others`;
          throw new HoldfastError('INVALID_ARGUMENT', text);
        }
      },
    };
  }

  /**
   * Waits for a place.
   *
   * @throws {HoldfastError} LOCK_HELD — not within `waitMs`; ABORTED; LEASE_LOST — the members
   *   could not be reached for too long while it waited.
   */
  async acquire(options: OwnershipOptions = {}): Promise<Ownership> {
    checkFields(this.#acquisition.what, options, ownershipChecks.wait);
    return acquire(this.#parts, this.#acquisition, options, (each) => this.#owned(each));
  }

  /** Takes a place if one is free now; undefined otherwise. @throws {HoldfastError} */
  async tryAcquire(options: Omit<OwnershipOptions, 'waitMs'> = {}): Promise<Ownership | undefined> {
    checkFields(`${this.#acquisition.what}, tried`, options, ownershipChecks.try);
    const places = this.#places;
    return tryAcquire(this.#parts, this.#acquisition, { ...options, places }, (each) =>
      this.#owned(each),
    );
  }

  #owned(candidate: Candidate): Ownership {
    return new Ownership(this.#parts, this.#acquisition.queue, candidate);
  }
}

/** What ends a wait: its caller, its time, or that there is nothing to wait for any more. */
class Wait {
  /** Why it has ended. */
  reason: HoldfastError | undefined;
  readonly #controller = new AbortController();
  readonly #cleanUps: (() => void)[] = [];

  constructor(what: string, { waitMs, signal }: OwnershipOptions, timers: Timers) {
    if (signal !== undefined) {
      this.#on(signal, () => abortedError(what, signal));
    }
    if (waitMs !== undefined) {
      const timer: TimerHandle = timers.after(waitMs, () =>
        this.#fire(new HoldfastError('LOCK_HELD', `${what}: not acquired within ${waitMs} ms`)),
      );
      this.#cleanUps.push(() => timer.cancel());
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  endWith(signal: AbortSignal): void {
    this.#on(signal, () => signal.reason as HoldfastError);
  }

  end(): void {
    for (const cleanUp of this.#cleanUps) {
      cleanUp();
    }
  }

  #on(signal: AbortSignal, reason: () => HoldfastError): void {
    const fire = (): void => this.#fire(reason());
    if (signal.aborted) {
      fire();
    }
    this.#cleanUps.push(onAbort(signal, fire));
  }

  #fire(reason: HoldfastError): void {
    this.reason ??= reason;
    this.#controller.abort(reason);
  }
}
