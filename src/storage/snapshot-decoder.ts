/**
 * Reads snapshots, in the format of `snapshot-format.ts`, a piece at a time.
 *
 * To ensure correctness: a record is handed out only after its chunk's checksum has been checked,
 * and a snapshot is whole only once `finish` has returned.
 */
import { createHash } from 'node:crypto';
import { equalBytes, type KvError, must } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { crc32c } from './crc32c.ts';
import type { EngineRecord } from './ports.ts';
import { viewOf } from './record.ts';
import {
  BLOCK_HEADER_BYTES,
  CHUNK_BLOCK_BYTES,
  CHUNK_TYPE,
  END_BYTES,
  END_TYPE,
  FILE_VERSION,
  HEADER_FIXED_BYTES,
  HEADER_TYPE,
  isPayloadHashed,
  paddingAfter,
  RECORD_HEADER_BYTES,
  SnapshotEncoder,
  type SnapshotHeader,
  type SnapshotTotals,
  STREAM_VERSION,
} from './snapshot-format.ts';

/** Fixed bytes of the header in version 1. */
const HEADER_FIXED_BYTES_1 = 64;
const SHA256_BYTES = 32;
/** Limit: payload of any block that is read; above any record that can be written. */
const PAYLOAD_BYTES_MAX = 1024 * 1024 * 1024;

/** The header of the block whose payload is being read. */
interface BlockHeader {
  readonly type: number;
  readonly payloadBytes: number;
  readonly records: number;
  readonly crc: number;
}

/** What is being read; each is collected whole. */
type Part =
  | { readonly type: 'blockHeader' }
  | { readonly type: 'payload'; readonly block: BlockHeader }
  | { readonly type: 'padding' }
  | { readonly type: 'digest' }
  | { readonly type: 'nothing' };

/**
 * Reads a snapshot that arrives in pieces of any size, which may be changed afterwards. Records
 * that come out are the caller's until it asks for more: their memory is used again.
 *
 * Every method throws the KvError DATA_CORRUPT, which says where and what, once something is wrong.
 */
export class SnapshotDecoder {
  readonly #name: string;
  readonly #hash = createHash('sha256');
  #version = FILE_VERSION;
  #header: SnapshotHeader | undefined;
  #totals: SnapshotTotals | undefined;
  #part: Part = { type: 'blockHeader' };
  /** Where the part is collected. */
  #bytes: Uint8Array = new Uint8Array(BLOCK_HEADER_BYTES);
  /** How much of it is there. */
  #filled = 0;
  /** For the payload of one block after the other; made for the first. */
  #payload: Uint8Array | undefined;
  /** Offset of the part in the stream. */
  #start = 0;
  #blockCount = 0;
  #lastKey: Uint8Array | undefined;
  readonly #seen = { records: 0, bytes: 0 };

  /** `name` says in errors which snapshot it is, as the path of its file. */
  constructor(name = 'the snapshot') {
    this.#name = name;
  }

  /** Known once enough of the stream has been pushed. */
  get header(): SnapshotHeader | undefined {
    return this.#header;
  }

  /** Takes the next bytes; yields the records of the chunks that are complete, chunk by chunk. */
  *push(bytes: Uint8Array): Generator<readonly EngineRecord[], void> {
    let at = 0;
    while (at < bytes.length || this.#filled === this.#bytes.length) {
      if (this.#part.type === 'nothing' && at < bytes.length) {
        throw this.#corrupt(this.#start, 'there is something after its end');
      }
      const piece = bytes.subarray(at, at + this.#bytes.length - this.#filled);
      this.#bytes.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled < this.#bytes.length || this.#part.type === 'nothing') {
        break;
      }
      const records = this.#endPart(this.#part);
      if (records !== undefined) {
        yield records;
      }
    }
  }

