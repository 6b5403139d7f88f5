/**
 * Protobuf by hand, for the few messages of which there are very many: a general codec costs more
 * than the operation that they carry. Tests hold it to the contracts as they are loaded.
 *
 * A length is written behind its message, into four bytes kept free before it: one pass, and as
 * every decoder accepts it (a varint may be longer than it need be).
 */

/** Kinds of fields. */
const kindVarint = 0;
const kind64 = 1;
const kindBytes = 2;
const kind32 = 5;

/** Bytes kept for the length of a message within another one. */
const lengthBytes = 4;
/** What fits in them. */
const nestedBytesMax = 2 ** (7 * lengthBytes) - 1;
const longestVarint = 10;
/** The largest number of a field. */
const fieldMax = 2 ** 29 - 1;

/** A place in a writer where a message within the message has begun. */
export type Mark = number;

/** Writes one message. Fields that have their default need not be written. */
export class ProtoWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(capacityBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** An unsigned number below 2⁵³, or a boolean or enum as a number; 0 is not written. */
  uint(field: number, value: number): void {
    if (value !== 0) {
      this.#tag(field, kindVarint);
      this.#varint(value);
    }
  }

  /** A signed number within ±2⁵³; 0 is not written. */
  int(field: number, value: number): void {
    if (value < 0) {
      this.#int64(field, BigInt(value));
    } else {
      this.uint(field, value);
    }
  }

  /** Any 64-bit number, in decimal; `0` is not written. */
  int64(field: number, decimal: string): void {
    if (decimal !== '0' && decimal !== '') {
      this.#int64(field, BigInt(decimal));
    }
  }

  flag(field: number, value: boolean | undefined): void {
    if (value === true) {
      this.uint(field, 1);
    }
  }

  /** Bytes; none are not written. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) {
      this.#tag(field, kindBytes);
      this.#varint(value.length);
      this.#reserve(value.length);
      this.#buffer.set(value, this.#at);
      this.#at += value.length;
    }
  }

  text(field: number, value: string): void {
    if (value !== '') {
      this.bytes(field, Buffer.from(value));
    }
  }

  /** Begins a message within this one, which lasts until {@link end}. */
  begin(field: number): Mark {
    this.#tag(field, kindBytes);
    this.#reserve(lengthBytes);
    this.#at += lengthBytes;
    return this.#at;
  }

  end(mark: Mark): void {
    const length = this.#at - mark;
    if (length > nestedBytesMax) {
      throw new RangeError(`a message of ${length} bytes does not fit into another one`);
    }
    const buffer = this.#buffer;
    buffer[mark - 4] = (length & 0x7f) | 0x80;
    buffer[mark - 3] = ((length >>> 7) & 0x7f) | 0x80;
    buffer[mark - 2] = ((length >>> 14) & 0x7f) | 0x80;
    buffer[mark - 1] = length >>> 21;
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#at = length;
  }

  /** The message; the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  #int64(field: number, value: bigint): void {
    this.#tag(field, kindVarint);
    this.#reserve(longestVarint);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  #tag(field: number, kind: number): void {
    this.#varint(field * 8 + kind);
  }

  #varint(value: number): void {
    this.#reserve(longestVarint);
    const buffer = this.#buffer;
    let rest = value;
    // Bit operations work on 32 bits only.
    while (rest > 0x7fff_ffff) {
      buffer[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#at);
      this.#buffer = larger;
    }
  }
}

/** Reads one message, field after field. Byte strings share its memory. */
export class ProtoReader {
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;
  #kind = kindVarint;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  /** The number of the next field, or 0 at the end of the message. */
  next(): number {
    if (this.#at === this.#end) {
      return 0;
    }
    const tag = this.#varint();
    this.#kind = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0 || field > fieldMax) {
      throw malformed(`field ${field}`);
    }
    return field;
  }

  /** A number that has to be within ±2⁵³. */
  int(): number {
    this.#expect(kindVarint);
    const start = this.#at;
    const value = this.#varint();
    if (Number.isSafeInteger(value)) {
      return value;
    }
    this.#at = start;
    const exact = Number(this.#varint64());
    if (!Number.isSafeInteger(exact)) {
      throw malformed(`number ${exact} beyond ±(2^53-1)`);
    }
    return exact;
  }

  /** A number from 0 on that has to be below 2⁵³. */
  uint(): number {
    this.#expect(kindVarint);
    const value = this.#varint();
    if (!Number.isSafeInteger(value)) {
      throw malformed(`number ${value} beyond 2^53-1`);
    }
    return value;
  }

  /** Any signed 64-bit number, in decimal. */
  int64(): string {
    this.#expect(kindVarint);
    const start = this.#at;
    const value = this.#varint();
    if (Number.isSafeInteger(value)) {
      return value === 0 ? '0' : String(value);
    }
    this.#at = start;
    return String(this.#varint64());
  }

  flag(): boolean {
    this.#expect(kindVarint);
    return this.#varint() !== 0;
  }

  bytes(): Buffer {
    const start = this.#length();
    return this.#buffer.subarray(start, this.#at);
  }

  text(): string {
    const start = this.#length();
    return this.#buffer.toString('utf8', start, this.#at);
  }

  /** Bytes of the message that are still to be read. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** A message within this one. */
  message(): ProtoReader {
    const start = this.#length();
    return new ProtoReader(this.#buffer, start, this.#at);
  }

  /** Reads a message of which one field matters; `otherwise` where that does not come. */
  only<T>(wanted: number, read: (reader: ProtoReader) => T, otherwise: T): T {
    let value = otherwise;
    for (let field = this.next(); field !== 0; field = this.next()) {
      if (field === wanted) {
        value = read(this);
      } else {
        this.skip();
      }
    }
    return value;
  }

  /** Passes over a field that is not known here. */
  skip(): void {
    switch (this.#kind) {
      case kindVarint:
        this.#varint();
        return;
      case kind64:
        this.#advance(8);
        return;
      case kindBytes:
        this.#length();
        return;
      case kind32:
        this.#advance(4);
        return;
      default:
        throw malformed(`field of kind ${this.#kind}`);
    }
  }

  /** Goes over a length and what it is the length of; returns where that begins. */
  #length(): number {
    this.#expect(kindBytes);
    const length = this.#varint();
    const start = this.#at;
    this.#advance(length);
    return start;
  }

  #advance(bytes: number): void {
    if (bytes > this.#end - this.#at) {
      throw malformed('early end');
    }
    this.#at += bytes;
  }

  #expect(kind: number): void {
    if (this.#kind !== kind) {
      throw malformed(`field of kind ${this.#kind} instead of ${kind}`);
    }
  }

  /** Exact up to 2⁵³; larger ones are told by that. */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < longestVarint; i++) {
      if (this.#at >= this.#end) {
        throw malformed('early end');
      }
      const byte = this.#buffer[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
      factor *= 128;
    }
    throw malformed('endless number');
  }

  #varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#buffer[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return BigInt.asIntN(64, value);
      }
    }
  }
}

function malformed(what: string): Error {
  return new Error(`malformed message: ${what}`);
}
