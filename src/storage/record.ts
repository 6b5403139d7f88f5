/**
 * The record formats of the log: the header of a segment, the header of a frame, and a packed
 * entry.
 *
 * One append is one frame, so hard state and entries live or die together. All integers are
 * little-endian.
 *
 * ```text
 * segment header (64 bytes, at 0)          frame header (64 bytes, at a multiple of 64)
 *   0 u32 magic                              0 u32 magic
 *   4 u32 format version                     4 u32 bytes of entries
 *   8 u64 segment number                     8 u64 frame number
 *  16 u64 bytes allocated                   16 u32 entries
 *  24 u64 start index                       20 u32 zero pieces
 *  32 u64 start term                        24 u64 index of the first entry (0 when there is none)
 *  40 u64 first frame number                32 u64 current term
 *  48 u64 1: starts the log                40 u64 voted for
 *  56 u32 salt                              48 u64 commit index
 *  60 u32 crc32c of 0..60, seed 0           60 u32 crc32c of 0..60, seed salt
 *
 * entry: 0 u32 crc32c of the rest · 4 u32 length, top bit: confChange · 8 u64 term · 16 data
 * ```
 *
 * - A segment that starts the log has the position before its first entry in its header: the first
 *   one of all, and the one that a reset makes. Whatever stands before it is no part of the log.
 * - The salt is random per segment and seeds every checksum in it, so that user data can never pass
 *   for a frame. An entry's seed also mixes in its index: an entry read at the wrong place fails
 *   its check.
 * - Every frame carries the whole hard state, so any suffix of the log is enough to know it.
 * - A frame is padded with zeros to 64 bytes. A header therefore never straddles a disk sector (512
 *   bytes), and is written wholly or not at all.
 * - *Zero pieces* counts the sector-wide pieces of the frame, after the one with the header, that
 *   are all zero as written. A frame found with more of them has sectors that never reached the
 *   disk: torn.
 */
import { assert } from '../base/index.ts';
import type { Entry, HardState, LogIndex, Term } from '../raft/index.ts';
import { crc32c } from './crc32c.ts';

/** Size of a segment's header, and where its first frame starts. */
export const segmentHeaderBytes = 64;
/** Size of a frame's header, and the unit frames are padded to. */
export const frameHeaderBytes = 64;
/** Size of an entry's header. */
export const entryHeaderBytes = 16;
/** The unit a disk writes atomically. */
const SECTOR_BYTES = 512;
/** Data bytes of one entry; its length shares a word with the type bit. */
const ENTRY_DATA_BYTES_MAX = 1024 * 1024 * 1024;

const SEGMENT_MAGIC = 0x4753_4648;
const FRAME_MAGIC = 0x5246_4648;
const FORMAT_VERSION = 1;
const CONF_CHANGE_BIT = 0x8000_0000;

/** What a segment says of itself. */
export interface SegmentHeader {
  /** Ascends by one from segment to segment. */
  readonly number: number;
  /**
   * Size of the file, synced before the segment came into use: a shorter file has lost something.
   */
  readonly allocatedBytes: number;
  /** Set when the log starts with this segment: the position before its first entry. */
  readonly start: { readonly index: LogIndex; readonly term: Term } | undefined;
  readonly firstFrameNumber: number;
  readonly salt: number;
}

/** What a frame says of itself. */
export interface FrameHeader {
  readonly bodyBytes: number;
  readonly number: number;
  readonly entryCount: number;
  readonly zeroPieces: number;
  readonly firstIndex: LogIndex;
  readonly hardState: HardState;
}

/** A DataView over the whole of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Size on disk of a frame with `bodyBytes` of entries. */
export function frameBytes(bodyBytes: number): number {
  return Math.ceil((frameHeaderBytes + bodyBytes) / frameHeaderBytes) * frameHeaderBytes;
}

/** Bytes that `entries` take in a frame. */
export function bodyBytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) {
    bytes += entryHeaderBytes + entry.data.length;
  }
  return bytes;
}

