/**
 * Remembers, in `lease.json` of the data directory, how long the promises of this member to its
 * leaders were (ADR-011): a member that starts again keeps what it may have promised just before,
 * with other settings too. Not there on a member that has never promised anything.
 *
 * The length is on disk before the first promise is given. It never becomes shorter by itself,
 * since nobody knows how long ago the last run ended.
 */
import { corruptData } from './corruption.ts';
import type { FileSystem } from './file-system.ts';
import { type JsonFields, readJsonFile, writeJsonFile } from './json-file.ts';
import { storageError } from './storage-error.ts';

const FORMAT_VERSION = 1;
const recordFileName = 'lease.json';

/** What is recorded, and where. */
export interface LeaseRecordOptions {
  /** The data directory. */
  readonly folder: string;
  readonly fileSystem: FileSystem;
  /** Milliseconds of the promises that this run gives; 0 when it gives none. */
  readonly leaseMs: number;
}

/**
 * Returns the milliseconds of the longest promise of any earlier run; records this run's, durably,
 * if they are longer.
 *
 * @throws {KvError} DATA_CORRUPT — the file is damaged.
 * @throws {KvError} STORAGE_FAILED; DISK_FULL — it could not be written.
 */
export async function recordLease(options: LeaseRecordOptions): Promise<number> {
  const { folder, fileSystem, leaseMs } = options;
  const path = `${folder}/${recordFileName}`;
  const earlierMs = await readLease(options, path);
  if (leaseMs > earlierMs) {
    try {
      const fields = { formatVersion: FORMAT_VERSION, leaseMs };
      await writeJsonFile(folder, recordFileName, fields, fileSystem);
    } catch (error) {
      throw storageError(error, `${path} could not be written`, 'rejected');
    }
  }
  return earlierMs;
}

async function readLease(
  { folder, fileSystem }: LeaseRecordOptions,
  path: string,
): Promise<number> {
  if (!fileSystem.list(folder).includes(recordFileName)) {
    return 0;
  }
  const fields = await readJsonFile(path, fileSystem);
  const leaseMs = typeof fields === 'string' ? fields : leaseOf(fields);
  if (typeof leaseMs === 'string') {
    throw corruptData('identity', path, 0, `the length of leases is damaged: ${leaseMs}`);
  }
  return leaseMs;
}

/** A string says what is wrong. */
function leaseOf({ formatVersion, leaseMs }: JsonFields): number | string {
  if (formatVersion !== FORMAT_VERSION) {
    return `it has format version ${String(formatVersion)}, this program reads ${FORMAT_VERSION}`;
  }
  const isLength = typeof leaseMs === 'number' && Number.isSafeInteger(leaseMs) && leaseMs >= 0;
  return isLength ? leaseMs : 'it is not a number of milliseconds';
}
