/**
 * Calls of clients with accounts, at one run of a member: production tokens and checks over its
 * state, in the order of `rpc/callers.ts` and `replica/intake.ts`. Each member judges a token by
 * the state that it has itself, so one that lags behind lets in whom the others do not, and the
 * other way round; what a write may do is decided where it is applied.
 *
 * Passwords are not in it: who names a user is that user. Whether root calls is looked for nowhere
 * before a command is applied, so that every change of users puts that check to the test.
 */
import { createHmac } from 'node:crypto';
import { equalBytes, type ErrorCode, KvError, type Prng } from '../../src/base/index.ts';
import {
  askedBy,
  type Caller,
  type Command,
  type CommandResult,
  type KeySelector,
  type RangeOperation,
  type RangeOutcome,
  type StateMachine,
} from '../../src/kv/index.ts';
import { Auth } from '../../src/replica/auth.ts';
import { Tokens } from '../../src/rpc/tokens.ts';

/** Of the cluster, which tokens name. */
const clusterId = 7;
/** Milliseconds of cluster time that a token lasts: some runs out in every run. */
const tokenLifeMs = 20_000;

/** Of a token that is not known (any more). */
const unknownCaller: Caller = { user: '', credentials: 0 };

/** How a proposal ends. */
export type ProposeAnswer =
  | { readonly kind: 'applied'; readonly index: number; readonly result: CommandResult }
  | { readonly kind: 'failed'; readonly outcome: 'rejected' | 'unknown'; readonly reason: string };

/** How a range read ends; a failed one has no effect. */
export type RangeAnswer =
  | { readonly kind: 'read'; readonly revision: number; readonly outcome: RangeOutcome }
  | { readonly kind: 'failed'; readonly reason: string };

/** A read, as a member has checked it. */
export interface GuardedRead {
  /** Undefined of nobody. */
  readonly caller: Caller | undefined;
  readonly range: RangeOperation;
  /** Undefined: it may be answered from what the member shows now. */
  readonly refusal: string | undefined;
}

/** A watch, as a member has decided about it. */
export interface GuardedWatch {
  /** Undefined of nobody. */
  readonly caller: Caller | undefined;
  readonly ranges: readonly KeySelector[];
  /** Why there is no watch (any more); undefined: there is one, and it tells events. */
  readonly refusal: ErrorCode | undefined;
  /** By users and roles as of one of these entries of the log. */
  readonly asOf: Places;
}

/** Entries of the log, inclusive. */
export interface Places {
  readonly from: number;
  readonly through: number;
}

/** The process behind the gate. */
interface GuardedRun {
  readonly replica: { readonly clusterTimeMs: number };
  readonly stateMachine: StateMachine;
  input(act: () => void): void;
  after(delayUs: number, act: () => void): void;
  propose(command: Command, timeoutUs: number, done: (answer: ProposeAnswer) => void): void;
  confirmRead(timeoutUs: number, done: (failure: string | undefined) => void): void;
  readRange(range: RangeOperation): RangeAnswer;
}

/** What the member lends its gate. */
interface GateOptions {
  readonly prng: Prng;
  /** How long a read takes at most. */
  readonly readUs: number;
  readonly onChecked: (read: GuardedRead) => void;
}

/** How somebody reads. */
export interface GuardedReadOptions {
  readonly isSerializable: boolean;
  readonly timeoutUs: number;
}