/** Writes a segment header at the start of `view`, over zeros. */
export function encodeSegmentHeader(view: DataView, header: SegmentHeader): void {
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  setUint64(view, 8, header.number);
  setUint64(view, 16, header.allocatedBytes);
  setUint64(view, 24, header.start?.index ?? 0);
  setUint64(view, 32, header.start?.term ?? 0);
  setUint64(view, 40, header.firstFrameNumber);
  setUint64(view, 48, header.start === undefined ? 0 : 1);
  view.setUint32(56, header.salt, true);
  view.setUint32(60, crc32c(view, 0, 60, 0), true);
}

/** Reads a segment header from the start of `view`; a string says what is wrong with it. */
export function decodeSegmentHeader(view: DataView): SegmentHeader | string {
  if (view.getUint32(60, true) !== crc32c(view, 0, 60, 0)) {
    return 'the segment header does not match its checksum';
  }
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) {
    return 'the file is not a log segment';
  }
  const version = view.getUint32(4, true);
  if (version !== FORMAT_VERSION) {
    return `the segment has format version ${version}, this program reads ${FORMAT_VERSION}`;
  }
  return {
    number: getUint64(view, 8),
    allocatedBytes: getUint64(view, 16),
    start:
      getUint64(view, 48) === 1
        ? { index: getUint64(view, 24), term: getUint64(view, 32) }
        : undefined,
    firstFrameNumber: getUint64(view, 40),
    salt: view.getUint32(56, true),
  };
}

/** What the encoder of a frame needs besides the entries. */
export interface FrameContext {
  readonly salt: number;
  readonly number: number;
  readonly hardState: HardState;
  /** Where in the file the frame will stand; a multiple of 64. */
  readonly position: number;
}

/**
 * Packs one frame into `bytes` from `at` on and returns its size, padding included. `view` covers
 * `bytes`, and there is room for the whole frame.
 */
export function encodeFrame(
  { bytes, view, at }: { bytes: Uint8Array; view: DataView; at: number },
  entries: readonly Entry[],
  context: FrameContext,
): number {
  const { salt, number, hardState, position } = context;
  assert(position % frameHeaderBytes === 0, 'a frame starts at a multiple of 64');
  let offset = at + frameHeaderBytes;
  for (const entry of entries) {
    offset = encodeEntry(bytes, view, offset, entry, salt);
  }
  const bodyBytes = offset - at - frameHeaderBytes;
  const size = frameBytes(bodyBytes);
  bytes.fill(0, offset, at + size);
  view.setUint32(at, FRAME_MAGIC, true);
  view.setUint32(at + 4, bodyBytes, true);
  setUint64(view, at + 8, number);
  view.setUint32(at + 16, entries.length, true);
  view.setUint32(at + 20, countZeroPieces(view, at, size, position), true);
  setUint64(view, at + 24, entries[0]?.index ?? 0);
  setUint64(view, at + 32, hardState.currentTerm);
  setUint64(view, at + 40, hardState.votedFor);
  setUint64(view, at + 48, hardState.commitIndex);
  view.setUint32(at + 56, 0, true);
  view.setUint32(at + 60, crc32c(view, at, at + 60, salt), true);
  return size;
}

function encodeEntry(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  entry: Entry,
  salt: number,
): number {
  const length = entry.data.length;
  assert(
    length <= ENTRY_DATA_BYTES_MAX,
    () => `entry ${entry.index} of ${length} bytes is too large`,
  );
  const end = offset + entryHeaderBytes + length;
  const word = entry.type === 'confChange' ? (length | CONF_CHANGE_BIT) >>> 0 : length;
  view.setUint32(offset + 4, word, true);
  setUint64(view, offset + 8, entry.term);
  bytes.set(entry.data, offset + entryHeaderBytes);
  view.setUint32(offset, crc32c(view, offset + 4, end, entrySeed(salt, entry.index)), true);
  return end;
}

