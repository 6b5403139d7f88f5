/** Zeros on disk: for segments that are not in use yet, and over what a torn write has left. */
import type { StorageFile } from './file-system.ts';

/** Zeros written between two syncs. */
const ZERO_PIECE_BYTES = 1024 * 1024;

/**
 * Writes zeros over `[start, end)` and makes them durable, a piece at a time.
 *
 * Why: a sync of the active segment queues behind what is being flushed. A whole segment of zeros
 * in one burst held up writes for half a second; a piece does for milliseconds.
 */
export async function zeroFill(file: StorageFile, start: number, end: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZERO_PIECE_BYTES, end - start));
  for (let at = start; at < end; at += zeros.length) {
    await file.write(zeros, Math.min(zeros.length, end - at), at);
    await file.sync();
  }
}
