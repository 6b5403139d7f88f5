/**
 * What is kept of passwords, and looking whether one is right: scrypt, in the thread pool, so that
 * no other call waits for it.
 *
 * A hash carries its own parameters, so that they may be raised later. An unknown user costs as
 * much as a known one, and comparing takes the same time wherever the difference is: neither says
 * which names exist. A bounded number of passwords is looked at at once, and some more wait; what
 * comes on top is turned away, since else whoever guesses passwords would have all processors.
 *
 * A password that was right a moment ago is recognised by a keyed hash in memory, which costs
 * microseconds: a thousand clients that come back together after a restart sign in at once. The
 * key is this process's own, and what it has recognised ends with the user's next password.
 */
import type { Cryptography, PasswordWork } from './cryptography.ts';
import { WaitingLine } from './waiting-line.ts';

/**
 * 16 MiB and some 100 ms of one processor; what OWASP's cheat sheet names for so much memory.
 *
 * @internal for tests.
 */
export const defaultWork: PasswordWork = { cost: 2 ** 14, blockSize: 8, parallelization: 5 };

/**
 * Limit: of passwords that are looked at each takes one thread of the pool and 16 MiB; the last
 * that waits for its turn waits some ten seconds.
 */
const lineOptions = { underWayMax: 2, waitingMax: 128, reason: 'passwords', retryMs: 1000 };
/** Limit: passwords that are recognised, the oldest forgotten first. */
const knownMax = 4096;

const hashFormat = 1;
const headBytes = 4;
const saltBytes = 16;
const keyBytes = 32;

/** A user's password as it is kept. */
export interface PasswordOwner {
  readonly name: string;
  readonly passwordHash: Uint8Array;
}

/** See the module comment. */
export class Passwords {
  readonly #cryptography: Cryptography;
  readonly #work: PasswordWork;
  readonly #knownKey: Uint8Array;
  readonly #known = new Set<string>();
  /** In the place of what an unknown user has: nobody knows its password. */
  readonly #nobody: Uint8Array;
  readonly #line = new WaitingLine(lineOptions);

  /** `work`: of new hashes; tests have no time to lose. */
  constructor(cryptography: Cryptography, work: PasswordWork = defaultWork) {
    this.#cryptography = cryptography;
    this.#work = work;
    this.#knownKey = cryptography.randomBytes(keyBytes);
    const salt = cryptography.randomBytes(saltBytes);
    this.#nobody = encodeHash(work, salt, cryptography.randomBytes(keyBytes));
  }

  /** @throws {KvError} TOO_MANY_REQUESTS */
  async hash(password: string): Promise<Uint8Array> {
    const salt = this.#cryptography.randomBytes(saltBytes);
    return encodeHash(this.#work, salt, await this.#derive(password, salt, this.#work));
  }

  /**
   * Whether the password is the owner's; undefined: there is no such user, and it never is.
   *
   * @throws {KvError} TOO_MANY_REQUESTS
   */
  async isRight(password: string, owner: PasswordOwner | undefined): Promise<boolean> {
    const hasPassword = owner !== undefined && owner.passwordHash.length > 0;
    const hash = hasPassword ? owner.passwordHash : this.#nobody;
    const mark = this.#markOf(password, owner?.name ?? '', hash);
    if (hasPassword && this.#known.has(mark)) {
      return true;
    }
    const { salt, key, work } = decodeHash(hash);
    const derived = await this.#derive(password, salt, work);
    const isRight = this.#cryptography.isEqual(derived, key) && hasPassword;
    if (isRight) {
      this.#remember(mark);
    }
    return isRight;
  }

  /** Names this password of this owner, to nobody but this process. */
  #markOf(password: string, name: string, hash: Uint8Array): string {
    const parts = [Buffer.from(name, 'latin1'), hash, Buffer.from(password, 'utf8')];
    const framed = parts.flatMap((part) => [Buffer.from(`${part.length}:`), part]);
    return Buffer.from(this.#cryptography.hmac(this.#knownKey, ...framed)).toString('latin1');
  }

  #remember(mark: string): void {
    if (this.#known.size >= knownMax) {
      const [oldest = ''] = this.#known;
      this.#known.delete(oldest);
    }
    this.#known.add(mark);
  }

  async #derive(password: string, salt: Uint8Array, work: PasswordWork): Promise<Uint8Array> {
    return this.#line.take(async () => this.#cryptography.deriveKey(password, salt, work));
  }
}

function encodeHash(work: PasswordWork, salt: Uint8Array, key: Uint8Array): Uint8Array {
  const { cost, blockSize, parallelization } = work;
  const head = Uint8Array.of(hashFormat, Math.log2(cost), blockSize, parallelization);
  return new Uint8Array(Buffer.concat([head, salt, key]));
}

function decodeHash(hash: Uint8Array): {
  readonly work: PasswordWork;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
} {
  const [format, logCost = 0, blockSize = 0, parallelization = 0] = hash;
  if (format !== hashFormat || hash.length !== headBytes + saltBytes + keyBytes) {
    throw new Error(`a password was hashed in the unknown format ${String(format)}`);
  }
  return {
    work: { cost: 2 ** logCost, blockSize, parallelization },
    salt: hash.subarray(headBytes, headBytes + saltBytes),
    key: hash.subarray(headBytes + saltBytes),
  };
}
