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
          expect(inflights.bytes).toBe(twin.reduce((sum, [, size]) => sum + size, 0));
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

  test('G12: match stays below next, whatever comes, and neither knows more than was sent', () => {
    const steps = fc.array(
      fc.tuple(
        fc.constantFrom('send', 'accept', 'refuse', 'lost', 'stale'),
        fc.nat(12),
        fc.nat(12),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const progress = new Progress(2, 6, new Inflights(4, 1000));
        let last = 5;
        let match = 0;
        for (const [what, amount, hint] of plan) {
          if (what === 'send' && !progress.isPaused) {
            last = Math.max(last, progress.nextIndex);
            progress.sent(progress.nextIndex, amount);
          } else if (what === 'accept') {
            const index = Math.min(amount, last);
            expect(progress.maybeAdvance(index)).toBe(index > match);
            match = Math.max(match, index);
            if (progress.state === 'probe') {
              progress.becomeReplicate();
            } else {
              progress.inflights.freeTo(index);
            }
          } else if (what === 'refuse') {
            progress.maybeRetreat(progress.nextIndex - 1, hint);
          } else if (what === 'stale') {
            const before = progress.nextIndex;
            const isStale = progress.state === 'probe' ? amount !== before - 1 : amount <= match;
            expect(progress.maybeRetreat(amount, hint)).toBe(!isStale);
            expect(isStale ? progress.nextIndex : before).toBe(before);
          } else if (what === 'lost' && progress.state === 'replicate') {
            progress.becomeProbe();
          }
          expect(progress.matchIndex).toBe(match);
          expect(progress.nextIndex).toBeGreaterThan(match);
          expect(progress.nextIndex).toBeLessThanOrEqual(last + 1);
          expect(progress.inflights.count).toBeLessThanOrEqual(4);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('a refusal from before the peer was sent for a snapshot changes nothing', () => {
    const progress = new Progress(2, 10, new Inflights(4, 20));
    progress.becomeSnapshot();
    progress.sent(9, 0);

    expect(progress.maybeRetreat(9, 0)).toBe(false);

    expect(progress).toMatchObject({ state: 'snapshot', nextIndex: 10, isProbeSent: true });
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
