/**
 * Space for the bytes of records, cut from larger blocks.
 *
 * An allocation per change costs more than all the rest of encoding it. So changes are encoded one
 * after the other into slabs. A slab lives as long as anything refers to it: writes on their way to
 * the engine for a short time, cached records for as long as they are cached. The cache therefore
 * counts slabs, not records (`record-cache.ts`), and slabs are small, so that one long-lived record
 * keeps little alive besides itself.
 */

/**
 * Bytes of a slab: some ten changes of common size, which makes the cost of allocation a tenth.
 *
 * @internal for tests.
 */
export const slabBytes = 4096;

/** One block. */
export interface Slab {
  readonly bytes: Uint8Array;
  /** Bytes taken, from the front. */
  used: number;
  /** Cached records inside it. */
  records: number;
}

/** Hands out space in slabs, front to back. */
export class SlabAllocator {
  #slab: Slab = createSlab(0);

  /**
   * Returns a slab that has `length` bytes left; the caller moves `used` behind what it has
   * written.
   */
  reserve(length: number): Slab {
    // What fills a large part of a slab gets its own: it saves little, and would waste the rest.
    if (length > slabBytes / 4) {
      return createSlab(length);
    }
    if (this.#slab.used + length > this.#slab.bytes.length) {
      this.#slab = createSlab(slabBytes);
    }
    return this.#slab;
  }

  /** Returns `length` zero bytes of a slab. */
  take(length: number): Uint8Array {
    const slab = this.reserve(length);
    const bytes = new Uint8Array(slab.bytes.buffer, slab.used, length);
    slab.used += length;
    return bytes;
  }
}

function createSlab(length: number): Slab {
  return { bytes: new Uint8Array(length), used: 0, records: 0 };
}
