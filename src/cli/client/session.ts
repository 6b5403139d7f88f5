/**
 * A session: a lease of its own, kept alive for as long as its command needs it, on which the
 * ownership of a lock or an office hangs.
 *
 * What a session says to its command errs to the safe side: it is lost once a member says so, and
 * as well when no renewal was confirmed for the lease's whole time, counted from when the last one
 * that was confirmed had been sent. The members count from later on, so they let nobody else in
 * before that.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from '../exit.ts';
import { Connection, type Method } from './connection.ts';
import type { Dialler } from './dialler.ts';
import { CallError, exitCodes, exitOf, mayPass } from './failure.ts';
import { type KeepAliveAnswer, leaseName } from './lease-output.ts';
import { methods } from './requests.ts';

/** How often a lease is renewed while it lasts, when nothing goes wrong. */
const renewalsPerTtl = 3;
/** How long after a failure the next attempt begins, milliseconds. */
const retryMs = 250;
const nothingBegun = 'rejected: nothing was acquired';
const hasEnded = 'it has expired or was revoked';

/** What a session needs to know. */
export interface SessionOptions {
  /** Name of the command, for messages. */
  readonly command: string;
  readonly endpoints: readonly string[];
  readonly dialler: Dialler;
  /** How long one call may take, the wait for ownership aside, milliseconds. */
  readonly timeoutMs: number;
  readonly ttlSeconds: number;
}

/** Something to be called until it is answered. */
export interface Wait<Request, Answer> {
  readonly method: Method<Request, Answer>;
  /** Makes the request anew for each attempt. */
  readonly request: () => Request;
  /** Ends the wait when it fires. */
  readonly signal: AbortSignal;
}

/** See the module comment. */
export class Session {
  /** The lease in decimal, as the wire takes it. */
  readonly lease: string;
  readonly #options: SessionOptions;
  readonly #ttlMs: number;
  readonly #closed = new AbortController();
  readonly #lost = new AbortController();
  readonly #renewals: Promise<void>;
  /** When nobody can be sure any more that the lease is there; of `performance.now()`. */
  #endsMs: number;

  private constructor(options: SessionOptions, granted: Granted) {
    this.#options = options;
    this.lease = granted.id;
    this.#ttlMs = granted.ttlMs;
    this.#endsMs = granted.sentMs + granted.ttlMs;
    this.#renewals = this.#keepAlive();
  }

