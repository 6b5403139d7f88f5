import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { LinkedAbort } from '../../src/client/linked-abort.ts';

test('fires with the first of the others, also one that has fired before', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const linked = new LinkedAbort(one.signal, other.signal);
  expect(linked.signal.aborted).toBe(false);

  other.abort();

  expect(linked.signal.aborted).toBe(true);
  expect(new LinkedAbort(one.signal, other.signal).signal.aborted).toBe(true);
});

test('fires by itself, and leaves the others alone', () => {
  const one = new AbortController();
  const linked = new LinkedAbort(one.signal);

  linked.abort();

  expect([linked.signal.aborted, one.signal.aborted]).toEqual([true, false]);
});

test('that is unlinked holds on to nothing', () => {
  const one = new AbortController();
  const linked = new LinkedAbort(one.signal);

  linked.unlink();
  one.abort();

  expect(linked.signal.aborted).toBe(false);
  expect(getEventListeners(one.signal, 'abort')).toHaveLength(0);
});
