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
 * Here are the format and the side that writes it; `snapshot-decoder.ts` reads.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/index.ts';
import { crc32c } from './crc32c.ts';
import type { EngineRecord } from './ports.ts';
import { setUint64, viewOf } from './record.ts';

/** Of files: what every program since the first release reads. */
export const FILE_VERSION = 2;
/** Of streams to members that read it. */
export const STREAM_VERSION = 3;
/** Type of the first block. */
export const HEADER_TYPE = 0x4853_4648;
/** Type of the blocks that hold records. */
export const CHUNK_TYPE = 0x4353_4648;
/** Type of the last block. */
export const END_TYPE = 0x4553_4648;

/** Bytes in front of a block's payload. */
export const BLOCK_HEADER_BYTES = 24;
/** Bytes of the header's payload that are always there. */
export const HEADER_FIXED_BYTES = 72;
/** Bytes in front of a record's key and value. */
export const RECORD_HEADER_BYTES = 8;
/** Payload of the last block. */
export const END_BYTES = 16;
const ALIGNMENT_BYTES = 512;
/**
 * A chunk's block, the largest that is written unless a record alone is larger: a power of two, so
 * that whoever cuts the stream into messages of that size cuts it where blocks end.
 */
export const CHUNK_BLOCK_BYTES = 256 * 1024;
const CHUNK_BYTES = CHUNK_BLOCK_BYTES - BLOCK_HEADER_BYTES;

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

/** Zeros that follow so many bytes of the stream. */
export function paddingAfter(bytes: number): number {
  return (ALIGNMENT_BYTES - (bytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES;
}

/** Whether the SHA-256 is of the payloads of such blocks, besides their headers. */
export function isPayloadHashed(version: number, blockType: number): boolean {
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
