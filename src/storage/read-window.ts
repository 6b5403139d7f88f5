/**
 * A stretch of a file in memory, for whoever goes over all of it: read in large pieces, and only
 * where it is not there yet.
 */
import { must } from '../base/index.ts';
import { corruptLog } from './corruption.ts';
import type { StorageFile } from './file-system.ts';
import { frameHeaderBytes, isZero, viewOf } from './record.ts';

/** Bytes read at a time. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** See the module comment. File offset `o` stands at `at(o)` of `bytes` and `view`. */
export class ReadWindow {
  bytes = new Uint8Array(0);
  view = viewOf(this.bytes);
  #file: StorageFile | undefined;
  #start = 0;
  #length = 0;

  open(file: StorageFile): void {
    this.#file = file;
    this.#start = 0;
    this.#length = 0;
    this.#reserve(Math.min(WINDOW_BYTES, file.sizeBytes()));
  }

  at(offset: number): number {
    return offset - this.#start;
  }

  /** Whether `[offset, offset + length)` is in memory. */
  has(offset: number, length: number): boolean {
    return offset >= this.#start && offset + length <= this.#start + this.#length;
  }

  /** Brings `[offset, offset + length)` into memory; the file is known to reach that far. */
  async load(offset: number, length: number): Promise<void> {
    if (this.has(offset, length)) {
      return;
    }
    const file = must(this.#file, 'file of the window');
    this.#reserve(length);
    this.#start = offset;
    this.#length = await file.read(this.bytes, offset);
    if (this.#length < length) {
      throw corruptLog(file.path, offset + this.#length, 'the file has become shorter');
    }
  }

  /**
   * The 64-byte unit of the first byte in `[start, end)` that is not zero; both are multiples of
   * 64.
   */
  async findNonZero(start: number, end: number): Promise<number | undefined> {
    let at = start;
    while (at < end) {
      const length = Math.min(WINDOW_BYTES, end - at);
      await this.load(at, length);
      if (!isZero(this.view, this.at(at), this.at(at) + length)) {
        while (isZero(this.view, this.at(at), this.at(at) + frameHeaderBytes)) {
          at += frameHeaderBytes;
        }
        return at;
      }
      at += length;
    }
    return undefined;
  }

  #reserve(bytes: number): void {
    if (bytes > this.bytes.length) {
      this.bytes = new Uint8Array(bytes);
      this.view = viewOf(this.bytes);
    }
  }
}
