/**
 * Leases that renew themselves, and know how long they last.
 *
 * A lease's time is reckoned from when its grant or renewal was sent, by the clock of this process:
 * so it ends here before it ends at the members, whatever became of an answer. It is renewed when a
 * third of its time is over. When only a third is left it says that it is expiring, which may pass;
 * at its end it says that it is lost, and that is final: nobody may rely on it from then on.
 *
 * A process that stands still cannot say anything. So whoever wakes up, or has waited, asks
 * `isHeld`, which looks at the clock. What must not go wrong even then takes a fencing token, also
 * since that clock may not count the time for which a machine was suspended.
 */
import type { TimerHandle } from '../base/index.ts';
import { type Checks, checkFields, checkValue, optionChecks, positiveCount } from './arguments.ts';
import type { Caller, CallOptions } from './caller.ts';
import { closedError, HoldfastError } from './errors.ts';
import { type GrantedLease, grantLease, revokeLease } from './lease-calls.ts';
import type { Environment } from './ports.ts';

/** A lease is renewed when this part of its time is over, and expiring when only that is left. */
const renewalPart = 1 / 3;
/** By how much the clocks of this machine and of the members may differ in speed. */
const driftPart = 0.01;
/** By how much a timer of a busy process may be late; milliseconds. */
const latenessMs = 100;
/** Limit: how long the end of a client waits for the ends of its leases; milliseconds. */
const revokeMaxMs = 500;
/** Limit: leases of one client; each is renewed every few seconds. */
const leasesMax = 10_000;

/** What failures of a grant name. */
const granting = 'granting a lease';

/** What leases work with. */
export interface LeasesParts {
  readonly environment: Environment;
  readonly caller: Caller;
  /** Renews a lease; resolves with the seconds it has, 0 when there is no such lease. */
  readonly renew: (lease: string, options: CallOptions) => Promise<number>;
}

/** How a lease is granted. */
export interface LeaseOptions extends CallOptions {
  /** Seconds that it outlasts its client's silence; members may give more. */
  readonly ttlSeconds: number;
}

const leaseChecks: Checks = { ttlSeconds: positiveCount, ...optionChecks.call };

