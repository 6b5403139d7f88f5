/**
 * Virtual time in whole microseconds, as a queue of events. Events at the same time happen in the
 * order in which they were scheduled, so a run depends on nothing but its seed.
 */

interface TimedEvent {
  readonly atUs: number;
  readonly order: number;
  readonly run: () => void;
}

/** See the module comment. */
export class VirtualClock {
  #nowUs = 0;
  #order = 0;
  #steps = 0;
  /** A binary heap: the earliest event is first. */
  readonly #heap: TimedEvent[] = [];

  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events that have happened. */
  get steps(): number {
    return this.#steps;
  }

  after(delayUs: number, run: () => void): void {
    const event = { atUs: this.#nowUs + Math.max(0, delayUs), order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as TimedEvent;
      if (!isBefore(event, above)) {
        break;
      }
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** Lets the next event happen; false when there is none up to `endUs`. */
  step(endUs: number): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atUs > endUs) {
      this.#nowUs = Math.max(this.#nowUs, endUs);
      return false;
    }
    const last = heap.pop() as TimedEvent;
    if (heap.length > 0) {
      this.#sink(last);
    }
    this.#nowUs = first.atUs;
    this.#steps++;
    first.run();
    return true;
  }

  #sink(event: TimedEvent): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) {
        break;
      }
      if (
        child + 1 < heap.length &&
        isBefore(heap[child + 1] as TimedEvent, heap[child] as TimedEvent)
      ) {
        child++;
      }
      const below = heap[child] as TimedEvent;
      if (!isBefore(below, event)) {
        break;
      }
      heap[at] = below;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
