/**
 * Where a compacted log begins: a small file beside the segments, replaced atomically.
 *
 * Compaction forgets entries first, durably, in this file, and removes segments afterwards. So a
 * crash leaves the old start or the new one, and segments before the one named here are leftovers.
 * A reset needs no file: the header of its segment says that the log starts there, and a start
 * file that names an earlier segment is obsolete. All integers are little-endian.
 *
 * ```text
 *  0 u32 magic          16 u64 index of the last entry forgotten
 *  4 u32 version        24 u64 its term
 *  8 u64 first segment  32 u32 crc32c of 0..32
 * ```
 */
import type { LogIndex } from '../raft/index.ts';
import { corruptLog } from './corruption.ts';
import { crc32c } from './crc32c.ts';
import type { FileSystem } from './file-system.ts';
import type { LogPosition } from './ports.ts';
import { getUint64, setUint64, viewOf } from './record.ts';

const MAGIC = 0x5053_4648;
const FORMAT_VERSION = 1;
const START_BYTES = 36;

const startFileName = 'start';

/** The start of a log that was compacted. */
export interface LogStart {
  /** Number of the oldest segment that belongs to the log. */
  readonly segment: number;
  /** The last entry that was forgotten. */
  readonly position: LogPosition;
}

/**
 * Reads the start file of the log in `folder`; undefined when there is none.
 *
 * @throws {KvError} DATA_CORRUPT — it is damaged.
 */
export async function readLogStart(
  fileSystem: FileSystem,
  folder: string,
): Promise<LogStart | undefined> {
  if (!fileSystem.list(folder).includes(startFileName)) {
    return undefined;
  }
  const path = `${folder}/${startFileName}`;
  const file = fileSystem.open(path, 'existing');
  try {
    const sizeBytes = file.sizeBytes();
    if (sizeBytes !== START_BYTES) {
      const what = `the file has ${sizeBytes} bytes instead of ${START_BYTES}`;
      throw corruptLog(path, Math.min(sizeBytes, START_BYTES), what);
    }
    const bytes = new Uint8Array(START_BYTES);
    await file.read(bytes, 0);
    const start = decodeLogStart(bytes);
    if (typeof start === 'string') {
      throw corruptLog(path, 0, start);
    }
    return start;
  } finally {
    file.close();
  }
}

/** Replaces the start file of the log in `folder`; durable, old or new, at any crash. */
export async function writeLogStart(
  fileSystem: FileSystem,
  folder: string,
  start: LogStart,
): Promise<void> {
  const temp = `${folder}/${startFileName}.tmp`;
  const file = fileSystem.open(temp, 'create');
  try {
    const bytes = encodeLogStart(start);
    file.writeSync(bytes, bytes.length, 0);
    await file.sync();
  } finally {
    file.close();
  }
  fileSystem.rename(temp, `${folder}/${startFileName}`);
  await fileSystem.syncDirectory(folder);
}

function encodeLogStart({ segment, position }: LogStart): Uint8Array {
  const bytes = new Uint8Array(START_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  setUint64(view, 8, segment);
  setUint64(view, 16, position.index);
  setUint64(view, 24, position.term);
  view.setUint32(32, crc32c(view, 0, 32, 0), true);
  return bytes;
}

/** A string says what is wrong. */
function decodeLogStart(bytes: Uint8Array): LogStart | string {
  const view = viewOf(bytes);
  if (view.getUint32(32, true) !== crc32c(view, 0, 32, 0)) {
    return 'the start of the log does not match its checksum';
  }
  if (view.getUint32(0, true) !== MAGIC) {
    return 'the file is not the start of a log';
  }
  const version = view.getUint32(4, true);
  if (version !== FORMAT_VERSION) {
    return `the file has format version ${version}, this program reads ${FORMAT_VERSION}`;
  }
  const index: LogIndex = getUint64(view, 16);
  return { segment: getUint64(view, 8), position: { index, term: getUint64(view, 24) } };
}
