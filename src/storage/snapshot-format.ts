/**
 * The one format of snapshots, for catching up, backup and restore (design §4.11): a stream of
 * bytes, written and read a piece at a time, in which nothing can be wrong without being found.
 *
 * ```text
 * header block · chunk blocks · end block · zeros · SHA-256 of all before it (32 bytes)
 *
 * block:   0 u32 type · 4 u32 bytes of payload · 8 u32 records · 12 u32 number, from 0
 *         16 u32 crc32c of the payload · 20 u32 crc32c of 0..20 · 24 payload
 * header:  0 u32 version · 4 u32 - · 8 u64 cluster id · 16 u64 index · 24 u64 term
 *         32 u64 revision · 40 u64 creation (ms) · 48 u64 estimated bytes
 *         56 u32 length of created-by · 60 u32 length of membership
 *         64 u64 term of the sender (not in version 1) · 72 both
 * chunk:   records in key order: u32 key bytes · u32 value bytes · key · value
 * end:     0 u64 records · 8 u64 bytes of their keys and values
 * ```
 *
 * Integers are little-endian. Zeros fill the stream up to a multiple of 512 before the SHA-256:
 * etcd's clients tell a whole snapshot by its size, 32 above such a multiple.
 *
 * Files are of version 2. Version 3 differs in one thing: its SHA-256 leaves out the payloads of
 * chunks, of which it has the checksums, in their headers. It is for a stream from member to
 * member, which is checked on its way as well: hashing every byte twice, with what else it costs,
 * took a tenth of the processor of both. A file lies about for years, and other programs check it.
 *
 * To ensure correctness: a record is handed out only after its chunk's checksum has been checked,
 * and a snapshot is whole only once `finish` has returned.
 */
import { createHash } from 'node:crypto';
import type { KvError } from '../base/index.ts';
import { assert, equalBytes, must } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { crc32c } from './crc32c.ts';
import type { EngineRecord } from './ports.ts';
import { setUint64, viewOf } from './record.ts';

/** Of files: what every program since the first release reads. */
const FILE_VERSION = 2;
/** Of streams to members that read it. */
const STREAM_VERSION = 3;
const HEADER_TYPE = 0x4853_4648;
const CHUNK_TYPE = 0x4353_4648;
const END_TYPE = 0x4553_4648;

const BLOCK_HEADER_BYTES = 24;
const HEADER_FIXED_BYTES = 72;
const HEADER_FIXED_BYTES_1 = 64;
const RECORD_HEADER_BYTES = 8;
const END_BYTES = 16;
const SHA256_BYTES = 32;
const ALIGNMENT_BYTES = 512;
/**
 * A chunk's block, the largest that is written unless a record alone is larger: a power of two, so
 * that whoever cuts the stream into messages of that size cuts it where blocks end.
 */
const CHUNK_BLOCK_BYTES = 256 * 1024;
const CHUNK_BYTES = CHUNK_BLOCK_BYTES - BLOCK_HEADER_BYTES;
/** Limit: payload of any block that is read; above any record that can be written. */
const PAYLOAD_BYTES_MAX = 1024 * 1024 * 1024;

/** What a snapshot says of itself at its beginning. */
export interface SnapshotHeader {
  readonly clusterId: number;
  /** The last entry that the state holds. */
  readonly index: number;
  readonly term: number;
  readonly revision: number;
  /** The newest applied configuration; opaque here. */
  readonly membership: Uint8Array;
  /** Version of the program that made it, and when, in milliseconds since 1970. */
  readonly createdBy: string;
  readonly createdMs: number;
  readonly estimatedBytes: number;
  /**
   * The current term of the member that made it, at that time: not below the one in which its last
   * entry was committed, which may be above that entry's own.
   */
  readonly senderTerm: number;
}

/** What a whole snapshot holds. */
export interface SnapshotTotals {
  readonly records: number;
  /** Of their keys and values. */
  readonly bytes: number;
}

/**
 * Makes a snapshot out of records. Each array that comes out is the caller's until it asks for
 * more: the memory of chunks is used again.
 *
 * Why: such memory lies outside of V8's heap, and what is allocated there in a hurry makes it
 * collect its whole heap, again and again.
 */
export class SnapshotEncoder {
  readonly #hash = createHash('sha256');
  readonly #version: number;
  #ready: Uint8Array[] = [];
  #chunk = new Chunk(CHUNK_BYTES);
  #lastKey: Uint8Array | undefined;
  #blockCount = 0;
  #bytes = 0;
  readonly #totals = { records: 0, bytes: 0 };

  /** `versionMax` is the newest version that whoever wants it reads; without it, for a file. */
  constructor(header: SnapshotHeader, versionMax = FILE_VERSION) {
    this.#version = versionMax < STREAM_VERSION ? FILE_VERSION : STREAM_VERSION;
    this.#addBlock(HEADER_TYPE, encodeHeader(header, this.#version), 0);
  }

  /** Takes records, whose keys ascend from call to call; yields what is complete of the stream. */
  *push(records: readonly EngineRecord[]): Generator<Uint8Array, void> {
    for (const record of records) {
      const { key, value } = record;
      assert(
        this.#lastKey === undefined || Buffer.compare(this.#lastKey, key) < 0,
        'the keys of a snapshot ascend',
      );
      this.#lastKey = key;
      if (!this.#chunk.hasRoomFor(record)) {
        this.#endChunk();
        yield* this.#take();
        this.#chunk = this.#chunk.emptiedFor(record);
      }
      this.#chunk.add(record);
      this.#totals.records++;
      this.#totals.bytes += key.length + value.length;
    }
    yield* this.#take();
  }

