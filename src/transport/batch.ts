/**
 * `holdfast.v1.PeerBatch` in protobuf's wire format, written by hand: the hot path between members.
 */
import { KvError } from '../base/index.ts';

/** See `proto/holdfast/peer.proto`; ids of 0 are absent. */
export interface PeerBatch {
  readonly messages: readonly Buffer[];
  readonly pingId: number;
  readonly pongId: number;
}

const messagesTag = 0x0a;
const pingTag = 0x10;
const pongTag = 0x18;

/** Encodes a batch. */
export function encodeBatch(batch: PeerBatch): Buffer {
  let size = 0;
  for (const message of batch.messages) {
    size += 1 + varintBytes(message.length) + message.length;
  }
  const numbers = [
    [pingTag, batch.pingId],
    [pongTag, batch.pongId],
  ] as const;
  for (const [, value] of numbers) {
    size += value === 0 ? 0 : 1 + varintBytes(value);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const message of batch.messages) {
    bytes[at++] = messagesTag;
    at = writeVarint(bytes, at, message.length);
    at += message.copy(bytes, at);
  }
  for (const [tag, value] of numbers) {
    if (value !== 0) {
      bytes[at++] = tag;
      at = writeVarint(bytes, at, value);
    }
  }
  return bytes;
}

/**
 * Decodes a batch; its messages share memory with `bytes`.
 *
 * @throws {KvError} INVALID_ARGUMENT — the bytes are not a batch.
 */
export function decodeBatch(bytes: Buffer): PeerBatch {
  const messages: Buffer[] = [];
  let pingId = 0;
  let pongId = 0;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    const { value, next } = readVarint(bytes, at + 1);
    at = next;
    if (tag === messagesTag) {
      if (at + value > bytes.length) {
        throw malformed('a message is cut off');
      }
      messages.push(bytes.subarray(at, at + value));
      at += value;
    } else if (tag === pingTag) {
      pingId = value;
    } else if (tag === pongTag) {
      pongId = value;
    } else {
      throw malformed(`tag ${tag} is not known`);
    }
  }
  return { messages, pingId, pongId };
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    count++;
  }
  return count;
}

/** Writes `value` to `bytes` from `start` on; returns where it ends. */
export function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

function readVarint(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length && at < start + 8; at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) {
      if (!Number.isSafeInteger(value)) {
        throw malformed('a number is above 2^53-1');
      }
      return { value, next: at + 1 };
    }
  }
  throw malformed('a number is cut off or too long');
}

function malformed(what: string): KvError {
  return new KvError('INVALID_ARGUMENT', { message: `malformed peer batch: ${what}` });
}
