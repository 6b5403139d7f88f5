/**
 * Finds damage in RocksDB's own files that RocksDB does not find, before it opens them.
 *
 * Almost everything there is covered by its checksums. Two holes are not (RocksDB 10.5), found by
 * flipping every byte of a small store:
 * - A manifest (the list of table files) whose last records seem to be cut off is taken for one that
 *   a crash has torn. A flipped bit in a record's length looks the same: the records from there on,
 *   and with them whole table files, are dropped without a word, while newer batches of the log are
 *   replayed on top. The state then has a hole that no position in it tells of.
 * - A record, of the manifest or of a log, whose type is turned into that of a recycled log sends the
 *   opening into an endless loop.
 *
 * Both kinds of files have one format: blocks of 32 KiB; in them records of checksum (u32, CRC-32C
 * of the rest, rotated and shifted), length (u16), type (u8), data. A record never spans blocks.
 */
import { corruptData } from './corruption.ts';
import { crc32c } from './crc32c.ts';
import type { FileSystem } from './file-system.ts';
import { viewOf } from './record.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Types of records: 1 whole, 2 to 4 parts of one. Higher ones belong to features not in use. */
const TYPE_MAX = 4;
const CHECKSUM_SHIFT = 0xa282_ead8;

/**
 * Checks the manifest and the logs of the closed RocksDB store in `folder`; changes nothing.
 *
 * @throws {KvError} DATA_CORRUPT — damage that RocksDB would not see, or not survive.
 */
export async function checkEngineFiles(folder: string, fileSystem: FileSystem): Promise<void> {
  for (const name of fileSystem.list(folder)) {
    const isManifest = name.startsWith('MANIFEST-');
    if (!isManifest && !/^\d+\.log$/.test(name)) {
      continue;
    }
    const path = `${folder}/${name}`;
    const damage = findDamage(await readWhole(path, fileSystem), isManifest);
    if (damage !== undefined) {
      throw corruptData('engine', path, damage.offset, damage.what);
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

/** Walks the records up to the first one that RocksDB would stop at, too. */
function findDamage(bytes: Uint8Array, isManifest: boolean): Damage | undefined {
  const view = viewOf(bytes);
  let at = 0;
  for (;;) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    if (at + HEADER_BYTES > bytes.length) {
      return undefined;
    }
    const dataBytes = view.getUint16(at + 4, true);
    const type = view.getUint8(at + 6);
    if (type > TYPE_MAX) {
      return { offset: at + 6, what: `a record has the unknown type ${type}` };
    }
    const end = at + HEADER_BYTES + dataBytes;
    if (end > bytes.length) {
      const what = 'the length of a record is wrong';
      return isManifest && isWholeRecord(view, at) ? { offset: at + 4, what } : undefined;
    }
    const isIntact =
      HEADER_BYTES + dataBytes <= left &&
      view.getUint32(at, true) === masked(crc32c(view, at + 6, end, 0));
    if (!isIntact) {
      return undefined;
    }
    at = end;
  }
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