  /** The rest of the stream. */
  *finish(): Generator<Uint8Array, void> {
    this.#endChunk();
    const end = blockOf(END_BYTES);
    const view = viewOf(end);
    setUint64(view, BLOCK_HEADER_BYTES, this.#totals.records);
    setUint64(view, BLOCK_HEADER_BYTES + 8, this.#totals.bytes);
    this.#addBlock(END_TYPE, end, 0);
    this.#add(new Uint8Array(paddingAfter(this.#bytes)));
    this.#ready.push(this.#hash.digest());
    yield* this.#take();
  }

  #endChunk(): void {
    const { records } = this.#chunk;
    if (records > 0) {
      this.#addBlock(CHUNK_TYPE, this.#chunk.bytes(), records);
    }
  }

  /** Fills in the header in front of a block's payload. */
  #addBlock(type: number, block: Uint8Array, records: number): void {
    const view = viewOf(block);
    view.setUint32(0, type, true);
    view.setUint32(4, block.length - BLOCK_HEADER_BYTES, true);
    view.setUint32(8, records, true);
    view.setUint32(12, this.#blockCount++, true);
    view.setUint32(16, crc32c(view, BLOCK_HEADER_BYTES, block.length, 0), true);
    view.setUint32(20, crc32c(view, 0, 20, 0), true);
    const isHashed = isPayloadHashed(this.#version, type);
    this.#add(block, isHashed ? block : block.subarray(0, BLOCK_HEADER_BYTES));
  }

  #add(bytes: Uint8Array, hashed = bytes): void {
    this.#hash.update(hashed);
    this.#bytes += bytes.length;
    this.#ready.push(bytes);
  }

  #take(): readonly Uint8Array[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}

/** A chunk block that is being filled. */
class Chunk {
  records = 0;
  readonly #block: Uint8Array;
  readonly #view: DataView;
  #end = BLOCK_HEADER_BYTES;

  constructor(payloadBytes: number) {
    // Why unsafe: every byte that is handed out is written first.
    this.#block = Buffer.allocUnsafeSlow(BLOCK_HEADER_BYTES + payloadBytes);
    this.#view = viewOf(this.#block);
  }

  static bytesOf({ key, value }: EngineRecord): number {
    return RECORD_HEADER_BYTES + key.length + value.length;
  }

  /** An empty chunk for `record`: this one, unless it is too small, or larger than is usual. */
  emptiedFor(record: EngineRecord): Chunk {
    const payloadBytes = Math.max(CHUNK_BYTES, Chunk.bytesOf(record));
    if (BLOCK_HEADER_BYTES + payloadBytes !== this.#block.length) {
      return new Chunk(payloadBytes);
    }
    this.#end = BLOCK_HEADER_BYTES;
    this.records = 0;
    return this;
  }

  hasRoomFor(record: EngineRecord): boolean {
    return this.#end + Chunk.bytesOf(record) <= this.#block.length;
  }

  add({ key, value }: EngineRecord): void {
    const at = this.#end;
    this.#view.setUint32(at, key.length, true);
    this.#view.setUint32(at + 4, value.length, true);
    this.#block.set(key, at + RECORD_HEADER_BYTES);
    this.#block.set(value, at + RECORD_HEADER_BYTES + key.length);
    this.#end = at + RECORD_HEADER_BYTES + key.length + value.length;
    this.records++;
  }

  bytes(): Uint8Array {
    return this.#block.subarray(0, this.#end);
  }
}

function blockOf(payloadBytes: number): Uint8Array {
  return new Uint8Array(BLOCK_HEADER_BYTES + payloadBytes);
}

function paddingAfter(bytes: number): number {
  return (ALIGNMENT_BYTES - (bytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES;
}

/** Whether the SHA-256 is of the payloads of such blocks, besides their headers. */
function isPayloadHashed(version: number, blockType: number): boolean {
  return version < STREAM_VERSION || blockType !== CHUNK_TYPE;
}

function encodeHeader(header: SnapshotHeader, version: number): Uint8Array {
  const createdBy = new TextEncoder().encode(header.createdBy);
  const { membership } = header;
  const block = blockOf(HEADER_FIXED_BYTES + createdBy.length + membership.length);
  const payload = block.subarray(BLOCK_HEADER_BYTES);
  const view = viewOf(payload);
  view.setUint32(0, version, true);
  setUint64(view, 8, header.clusterId);
  setUint64(view, 16, header.index);
  setUint64(view, 24, header.term);
  setUint64(view, 32, header.revision);
  setUint64(view, 40, header.createdMs);
  setUint64(view, 48, header.estimatedBytes);
  view.setUint32(56, createdBy.length, true);
  view.setUint32(60, membership.length, true);
  setUint64(view, 64, header.senderTerm);
  payload.set(createdBy, HEADER_FIXED_BYTES);
  payload.set(membership, HEADER_FIXED_BYTES + createdBy.length);
  return block;
}

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