  /**
   * Begins a session.
   *
   * @throws {ExitError} no member has granted a lease.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { command, endpoints, dialler, timeoutMs, ttlSeconds } = options;
    const sentMs = performance.now();
    const connection = new Connection(endpoints, timeoutMs, dialler);
    // To be repeated anywhere: a lease that nobody has heard of does nothing, and ends.
    const call = { command, purpose: 'read', method: methods.lease.LeaseGrant } as const;
    const answer = await connection
      .call({ ...call, request: { TTL: ttlSeconds } })
      .catch((error: unknown) => {
        throw error instanceof CallError
          ? exitOf(command, 'read', error.failures, nothingBegun)
          : error;
      })
      .finally(() => {
        connection.close();
      });
    const ttlMs = Number(answer.TTL) * 1000;
    return new Session(options, { id: answer.ID, ttlMs, sentMs });
  }

  /** Fires when the session is lost; its reason is the `ExitError` to end with. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Calls until a member has answered: at the next endpoint when one fails. Only for what may be
   * repeated, as all that hangs on the session's lease alone.
   *
   * @throws {ExitError} a member refuses it. Also the reason of `signal`.
   */
  async until<Request, Answer>(wait: Wait<Request, Answer>): Promise<Answer> {
    const { command, endpoints, dialler } = this.#options;
    const { method, signal } = wait;
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const endpoint = endpoints[attempt % endpoints.length] ?? '';
      const connection = new Connection([endpoint], Number.POSITIVE_INFINITY, dialler);
      try {
        const call = { command, purpose: 'write', method, request: wait.request() } as const;
        return await connection.call({ ...call, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CallError && isGone(error)) {
          this.#lose(hasEnded);
          this.lost.throwIfAborted();
        }
        if (!(error instanceof CallError) || !mayPass(error)) {
          throw error;
        }
      } finally {
        connection.close();
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether nobody can answer, since the members know no leader. */
  async findsNoLeader(): Promise<boolean> {
    const { endpoints, dialler, timeoutMs } = this.#options;
    const connection = new Connection(endpoints, timeoutMs, dialler);
    try {
      return await connection.findsNoLeader();
    } finally {
      connection.close();
    }
  }

  /**
   * Ends the session and gives up what hangs on its lease, unless it is lost anyway.
   *
   * @throws {ExitError} no member has taken it; the lease then ends by itself.
   */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#renewals;
    if (this.lost.aborted) {
      return;
    }
    const { command, endpoints, dialler, timeoutMs } = this.#options;
    const connection = new Connection(endpoints, timeoutMs, dialler);
    try {
      // To be repeated anywhere, since it ends the lease however often it is asked for.
      const call = { command, purpose: 'read', method: methods.lease.LeaseRevoke } as const;
      await connection.call({ ...call, request: { ID: this.lease } });
    } catch (error) {
      if (error instanceof CallError && isGone(error)) {
        return;
      }
      if (!(error instanceof CallError)) {
        throw error;
      }
      throw new ExitError(
        error.exitCode,
        `${exitOf(command, 'read', error.failures).message}; what was held is let go ` +
          `when its lease ends, within ${this.#ttlMs / 1000} s`,
      );
    } finally {
      connection.close();
    }
  }

  async #keepAlive(): Promise<void> {
    const { command, endpoints, dialler, timeoutMs } = this.#options;
    let waitMs = this.#ttlMs / renewalsPerTtl;
    for (;;) {
      await delay(Math.max(0, Math.min(waitMs, this.#endsMs - performance.now())), undefined, {
        signal: this.#closed.signal,
      }).catch(() => undefined);
      if (this.#closed.signal.aborted) {
        return;
      }
      const sentMs = performance.now();
      const leftMs = this.#endsMs - sentMs;
      if (leftMs <= 0) {
        this.#lose(`no renewal of it was confirmed for ${this.#ttlMs / 1000} s`);
        return;
      }
      const connection = new Connection(endpoints, Math.min(timeoutMs, leftMs), dialler);
      try {
        const { TTL: ttl } = await renew(command, connection, this.lease);
        if (ttl === '0') {
          this.#lose(hasEnded);
          return;
        }
        this.#endsMs = sentMs + Number(ttl) * 1000;
        waitMs = this.#ttlMs / renewalsPerTtl;
      } catch (error) {
        if (!(error instanceof CallError)) {
          throw error;
        }
        waitMs = retryMs;
      } finally {
        connection.close();
      }
    }
  }

  #lose(why: string): void {
    const { command } = this.#options;
    this.#lost.abort(
      new ExitError(
        exitCodes.lost,
        `holdfast: ${command}: lost: the lease ${leaseName(this.lease)} is gone (${why}), so ` +
          'somebody else may own it now',
      ),
    );
  }
}

interface Granted {
  readonly id: string;
  readonly ttlMs: number;
  /** When it was asked for, of `performance.now()`. */
  readonly sentMs: number;
}

/** Renews a lease once. */
export async function renew(
  command: string,
  connection: Connection,
  id: string,
): Promise<KeepAliveAnswer> {
  return connection.call({
    // It may be repeated anywhere, whatever became of it.
    ...{ command, purpose: 'read', method: methods.lease.LeaseKeepAlive },
    request: { ID: id },
  });
}

/** Whether a lease has ended already. */
function isGone({ failures }: CallError): boolean {
  return failures.at(-1)?.message === 'etcdserver: requested lease not found';
}