/** What signing in comes to. */
export type SignedIn =
  | { readonly kind: 'signedIn'; readonly token: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** See the module comment. */
export class Gate {
  readonly #run: GuardedRun;
  readonly #options: GateOptions;
  /** Who may do what, by what the member has applied. */
  readonly auth: Auth;
  readonly #tokens: Tokens;

  constructor(run: GuardedRun, options: GateOptions) {
    this.#run = run;
    this.#options = options;
    this.auth = new Auth({
      table: () => run.stateMachine.auth,
      timeMs: () => run.replica.clusterTimeMs,
    });
    this.#tokens = new Tokens({ hmac, isEqual: equalBytes }, this.auth, clusterId);
  }

  /** Gives a user a token by the cluster's newest state. */
  signIn(user: string, timeoutUs: number, done: (outcome: SignedIn) => void): void {
    this.#run.confirmRead(timeoutUs, (failure) => {
      const token = this.maybeIssue(user);
      if (failure !== undefined) {
        done({ kind: 'refused', reason: failure });
      } else if (!this.auth.isEnabled) {
        done({ kind: 'refused', reason: 'AUTH_NOT_ENABLED' });
      } else if (token === undefined) {
        done({ kind: 'refused', reason: 'AUTH_FAILED' });
      } else {
        done({ kind: 'signedIn', token });
      }
    });
  }

  /** A token by what this member knows; undefined when it knows no such user, or asks nobody. */
  maybeIssue(user: string): string | undefined {
    const credentials = this.auth.user(user)?.credentials;
    return credentials === undefined || !this.auth.isEnabled
      ? undefined
      : this.#tokens.issue({ user, credentials }, tokenLifeMs);
  }

  /** On whose behalf a watch is asked for, as `rpc/watch.ts` has it: the stream says who may. */
  whoWatches(token: string | undefined): Caller | undefined {
    const identity = this.#identify(token);
    if (typeof identity !== 'string') {
      return identity.caller;
    }
    return identity === 'INVALID_AUTH_TOKEN' ? unknownCaller : undefined;
  }

  /** Proposes on behalf of whom a token was given to. */
  propose(
    token: string | undefined,
    command: Command,
    timeoutUs: number,
    done: (answer: ProposeAnswer) => void,
  ): void {
    this.#run.input(() => {
      const identity = this.#identify(token);
      if (typeof identity === 'string') {
        done({ kind: 'failed', outcome: 'rejected', reason: identity });
      } else {
        this.#run.propose(askedBy(identity.caller, command), timeoutUs, done);
      }
    });
  }

  /** Reads on behalf of whom a token was given to. */
  read(
    token: string | undefined,
    range: RangeOperation,
    { isSerializable, timeoutUs }: GuardedReadOptions,
    done: (answer: RangeAnswer) => void,
  ): void {
    this.#run.input(() => {
      const identity = this.#identify(token);
      if (typeof identity === 'string') {
        done({ kind: 'failed', reason: identity });
      } else if (isSerializable) {
        this.#readChecked(identity.caller, range, done);
      } else {
        this.#run.confirmRead(timeoutUs, (failure) => {
          if (failure === undefined) {
            this.#readChecked(identity.caller, range, done);
          } else {
            done({ kind: 'failed', reason: failure });
          }
        });
      }
    });
  }

  /** Checks, reads, which takes a while, and checks again. */
  #readChecked(
    caller: Caller | undefined,
    range: RangeOperation,
    done: (answer: RangeAnswer) => void,
  ): void {
    const { prng, readUs } = this.#options;
    const first = this.#refusal(caller, range);
    if (first !== undefined) {
      done({ kind: 'failed', reason: first });
      return;
    }
    const answer = this.#run.readRange(range);
    this.#run.after(prng.nextInt(0, readUs + 1), () => {
      const reason = this.#refusal(caller, range);
      done(reason === undefined ? answer : { kind: 'failed', reason });
    });
  }

  /** Why a range must not be read, by what this member has applied. */
  #refusal(caller: Caller | undefined, range: RangeOperation): string | undefined {
    const refusal = refusalIn(() => {
      this.auth.checkRange(caller, range);
    });
    this.#options.onChecked({ caller, range, refusal });
    return refusal;
  }

  /** Who has been given a token, nobody when none is asked; or the code of the refusal. */
  #identify(token: string | undefined): { readonly caller: Caller | undefined } | string {
    if (!this.auth.isEnabled) {
      return { caller: undefined };
    }
    if (token === undefined) {
      return 'USER_EMPTY';
    }
    let caller: Caller | undefined;
    const refusal = refusalIn(() => {
      caller = this.#tokens.callerOf(token);
    });
    return refusal ?? { caller };
  }
}

/** The code of the refusal that a check ends with, if so. */
function refusalIn(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof KvError) {
      return error.code;
    }
    throw error;
  }
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHmac('sha256', key);
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest();
}
