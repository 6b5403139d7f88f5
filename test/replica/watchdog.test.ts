import { describe, expect, test } from 'vitest';
import { Watchdog } from '../../src/replica/watchdog.ts';

function created(): Watchdog {
  return new Watchdog({ tickMs: 100, electionMs: 1000 });
}

describe('Watchdog', () => {
  test('ticks on time, and short delays, are no stall', () => {
    const watchdog = created();
    for (const nowMs of [0, 100, 200, 690, 790]) {
      expect(watchdog.tick(nowMs, undefined)).toBeUndefined();
    }
  });

  test('the second long delay within half a minute is a stall of the event loop', () => {
    const watchdog = created();
    watchdog.tick(0, undefined);

    expect(watchdog.tick(600, undefined)).toBeUndefined();
    expect(watchdog.tick(1200, undefined)).toBe('event-loop');
    expect(watchdog.tick(1800, undefined)).toBeUndefined();
  });

  test('long delays that lie far apart are put up with', () => {
    const watchdog = created();
    watchdog.tick(0, undefined);
    watchdog.tick(600, undefined);
    for (let nowMs = 700; nowMs <= 31_000; nowMs += 100) {
      watchdog.tick(nowMs, undefined);
    }

    expect(watchdog.tick(31_600, undefined)).toBeUndefined();
  });

  test('a log write of half an election timeout is a stall of the disk', () => {
    const watchdog = created();
    const told: unknown[] = [];
    for (let nowMs = 0; nowMs <= 1000; nowMs += 100) {
      told.push(watchdog.tick(nowMs, 100));
    }

    expect(told.indexOf('disk')).toBe(6);
    expect(told.filter((stall) => stall !== undefined)).toEqual(['disk']);
    expect(watchdog.tick(1100, 600)).toBe('disk');
  });

  test('a write that goes on stalling is told of again after five election timeouts', () => {
    const watchdog = created();
    const toldMs: number[] = [];
    for (let nowMs = 0; nowMs <= 11_000; nowMs += 100) {
      if (watchdog.tick(nowMs, 0) === 'disk') {
        toldMs.push(nowMs);
      }
    }

    expect(toldMs).toEqual([500, 5500, 10_500]);
  });
});
