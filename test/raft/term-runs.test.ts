/**
 * The terms of a log that begins after a snapshot, against a naive twin; and records that cannot
 * be.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TermRun } from '../../src/raft/index.ts';
import { TermRuns } from '../../src/raft/term-runs.ts';

/**
 * Of a log whose entries have these terms after a snapshot at (`snapshotIndex`, `snapshotTerm`).
 */
function runsOf(snapshotIndex: number, snapshotTerm: number, terms: readonly number[]): TermRuns {
  const runs = new TermRuns({
    snapshotIndex,
    snapshotTerm,
    lastIndex: snapshotIndex,
    termRuns: [],
    confEntries: [],
  });
  for (const term of terms) {
    runs.append(term);
  }
  return runs;
}

const ascending = fc
  .array(fc.integer({ min: 2, max: 6 }), { maxLength: 15 })
  .map((terms) => terms.sort((a, b) => a - b));

describe('TermRuns', () => {
  test('a log that has nothing after its snapshot ends there, told or not', () => {
    const summary = { snapshotIndex: 5, snapshotTerm: 2, termRuns: [], confEntries: [] };

    const ends = [0, 5].map((lastIndex) => new TermRuns({ ...summary, lastIndex }).lastIndex);

    expect(ends).toEqual([5, 5]);
  });

  test('compacted to its end it has no runs, but the term of the last entry', () => {
    const runs = runsOf(0, 0, [2, 3, 3]);

    runs.compactTo(3);

    expect(runs).toMatchObject({ runs: [], lastIndex: 3, lastTerm: 3 });
  });

  test('F01, O14: terms and hints after a snapshot are those of the naive twin', () => {
    fc.assert(
      fc.property(ascending, fc.nat(6), fc.nat(25), fc.nat(7), (terms, snapshotIndex, at, term) => {
        const snapshotTerm = snapshotIndex === 0 ? 0 : 2;
        const runs = runsOf(snapshotIndex, snapshotTerm, terms);
        const twin = new Map([[snapshotIndex, snapshotTerm]]);
        for (const [i, each] of terms.entries()) {
          twin.set(snapshotIndex + 1 + i, each);
        }
        const known = [...twin].filter(([index, each]) => index <= at && each <= term);

        expect(runs.termAt(at)).toBe(twin.get(at));
        expect(runs.lastIndex).toBe(snapshotIndex + terms.length);
        expect(runs.lastTerm).toBe(terms.at(-1) ?? snapshotTerm);
        expect(runs.lastIndexNotAbove(at, term)).toBe(known.at(-1)?.[0] ?? 0);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('a truncated log has the runs of a log that never had the tail', () => {
    fc.assert(
      fc.property(ascending, fc.nat(20), fc.nat(3), (terms, keep, snapshotIndex) => {
        const kept = terms.slice(0, keep);
        const runs = runsOf(snapshotIndex, 1, terms);

        runs.truncateFrom(snapshotIndex + 1 + keep);

        const twin = runsOf(snapshotIndex, 1, kept);
        expect(runs.runs).toEqual(twin.runs);
        expect(runs.lastIndex).toBe(twin.lastIndex);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('one record stands for each term, however many entries it has', () => {
    const terms = Array.from({ length: 10_000 }, (_, i) => 1 + Math.floor(i / 2500));

    expect(runsOf(0, 0, terms).runs).toHaveLength(4);
  });

  test('terms never shrink, and nothing below a snapshot is truncated', () => {
    const runs = runsOf(5, 3, [3, 4]);

    expect(() => {
      runs.append(3);
    }).toThrow(/never shrink/);
    expect(() => {
      runs.truncateFrom(5);
    }).toThrow(/snapshot/);
  });

  test.each<[string, TermRun[]]>([
    [
      'that do not ascend',
      [
        { term: 2, firstIndex: 7 },
        { term: 3, firstIndex: 6 },
      ],
    ],
    ['below the snapshot', [{ term: 3, firstIndex: 5 }]],
    ['of a term before the one of the snapshot', [{ term: 1, firstIndex: 6 }]],
    ['beyond the last index', [{ term: 3, firstIndex: 9 }]],
  ])('runs %s are refused', (_, termRuns) => {
    expect(
      () =>
        new TermRuns({
          snapshotIndex: 5,
          snapshotTerm: 2,
          lastIndex: 8,
          termRuns,
          confEntries: [],
        }),
    ).toThrow(/term run/);
  });
});
