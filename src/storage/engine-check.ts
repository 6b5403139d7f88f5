/**
 * What RocksDB's own recovery does not do, done to its files before it opens them.
 *
 * Almost everything there is covered by its checksums. These holes are not (RocksDB 10.5), found by
 * flipping every byte of a small store, and by cutting its logs:
 * - A manifest (the list of table files) whose last records seem to be cut off is taken for one
 *   that a crash has torn. A flipped bit in a record's length looks the same: the records from
 *   there on, and with them whole table files, are dropped without a word, while newer batches of
 *   the log are replayed on top. The state then has a hole that no position in it tells of. Refused
 *   here.
 * - A record, of the manifest or of a log, whose type is turned into that of a recycled log sends
 *   the opening into an endless loop. Refused here.
 * - Logs are not synced. While a buffer is being flushed there are two, and a power cut may leave
 *   the older one without its end and the newer one whole: if it ends between two records, the
 *   newer one is replayed on top, again over a hole. The same goes for a stretch of zeros within a
 *   log. Here the batches are followed by their sequence numbers, and what comes after a gap is cut
 *   off: it was never flushed, so the member's own log has it.
 * - Of two families one may have been flushed further than the other. If the logs between are cut
 *   off, for damage, the other one falls back alone. RocksDB looks for that, but not once they have
 *   been cut off here. Refused.
 *
 * Manifests and logs have one format: blocks of 32 KiB; in them pieces of records: checksum (u32,
 * CRC-32C of the rest, rotated and shifted), length (u16), type (u8), data. A record of a log is a
 * batch, and begins with its sequence number (u64) and the count of its operations (u32).
 */
import { concatBytes, must } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { crc32c } from './crc32c.ts';
import { type FlushedFamilies, readEdits } from './engine-manifest.ts';
import type { FileSystem } from './file-system.ts';
import { viewOf } from './record.ts';
import { zeroFill } from './zero-fill.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Types of pieces: 1 a whole record; 2, 3, 4 its first, a middle, its last. */
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;
/** Higher types belong to features that are not in use. */
const TYPE_MAX = 4;
/** What is read of the beginning of a record. */
const HEAD_BYTES = 12;
const CHECKSUM_SHIFT = 0xa282_ead8;

/**
 * Checks the manifests and the logs of the closed RocksDB store in `folder`, and cuts its logs off
 * where they have a gap.
 *
 * @throws {KvError} DATA_CORRUPT — damage that RocksDB would not see, or not survive. Nothing has
 * been changed.
 */
export async function checkEngineFiles(folder: string, fileSystem: FileSystem): Promise<void> {
  const names = fileSystem.list(folder);
  const current = await currentManifest(folder, names, fileSystem);
  let flushed: FlushedFamilies | undefined;
  for (const name of names.filter((it) => it.startsWith('MANIFEST-'))) {
    const path = `${folder}/${name}`;
    const edits = await checkManifest(path, fileSystem);
    if (name === current) {
      flushed = readEdits(path, edits);
    }
  }
  const logs = await followLogs(folder, names, fileSystem);
  if (flushed !== undefined) {
    checkFlushed(logs, flushed);
  }
  await cutGaps(folder, logs, fileSystem);
}

/** The one that is in force, by its name; what is wrong with that is for RocksDB to find. */
async function currentManifest(
  folder: string,
  names: readonly string[],
  fileSystem: FileSystem,
): Promise<string | undefined> {
  if (!names.includes('CURRENT')) {
    return undefined;
  }
  const bytes = await readWhole(`${folder}/CURRENT`, fileSystem);
  return new TextDecoder().decode(bytes).trimEnd();
}

/** Returns the records of a manifest. */
async function checkManifest(path: string, fileSystem: FileSystem): Promise<readonly Uint8Array[]> {
  const edits: Uint8Array[] = [];
  const { damage } = walk(await readWhole(path, fileSystem), true, (_, data) => {
    edits.push(data());
    return true;
  });
  if (damage !== undefined) {
    throw corruptData('engine', path, damage.offset, damage.what);
  }
  return edits;
}

/** A log, and how far it goes on from the one before. */
interface FollowedLog {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  /** Where its last batch ends that follows the one before. */
  readonly end: number;
  /** Whether there is anything but zeros after `end`. */
  readonly hasRemains: boolean;
  /** Sequence number that the batch after `end` has to have; undefined before any batch. */
  readonly next: number | undefined;
}

async function followLogs(
  folder: string,
  names: readonly string[],
  fileSystem: FileSystem,
): Promise<readonly FollowedLog[]> {
  const logs: FollowedLog[] = [];
  let next: number | undefined;
  const inOrder = names
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => ({ path: `${folder}/${name}`, number: Number.parseInt(name, 10) }))
    .sort((a, b) => a.number - b.number);
  for (const { path, number } of inOrder) {
    const bytes = await readWhole(path, fileSystem);
    // A log without any batch before this one has lost them.
    const isAfterNothing = logs.length > 0 && next === undefined;
    const { damage, end } = walk(bytes, false, (head) => {
      const sequence = head.getUint32(4, true) * 0x1_0000_0000 + head.getUint32(0, true);
      if (isAfterNothing || (next !== undefined && sequence !== next)) {
        return false;
      }
      next = sequence + head.getUint32(8, true);
      return true;
    });
    if (damage !== undefined) {
      throw corruptData('engine', path, damage.offset, damage.what);
    }
    const hasRemains = bytes.subarray(end).some((byte) => byte !== 0);
    logs.push({ number, path, sizeBytes: bytes.length, end, hasRemains, next });
  }
  return logs;
}

