/**
 * What waits for the reader of one stream of watches, in the order in which it is told.
 *
 * What waits of one watch is linked besides, so that it is found, and taken out, without a look at
 * the rest: a stream has up to 100,000 watches, and all of them may be cancelled one by one.
 */
import type { Queued } from './queued-watch.ts';

/** See the module comment. */
export class WatchLine {
  #first: Queued | undefined;
  #last: Queued | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Puts something at the end; it is the newest of its watch. */
  add(queued: Queued): void {
    queued.before = this.#last;
    if (this.#last === undefined) {
      this.#first = queued;
    } else {
      this.#last.after = queued;
    }
    this.#last = queued;
    this.#count++;
    const { watch } = queued;
    if (watch !== undefined) {
      queued.earlier = watch.newest;
      if (watch.newest === undefined) {
        watch.oldest = queued;
      } else {
        watch.newest.later = queued;
      }
      watch.newest = queued;
    }
  }

  /** Puts something at the beginning; it is the oldest of its watch. */
  putBack(queued: Queued): void {
    queued.after = this.#first;
    if (this.#first === undefined) {
      this.#last = queued;
    } else {
      this.#first.before = queued;
    }
    this.#first = queued;
    this.#count++;
    const { watch } = queued;
    if (watch !== undefined) {
      queued.later = watch.oldest;
      if (watch.oldest === undefined) {
        watch.newest = queued;
      } else {
        watch.oldest.earlier = queued;
      }
      watch.oldest = queued;
    }
  }

  /** Takes what is first, if there is anything. */
  take(): Queued | undefined {
    const first = this.#first;
    if (first !== undefined) {
      this.remove(first);
    }
    return first;
  }

  /** Takes something out of the line, wherever it stands. */
  remove(queued: Queued): void {
    this.#count--;
    const { before, after } = queued;
    if (before === undefined) {
      this.#first = after;
    } else {
      before.after = after;
    }
    if (after === undefined) {
      this.#last = before;
    } else {
      after.before = before;
    }
    unlinkFromWatch(queued);
    queued.before = undefined;
    queued.after = undefined;
  }
}

function unlinkFromWatch(queued: Queued): void {
  const { watch, earlier, later } = queued;
  if (watch === undefined) {
    return;
  }
  if (earlier === undefined) {
    watch.oldest = later;
  } else {
    earlier.later = later;
  }
  if (later === undefined) {
    watch.newest = earlier;
  } else {
    later.earlier = earlier;
  }
  queued.earlier = undefined;
  queued.later = undefined;
}
