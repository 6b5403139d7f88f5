/**
 * What separates the engine from the state: all that has been computed, but history.
 *
 * Events are final once they are computed, and nobody reads beyond the revision that the meta
 * record tells of, so they may go to the engine ahead of everything else. The rest is gathered here
 * and goes as one atomic batch, a *checkpoint*, with which the engine is at exactly one applied
 * index. A record that has changed a hundred times since the last checkpoint is in it once.
 *
 * After a crash the engine is at a checkpoint, with events after it: they are removed
 * ({@link eventsAhead}), and the log brings the same ones again.
 */
import { append, assert, must } from '../base/index.ts';
import { mapKeyOf, revisionsRange, revisionsTable } from './key-layout.ts';
import type { Reading, StateWrite } from './need.ts';
import type { RecordCache } from './record-cache.ts';
import { ChunkedScan } from './scan.ts';

/** A batch that brings an engine which has all events so far to the state at `index`. */
export interface Checkpoint {
  /** Names it to {@link Checkpoints.settled}. */
  readonly sequence: number;
  /** One atomic batch. */
  readonly writes: readonly StateWrite[];
  /** Last entry that it holds. */
  readonly index: number;
  /** The store's revision there. */
  readonly revision: number;
}

/** What a finished output has changed besides history and current records. */
export interface FinishedOutput extends Checkpoint {
  /** The meta record as it is from here on. */
  readonly meta: StateWrite;
}

/**
 * What finished outputs have left for the next checkpoint. Bounded by whoever takes them, by
 * `count` and `bytes`.
 */
export class Checkpoints {
  readonly #cache: RecordCache;
  /** The newest write of each key that is neither of an event nor a changed current record. */
  #writesByKey = new Map<string, StateWrite>();
  #bytes = 0;
  #last: FinishedOutput | undefined;
  #taken = 0;
  #settled = 0;

  constructor(cache: RecordCache) {
    this.#cache = cache;
  }

  /** Operations that the next checkpoint would have now, the meta record apart. */
  get count(): number {
    return this.#writesByKey.size + this.#cache.dirtyCount;
  }

  /** Bytes of keys and values that wait here; current records share theirs with their events. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes what a finished output leaves. */
  add(output: FinishedOutput): void {
    for (const write of output.writes) {
      const mapKey = mapKeyOf(write.key);
      const before = this.#writesByKey.get(mapKey);
      this.#bytes += bytesOf(write) - (before === undefined ? 0 : bytesOf(before));
      this.#writesByKey.set(mapKey, write);
    }
    this.#last = output;
  }

  /** Everything that waits; the engine is to have the events of all outputs so far with it. */
  take(): Checkpoint {
    const { sequence, meta, index, revision } = must(this.#last, 'a finished output');
    assert(sequence > this.#taken, 'there is something that no checkpoint has taken');
    this.#taken = sequence;
    // What removed a key's record stands before what has put it anew.
    const writes = [...this.#writesByKey.values()];
    this.#writesByKey = new Map();
    this.#bytes = 0;
    append(writes, this.#cache.takeDirty(sequence));
    writes.push(meta);
    return { sequence, writes, index, revision };
  }

  /** The engine holds the checkpoint `sequence`, and all before it. */
  settled(sequence: number): void {
    assert(sequence > this.#settled, 'checkpoints settle once and in order');
    assert(sequence <= this.#taken, 'only what was taken can settle');
    this.#settled = sequence;
    this.#cache.settle(sequence);
  }
}

function bytesOf(write: StateWrite): number {
  return write.key.length + (write.type === 'put' ? write.value.length : 0);
}

/** Removes the events after `revision`, which a checkpoint was to follow. */
export function* eventsAhead(revision: number): Reading<readonly StateWrite[]> {
  const { gte } = revisionsRange({ main: revision + 1, sub: 0 }, revision + 1);
  const writes: StateWrite[] = [];
  const scan = new ChunkedScan({ gte, lt: Uint8Array.of(revisionsTable + 1) });
  while (!scan.isDone) {
    for (const { key } of scan.take(yield scan.need)) {
      writes.push({ type: 'delete', key });
    }
  }
  return writes;
}
