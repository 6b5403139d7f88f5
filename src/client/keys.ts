/**
 * Keys and ranges as users name them, and as members take them: within a namespace, as bytes.
 *
 * A namespace is a prefix that is put before every key on the way out and taken off on the way in;
 * no range reaches beyond it.
 */
import { compareBytes, concatBytes, equalBytes, prefixEnd } from '../base/index.ts';
import { HoldfastError } from './errors.ts';

/** A key: text, which is written in UTF-8, or bytes. */
export type Key = string | Uint8Array;

/**
 * Several keys: all that begin with `prefix`, or all from `from` (the first when absent) up to,
 * without, `to` (the last when absent).
 */
export type KeyRange =
  | { readonly prefix: Key }
  | { readonly from?: Key | undefined; readonly to?: Key | undefined };

/** A range as members take it. */
export interface RangeBounds {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** As a range's end: every key from its beginning on. As its beginning: the smallest key. */
const zeroByte = Uint8Array.of(0);

/** The bytes of a key. */
export function keyBytes(key: Key): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
}

/** See the module comment. */
export class Namespace {
  readonly prefix: Uint8Array;

  constructor(prefix: Key) {
    this.prefix = keyBytes(prefix);
  }

  /** A namespace within this one. */
  within(prefix: Key): Namespace {
    return new Namespace(concatBytes(this.prefix, keyBytes(prefix)));
  }

  /** A key as members know it. An empty one stays empty: they refuse it. */
  outer(key: Key): Uint8Array {
    const bytes = keyBytes(key);
    return this.prefix.length === 0 || bytes.length === 0 ? bytes : concatBytes(this.prefix, bytes);
  }

  /** A member's key as the user knows it; shares its memory. */
  inner(key: Buffer): Buffer {
    return this.prefix.length === 0 ? key : key.subarray(this.prefix.length);
  }

  bounds(range: KeyRange): RangeBounds {
    const [from, end] =
      'prefix' in range
        ? this.#prefixed(range.prefix)
        : [
            concatBytes(this.prefix, keyBytes(range.from ?? '')),
            range.to === undefined
              ? prefixEnd(this.prefix)
              : concatBytes(this.prefix, keyBytes(range.to)),
          ];
    return { key: from.length === 0 ? zeroByte : from, rangeEnd: end ?? zeroByte };
  }

  /** A key, or a range; @throws {HoldfastError} EMPTY_KEY, INVALID_ARGUMENT — it names nothing. */
  keyOrBounds(what: Key | KeyRange): { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array } {
    if (typeof what === 'string' || what instanceof Uint8Array) {
      if (what.length === 0) {
        throw new HoldfastError(
          'EMPTY_KEY',
          'the key is empty: to mean all keys give the range {}',
        );
      }
      return { key: this.outer(what) };
    }
    const bounds = this.bounds(what);
    if (!equalBytes(bounds.rangeEnd, zeroByte) && compareBytes(bounds.key, bounds.rangeEnd) >= 0) {
      throw new HoldfastError('INVALID_ARGUMENT', 'the range ends where it begins, or before');
    }
    return bounds;
  }

  #prefixed(prefix: Key): readonly [Uint8Array, Uint8Array | undefined] {
    const whole = concatBytes(this.prefix, keyBytes(prefix));
    return [whole, prefixEnd(whole)];
  }
}
