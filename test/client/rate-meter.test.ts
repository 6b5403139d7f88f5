import { expect, test } from 'vitest';
import { RateMeter } from '../../src/client/rate-meter.ts';

/** A clock that the test sets. */
function setUp() {
  const clock = { ms: 0, nowMs: () => clock.ms };
  const meter = new RateMeter(clock);
  const mark = (perSecond: number, seconds: number): void => {
    for (let i = 0; i < perSecond * seconds; i++) {
      clock.ms += 1000 / perSecond;
      meter.mark();
    }
  };
  return { clock, meter, mark };
}

test('is nothing at first', () => {
  expect(setUp().meter.perSecond).toBe(0);
});

test('is right from the first seconds on', () => {
  const { meter, mark } = setUp();

  mark(10, 5);
  expect(meter.perSecond).toBeCloseTo(10, 0);
  mark(10, 600);
  expect(meter.perSecond).toBeCloseTo(10, 0);
});

test('forgets what was more than a few minutes ago', () => {
  const { clock, meter, mark } = setUp();
  mark(10, 120);

  clock.ms += 60_000;
  expect(meter.perSecond).toBeLessThan(5);
  clock.ms += 600_000;
  expect(meter.perSecond).toBeLessThan(0.01);
});
