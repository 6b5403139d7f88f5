/**
 * Byte strings: comparison, prefixes and fixed-width integers, for code that may not use Node's
 * Buffer.
 *
 * Keys and values are `Uint8Array` everywhere inside; a Buffer is one. Byte order of all integers
 * is big-endian, so that encoded integers sort as numbers do.
 */
import { assert } from './assert.ts';

/** The empty byte string. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

/** Orders two byte strings lexicographically by unsigned byte; negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) {
      return difference;
    }
  }
  return a.length - b.length;
}

/** Tells whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Concatenates byte strings into a fresh one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) {
    length += part.length;
  }
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Smallest byte string above all that start with `prefix`, or undefined when there is none (all
 * 0xff).
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if ((prefix[i] as number) < 0xff) {
      // Not `slice`: a Buffer's shares its memory.
      const end = new Uint8Array(prefix.subarray(0, i + 1));
      end[i] = (end[i] as number) + 1;
      return end;
    }
  }
  return undefined;
}

/** Writes an unsigned safe integer as 8 big-endian bytes at `offset`. */
export function writeUint64(target: Uint8Array, offset: number, value: number): void {
  assert(
    Number.isSafeInteger(value) && value >= 0,
    () => `${value} is not an unsigned safe integer`,
  );
  const high = Math.floor(value / 0x1_0000_0000);
  writeUint32(target, offset, high);
  writeUint32(target, offset + 4, value >>> 0);
}

/** Reads 8 big-endian bytes; throws when the number is above the safe integers. */
export function readUint64(source: Uint8Array, offset: number): number {
  const value = readUint32(source, offset) * 0x1_0000_0000 + readUint32(source, offset + 4);
  assert(Number.isSafeInteger(value), () => `64-bit integer at ${offset} is above 2^53-1`);
  return value;
}

/** Writes an unsigned 32-bit integer, big-endian. */
export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** Reads an unsigned 32-bit integer, big-endian. */
export function readUint32(source: Uint8Array, offset: number): number {
  assert(offset + 4 <= source.length, () => `read of 4 bytes at ${offset} of ${source.length}`);
  return (
    (source[offset] as number) * 0x100_0000 +
    (((source[offset + 1] as number) << 16) |
      ((source[offset + 2] as number) << 8) |
      (source[offset + 3] as number))
  );
}
