/** How fast failed calls are tried again. */
import { describe, expect, test } from 'vitest';
import { RetryPace } from '../../src/client/pace.ts';
import { virtualEnvironment } from './fake-members.ts';

describe('the pace of retries', () => {
  test('pauses double up to a second, with jitter of half', () => {
    const pace = new RetryPace(virtualEnvironment());

    const first = Array.from({ length: 20 }, () => pace.pauseMs(1));
    const late = Array.from({ length: 20 }, () => pace.pauseMs(50));

    expect(Math.min(...first)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...first)).toBeLessThanOrEqual(20);
    expect(new Set(first).size).toBeGreaterThan(10);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...late)).toBeLessThanOrEqual(1000);
  });

  test('is slow once the budget is used up, and quick again after a while', async () => {
    const environment = virtualEnvironment();
    const pace = new RetryPace(environment);
    const quick = (): number => {
      let count = 0;
      while (pace.pauseMs(1) <= 20) {
        count++;
      }
      return count;
    };

    expect(quick()).toBe(100);
    expect(pace.pauseMs(1)).toBeGreaterThanOrEqual(500);
    await environment.loop.run(2000);
    expect(quick()).toBe(20);
  });

  test('successes earn retries: one in ten', () => {
    const pace = new RetryPace(virtualEnvironment());
    for (let i = 0; i < 100; i++) {
      pace.pauseMs(1);
    }

    for (let i = 0; i < 11; i++) {
      pace.succeeded();
    }

    expect(pace.pauseMs(1)).toBeLessThanOrEqual(20);
    expect(pace.pauseMs(1)).toBeGreaterThanOrEqual(500);
  });
});