/** Nothing is missing in the logs that one family needs and another was flushed beyond. */
function checkFlushed(all: readonly FollowedLog[], flushed: FlushedFamilies): void {
  const logs = all.filter(({ number }) => number >= flushed.firstLog);
  const what = 'a batch is damaged or missing, and one of two tables has been flushed beyond it';
  const broken = logs.find(({ number, hasRemains }) => number < flushed.lastLog && hasRemains);
  const next = logs.at(-1)?.next;
  const isBehind = next !== undefined && next <= flushed.sequence;
  // Where the last batch is that goes on from the ones before.
  const damaged = broken ?? (isBehind ? logs.find((log) => log.next === next) : undefined);
  if (damaged !== undefined) {
    throw corruptData('engine', damaged.path, damaged.end, what);
  }
}

async function cutGaps(
  folder: string,
  logs: readonly FollowedLog[],
  fileSystem: FileSystem,
): Promise<void> {
  // From the last to the first: at a crash in between the gap is still there.
  for (const { path, sizeBytes, end, hasRemains } of [...logs].reverse()) {
    if (hasRemains && end === 0) {
      fileSystem.remove(path);
      await fileSystem.syncDirectory(folder);
    } else if (hasRemains) {
      const file = fileSystem.open(path, 'existing');
      try {
        await zeroFill(file, end, sizeBytes);
      } finally {
        file.close();
      }
    }
  }
}

interface Damage {
  readonly offset: number;
  readonly what: string;
}

async function readWhole(path: string, fileSystem: FileSystem): Promise<Uint8Array> {
  const file = fileSystem.open(path, 'existing');
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    const got = await file.read(bytes, 0);
    return bytes.subarray(0, got);
  } finally {
    file.close();
  }
}

/**
 * Walks the records as long as they are intact, and `take`, which sees the beginning of each, and
 * all of it if it asks, agrees; tells where the last of them ends, or what damage there is that
 * RocksDB would not find.
 */
function walk(
  bytes: Uint8Array,
  isManifest: boolean,
  take: (head: DataView, data: () => Uint8Array) => boolean,
): { readonly end: number; readonly damage?: Damage } {
  const view = viewOf(bytes);
  const head = new Uint8Array(HEAD_BYTES);
  /** Bytes of the record under way in `head`; undefined between records. */
  let headBytes: number | undefined;
  /** The record under way. */
  let pieces: Uint8Array[] = [];
  let end = 0;
  let at = 0;
  for (;;) {
    at = startOfPiece(at);
    if (at + HEADER_BYTES > bytes.length) {
      return { end };
    }
    const piece = readPiece(view, at, isManifest);
    if (piece === undefined || 'what' in piece) {
      return piece === undefined ? { end } : { end, damage: piece };
    }
    const { type } = piece;
    const begins = type === WHOLE || type === FIRST;
    if (begins !== (headBytes === undefined)) {
      return { end };
    }
    const from = begins ? 0 : must(headBytes, 'bytes of a record under way');
    const data = bytes.subarray(at + HEADER_BYTES, piece.end);
    pieces.push(data);
    const beginning = data.subarray(0, HEAD_BYTES - from);
    head.set(beginning, from);
    headBytes = from + beginning.length;
    at = piece.end;
    if (type === WHOLE || type === LAST) {
      const isWhole = isManifest || headBytes === HEAD_BYTES;
      const record = pieces;
      if (!isWhole || !take(viewOf(head), () => concatBytes(...record))) {
        return { end };
      }
      headBytes = undefined;
      pieces = [];
      end = at;
    }
  }
}

/** Where the piece that follows `at` begins: none begins in the last bytes of a block. */
function startOfPiece(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES);
  return left < HEADER_BYTES ? at + left : at;
}

/** The piece at `at`; undefined when it is not intact, and RocksDB sees that, too. */
function readPiece(
  view: DataView,
  at: number,
  isManifest: boolean,
): { readonly type: number; readonly end: number } | Damage | undefined {
  const type = view.getUint8(at + 6);
  if (type > TYPE_MAX) {
    return { offset: at + 6, what: `a record has the unknown type ${type}` };
  }
  const end = at + HEADER_BYTES + view.getUint16(at + 4, true);
  if (end > view.byteLength) {
    const isDamaged = isManifest && isWholeRecord(view, at);
    return isDamaged ? { offset: at + 4, what: 'the length of a record is wrong' } : undefined;
  }
  const isInBlock = end <= at - (at % BLOCK_BYTES) + BLOCK_BYTES;
  const isIntact =
    type >= WHOLE && isInBlock && view.getUint32(at, true) === masked(crc32c(view, at + 6, end, 0));
  return isIntact ? { type, end } : undefined;
}

/**
 * Whether the record at `at`, whose data seem to reach beyond the end of the file, matches its
 * checksum with another length: then it was written whole.
 */
function isWholeRecord(view: DataView, at: number): boolean {
  const stored = view.getUint32(at, true);
  const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES;
  const last = Math.min(view.byteLength, blockEnd);
  let crc = 0;
  for (let end = at + HEADER_BYTES; end <= last; end++) {
    crc = crc32c(view, end === at + HEADER_BYTES ? at + 6 : end - 1, end, crc);
    if (masked(crc) === stored) {
      return true;
    }
  }
  return false;
}

/** A checksum in the form that RocksDB stores. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + CHECKSUM_SHIFT) >>> 0;
}
