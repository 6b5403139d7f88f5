/** A leader's view of one peer, and the window of unanswered appends. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Inflights, Progress } from '../../src/raft/progress.ts';

describe('Inflights', () => {
  test('G05: behaves as a plain queue does', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 50 });
    fc.assert(
      fc.property(steps, (plan) => {
        const inflights = new Inflights(4, 20);
        let twin: [number, number][] = [];
        let last = 0;
        for (const [isAdd, amount] of plan) {
          const bytes = twin.reduce((sum, [, size]) => sum + size, 0);
          expect(inflights.isFull).toBe(twin.length >= 4 || bytes >= 20);
          if (isAdd && !inflights.isFull) {
            inflights.add(++last, amount);
            twin.push([last, amount]);
          } else if (!isAdd) {
            const index = last - amount;
            inflights.freeTo(index);
            twin = twin.filter(([each]) => each > index);
          }
          expect(inflights.count).toBe(twin.length);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('Progress', () => {
  test('G12: match stays below next through every answer', () => {
    const progress = new Progress(2, 10, new Inflights(4, 20));
    progress.maybeRetreat(9, 0);
    progress.maybeAdvance(5);

    expect(progress.nextIndex).toBe(6);
    expect(progress.maybeRetreat(5, 0)).toBe(true);
    expect(progress.nextIndex).toBe(6);
  });

  test('G13: a change of state forgets what was in flight', () => {
    const progress = new Progress(2, 1, new Inflights(4, 20));
    progress.becomeReplicate();
    progress.sent(3, 5);
    expect(progress.inflights.count).toBe(1);

    progress.becomeProbe();

    expect(progress.inflights.count).toBe(0);
    expect(progress.nextIndex).toBe(1);
  });
});
