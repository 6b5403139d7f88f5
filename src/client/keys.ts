/**
 * Keys and ranges as users name them, and as members take them: within a namespace, as bytes.
 *
 * A namespace is a prefix that is put before every key on the way out and taken off on the way in;
 * no range reaches beyond it.
 */
import { compareBytes, concatBytes, equalBytes, prefixEnd } from '../base/index.ts';
import { checkFields, isWhole, key as keyCheck, kindOf } from './arguments.ts';
import { HoldfastError } from './errors.ts';

/** A key: text, which is written in UTF-8, or bytes. */
export type Key = string | Uint8Array;

/**
 * Several keys: all that begin with `prefix`, or all from `from` (the first when absent) up to,
 * without, `to` (the last when absent). To mean every key say so: `{ prefix: '' }`. A range that
 * says nothing is refused, since a misspelt one looks like it.
 */
export type KeyRange =
  | { readonly prefix: Key }
  | { readonly from: Key; readonly to?: Key | undefined }
  | { readonly from?: Key | undefined; readonly to: Key };

/** Where a range may be left out: all keys of the namespace. */
export const everyKey: KeyRange = { prefix: '' };

/** A range as members take it. */
export interface RangeBounds {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** As a range's end: every key from its beginning on. As its beginning: the smallest key. */
const zeroByte = Uint8Array.of(0);

const rangeChecks = { prefix: keyCheck, from: keyCheck, to: keyCheck };
const everyKeyHint = "to mean every key give { prefix: '' }";

/**
 * The bytes of a key, the caller's no more: a call may be sent later, and again; a watch goes on.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — it is neither text nor bytes, or cannot be written.
 */
export function keyBytes(key: Key): Uint8Array {
  if (typeof key === 'string') {
    if (!isWhole(key)) {
      const text =
        'a key has a lone surrogate, which UTF-8 cannot write: give bytes, or other text';
      throw new HoldfastError('INVALID_ARGUMENT', text);
    }
    return Buffer.from(key, 'utf8');
  }
  if (!((key as unknown) instanceof Uint8Array)) {
    const text = `a key is text or bytes (a Uint8Array), not ${kindOf(key)}`;
    throw new HoldfastError('INVALID_ARGUMENT', text);
  }
  return Buffer.from(key);
}

/** What a range says, with absent fields left out of account. */
interface RangeFields {
  readonly prefix?: Key | undefined;
  readonly from?: Key | undefined;
  readonly to?: Key | undefined;
}

/**
 * The fields of a range. What is no range is refused, never taken as one without bounds.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — it has unknown fields, says nothing, or says both.
 */
export function rangeFields(range: KeyRange): RangeFields {
  checkFields('a range', range, rangeChecks);
  const fields: RangeFields = range;
  const isBounded = fields.from !== undefined || fields.to !== undefined;
  if (fields.prefix === undefined && !isBounded) {
    const text = `a range has a prefix, or from, to or both; ${everyKeyHint}`;
    throw new HoldfastError('INVALID_ARGUMENT', text);
  }
  if (fields.prefix !== undefined && isBounded) {
    throw new HoldfastError('INVALID_ARGUMENT', 'a range has a prefix, or from and to, not both');
  }
  if (fields.to?.length === 0) {
    // On the wire a range with such an end is the key that it begins with.
    throw new HoldfastError('INVALID_ARGUMENT', 'a range: to is empty: no key is before it');
  }
  return fields;
}

/** The same range, of which nothing is the caller's. @throws {HoldfastError} as rangeFields. */
export function copyRange(range: KeyRange): KeyRange {
  const fields = Object.entries(rangeFields(range)) as [string, Key | undefined][];
  const copies = fields.map(([name, each]) => [name, each && keyBytes(each)] as const);
  return Object.fromEntries(copies) as unknown as KeyRange;
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

  /** @throws {HoldfastError} INVALID_ARGUMENT — it is no range. */
  bounds(range: KeyRange): RangeBounds {
    const { prefix, from: first = '', to } = rangeFields(range);
    const [from, end] =
      prefix === undefined
        ? [
            concatBytes(this.prefix, keyBytes(first)),
            to === undefined ? prefixEnd(this.prefix) : concatBytes(this.prefix, keyBytes(to)),
          ]
        : this.#prefixed(prefix);
    if (to !== undefined && end !== undefined && equalBytes(end, zeroByte)) {
      // Members take it for "no end".
      const text = 'a range: to is the smallest key: no key is before it';
      throw new HoldfastError('INVALID_ARGUMENT', text);
    }
    return { key: from.length === 0 ? zeroByte : from, rangeEnd: end ?? zeroByte };
  }

  /** A key, or a range; @throws {HoldfastError} EMPTY_KEY, INVALID_ARGUMENT — it names nothing. */
  keyOrBounds(what: Key | KeyRange): { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array } {
    if (typeof what === 'string' || what instanceof Uint8Array) {
      if (what.length === 0) {
        throw new HoldfastError('EMPTY_KEY', `the key is empty: ${everyKeyHint}`);
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
