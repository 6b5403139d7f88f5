/**
 * Hashes over the state: 64 bits, fast, in plain 32-bit arithmetic; not cryptographic.
 *
 * The mixing is MurmurHash3's for 32-bit machines, in two lanes. One step takes two words, and is
 * one-to-one both in the words (for a given state) and in the state (for given words). So
 *
 * - a difference within one aligned piece of 8 bytes always shows;
 * - states that differ go on differing for as long as what follows is equal: a member that has
 *   parted from the others cannot seem to agree again by applying the same entries.
 *
 * Hashes are compared between members and over restarts, so what goes into them and in which order
 * is a format, as that of a record is.
 */
import { assert } from '../base/index.ts';

/** A hash as two unsigned 32-bit words. */
export interface HashWords {
  readonly high: number;
  readonly low: number;
}

/**
 * The hash of a store to which nothing has been applied.
 *
 * @internal for tests.
 */
export const initialHash: HashWords = { high: 0, low: 0 };

/**
 * Limit: entries whose hashes are remembered; enough for members that compare them every second.
 *
 * @internal for tests.
 */
export const hashHistoryMax = 16_384;

/** From here on a view, which costs something to make, reads words faster than single bytes do. */
const viewedBytesMin = 512;

/** Returns a hash as one integer. */
export function hashToBigint({ high, low }: HashWords): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** A hash that goes on. */
export class StateHasher {
  #low: number;
  #high: number;

  constructor({ high, low }: HashWords = initialHash) {
    this.#low = low | 0;
    this.#high = high | 0;
  }

  /** The hash of everything so far. */
  get words(): HashWords {
    return { high: this.#high >>> 0, low: this.#low >>> 0 };
  }

  /** Takes two 32-bit words. */
  mix(first: number, second: number): void {
    let word = Math.imul(first, 0x239b961b);
    word = Math.imul((word << 15) | (word >>> 17), 0xab0e9789);
    let low = this.#low ^ word;
    low = (((low << 19) | (low >>> 13)) + this.#high) | 0;
    low = (Math.imul(low, 5) + 0x561ccd1b) | 0;
    word = Math.imul(second, 0x38b34ae5);
    word = Math.imul((word << 16) | (word >>> 16), 0xa1e38b93);
    let high = this.#high ^ word;
    high = (((high << 17) | (high >>> 15)) + low) | 0;
    this.#high = (Math.imul(high, 5) + 0x0bcaa747) | 0;
    this.#low = low;
  }

  /** Takes an unsigned safe integer. */
  number(value: number): void {
    this.mix(value | 0, (value / 0x1_0000_0000) | 0);
  }

  /** Takes a byte string; `kind` tells apart what stands for different things. */
  bytes(kind: number, bytes: Uint8Array): void {
    const { length } = bytes;
    this.mix(kind, length);
    const whole = length - (length % 8);
    if (length < viewedBytesMin) {
      for (let at = 0; at < whole; at += 8) {
        this.mix(wordAt(bytes, at), wordAt(bytes, at + 4));
      }
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      for (let at = 0; at < whole; at += 8) {
        this.mix(view.getInt32(at, true), view.getInt32(at + 4, true));
      }
    }
    if (whole < length) {
      let first = 0;
      let second = 0;
      for (let at = whole; at < length; at++) {
        const shift = 8 * (at % 4);
        if (at - whole < 4) {
          first |= (bytes[at] as number) << shift;
        } else {
          second |= (bytes[at] as number) << shift;
        }
      }
      this.mix(first, second);
    }
  }

  /** The hash so far, with every bit of it depending on every bit of the state: fit for sums. */
  finish(): HashWords {
    let low = this.#low;
    let high = this.#high;
    low = (low + high) | 0;
    high = (high + low) | 0;
    low = avalanche(low);
    high = avalanche(high);
    low = (low + high) | 0;
    high = (high + low) | 0;
    return { high: high >>> 0, low: low >>> 0 };
  }
}

/** The sum of many hashes, whatever their order. */
export class HashSum {
  #low = 0;
  #high = 0;

  add({ high, low }: HashWords): void {
    const sum = this.#low + low;
    this.#low = sum >>> 0;
    this.#high = (this.#high + high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
  }

  get words(): HashWords {
    return { high: this.#high, low: this.#low };
  }
}

/** The hashes at the last {@link hashHistoryMax} indexes. */
export class HashHistory {
  readonly #indexes = new Float64Array(hashHistoryMax).fill(-1);
  readonly #words = new Uint32Array(2 * hashHistoryMax);

  /** Notes the hash after the entry at `index`, forgetting the oldest one. */
  record(index: number, { high, low }: HashWords): void {
    assert(index >= 0, 'the index of an entry is not negative');
    const slot = index % hashHistoryMax;
    this.#indexes[slot] = index;
    this.#words[2 * slot] = high;
    this.#words[2 * slot + 1] = low;
  }

  /** Returns the hash after the entry at `index`, if it is remembered. */
  at(index: number): bigint | undefined {
    const slot = index % hashHistoryMax;
    return this.#indexes[slot] === index
      ? hashToBigint({
          high: this.#words[2 * slot] as number,
          low: this.#words[2 * slot + 1] as number,
        })
      : undefined;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function avalanche(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
