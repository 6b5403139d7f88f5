/**
 * Who hears of an abort: one listener on the signal, however many calls wait with it.
 *
 * A signal often belongs to a request, or to the whole process, and thousands of calls are made
 * with it at once. Node.js warns of a leak from the eleventh listener on, and looks through all of
 * them to remove one.
 */

/** Limit: none of its own; there is one for each call, watch or wait under way. */
const hearers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when `signal` fires, until the function that it returns is called. A signal that has
 * fired already does not fire again: ask it before.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  // One that is given twice is called twice.
  const hearer = (): void => callback();
  const all = hearers.get(signal) ?? listenTo(signal);
  all.add(hearer);
  return () => {
    all.delete(hearer);
    if (all.size === 0 && hearers.get(signal) === all) {
      hearers.delete(signal);
      signal.removeEventListener('abort', tellHearers);
    }
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  hearers.set(signal, all);
  signal.addEventListener('abort', tellHearers);
  return all;
}

function tellHearers(this: AbortSignal): void {
  const all = hearers.get(this) ?? new Set();
  for (const hearer of [...all]) {
    // What one of them does may be the end of another one.
    if (all.has(hearer)) {
      hearer();
    }
  }
}
