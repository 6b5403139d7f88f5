/**
 * The smallest part of a failing history that still fails, and proves that the whole does.
 *
 * Leaving out just any operation proves nothing: without its write, every read is wrong. Four
 * reductions are used, each of which keeps a history explainable that was; so if the reduced one
 * cannot be explained, the whole cannot either:
 * - cutting it at a moment: what has not returned by then has an unknown outcome;
 * - leaving out an operation that changes nothing (a read, a refused compare-and-set);
 * - leaving out one whose effect nobody left in the history can have noticed;
 * - leaving out what returned before a blind write was called, if whatever else may come before
 *   that write is blind, too, or of unknown outcome: the write hides which state it found.
 */
import { must } from '../../src/base/index.ts';
import { type History, type Operation, precedes } from './history.ts';
import type { Model } from './models.ts';

/**
 * Reduces `history`, which `isFailing`. That function may also answer false when it cannot tell,
 * for want of time: then the result is larger than it could be, and still failing.
 */
export function shrinkFailing<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  isFailing: (history: History<Input, Output>) => boolean,
): History<Input, Output> {
  const prefix = dropUnnoticed(shortestFailingPrefix(history, isFailing), model);
  const small = dropAll(prefix, model, isFailing, undefined);
  const past = dropPast(small, model, isFailing);
  return past === undefined ? small : dropAll(past.history, model, isFailing, past.start);
}

/** Leaves out single operations until none can be, but never `anchor`. */
function dropAll<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  isFailing: (history: History<Input, Output>) => boolean,
  anchor: Operation<Input, Output> | undefined,
): History<Input, Output> {
  let smallest = history;
  for (;;) {
    const size = smallest.length;
    smallest = dropPure(smallest, model, isFailing);
    smallest = dropEach(smallest, smallest, (operation, others) => {
      return operation !== anchor && isDroppable(model, operation, others) && isFailing(others);
    });
    if (smallest.length === size) {
      return smallest;
    }
  }
}

/**
 * Leaves out what has an unknown outcome and either changes nothing or was not noticed by anybody:
 * the verdict stays what it was.
 */
export function dropUnnoticed<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
): History<Input, Output> {
  const kept = history.filter(
    (it) => it.return !== undefined || !model.isPure(it.input, undefined),
  );
  // The later one may be all that can have noticed the earlier.
  return dropEach(kept, kept.toReversed(), (operation, others) => {
    return operation.return === undefined && isDroppable(model, operation, others);
  });
}

function isDroppable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operation: Operation<Input, Output>,
  others: History<Input, Output>,
): boolean {
  return model.isUnnoticed?.(operation, others) ?? false;
}

/** Of the prefixes of a history the failing ones are the longer ones, so bisection finds it. */
function shortestFailingPrefix<Input, Output>(
  history: History<Input, Output>,
  isFailing: (history: History<Input, Output>) => boolean,
): History<Input, Output> {
  const returns = history.flatMap((it) => (it.return === undefined ? [] : [it.return]));
  const moments = Array.from(new Set(returns)).sort((a, b) => a - b);
  let shortest = history;
  let lo = 0;
  let hi = moments.length - 1;
  while (lo < hi) {
    const middle = Math.floor((lo + hi) / 2);
    const prefix = cutAt(history, must(moments[middle], 'a moment'));
    if (isFailing(prefix)) {
      shortest = prefix;
      hi = middle;
    } else {
      lo = middle + 1;
    }
  }
  return shortest;
}

function cutAt<Input, Output>(
  history: History<Input, Output>,
  moment: number,
): History<Input, Output> {
  return history
    .filter((it) => it.call <= moment)
    .map((it) =>
      it.return !== undefined && it.return > moment
        ? { ...it, return: undefined, output: undefined }
        : it,
    );
}

/** Leaves out runs of pure operations, long ones first. */
function dropPure<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  isFailing: (history: History<Input, Output>) => boolean,
): History<Input, Output> {
  let kept = history;
  const isPure = (it: Operation<Input, Output>): boolean => model.isPure(it.input, it.output);
  for (let run = kept.filter(isPure).length; run >= 1; run = Math.floor(run / 2)) {
    // From the end, so that what stands before keeps its place.
    for (let end = kept.filter(isPure).length; end > 0; end -= run) {
      const candidates = new Set(kept.filter(isPure).slice(Math.max(0, end - run), end));
      const others = kept.filter((it) => !candidates.has(it));
      if (isFailing(others)) {
        kept = others;
      }
    }
  }
  return kept;
}

/** Leaves out one of `candidates` after the other, where `mayDrop` allows it. */
function dropEach<Input, Output>(
  history: History<Input, Output>,
  candidates: History<Input, Output>,
  mayDrop: (operation: Operation<Input, Output>, others: History<Input, Output>) => boolean,
): History<Input, Output> {
  let kept = history;
  for (const operation of candidates) {
    const others = kept.filter((it) => it !== operation);
    if (mayDrop(operation, others)) {
      kept = others;
    }
  }
  return kept;
}

/**
 * Leaves out what came before a blind write, `start`: the latest one that the history fails after.
 * That write has to stay, as the state that the rest begins with.
 */
function dropPast<State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  isFailing: (history: History<Input, Output>) => boolean,
):
  | { readonly history: History<Input, Output>; readonly start: Operation<Input, Output> }
  | undefined {
  const isBlind = (it: Operation<Input, Output>): boolean => model.isBlind?.(it.input) ?? false;
  const starts = history.filter((it) => it.return !== undefined && isBlind(it));
  for (const start of starts.sort((a, b) => b.call - a.call)) {
    const others = history.filter((it) => !precedes(it, start));
    const isHidden = others.every(
      (it) => isBlind(it) || it.return === undefined || precedes(start, it),
    );
    if (others.length < history.length && isHidden && isFailing(others)) {
      return { history: others, start };
    }
  }
  return undefined;
}