  /** The stream has ended; returns what it held, all of it verified. */
  finish(): SnapshotTotals {
    if (this.#part.type !== 'nothing') {
      throw this.#corrupt(this.#start + this.#filled, 'it ends too early');
    }
    return must(this.#totals, 'totals of a whole snapshot');
  }

  #endPart(part: Exclude<Part, { type: 'nothing' }>): EngineRecord[] | undefined {
    const bytes = this.#bytes;
    const isHashed =
      part.type === 'payload'
        ? isPayloadHashed(this.#version, part.block.type)
        : part.type !== 'digest';
    if (isHashed) {
      this.#hash.update(bytes);
    }
    switch (part.type) {
      case 'blockHeader': {
        const block = this.#readBlockHeader(viewOf(bytes));
        this.#begin({ type: 'payload', block }, this.#roomFor(block.payloadBytes));
        return undefined;
      }
      case 'payload':
        return this.#endBlock(part.block, bytes);
      case 'padding': {
        const nonZero = bytes.findIndex((byte) => byte !== 0);
        if (nonZero >= 0) {
          throw this.#corrupt(this.#start + nonZero, 'the filling is not zero');
        }
        this.#begin({ type: 'digest' }, new Uint8Array(SHA256_BYTES));
        return undefined;
      }
      case 'digest':
        if (!equalBytes(bytes, this.#hash.digest())) {
          throw this.#corrupt(this.#start, 'its SHA-256 does not match');
        }
        this.#begin({ type: 'nothing' }, new Uint8Array(1));
        return undefined;
    }
  }

  #roomFor(payloadBytes: number): Uint8Array {
    // Why unsafe: it is filled before it is read.
    if (payloadBytes > CHUNK_BLOCK_BYTES) {
      return Buffer.allocUnsafeSlow(payloadBytes);
    }
    this.#payload ??= Buffer.allocUnsafeSlow(CHUNK_BLOCK_BYTES);
    return this.#payload.subarray(0, payloadBytes);
  }

  #begin(part: Part, bytes: Uint8Array): void {
    this.#start += this.#bytes.length;
    this.#part = part;
    this.#bytes = bytes;
    this.#filled = 0;
  }

