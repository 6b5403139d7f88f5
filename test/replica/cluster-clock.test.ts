import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterClock } from '../../src/replica/cluster-clock.ts';

let clock: ClusterClock;

beforeEach(() => {
  clock = new ClusterClock();
});

/** At a moment of its own clock, the member has applied a stamp of a term. */
function apply(atMs: number, timeMs: number, appliedTerm = 1, leadingTerm = 0): void {
  clock.noteTime(atMs);
  clock.applied({ timeMs, isNeeded: true, nextDeadlineMs: undefined }, appliedTerm, leadingTerm);
}

function timeAt(nowMs: number): number {
  clock.noteTime(nowMs);
  return clock.timeMs;
}

function stampAt(nowMs: number, leadingTerm: number): number | undefined {
  clock.noteTime(nowMs);
  return clock.dueStamp(leadingTerm);
}

describe('the clock of the cluster', () => {
  test('counts on from the moment at which a stamp was applied', () => {
    apply(5000, 100);
    expect(timeAt(5400)).toBe(500);
    apply(5500, 550);
    expect(timeAt(5500)).toBe(550);
  });

  test('goes back when a stamp says so: what has a deadline counts from that stamp', () => {
    apply(5000, 100);
    apply(9000, 200);
    expect(timeAt(9000)).toBe(200);
  });

  test('of a leader runs on, however late its own stamps are applied', () => {
    apply(1000, 0, 2, 2);
    expect(stampAt(1400, 2)).toBe(400);
    clock.stamped(400);
    apply(1900, 400, 2, 2);
    expect(timeAt(2000)).toBe(1000);
  });

  test('is not told by a leader before it has applied an entry of its own term', () => {
    apply(1000, 0, 2, 3);
    expect(stampAt(9000, 3)).toBeUndefined();
    apply(9000, 700, 2, 3);
    apply(9100, 700, 3, 3);
    expect(stampAt(9400, 3)).toBe(1100);
  });

  test('is another leader’s after that one’s stamp, also for who leads before and after', () => {
    apply(1000, 0, 2, 2);
    apply(5000, 10, 4, 4);
    expect(timeAt(5000)).toBe(10);
    expect(stampAt(5300, 2)).toBeUndefined();
  });

  test('is stamped at intervals, at once for a deadline, and once at a time', () => {
    apply(1000, 100, 1, 1);
    expect(stampAt(1249, 1)).toBeUndefined();
    expect(stampAt(1250, 1)).toBe(350);
    clock.stamped(350);
    expect(stampAt(2000, 1)).toBeUndefined();
    clock.noteTime(2000);
    clock.applied({ timeMs: 350, isNeeded: true, nextDeadlineMs: 1110 }, 1, 1);
    clock.stamped(1100);
    clock.applied({ timeMs: 1100, isNeeded: true, nextDeadlineMs: 1110 }, 1, 1);
    expect(stampAt(2009, 1)).toBeUndefined();
    expect(stampAt(2010, 1)).toBe(1110);
  });

  test('is not stamped while nothing depends on it', () => {
    clock.noteTime(1000);
    clock.applied({ timeMs: 0, isNeeded: false, nextDeadlineMs: undefined }, 1, 1);
    expect(stampAt(99_000, 1)).toBeUndefined();
  });

  test('forgets a stamp on its way when it leads no more', () => {
    apply(1000, 0, 1, 1);
    clock.stamped(500);
    apply(2000, 0, 1, 0);
    apply(3000, 0, 5, 5);
    expect(stampAt(3300, 5)).toBe(2300);
  });

  test('does not guess what time it is', () => {
    expect(() => new ClusterClock().timeMs).toThrow('told before it is asked for');
  });
});
