/**
 * Writes values in DER (X.690), as much of it as certificates need: definite lengths, and every
 * value in its one permitted form.
 */

/** Contents of a constructed value, in order. */
export function sequence(...parts: readonly Buffer[]): Buffer {
  return value(0x30, Buffer.concat(parts));
}

/** A set of one value: with more, their order would matter. */
export function setOf(part: Buffer): Buffer {
  return value(0x31, part);
}

/** A whole number that is not negative, from its big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  const firstNonZero = bytes.findIndex((byte) => byte !== 0);
  const trimmed = firstNonZero < 0 ? Buffer.of(0) : bytes.subarray(firstNonZero);
  // A leading bit would make it negative.
  const isSigned = (trimmed[0] as number) >= 0x80;
  return value(0x02, isSigned ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
}

/** An object identifier, as in `2.5.29.17`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) {
      digits.unshift((left & 0x7f) | 0x80);
    }
    return digits;
  });
  return value(0x06, Buffer.from(bytes));
}

/** Bytes of any kind. */
export function octetString(bytes: Buffer): Buffer {
  return value(0x04, bytes);
}

/** Bits, of which the last `unusedBits` of the last byte count for nothing. */
export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return value(0x03, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

/** Text. */
export function utf8String(text: string): Buffer {
  return value(0x0c, Buffer.from(text, 'utf8'));
}

/** A boolean that is true; one that is not is left out. */
export function truth(): Buffer {
  return value(0x01, Buffer.of(0xff));
}

/** A moment, to the second: RFC 5280 §4.1.2.5 wants two digits for years before 2050. */
export function time(epochMs: number): Buffer {
  // eslint-disable-next-line no-restricted-syntax -- turns a moment into digits; asks no clock
  const date = new Date(epochMs);
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : value(0x18, Buffer.from(digits, 'latin1'));
}

/** A value whose meaning its place gives: its own contents, or other values around which it is. */
export function tagged(tag: number, kind: 'plain' | 'around', contents: Buffer): Buffer {
  return value((kind === 'plain' ? 0x80 : 0xa0) | tag, contents);
}

function value(tag: number, contents: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(contents.length), contents]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) {
    return Buffer.of(bytes);
  }
  const digits: number[] = [];
  for (let left = bytes; left > 0; left >>>= 8) {
    digits.unshift(left & 0xff);
  }
  return Buffer.of(0x80 | digits.length, ...digits);
}
