/**
 * How pure code reads: it yields what it needs and is given the records back.
 *
 * Reading and applying are generators of {@link Need}s. They never await; whoever runs them (the
 * driver over an engine, a test or the simulator over a map) loads what is asked for and goes on.
 * So the same code serves a range request, a range in a transaction, and the naive model's tests.
 */
import { assert } from '../base/index.ts';

/** A stored record under its engine key (see `key-layout.ts`). */
export interface StoredRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * Records wanted from the engine. A scan is of `[gte, lt)`, at most `limit` records, in byte order;
 * it may end with the record by which they take `bytesMax` bytes together.
 */
export type Need =
  | {
      readonly type: 'get';
      readonly keys: readonly Uint8Array[];
      /** When true, all writes handed out before must be visible to this read. */
      readonly afterWrites: boolean;
    }
  | {
      readonly type: 'scan';
      readonly gte: Uint8Array;
      readonly lt: Uint8Array;
      readonly limit: number;
      readonly bytesMax?: number | undefined;
      readonly reverse: boolean;
      readonly afterWrites: boolean;
    };

/** The answer to a need: values in the order of `keys`, or the scanned records. */
export type Loaded =
  | { readonly type: 'get'; readonly values: readonly (Uint8Array | undefined)[] }
  | { readonly type: 'scan'; readonly records: readonly StoredRecord[] };

/** A computation that reads as it goes and ends with `T`. */
export type Reading<T> = Generator<Need, T, Loaded>;

/** One change of the state; the same shape as the engine's operations. */
export type StateWrite =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/**
 * Needs nothing: whoever runs the computation goes on in another turn, so that heartbeats and other
 * calls are not held up by a long one.
 */
const pause: Need = { type: 'get', keys: [], afterWrites: false };

/** Limit: keys that one step deletes, which takes some 10 ms at most. */
const pieceMax = 1024;

/** Goes over what may be very much a piece at a time, with a pause after each. */
export function* inPieces<T>(
  items: readonly T[],
  visit: (piece: readonly T[]) => Reading<void>,
): Reading<void> {
  if (items.length <= pieceMax) {
    yield* visit(items);
    return;
  }
  for (let start = 0; start < items.length; start += pieceMax) {
    yield* visit(items.slice(start, start + pieceMax));
    yield pause;
  }
}

/**
 * Narrows the answer to a `get`; anything else is a fault of the caller that runs the computation.
 */
export function expectGet(loaded: Loaded): Extract<Loaded, { type: 'get' }> {
  assert(loaded.type === 'get', 'a get must be answered with values');
  return loaded;
}

/** Narrows the answer to a `scan`. */
export function expectScan(loaded: Loaded): Extract<Loaded, { type: 'scan' }> {
  assert(loaded.type === 'scan', 'a scan must be answered with records');
  return loaded;
}
