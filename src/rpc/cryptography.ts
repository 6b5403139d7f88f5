/** What tokens and passwords take of cryptography: given to `rpc`, as time and disks are. */

/** How much work a hash of a password is; `cost` is scrypt's N. */
export interface PasswordWork {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

/** See the module comment. */
export interface Cryptography {
  /** Bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** HMAC-SHA-256 over the parts, one after the other; 32 bytes. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** Whether two strings of the same length are equal, in a time that does not tell where not. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
  /** scrypt, outside the event loop; 32 bytes. */
  deriveKey(password: string, salt: Uint8Array, work: PasswordWork): Promise<Uint8Array>;
}
