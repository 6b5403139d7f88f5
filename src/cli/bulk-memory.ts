/**
 * V8's collector while snapshots pass through this process.
 *
 * The bytes of a snapshot lie outside of V8's heap, in buffers that live for milliseconds. V8
 * counts them as growth of its old generation, and by default allows a heap that gains little else
 * some ten megabytes until it is collected as a whole: up to nine times a second, which was half of
 * what it cost to send a snapshot. With more room the young generation is collected first, at 32 MB
 * of such buffers, and frees most of them for next to nothing.
 *
 * Limit: at 64 MB that were not freed V8 begins all the same, so there may still be one collection
 * a second. The room is not given all the time, since it costs memory. V8 reads the setting with
 * each collection.
 */
import { setFlagsFromString } from 'node:v8';
import { assert } from '../base/index.ts';

/**
 * By how much the heap may grow, percent, until it is collected as a whole. A young process has 15
 * to 20 MB in use: of that it is enough for the young generation to come first.
 */
const growingPercent = 200;

/**
 * Counts who moves bulk, and sets V8's flag while anybody does.
 *
 * @internal but for {@link bulkMemory}, for tests.
 */
export class BulkMemory {
  readonly #setFlag: (flag: string) => void;
  #users = 0;

  constructor(setFlag: (flag: string) => void) {
    this.#setFlag = setFlag;
  }

  /** One begins, or one ends. */
  count(by: 1 | -1): void {
    const before = this.#users;
    this.#users += by;
    assert(this.#users >= 0, 'who ends has begun: nobody moves bulk');
    if ((before === 0) !== (this.#users === 0)) {
      this.#setFlag(`--heap-growing-percent=${this.#users === 0 ? 0 : growingPercent}`);
    }
  }
}

/** That of this process, whose members share one heap. */
export const bulkMemory = new BulkMemory(setFlagsFromString);
