/**
 * What the load generator looks at in the answers that come in great numbers, read by hand: a
 * general decoder would cost it more than the member spends on sending them. A test encodes every
 * shape by the contract.
 */
import { tagBytes } from './requests.ts';

/** Of a `WatchResponse`. */
export interface WatchAnswer {
  readonly isCreated: boolean;
  readonly isCanceled: boolean;
  readonly cancelReason: string;
  /** The tags of the values put; events without one, as deletions, are left out. */
  readonly tags: readonly number[];
}

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

const watchCreated = 3;
const watchCanceled = 4;
const watchCancelReason = 6;
const watchEvent = 11;
const eventKeyValue = 2;
const keyValueValue = 5;
const keepAliveTtl = 3;

/** Goes through the fields of a message, or of a message in it. */
class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Number of the field. */
  number = 0;
  /** Of a varint: its value, as far as a number holds it. */
  value = 0;
  /** Of bytes: where they are. */
  start = 0;
  end = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes on to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) {
      return false;
    }
    const tag = this.#varint();
    this.number = tag >>> 3;
    switch (tag & 7) {
      case wireVarint:
        this.value = this.#varint();
        return true;
      case wireBytes:
        this.end = this.#varint();
        this.start = this.#at;
        this.end += this.start;
        this.#at = this.end;
        return true;
      case wireFixed64:
        this.#at += 8;
        return true;
      case wireFixed32:
        this.#at += 4;
        return true;
      default:
        throw new RangeError(`a message has a field of the unknown kind ${tag & 7}`);
    }
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) {
        throw new RangeError('a message ends in the middle of a number');
      }
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
    }
  }
}

/** Reads a `WatchResponse`. */
export function readWatchAnswer(message: Buffer): WatchAnswer {
  let isCreated = false;
  let isCanceled = false;
  let cancelReason = '';
  const tags: number[] = [];
  const fields = new Fields(message, 0, message.length);
  while (fields.next()) {
    switch (fields.number) {
      case watchCreated:
        isCreated = fields.value !== 0;
        break;
      case watchCanceled:
        isCanceled = fields.value !== 0;
        break;
      case watchCancelReason:
        cancelReason = message.toString('utf8', fields.start, fields.end);
        break;
      case watchEvent:
        readTag(message, fields, tags);
        break;
      default:
        break;
    }
  }
  return { isCreated, isCanceled, cancelReason, tags };
}

function readTag(message: Buffer, { start, end }: Fields, tags: number[]): void {
  const event = new Fields(message, start, end);
  while (event.next()) {
    if (event.number === eventKeyValue) {
      const keyValue = new Fields(message, event.start, event.end);
      while (keyValue.next()) {
        if (keyValue.number === keyValueValue && keyValue.end - keyValue.start >= tagBytes) {
          tags.push(message.readUInt32BE(keyValue.start));
        }
      }
    }
  }
}

/** Reads the time to live of a `LeaseKeepAliveResponse`, seconds; 0 when there is no such lease. */
export function readRenewedTtl(message: Buffer): number {
  const fields = new Fields(message, 0, message.length);
  while (fields.next()) {
    if (fields.number === keepAliveTtl) {
      return fields.value;
    }
  }
  return 0;
}