/** Whether a valid frame header stands at `at`, whatever it says. */
export function isFrameHeader(view: DataView, at: number, salt: number): boolean {
  return (
    view.getUint32(at, true) === FRAME_MAGIC &&
    view.getUint32(at + 60, true) === crc32c(view, at, at + 60, salt)
  );
}

/** Reads the fields of a frame header that {@link isFrameHeader} has accepted. */
export function decodeFrameHeader(view: DataView, at: number): FrameHeader {
  return {
    bodyBytes: view.getUint32(at + 4, true),
    number: getUint64(view, at + 8),
    entryCount: view.getUint32(at + 16, true),
    zeroPieces: view.getUint32(at + 20, true),
    firstIndex: getUint64(view, at + 24),
    hardState: {
      currentTerm: getUint64(view, at + 32),
      votedFor: getUint64(view, at + 40),
      commitIndex: getUint64(view, at + 48),
    },
  };
}

/** Data length of the entry whose header stands at `at`. */
export function entryDataBytes(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) & ~CONF_CHANGE_BIT;
}

/** Term of the entry whose header stands at `at`. */
export function entryTerm(view: DataView, at: number): Term {
  return getUint64(view, at + 8);
}

/** Whether the entry whose header stands at `at` is a change of the membership. */
export function isConfChange(view: DataView, at: number): boolean {
  return view.getUint32(at + 4, true) >= CONF_CHANGE_BIT;
}

/** Whether the entry at `at`, of `dataBytes`, matches its checksum as the entry with `index`. */
export function isEntryIntact(
  view: DataView,
  at: number,
  { dataBytes, index, salt }: { dataBytes: number; index: LogIndex; salt: number },
): boolean {
  const end = at + entryHeaderBytes + dataBytes;
  return view.getUint32(at, true) === crc32c(view, at + 4, end, entrySeed(salt, index));
}

/**
 * Unpacks an entry that {@link isEntryIntact} has accepted; its data shares the memory of `bytes`.
 */
export function decodeEntry(bytes: Uint8Array, view: DataView, at: number, index: LogIndex): Entry {
  const word = view.getUint32(at + 4, true);
  const dataAt = at + entryHeaderBytes;
  return {
    term: getUint64(view, at + 8),
    index,
    type: word >= CONF_CHANGE_BIT ? 'confChange' : 'normal',
    data: bytes.subarray(dataAt, dataAt + (word & ~CONF_CHANGE_BIT)),
  };
}

/**
 * Counts the pieces of the frame that are all zero: the frame at `at` of the view stands at
 * `position` of its file and is cut at every sector boundary there; the first piece, which has the
 * header, is not counted.
 */
export function countZeroPieces(
  view: DataView,
  at: number,
  size: number,
  position: number,
): number {
  const end = at + size;
  let piece = at + SECTOR_BYTES - (position % SECTOR_BYTES);
  let count = 0;
  while (piece < end) {
    const next = Math.min(piece + SECTOR_BYTES, end);
    if (isZero(view, piece, next)) {
      count++;
    }
    piece = next;
  }
  return count;
}

/** Whether bytes `[start, end)` are all zero; the length is a multiple of 4. */
export function isZero(view: DataView, start: number, end: number): boolean {
  for (let at = start; at < end; at += 4) {
    if (view.getInt32(at, true) !== 0) {
      return false;
    }
  }
  return true;
}

function entrySeed(salt: number, index: LogIndex): number {
  const high = Math.floor(index / 0x1_0000_0000);
  return (salt ^ Math.imul(index, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b)) >>> 0;
}

/** Writes an unsigned safe integer as 8 little-endian bytes. */
export function setUint64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is not an unsigned integer`);
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

/**
 * Reads 8 little-endian bytes. Stored under a checksum by {@link setUint64}, so an unsafe value is
 * the writer's fault, not the disk's.
 */
export function getUint64(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
  assert(Number.isSafeInteger(value), () => `the 64-bit integer at ${at} is above 2^53-1`);
  return value;
}
