/** Which keys something speaks of. */

/**
 * Which keys an operation speaks of: `rangeEnd` undefined (or empty) means the one key, the single
 * byte 0 means every key from `key` on, anything else is the half-open range `[key, rangeEnd)`.
 */
export interface KeySelector {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
}