/** The leases of a client. */
export class Leases {
  readonly #parts: LeasesParts;
  readonly #held = new Map<Lease, { readonly endsWithClient: boolean }>();
  /** How many have been asked for and not been answered. */
  #granting = 0;
  #isClosed = false;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
  }

  /**
   * @param endsWithClient - whether the client revokes it when it is closed.
   * @throws {HoldfastError}
   */
  async grant(options: LeaseOptions, endsWithClient: boolean): Promise<Lease> {
    checkFields('lease', options, leaseChecks);
    const { ttlSeconds, timeoutMs, signal } = options;
    checkValue('lease: ttlSeconds', ttlSeconds, positiveCount);
    if (this.#isClosed) {
      throw closedError(granting);
    }
    if (this.#held.size + this.#granting >= leasesMax) {
      const text = `${granting}: this client has ${leasesMax} already`;
      throw new HoldfastError('CLIENT_OVERLOADED', text);
    }
    const { caller, environment } = this.#parts;
    const sentMs = environment.loop.nowMs();
    const name = environment.uniqueName();
    this.#granting++;
    const request = { what: granting, ttlSeconds, name, timeoutMs, signal };
    const granted = await grantLease(caller, request).finally(() => this.#granting--);
    return this.#hold({ ...granted, sentMs }, endsWithClient);
  }

  /** All are lost; those that end with the client are revoked, as far as that takes no time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const revocations = [...this.#held].map(async ([lease, { endsWithClient }]) => {
      lease.lose(closedError('the lease'));
      if (endsWithClient) {
        await lease.revoke({ timeoutMs: revokeMaxMs });
      }
    });
    // What fails ends by itself.
    await Promise.allSettled(revocations);
  }

  #hold(granted: GrantedLease & { readonly sentMs: number }, endsWithClient: boolean): Lease {
    const lease: Lease = new Lease(
      { ...this.#parts, onEnd: () => this.#held.delete(lease) },
      granted,
    );
    this.#held.set(lease, { endsWithClient });
    if (this.#isClosed) {
      lease.lose(closedError('the lease'));
    }
    return lease;
  }
}

/** See the module comment. */
export class Lease implements AsyncDisposable {
  readonly id: bigint;
  /** Seconds that a renewal gives it. */
  readonly ttlSeconds: number;
  readonly #parts: LeasesParts & { readonly onEnd: () => void };
  readonly #lost = new AbortController();
  #expiring = new AbortController();
  /** Fired at its end, whatever that is: what is under way for it ends with it. */
  readonly #over = new AbortController();
  #deadlineMs = 0;
  /** Why it was not renewed the last time. */
  #problem: HoldfastError | undefined;
  #timers: readonly TimerHandle[] = [];

  /** @internal */
  constructor(
    parts: LeasesParts & { readonly onEnd: () => void },
    granted: GrantedLease & { readonly sentMs: number },
  ) {
    this.#parts = parts;
    this.id = BigInt(granted.id);
    this.ttlSeconds = granted.ttlSeconds;
    this.#hold(granted.sentMs);
  }

  /** Fired when it is lost, no later than its end; the reason is a HoldfastError. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Fired when it has not been renewed and a third of its time is left. If it is renewed after all,
   * there is a new signal here.
   */
  get expiring(): AbortSignal {
    return this.#expiring.signal;
  }

  /** Milliseconds that it lasts for certain, unless it is renewed; 0 when it is over. */
  get remainingMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#deadlineMs - this.#nowMs());
  }

  /** Whether it lasts, by the clock as it is now; `lost` is fired before this says no. */
  get isHeld(): boolean {
    if (!this.#isOver && this.remainingMs === 0) {
      this.#expire();
    }
    return !this.#isOver;
  }

  /**
   * Ends it, and the keys that are attached to it; `lost` is not fired for that.
   *
   * @throws {HoldfastError} it may last until its time is up.
   */
  async revoke(options: CallOptions = {}): Promise<void> {
    checkFields('revoke', options, optionChecks.call);
    this.#finish();
    const what = 'revoking a lease';
    await revokeLease(this.#parts.caller, String(this.id), { what, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revoke();
  }

  /** @internal It cannot be relied on any more. */
  lose(error: HoldfastError): void {
    if (!this.#isOver) {
      this.#finish();
      this.#lost.abort(error);
    }
  }

  /** It was granted or renewed by what was sent at this time. */
  #hold(sentMs: number): void {
    if (this.#isOver) {
      return;
    }
    const { loop } = this.#parts.environment;
    const ttlMs = this.ttlSeconds * 1000;
    this.#cancelTimers();
    this.#deadlineMs = sentMs + ttlMs * (1 - driftPart) - latenessMs;
    if (this.#expiring.signal.aborted) {
      this.#expiring = new AbortController();
    }
    const at = (timeMs: number, callback: () => void): TimerHandle =>
      loop.after(Math.max(0, timeMs - loop.nowMs()), callback);
    this.#timers = [
      at(sentMs + ttlMs * renewalPart, () => void this.#renew()),
      at(this.#deadlineMs - ttlMs * renewalPart, () => this.#expiring.abort()),
      at(this.#deadlineMs, () => this.#expire()),
    ];
  }

  /** Until it is renewed, or over; each attempt counts from its own beginning. */
  async #renew(): Promise<void> {
    const { caller, renew } = this.#parts;
    for (let attempt = 1; !this.#isOver; attempt++) {
      const sentMs = this.#nowMs();
      try {
        const timeoutMs = Math.max(1, this.ttlSeconds * 1000 * renewalPart);
        const seconds = await renew(String(this.id), { timeoutMs, signal: this.#over.signal });
        if (seconds <= 0) {
          this.lose(lostError(this.id, 'the members do not know it any more'));
        } else {
          this.#hold(sentMs);
        }
        return;
      } catch (error) {
        this.#noteFailure(error as HoldfastError);
      }
      // It ends early when the lease does.
      await caller.pause(attempt, this.#over.signal).catch(() => undefined);
    }
  }

  #noteFailure(error: HoldfastError): void {
    if (error.code === 'LEASE_NOT_FOUND') {
      this.lose(lostError(this.id, 'the members do not know it any more', error));
    } else if (error.code === 'CLIENT_CLOSED') {
      this.lose(error);
    }
    this.#problem = error;
  }

  #expire(): void {
    const why = this.#problem === undefined ? '' : `; last failure: ${this.#problem.message}`;
    const text = `it was not renewed within its ${this.ttlSeconds} s${why}`;
    this.lose(lostError(this.id, text, this.#problem));
  }

  #finish(): void {
    if (!this.#isOver) {
      this.#over.abort();
      this.#cancelTimers();
      this.#parts.onEnd();
    }
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) {
      timer.cancel();
    }
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #nowMs(): number {
    return this.#parts.environment.loop.nowMs();
  }
}

function lostError(id: bigint, why: string, cause?: HoldfastError): HoldfastError {
  const text = `lease ${BigInt.asUintN(64, id).toString(16)} is lost: ${why}`;
  return new HoldfastError('LEASE_LOST', text, { cause });
}
