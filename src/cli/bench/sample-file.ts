/**
 * A file with every measured call, for whoever asks what happened when: one line for each, the time
 * at which it was due, its latency, and 1 if it succeeded.
 *
 * Lines are written as they come, in blocks and at once, so memory does not grow with a run; a
 * block of a few KiB is in the page cache in microseconds.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { ExitError } from '../exit.ts';

/** Limit: characters of lines that wait to be written. */
const blockLength = 32 * 1024;

const header = 'due_epoch_ms,latency_ms,ok\n';

/** See the module comment. */
export class SampleFile {
  readonly #descriptor: number;
  #lines = header;

  /**
   * Makes the file, in the place of one that is there.
   *
   * @throws {ExitError} 2 — it cannot be written
   */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'w');
    } catch (error) {
      throw new ExitError(2, `holdfast bench: --samples: ${String(error)}`);
    }
  }

  /** `dueMs` is on the clock of `performance.now`. */
  add(dueMs: number, latencyMs: number, isOk: boolean): void {
    const due = (performance.timeOrigin + dueMs).toFixed(3);
    this.#lines += `${due},${latencyMs.toFixed(3)},${isOk ? 1 : 0}\n`;
    if (this.#lines.length >= blockLength) {
      this.#write();
    }
  }

  close(): void {
    this.#write();
    closeSync(this.#descriptor);
  }

  #write(): void {
    writeSync(this.#descriptor, this.#lines);
    this.#lines = '';
  }
}
