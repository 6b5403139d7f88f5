/**
 * Is there an order of the operations that explains every answer and respects real time?
 *
 * The general check, for small histories: its cost can grow exponentially with concurrency, so it
 * has bounds, and says `undecided` when it met one. Long histories whose answers carry the store's
 * revision are for `revision-order.ts`.
 */
import type { MonotonicClock } from '../../src/base/index.ts';
import { checkHistory, type History, type Operation } from './history.ts';
import type { Model } from './models.ts';
import { type SearchBounds, searchOrder } from './search.ts';
import { dropUnnoticed, shrinkFailing } from './shrink.ts';

/** How much a check may take. */
export interface CheckBounds {
  readonly clock: MonotonicClock;
  /** For the verdict; making a violation small may take as long again. */
  readonly timeMsMax: number;
  /** States remembered at a time, for one partition. */
  readonly cachedStatesMax: number;
}

/** A part of a history that no order explains. */
export interface Violation<Input, Output> {
  readonly modelName: string;
  /** The partition that it is about, if the model has any. */
  readonly partition: string | undefined;
  /** As small as the bounds allowed; by call. Answers not needed for the proof are left out. */
  readonly operations: History<Input, Output>;
}

/** What a check found, and what it took. */
export type CheckResult<Input, Output> = {
  /** States remembered, over all partitions. */
  readonly cachedStates: number;
  readonly elapsedMs: number;
} & (
  | { readonly verdict: 'linearizable' }
  | { readonly verdict: 'violation'; readonly violation: Violation<Input, Output> }
  /** Which bound was met first. */
  | { readonly verdict: 'undecided'; readonly bound: 'time' | 'memory' }
);

/** Checks `history`; throws a `HistoryError` if it is not well-formed. */
export function checkLinearizability<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  bounds: CheckBounds,
): CheckResult<Input, Output> {
  checkHistory(history);
  const { clock, timeMsMax, cachedStatesMax } = bounds;
  const startMs = clock.nowMs();
  const searchBounds = { clock, cachedStatesMax, deadlineMs: startMs + timeMsMax };
  let cachedStates = 0;
  let bound: 'time' | 'memory' | undefined;
  for (const [partition, operations] of partitionsOf(history, model)) {
    const noticed = dropUnnoticed(operations, model);
    const report = searchOrder(noticed, model, searchBounds);
    cachedStates += report.cachedStates;
    if (report.end === 'unexplained') {
      const smallest = shrinkWithin(noticed, model, bounds);
      const violation = { modelName: model.name, partition, operations: smallest };
      const elapsedMs = clock.nowMs() - startMs;
      return { verdict: 'violation', violation, cachedStates, elapsedMs };
    }
    // Another partition may still hold a violation, which is worth more than "undecided".
    bound ??= report.end === 'explained' ? undefined : report.end;
  }
  const figures = { cachedStates, elapsedMs: clock.nowMs() - startMs };
  return bound === undefined
    ? { verdict: 'linearizable', ...figures }
    : { verdict: 'undecided', bound, ...figures };
}

function partitionsOf<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
): ReadonlyMap<string | undefined, History<Input, Output>> {
  const partitions = new Map<string | undefined, Operation<Input, Output>[]>();
  for (const operation of history) {
    const key = model.partitionKey?.(operation.input);
    const partition = partitions.get(key);
    if (partition === undefined) {
      partitions.set(key, [operation]);
    } else {
      partition.push(operation);
    }
  }
  return partitions;
}

function shrinkWithin<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  { clock, timeMsMax, cachedStatesMax }: CheckBounds,
): History<Input, Output> {
  const searchBounds: SearchBounds = {
    clock,
    cachedStatesMax,
    deadlineMs: clock.nowMs() + timeMsMax,
  };
  const smallest = shrinkFailing(history, model, (part) => {
    return searchOrder(part, model, searchBounds).end === 'unexplained';
  });
  return smallest.toSorted((a, b) => a.call - b.call);
}
