/** Cryptography as Node has it (`rpc/cryptography.ts`). */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Cryptography } from '../rpc/index.ts';

const keyBytes = 32;
/** What scrypt takes besides its blocks, at most. */
const spareBytes = 64 * 1024;

/** See the module comment. */
export const nodeCryptography: Cryptography = {
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
  hmac: (key, ...parts) => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) {
      hmac.update(part);
    }
    return hmac.digest();
  },
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  deriveKey: async (password, salt, { cost, blockSize, parallelization }) =>
    new Promise((resolve, reject) => {
      const maxmem = 128 * blockSize * (cost + parallelization + 2) + spareBytes;
      const options = { N: cost, r: blockSize, p: parallelization, maxmem };
      scrypt(password, salt, keyBytes, options, (error, key) => {
        if (error === null) {
          resolve(key);
        } else {
          reject(error);
        }
      });
    }),
};
