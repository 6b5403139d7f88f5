/**
 * Reads entries of the log out of one segment, in one trip to the disk.
 *
 * Invariant: an entry that is handed out matches its checksum, and stands where it was written. The
 * file stays open until the read has ended, also when its segment is retired meanwhile.
 */
import type { Entry } from '../raft/index.ts';
import { corruptLog } from './corruption.ts';
import { decodeEntry, entryDataBytes, isEntryIntact, viewOf } from './record.ts';
import type { ReadRun } from './segment.ts';
import { storageError } from './storage-error.ts';

/**
 * Reads a run of entries.
 *
 * @throws {KvError} DATA_CORRUPT — the file is too short, or an entry is damaged; STORAGE_FAILED.
 */
export async function readRun(run: ReadRun): Promise<readonly Entry[]> {
  const { segment } = run;
  segment.beginRead();
  try {
    return await readOpenRun(run);
  } finally {
    segment.endRead();
  }
}

async function readOpenRun(run: ReadRun): Promise<readonly Entry[]> {
  const { segment, lo, hi, offset, bytes: length } = run;
  const { file, path, header } = segment;
  // Taken now: an append may move the entries while the disk is read.
  const places: { at: number; dataBytes: number }[] = [];
  for (let index = lo; index < hi; index++) {
    places.push({ at: segment.offsetOf(index) - offset, dataBytes: segment.dataBytesOf(index) });
  }
  const bytes = new Uint8Array(length);
  let got: number;
  try {
    got = await file.read(bytes, offset);
  } catch (error) {
    throw storageError(error, `${path} could not be read at offset ${offset}`, 'rejected');
  }
  if (got < length) {
    throw corruptLog(path, offset + got, 'the file has become shorter');
  }
  const view = viewOf(bytes);
  return places.map(({ at, dataBytes }, i) => {
    const index = lo + i;
    const isIntact =
      entryDataBytes(view, at) === dataBytes &&
      isEntryIntact(view, at, { dataBytes, index, salt: header.salt });
    if (!isIntact) {
      throw corruptLog(path, offset + at, `entry ${index} does not match its checksum`);
    }
    return decodeEntry(bytes, view, at, index);
  });
}
