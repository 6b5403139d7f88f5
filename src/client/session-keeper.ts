/**
 * The session that a client's writes are numbered in: granted when the first write needs it,
 * renewed while there are writes, let go when there have been none for a while.
 *
 * Writes are lost to nobody by a session that ends: the first attempt of a write in a session that
 * is gone is known not to have happened, and is made again in the next one. Only a write that was
 * sent before, and may have happened, cannot be repeated then.
 */
import type { TimerHandle } from '../base/index.ts';
import type { Caller } from './caller.ts';
import type { HoldfastError } from './errors.ts';
import { grantLease, revokeLease } from './lease-calls.ts';
import type { Environment } from './ports.ts';
import { WriteSession } from './write-session.ts';

/** Seconds that a session outlasts its client's silence; longer than any fail-over. */
const ttlSeconds = 60;
/** Milliseconds between renewals: a few may fail before the session ends. */
const renewalMs = (ttlSeconds * 1000) / 4;
/** Limit: how long the end of a client waits for the end of its session; milliseconds. */
const revokeMaxMs = 500;

/** What a {@link SessionKeeper} works with. */
export interface SessionKeeperParts {
  readonly caller: Caller;
  readonly environment: Environment;
  /** Renews a lease; false when there is no such lease any more. */
  readonly renew: (lease: string) => Promise<boolean>;
  readonly onOpen: () => void;
  /** There is no session, and the next attempt to have one is up to who needs it. */
  readonly onFailure: (error: HoldfastError) => void;
}

/** See the module comment. */
export class SessionKeeper {
  readonly #parts: SessionKeeperParts;
  #current: WriteSession | undefined;
  /** Settles, and never rejects, when what is asked for is there or not, and ended if need be. */
  #opening: Promise<void> | undefined;
  #isClosed = false;
  /** Fires when the end of the client has waited for long enough. */
  readonly #givingUp = new AbortController();
  #timer: TimerHandle | undefined;

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
  }

  /** The session to write in; undefined until there is one. */
  get current(): WriteSession | undefined {
    return this.#current;
  }

  /** Begins to ask for a session, unless there is one or it is asked for. */
  open(): void {
    if (this.#current === undefined && this.#opening === undefined && !this.#isClosed) {
      this.#opening = this.#open();
    }
  }

  /** A member does not know this session any more. */
  ended(session: WriteSession): void {
    if (this.#current === session) {
      this.#current = undefined;
      this.#timer?.cancel();
    }
  }

  /** Lets go of the session, of one that is asked for too; waits for that, but not for long. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const limit = this.#parts.environment.loop.after(revokeMaxMs, () => this.#givingUp.abort());
    const session = this.#current;
    if (session !== undefined) {
      this.ended(session);
      await this.#revoke(session.id);
    }
    await this.#opening;
    limit.cancel();
  }

  async #revoke(id: string): Promise<void> {
    const bounds = { timeoutMs: revokeMaxMs, signal: this.#givingUp.signal };
    const revocation = revokeLease(this.#parts.caller, id, {
      what: 'ending the session',
      ...bounds,
    });
    // It ends by itself if this fails.
    await revocation.catch(() => undefined);
  }

  async #open(): Promise<void> {
    const { caller, environment, onOpen, onFailure } = this.#parts;
    try {
      const what = 'opening a session';
      const name = environment.uniqueName();
      const { signal } = this.#givingUp;
      const { id } = await grantLease(caller, { what, ttlSeconds, name, signal });
      if (this.#isClosed) {
        await this.#revoke(id);
        return;
      }
      this.#opening = undefined;
      this.#current = new WriteSession(id);
      this.#timer = environment.loop.every(renewalMs, () => this.#tick());
      onOpen();
    } catch (error) {
      this.#opening = undefined;
      if (!this.#isClosed) {
        onFailure(error as HoldfastError);
      }
    }
  }

  #tick(): void {
    const session = this.#current;
    if (session === undefined) {
      return;
    }
    if (!session.takeUsed()) {
      this.ended(session);
      return;
    }
    const { renew } = this.#parts;
    renew(session.id).then(
      (isThere) => {
        if (!isThere) {
          this.ended(session);
        }
      },
      // The next renewal comes before the session ends.
      () => undefined,
    );
  }
}
