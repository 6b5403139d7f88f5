/** What RocksDB and its binding say of failures, in the words of the error catalogue. */
import { KvError } from '../base/index.ts';
import { corruptData } from './corruption.ts';

/** Says what to install when the native library does not load. */
export function bindingError(error: unknown): KvError {
  const reasons: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    reasons.push(cause.message);
  }
  const reason = reasons.join(': ');
  const remedy = reason.includes('libatomic')
    ? 'Install the system library libatomic.so.1 (Debian and Ubuntu: apt-get install libatomic1).'
    : 'On Linux it needs glibc 2.34 or newer and libatomic.so.1 (Debian and Ubuntu: libatomic1).';
  return new KvError('STORAGE_FAILED', {
    message: `the storage engine rocksdb-native cannot be loaded. ${remedy} Reason: ${reason}`,
    cause: error,
  });
}

/** The error for a store that does not open. */
export function openError(error: unknown, folder: string): KvError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/\block (?:hold|file)/i.test(reason)) {
    const message = `the store in ${folder} is in use by another process: ${reason}`;
    return new KvError('DATA_DIR_LOCKED', { message, cause: error });
  }
  if (/no such file|does not exist/i.test(reason)) {
    return corruptData('engine', folder, 0, `a file of the store is gone (${reason})`, error);
  }
  return engineError(error, { folder, what: 'the store does not open', outcome: 'rejected' });
}

/** Something failed: in which store, what, and whether a write may have happened. */
interface Failed {
  readonly folder: string;
  readonly what: string;
  readonly outcome: 'rejected' | 'unknown';
}

/**
 * What to do when the disk is full. RocksDB sets space aside for its files before it writes them
 * (40 MiB for a log, 80 for a table of one buffer), so a member needs more to start than it writes.
 */
const fullDiskRemedy =
  'Make room, 256 MiB at least, and start this member again; nothing acknowledged is lost.';

/** The error for a failing call of the store. */
export function engineError(error: unknown, { folder, what, outcome }: Failed): KvError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/corrupt|checksum|CURRENT file|in MANIFEST/i.test(reason)) {
    const place = / in (\S+) offset (\d+)/.exec(reason);
    const file = place?.[1] ?? /the file (\S+) may be/i.exec(reason)?.[1] ?? folder;
    return corruptData('engine', file, Number(place?.[2] ?? 0), `${what} (${reason})`, error);
  }
  const isFull = /no space left/i.test(reason);
  return new KvError(isFull ? 'DISK_FULL' : 'STORAGE_FAILED', {
    message: `the store in ${folder}: ${what}: ${reason}${isFull ? `. ${fullDiskRemedy}` : ''}`,
    outcome,
    cause: error,
  });
}
