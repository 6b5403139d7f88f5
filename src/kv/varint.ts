/**
 * Variable-length integers and a checked cursor over bytes: the alphabet of the command and record
 * formats.
 *
 * An unsigned integer is written in groups of seven bits, least significant first, the high bit
 * meaning "more follows"; a signed one is first folded (0, -1, 1, -2 … become 0, 1, 2, 3 …).
 * Encodings are canonical (no padding groups), so equal data has equal bytes on every member. Reads
 * check every bound and throw {@link InvariantViolation}: what is decoded here was written by this
 * program and agreed on by Raft.
 */
import { assert, emptyBytes, InvariantViolation } from '../base/index.ts';
import { SlabAllocator } from './slab.ts';

/** Longest encoding of a safe integer. */
export const varintBytesMax = 8;

/** Writes the unsigned safe integer `value` at `offset` and returns the offset after it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  // Bit operations work on 32 bits only; the rare larger numbers take the arithmetic way first.
  while (rest > 0x7fff_ffff) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Where 64-bit integers become bytes, and bytes integers; a view of each place costs more. */
const scratch = new DataView(new ArrayBuffer(8));

/** Writes a 64-bit integer (signed or not) as 8 big-endian bytes at `offset`. */
export function writeBigint64(target: Uint8Array, offset: number, value: bigint): void {
  scratch.setBigInt64(0, value);
  for (let at = 0; at < 8; at++) {
    target[offset + at] = scratch.getUint8(at);
  }
}

/** Reads bytes front to back; every read checks that the bytes are there. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** What is being read, for error messages. */
  readonly #what: string;
  #offset: number;

  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.#bytes = bytes;
    this.#what = what;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Reads one byte. */
  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) {
      return this.fail('ends too early');
    }
    this.#offset++;
    return value;
  }

  /** Reads a format byte, of which this version knows one. */
  format(known: number): void {
    const format = this.byte();
    if (format !== known) {
      this.fail(`has the unknown format ${format}`);
    }
  }

  /** Reads an unsigned safe integer. */
  varint(): number {
    let group = this.byte();
    if (group < 0x80) {
      return group;
    }
    let value = group & 0x7f;
    let weight = 128;
    do {
      group = this.byte();
      value += (group & 0x7f) * weight;
      weight *= 128;
      if (value > Number.MAX_SAFE_INTEGER || weight > 2 ** 56) {
        return this.fail('holds an integer above 2^53-1');
      }
    } while (group >= 0x80);
    if (group === 0) {
      return this.fail('holds a padded integer');
    }
    return value;
  }

  /** Reads a signed safe integer. */
  signedVarint(): number {
    return unfoldSign(this.varint());
  }

  /** Reads a signed 64-bit integer of 8 bytes. */
  bigint64(): bigint {
    for (let at = 0; at < 8; at++) {
      scratch.setUint8(at, this.byte());
    }
    return scratch.getBigInt64(0);
  }

  /** Returns a view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.#offset;
    const end = start + length;
    if (end > this.#bytes.length) {
      return this.fail('ends too early');
    }
    this.#offset = end;
    // The constructor takes half the time of `subarray`.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** Returns a view of a byte string that is preceded by its length. */
  lengthPrefixed(): Uint8Array {
    return this.take(this.varint());
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.#offset !== this.#bytes.length) {
      this.fail('has bytes left over');
    }
  }

  /** Throws an error that says what is wrong, and where. */
  fail(problem: string): never {
    const at = `${this.#offset} of ${this.#bytes.length} bytes`;
    throw new InvariantViolation(`${this.#what} ${problem} (at ${at})`);
  }
}

/** Bytes that a writer begins with: a command or an answer of common size. */
const writerBytes = 1024;
/** Limit: buffers of finished writers that are kept for the next ones; writers nest a little. */
const spareBuffersMax = 4;
/** Limit: bytes of a buffer that is kept. */
const spareBytesMax = 65_536;
/** Up to here bytes are copied one by one in less time than a view of them takes to make. */
const loopedBytesMax = 64;
const spareBuffers: Uint8Array[] = [];
/** What writers have given; most of it is on its way to the log or the engine, and soon gone. */
const results = new SlabAllocator();

/** Collects bytes in a buffer that grows; for encodings whose size is not known beforehand. */
export class ByteWriter {
  #bytes = spareBuffers.pop() ?? new Uint8Array(writerBytes);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is no unsigned safe integer`);
    this.#reserve(varintBytesMax);
    this.#length = writeVarint(this.#bytes, this.#length, value);
  }

  /** Writes a signed integer; one beyond ±{@link signedMax} is written as the nearest inside. */
  signedVarint(value: number): void {
    assert(!Number.isNaN(value), 'a number is expected');
    this.varint(foldSign(Math.max(-signedMax, Math.min(signedMax, value))));
  }

  bigint64(value: bigint): void {
    this.#reserve(8);
    writeBigint64(this.#bytes, this.#length, value);
    this.#length += 8;
  }

  lengthPrefixed(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  /** Writes bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written so far, as a view that lasts until something is done with the writer. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Returns what was written, as a copy; the writer is empty then. */
  finish(): Uint8Array {
    const bytes = results.take(this.#length);
    if (this.#length <= loopedBytesMax) {
      for (let at = 0; at < this.#length; at++) {
        bytes[at] = this.#bytes[at] as number;
      }
    } else {
      bytes.set(this.written());
    }
    this.release();
    return bytes;
  }

  /** Gives up what was written. */
  release(): void {
    const { length } = this.#bytes;
    if (length > 0 && length <= spareBytesMax && spareBuffers.length < spareBuffersMax) {
      spareBuffers.push(this.#bytes);
    }
    this.#bytes = emptyBytes;
    this.#length = 0;
  }

  #reserve(length: number): void {
    if (this.#length + length > this.#bytes.length) {
      const lengthMin = Math.max(this.#bytes.length * 2, writerBytes);
      const grown = new Uint8Array(Math.max(lengthMin, this.#length + length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
  }
}

/**
 * Largest magnitude of a signed integer here: folding doubles it, and the result must stay exact.
 *
 * No revision, version or number of keys ever comes near it, so cutting off what clients send
 * changes no answer.
 *
 * @internal for tests.
 */
export const signedMax = 2 ** 52 - 1;

function foldSign(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unfoldSign(folded: number): number {
  return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
}
