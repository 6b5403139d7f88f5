/**
 * Tells from samples of a member's memory whether it is short, and for whom. Pure.
 *
 * Two things end a process: V8's heap reaching its limit, and the whole of it reaching what the
 * container or the machine has. The nearer one counts. A shortage ends below where it began, so
 * that it does not flicker.
 */
import type { Shortage } from './limits.ts';

/** Bytes in use. */
export interface MemorySample {
  /** Of the whole process. */
  readonly residentBytes: number;
  /** Of V8's heap. */
  readonly heapBytes: number;
}

/** Where it ends. */
export type MemoryBounds = MemorySample;

/** Parts of the bounds at which a shortage begins, and below which it ends. */
const thresholds = {
  bulk: { begin: 0.8, end: 0.75 },
  ordinary: { begin: 0.9, end: 0.85 },
};

/** See the module comment. */
export class MemoryWatch {
  readonly #bounds: MemoryBounds;
  #shortage: Shortage = 'none';

  constructor(bounds: MemoryBounds) {
    this.#bounds = bounds;
  }

  /** What is short after this sample. */
  look({ residentBytes, heapBytes }: MemorySample): Shortage {
    const used = Math.max(
      residentBytes / this.#bounds.residentBytes,
      heapBytes / this.#bounds.heapBytes,
    );
    const was = this.#shortage;
    const isOver = ({ begin, end }: { begin: number; end: number }, isShort: boolean): boolean =>
      used >= (isShort ? end : begin);
    if (isOver(thresholds.ordinary, was === 'ordinary')) {
      this.#shortage = 'ordinary';
    } else {
      this.#shortage = isOver(thresholds.bulk, was !== 'none') ? 'bulk' : 'none';
    }
    return this.#shortage;
  }
}
