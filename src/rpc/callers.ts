/**
 * Who calls: signing in, what a call's token says, and the trail of those who were turned away.
 *
 * While authentication is off nobody is asked, and a call costs one look at that. What a user may
 * do is decided by the member, where a command is applied or a read is made; here only what is
 * about no keys (`access-rules.ts`).
 */
import { type ErrorCode, KvError } from '../base/index.ts';
import type { Caller } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { CallOptions, MemberApi } from '../replica/index.ts';
import { ruleByPath } from './access-rules.ts';
import { fromName } from './account-names.ts';
import type { Cryptography, PasswordWork } from './cryptography.ts';
import { Passwords } from './passwords.ts';
import { Tokens } from './tokens.ts';

/** Limit: how often a sign-in begins anew because the user has changed meanwhile. */
const attemptsMax = 8;
/** Limit: lines about calls that were turned away, in {@link denialWindowMs}. */
const denialLinesMax = 20;
const denialWindowMs = 10_000;
const secretBytes = 32;

/** A call that was turned away for who called, told to operators. Never keys or values. */
export interface DenialEvent {
  readonly method: string;
  readonly code: ErrorCode;
  /** Empty of a caller who has not signed in. */
  readonly user: string;
  /** How many others have been turned away since the last line, untold. */
  readonly untold: number;
}

/** What it is made of. */
export interface CallersOptions {
  readonly member: Pick<MemberApi, 'auth' | 'clusterId' | 'confirmRead'>;
  readonly metrics: Metrics;
  readonly cryptography: Cryptography;
  readonly nowMs: () => number;
  /** Milliseconds that a token lasts. */
  readonly tokenLifeMs: number;
  /** For tests, which have no time to lose. */
  readonly passwordWork?: PasswordWork | undefined;
  readonly onDenied: (event: DenialEvent) => void;
}

/** The part of a call that tells who calls. */
export interface IdentifiedCall {
  readonly metadata: { get(name: string): (string | Buffer)[] };
  getPath(): string;
}

/** See the module comment. */
export class Callers {
  readonly passwords: Passwords;
  readonly #options: CallersOptions;
  readonly #tokens: Tokens;
  #windowMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #untold = 0;

  constructor(options: CallersOptions) {
    const { cryptography, member, passwordWork } = options;
    this.#options = options;
    this.passwords = new Passwords(cryptography, passwordWork);
    this.#tokens = new Tokens(cryptography, member.auth, member.clusterId);
  }

  /**
   * Who makes a call; undefined when nobody is asked.
   *
   * @throws {KvError} USER_EMPTY, INVALID_AUTH_TOKEN.
   */
  callerOf(call: IdentifiedCall): Caller | undefined {
    if (!this.#options.member.auth.isEnabled) {
      return undefined;
    }
    const rule = ruleByPath.get(call.getPath());
    if (rule === 'open' || rule === 'each') {
      return undefined;
    }
    const caller = this.identify(call);
    if (rule === 'signedIn') {
      this.#options.member.auth.checkRead(caller, []);
    }
    return caller;
  }

  /** Whether a call takes root; `confirmRoot` looks. */
  takesRoot(call: IdentifiedCall): boolean {
    const rule = ruleByPath.get(call.getPath());
    // A method that is not in the table, which does not compile, would be root's alone.
    return rule === undefined || rule === 'root' || rule === 'rootHere';
  }

  /**
   * Looks whether root calls, by the cluster's newest state; returns the call's options, with the
   * caller in them if anybody is asked by now. A member that lags behind may not have heard that
   * authentication is on, so one that takes it for off looks, too.
   *
   * @throws {KvError} PERMISSION_DENIED, USER_EMPTY, INVALID_AUTH_TOKEN; what `confirmRead` throws.
   */
  async confirmRoot(call: IdentifiedCall, options: CallOptions): Promise<CallOptions> {
    const { member } = this.#options;
    if (ruleByPath.get(call.getPath()) !== 'rootHere') {
      await member.confirmRead(options);
    }
    const caller = options.caller ?? this.identify(call);
    member.auth.checkRoot(caller);
    return caller === undefined ? options : { ...options, caller };
  }

  /**
   * Who has sent what comes on a stream, now; undefined when nobody is asked. Whether the user is
   * still there, and what it may do, is for the member to say.
   *
   * @throws {KvError} USER_EMPTY, INVALID_AUTH_TOKEN.
   */
  identify({ metadata }: IdentifiedCall): Caller | undefined {
    const { auth } = this.#options.member;
    if (!auth.isEnabled) {
      return undefined;
    }
    const [token] = [...metadata.get('token'), ...metadata.get('authorization')];
    if (token === undefined) {
      throw new KvError('USER_EMPTY');
    }
    return this.#tokens.callerOf(token.toString());
  }

  /**
   * A token for name and password.
   *
   * @throws {KvError} AUTH_NOT_ENABLED, AUTH_FAILED, TOO_MANY_REQUESTS; what `confirmRead` throws.
   */
  async signIn(name: string, password: string, options: CallOptions): Promise<string> {
    const { member, tokenLifeMs } = this.#options;
    // Nobody gets a token for a password that has been changed, on whichever member.
    await member.confirmRead(options);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (!member.auth.isEnabled) {
        throw new KvError('AUTH_NOT_ENABLED');
      }
      const user = member.auth.user(name);
      const isRight = await this.passwords.isRight(password, user);
      if (member.auth.user(name)?.credentials === user?.credentials) {
        if (user === undefined || !isRight) {
          throw new KvError('AUTH_FAILED');
        }
        return this.#tokens.issue({ user: name, credentials: user.credentials }, tokenLifeMs);
      }
    }
    throw new KvError('TOO_MANY_REQUESTS');
  }

  /** A secret for tokens. */
  newSecret(): Uint8Array {
    return this.#options.cryptography.randomBytes(secretBytes);
  }

  /** Takes note of a failed call, if it failed for who called. */
  noteFailure(method: string, error: unknown, caller: Caller | undefined): void {
    if (error instanceof KvError && denials.has(error.code)) {
      this.#noteDenial(method, error.code, caller === undefined ? '' : fromName(caller.user));
    }
  }

  #noteDenial(method: string, code: ErrorCode, user: string): void {
    const { metrics, nowMs, onDenied } = this.#options;
    metrics.callsDenied.inc({ method, code });
    const now = nowMs();
    if (now - this.#windowMs >= denialWindowMs) {
      this.#windowMs = now;
      this.#lines = 0;
    }
    if (this.#lines >= denialLinesMax) {
      this.#untold++;
      return;
    }
    this.#lines++;
    onDenied({ method, code, user, untold: this.#untold });
    this.#untold = 0;
  }
}

const denials: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PERMISSION_DENIED',
  'SESSION_OF_ANOTHER',
  'INVALID_AUTH_TOKEN',
  'AUTH_FAILED',
]);
