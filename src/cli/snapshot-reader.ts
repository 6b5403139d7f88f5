/**
 * Reads a snapshot file, a piece at a time: its header and records, every block checked against its
 * checksum, and the whole against the SHA-256 at its end.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { KvError } from '../base/index.ts';
import { isLiveKey } from '../kv/index.ts';
import { type EngineRecord, type SnapshotHeader, snapshotFormat } from '../storage/index.ts';
import { ExitError } from './exit.ts';

const readBytes = 1024 * 1024;
const digestBytes = 32;
const blockBytes = 512;
const exitFailed = 1;

/** What a snapshot file is and holds. */
export interface SnapshotSummary {
  readonly header: SnapshotHeader;
  /** Of all records: equal files of equal states have equal hashes. 32 bits. */
  readonly hash: number;
  readonly liveKeys: number;
  readonly sizeBytes: number;
}

/** How a snapshot file is read. */
export interface SnapshotReadOptions {
  /** The SHA-256 at the end may be wrong, or missing; blocks are checked all the same. */
  readonly skipHashCheck?: boolean | undefined;
  /** Called once, before the first records. */
  readonly onHeader?: ((header: SnapshotHeader) => void) | undefined;
}

/**
 * The records of the file at `path`, in key order. Only when the last has been followed by the end
 * is the file known to be whole.
 *
 * @throws {ExitError} it cannot be read, is no snapshot, or is damaged; says where.
 */
export async function* readSnapshotFile(
  path: string,
  options: SnapshotReadOptions = {},
): AsyncGenerator<readonly EngineRecord[], void> {
  const decoder = snapshotFormat.createDecoder(path);
  let isHeaderTold = false;
  const file = await opened(path);
  try {
    for await (const bytes of bytesOf(file, options.skipHashCheck === true)) {
      for (const records of decoder.push(bytes)) {
        if (!isHeaderTold && decoder.header !== undefined) {
          isHeaderTold = true;
          options.onHeader?.(decoder.header);
        }
        yield records;
      }
    }
    decoder.finish();
  } catch (error) {
    if (error instanceof KvError) {
      // The decoder's: it names the file.
      throw new ExitError(exitFailed, `holdfast: ${error.message}`);
    }
    throw isFileError(error)
      ? new ExitError(exitFailed, `holdfast: ${path}: ${error.message}`)
      : error;
  } finally {
    await file.close();
  }
}

/**
 * Reads the whole file at `path` and tells what it holds.
 *
 * @throws {ExitError} as {@link readSnapshotFile}.
 */
export async function summarizeSnapshot(path: string): Promise<SnapshotSummary> {
  const hash = createHash('sha256');
  const lengths = Buffer.alloc(8);
  let header: SnapshotHeader | undefined;
  let liveKeys = 0;
  const onHeader = (found: SnapshotHeader): void => {
    header = found;
  };
  for await (const records of readSnapshotFile(path, { onHeader })) {
    for (const record of records) {
      lengths.writeUInt32LE(record.key.length, 0);
      lengths.writeUInt32LE(record.value.length, 4);
      hash.update(lengths).update(record.key).update(record.value);
      liveKeys += isLiveKey(record) ? 1 : 0;
    }
  }
  if (header === undefined) {
    throw new ExitError(exitFailed, `holdfast: ${path}: the snapshot holds no state`);
  }
  const sizeBytes = await sizeOf(path);
  return { header, hash: hash.digest().readUInt32BE(0), liveKeys, sizeBytes };
}

/** The bytes of a file; without the check, with a SHA-256 at the end that is right. */
async function* bytesOf(
  file: FileHandle,
  skipHashCheck: boolean,
): AsyncGenerator<Uint8Array, void> {
  const { size } = await file.stat();
  const isTrailed = size % blockBytes === digestBytes;
  const end = skipHashCheck && isTrailed ? size - digestBytes : size;
  const hash = createHash('sha256');
  for (let at = 0; at < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) {
      break;
    }
    at += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    if (skipHashCheck) {
      hash.update(bytes);
    }
    yield bytes;
  }
  if (skipHashCheck) {
    yield hash.digest();
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new ExitError(exitFailed, `holdfast: cannot read ${path}: ${(error as Error).message}`);
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await opened(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
