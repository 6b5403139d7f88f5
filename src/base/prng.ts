/**
 * A small seeded pseudo-random generator (sfc32). Every random choice of the core comes from an
 * injected one, so that a run can be repeated from its seed.
 */

/** A source of randomness that the owner injects. */
export interface Prng {
  /** Uniform unsigned 32-bit integer. */
  nextUint32(): number;
  /** Uniform integer in `[lo, hi)`; `lo < hi`. */
  nextInt(lo: number, hi: number): number;
}

/** Creates a generator whose sequence depends on `seed` alone. */
export function createPrng(seed: number): Prng {
  let a = seed >>> 0;
  let b = Math.floor(seed / 0x1_0000_0000) >>> 0;
  let c = 0x9e37_79b9;
  let counter = 1;
  const nextUint32 = (): number => {
    const result = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + result) >>> 0;
    return result;
  };
  for (let i = 0; i < 12; i++) {
    nextUint32();
  }
  return {
    nextUint32,
    nextInt: (lo, hi) => lo + Math.floor((nextUint32() / 0x1_0000_0000) * (hi - lo)),
  };
}
