/**
 * Tokens: who has signed in, signed by the cluster (ADR-016).
 *
 * A token says the user, the revision at which the user's password was set, and when it ends, by
 * the cluster's time; HMAC-SHA-256 with the cluster's secret makes it good on every member, and
 * after restarts. Nothing is stored of it. It ends with its time, with the user, with the user's
 * password, and when authentication is switched off and on.
 *
 * The time that a member knows is never ahead of the leader's, and behind by what a stamp takes: a
 * token lasts as long as it says, and at most that much longer. The cluster's time stands still
 * while no member leads.
 */
import { KvError } from '../base/index.ts';
import type { Caller } from '../kv/index.ts';
import type { AuthApi } from '../replica/index.ts';
import type { Cryptography } from './cryptography.ts';

/** What tokens begin with: tells them from etcd's, and later formats from this one. */
const tokenFormat = 'hf1';
/** Limit: bytes of a token that is looked at. */
const tokenBytesMax = 2048;
/** Limit: tokens that are recognised without another look at their signature. */
const knownMax = 16_384;

/** What a token says. */
interface Claims {
  readonly caller: Caller;
  readonly endsMs: number;
}

/** See the module comment. */
export class Tokens {
  readonly #cryptography: Pick<Cryptography, 'hmac' | 'isEqual'>;
  readonly #auth: Pick<AuthApi, 'secret' | 'timeMs'>;
  readonly #clusterId: number;
  /** By the token; all signed with `#knownSecret`, the oldest forgotten first. */
  readonly #known = new Map<string, Claims>();
  #knownSecret: Uint8Array | undefined;

  /** A token of another cluster is of no use, though a backup may have brought its secret here. */
  constructor(
    cryptography: Pick<Cryptography, 'hmac' | 'isEqual'>,
    auth: Pick<AuthApi, 'secret' | 'timeMs'>,
    clusterId: number,
  ) {
    this.#cryptography = cryptography;
    this.#auth = auth;
    this.#clusterId = clusterId;
  }

  /** A token for somebody who has signed in. */
  issue({ user, credentials }: Caller, lifeMs: number): string {
    const endsMs = this.#auth.timeMs + lifeMs;
    const claims = JSON.stringify([user, credentials, endsMs]);
    const body = `${tokenFormat}.${Buffer.from(claims, 'latin1').toString('base64url')}`;
    return `${body}.${this.#sign(body).toString('base64url')}`;
  }

  /**
   * Who a token was given to.
   *
   * @throws {KvError} INVALID_AUTH_TOKEN — it was not given here, or has ended.
   */
  callerOf(token: string): Caller {
    const claims = this.#recognise(token) ?? this.#verify(token);
    if (claims === undefined || claims.endsMs <= this.#auth.timeMs) {
      this.#known.delete(token);
      throw new KvError('INVALID_AUTH_TOKEN');
    }
    return claims.caller;
  }

  #recognise(token: string): Claims | undefined {
    const { secret } = this.#auth;
    if (secret !== this.#knownSecret) {
      this.#known.clear();
      this.#knownSecret = secret;
    }
    return this.#known.get(token);
  }

  #verify(token: string): Claims | undefined {
    const [format, claimed = '', signature = '', ...rest] = token.split('.', 4);
    if (token.length > tokenBytesMax || format !== tokenFormat || rest.length > 0) {
      return undefined;
    }
    const expected = this.#sign(`${tokenFormat}.${claimed}`);
    const given = Buffer.from(signature, 'base64url');
    if (!this.#cryptography.isEqual(given, expected)) {
      return undefined;
    }
    // What the cluster has signed is what it has written.
    const [user, credentials, endsMs] = JSON.parse(
      Buffer.from(claimed, 'base64url').toString('latin1'),
    ) as [string, number, number];
    const claims = { caller: { user, credentials }, endsMs };
    if (this.#known.size >= knownMax) {
      const [oldest = ''] = this.#known.keys();
      this.#known.delete(oldest);
    }
    this.#known.set(token, claims);
    return claims;
  }

  #sign(body: string): Buffer {
    const { hmac } = this.#cryptography;
    return Buffer.from(hmac(this.#auth.secret, Buffer.from(`${this.#clusterId}.${body}`)));
  }
}
