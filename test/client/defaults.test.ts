/** The machine's time and chance, as the client takes them. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { nodeEnvironment } from '../../src/client/defaults.ts';

test('timers fire, and not once they are cancelled', async () => {
  const { loop } = nodeEnvironment();
  const seen: string[] = [];
  loop.after(0, () => seen.push('cancelled')).cancel();
  const every = loop.every(0, () => seen.push('every'));
  await new Promise<void>((resolve) => {
    loop.endOfTurn(() => seen.push('end of turn'));
    loop.afterCallback(() => seen.push('after callback'));
    loop.after(5, resolve);
  });
  every.cancel();

  expect(seen[0]).toBe('after callback');
  expect(seen).toContain('end of turn');
  expect(seen).toContain('every');
  expect(seen).not.toContain('cancelled');
});

test('a timer of months fires at its time, not at once, and can be cancelled', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { loop } = nodeEnvironment();
  const dayMs = 86_400_000;
  const seen: string[] = [];
  loop.after(60 * dayMs, () => seen.push('sixty days'));
  const cancelled = loop.after(60 * dayMs, () => seen.push('cancelled'));

  vi.advanceTimersByTime(59 * dayMs);
  expect(seen).toEqual([]);
  cancelled.cancel();
  vi.advanceTimersByTime(dayMs);
  expect(seen).toEqual(['sixty days']);
});

test('names are unique, and clients do not draw the same chances', () => {
  const [one, two] = [nodeEnvironment(), nodeEnvironment()];

  expect(one.uniqueName()).toMatch(/^[0-9a-f]{32}$/);
  expect(one.uniqueName()).not.toBe(one.uniqueName());
  expect([one.prng.nextUint32(), one.prng.nextUint32()]).not.toEqual([
    ...[two.prng.nextUint32(), two.prng.nextUint32()],
  ]);
  expect(one.loop.nowMs()).toBeLessThanOrEqual(two.loop.nowMs());
});