  #readBlockHeader(view: DataView): BlockHeader {
    const at = this.#start;
    const type = view.getUint32(0, true);
    if (at === 0 && type !== HEADER_TYPE) {
      throw this.#corrupt(at, 'it is not a snapshot of Holdfast');
    }
    if (view.getUint32(20, true) !== crc32c(view, 0, 20, 0)) {
      throw this.#corrupt(at, 'the header of a block does not match its checksum');
    }
    const number = view.getUint32(12, true);
    if (number !== this.#blockCount) {
      throw this.#corrupt(at, `block ${number} stands where block ${this.#blockCount} belongs`);
    }
    const isExpected = type === CHUNK_TYPE || type === END_TYPE;
    if (!(number === 0 ? type === HEADER_TYPE : isExpected)) {
      throw this.#corrupt(at, `a block of type ${type} does not belong here`);
    }
    const payloadBytes = view.getUint32(4, true);
    if (payloadBytes === 0 || payloadBytes > PAYLOAD_BYTES_MAX) {
      throw this.#corrupt(at, `a block of ${payloadBytes} bytes is not possible`);
    }
    this.#blockCount++;
    const crc = view.getUint32(16, true);
    return { type, payloadBytes, records: view.getUint32(8, true), crc };
  }

  #endBlock(block: BlockHeader, payload: Uint8Array): EngineRecord[] | undefined {
    const view = viewOf(payload);
    if (crc32c(view, 0, payload.length, 0) !== block.crc) {
      throw this.#corrupt(this.#start, 'a block does not match its checksum');
    }
    let records: EngineRecord[] | undefined;
    if (block.type === HEADER_TYPE) {
      this.#header = this.#readHeader(payload, view);
    } else if (block.type === CHUNK_TYPE) {
      records = this.#readRecords(block, payload, view);
    } else {
      this.#readTotals(view);
      const padding = paddingAfter(this.#start + payload.length);
      this.#begin({ type: 'padding' }, new Uint8Array(padding));
      return undefined;
    }
    this.#begin({ type: 'blockHeader' }, new Uint8Array(BLOCK_HEADER_BYTES));
    return records;
  }

  #readHeader(payload: Uint8Array, view: DataView): SnapshotHeader {
    const version = payload.length < HEADER_FIXED_BYTES_1 ? 0 : view.getUint32(0, true);
    if (version < 1 || version > STREAM_VERSION) {
      const what = `it has format version ${version}, this program reads 1 to ${STREAM_VERSION}`;
      throw this.#corrupt(this.#start, what);
    }
    this.#version = version;
    const fixedBytes = version === 1 ? HEADER_FIXED_BYTES_1 : HEADER_FIXED_BYTES;
    const createdByEnd = fixedBytes + view.getUint32(56, true);
    if (createdByEnd + view.getUint32(60, true) !== payload.length) {
      throw this.#corrupt(this.#start + 56, 'the lengths of the header are wrong');
    }
    const field = (at: number): number => this.#readInteger(view, at);
    return {
      clusterId: field(8),
      index: field(16),
      term: field(24),
      revision: field(32),
      createdMs: field(40),
      estimatedBytes: field(48),
      senderTerm: field(version === 1 ? 24 : 64),
      createdBy: new TextDecoder().decode(payload.subarray(fixedBytes, createdByEnd)),
      // Not `slice`: of a Buffer it shares its memory.
      membership: new Uint8Array(payload.subarray(createdByEnd)),
    };
  }

  #readRecords(block: BlockHeader, payload: Uint8Array, view: DataView): EngineRecord[] {
    const records: EngineRecord[] = [];
    let at = 0;
    let lastKey = this.#lastKey;
    while (at < payload.length) {
      const keyAt = at + RECORD_HEADER_BYTES;
      const valueAt = keyAt > payload.length ? keyAt : keyAt + view.getUint32(at, true);
      const end = keyAt > payload.length ? keyAt : valueAt + view.getUint32(at + 4, true);
      if (end > payload.length) {
        throw this.#corrupt(this.#start + at, 'a record does not fit its chunk');
      }
      const key = payload.subarray(keyAt, valueAt);
      if (lastKey !== undefined && Buffer.compare(lastKey, key) >= 0) {
        throw this.#corrupt(this.#start + at, 'the keys do not ascend');
      }
      lastKey = key;
      records.push({ key, value: payload.subarray(valueAt, end) });
      this.#seen.bytes += end - keyAt;
      at = end;
    }
    if (records.length !== block.records) {
      const what = `a chunk holds ${records.length} records instead of ${block.records}`;
      throw this.#corrupt(this.#start, what);
    }
    this.#seen.records += records.length;
    this.#lastKey = lastKey === undefined ? undefined : new Uint8Array(lastKey);
    return records;
  }

  #readTotals(view: DataView): void {
    if (view.byteLength !== END_BYTES) {
      throw this.#corrupt(this.#start, 'the last block has the wrong size');
    }
    const totals = { records: this.#readInteger(view, 0), bytes: this.#readInteger(view, 8) };
    const seen = this.#seen;
    if (totals.records !== seen.records || totals.bytes !== seen.bytes) {
      const what = `it holds ${seen.records} records instead of ${totals.records}`;
      throw this.#corrupt(this.#start, what);
    }
    this.#totals = totals;
  }

  #readInteger(view: DataView, at: number): number {
    const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    if (!Number.isSafeInteger(value)) {
      throw this.#corrupt(this.#start + at, 'a number is too large');
    }
    return value;
  }

  #corrupt(offset: number, what: string): KvError {
    return corruptData('snapshot', this.#name, offset, what);
  }
}

/** The format as a value, for whoever takes it as an argument. */
export const snapshotFormat = {
  versionMax: STREAM_VERSION,
  createEncoder: (header: SnapshotHeader, versionMax?: number): SnapshotEncoder =>
    new SnapshotEncoder(header, versionMax),
  createDecoder: (name?: string): SnapshotDecoder => new SnapshotDecoder(name),
} as const;
