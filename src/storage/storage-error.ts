/** How a failing file operation becomes an operational error. */
import { KvError, type Outcome } from '../base/index.ts';
import { isDiskFull } from './file-system.ts';

/** Wraps an error of the file system; a KvError passes as it is. */
export function storageError(error: unknown, what: string, outcome: Outcome): KvError {
  if (error instanceof KvError) {
    return error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new KvError(isDiskFull(error) ? 'DISK_FULL' : 'STORAGE_FAILED', {
    message: `${what}: ${reason}`,
    outcome,
    cause: error,
  });
}
