/** The log against a naive twin that keeps everything in an array, and its bounds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RaftOptions } from '../../src/raft/index.ts';
import { RaftLog } from '../../src/raft/log.ts';
import { entriesOf, entry, termRunsOf } from './subject.ts';

function logOf(
  terms: readonly number[],
  limits: Partial<
    Pick<RaftOptions, 'cacheBytesMax' | 'unappliedBytesMax' | 'applyingBytesMax'>
  > = {},
): RaftLog {
  return new RaftLog(
    {
      snapshotIndex: 0,
      snapshotTerm: 0,
      lastIndex: terms.length,
      termRuns: termRunsOf(terms),
      confEntries: [],
    },
    { commitIndex: 0, appliedIndex: 0 },
    { cacheBytesMax: 1000, unappliedBytesMax: 1000, applyingBytesMax: 1000, ...limits },
  );
}

/** Terms that never shrink. */
const ascendingTerms = fc
  .array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 })
  .map((terms) => terms.sort((a, b) => a - b));

describe('RaftLog', () => {
  test('A11: "at least as up to date" is by last term, then by last index', () => {
    const log = logOf([1, 2, 2]);

    expect([log.isUpToDate(9, 1), log.isUpToDate(2, 2)]).toEqual([false, false]);
    expect([log.isUpToDate(3, 2), log.isUpToDate(1, 3)]).toEqual([true, true]);
  });

  test('F01: hints, terms and conflicts are those of the naive twin', () => {
    fc.assert(
      fc.property(ascendingTerms, fc.nat(14), fc.nat(6), (terms, index, term) => {
        const log = logOf(terms);
        let hint = Math.min(index, terms.length);
        while (hint > 0 && (terms[hint - 1] ?? 0) > term) {
          hint--;
        }

        expect(log.lastIndexNotAbove(index, term)).toBe(hint);
        expect(log.termAt(index)).toBe(index === 0 ? 0 : terms[index - 1]);
        expect(log.lastTerm).toBe(terms.at(-1) ?? 0);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('D06: the first new entry is the first one whose term differs', () => {
    fc.assert(
      fc.property(ascendingTerms, ascendingTerms, (ours, theirs) => {
        const at = theirs.findIndex((term, i) => ours[i] !== term);

        expect(logOf(ours).firstNewIndex(entriesOf(theirs))).toBe(at + 1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('append, truncate and stable keep what the naive twin keeps, whatever is evicted', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('append', 'truncate', 'stable', 'commit', 'apply'), fc.nat(3)),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 200, 100_000), (plan, cacheBytesMax) => {
        const log = logOf([], { cacheBytesMax, unappliedBytesMax: 2 * cacheBytesMax });
        const twin: number[] = [];
        let term = 1;
        let stable = 0;
        for (const [what, amount] of plan) {
          if (what === 'append') {
            for (let i = 0; i <= amount; i++) {
              log.append([entry(twin.length + 1, term, 'abc')]);
              twin.push(term);
            }
          } else if (what === 'truncate' && twin.length - amount > log.commitIndex) {
            log.truncateFrom(twin.length - amount);
            twin.splice(twin.length - amount - 1);
            term++;
            stable = Math.min(stable, twin.length);
          } else if (what === 'stable') {
            stable = Math.min(stable + amount, twin.length);
            log.stableTo(stable);
          } else if (what === 'commit') {
            log.commitTo(Math.min(log.commitIndex + amount, twin.length));
          } else if (what === 'apply' && log.nextToApply !== undefined) {
            const slice = log.slice(log.nextToApply, log.applicableIndex + 1, log.applyingRoom);
            if (slice.kind === 'entries') {
              log.markApplying(slice.entries, slice.bytes);
              log.appliedTo(log.applyingIndex);
            }
          }
          expect(twin.map((_, i) => log.termAt(i + 1))).toEqual(twin);
          expect(log.stableIndex).toBe(stable);
          // What is not applied yet can be read again, once it is committed and on disk.
          expect(log.cacheFirst).toBeLessThanOrEqual(log.applicableIndex + 1);
          expect(log.cacheBytes).toBe((twin.length + 1 - log.cacheFirst) * (3 + 64));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('D07: what is committed is never dropped', () => {
    const log = logOf([]);
    log.append(entriesOf([1, 1, 1]));
    log.commitTo(2);

    log.truncateFrom(3);

    expect(log.lastIndex).toBe(2);
    expect(() => log.truncateFrom(2)).toThrow(/conflicts with a committed/);
  });

  test('E05: the commit index never shrinks and never leaves the log', () => {
    const log = logOf([1, 1, 1]);
    log.append([entry(4, 1)]);
    log.commitTo(4);
    log.commitTo(2);

    expect(log.commitIndex).toBe(4);
    expect(() => log.commitTo(5)).toThrow(/beyond/);
  });

  test('O03: only entries that are committed and durable are handed out', () => {
    const log = logOf([]);
    log.append(entriesOf([1, 1, 1]));
    expect(log.nextToApply).toBeUndefined();
    log.commitTo(3);
    expect(log.nextToApply).toBeUndefined();

    log.stableTo(2);

    expect(log.nextToApply).toBe(1);
    expect(log.applicableIndex).toBe(2);
  });

  test('O03, O04, P05: each entry is handed out once, in order, within the limit', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('append', 'stable', 'commit', 'take', 'applied'), fc.nat(9)),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 7, 1000), (plan, applyingBytesMax) => {
        const log = logOf([], { applyingBytesMax });
        const handedOut: number[] = [];
        for (const [what, amount] of plan) {
          const { lastIndex, applyingIndex, nextToApply: lo } = log;
          if (what === 'append') {
            log.append([entry(lastIndex + 1, 1, 'abc')]);
          } else if (what === 'stable') {
            log.stableTo(Math.min(log.stableIndex + amount, lastIndex));
          } else if (what === 'commit') {
            log.commitTo(Math.min(log.commitIndex + amount, lastIndex));
          } else if (what === 'applied') {
            log.appliedTo(Math.min(log.appliedIndex + amount, applyingIndex));
          } else if (lo !== undefined) {
            const slice = log.slice(lo, log.applicableIndex + 1, log.applyingRoom);
            if (slice.kind === 'entries') {
              log.markApplying(slice.entries, slice.bytes);
              handedOut.push(...slice.entries.map(({ index }) => index));
            }
          }
          const unconfirmed = (log.applyingIndex - log.appliedIndex) * 3;
          // The last entry taken may pass the limit, by less than its own three bytes.
          expect(unconfirmed).toBeLessThanOrEqual(applyingBytesMax + 2);
          expect(log.applyingIndex).toBeLessThanOrEqual(Math.min(log.commitIndex, log.stableIndex));
        }
        expect(handedOut).toEqual(handedOut.map((_, i) => i + 1));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('O04: what is handed out and unconfirmed is bounded', () => {
    const log = logOf([], { applyingBytesMax: 4 });
    log.append([entry(1, 1, 'aa'), entry(2, 1, 'bb'), entry(3, 1, 'cc')]);
    log.stableTo(3);
    log.commitTo(3);
    const slice = log.slice(1, 4, log.applyingRoom);
    if (slice.kind === 'entries') {
      log.markApplying(slice.entries, slice.bytes);
    }

    expect(log.applyingIndex).toBe(2);
    expect(log.nextToApply).toBeUndefined();
    log.appliedTo(2);
    expect(log.nextToApply).toBe(3);
  });

  test('more is handed out while there is room beside what is unconfirmed', () => {
    const log = logOf([], { applyingBytesMax: 4 });
    log.append([entry(1, 1, 'aa'), entry(2, 1, 'bb')]);
    log.stableTo(2);
    log.commitTo(2);

    log.markApplying([entry(1, 1, 'aa')], 2);

    expect([log.nextToApply, log.applyingRoom]).toEqual([2, 2]);
  });

  test('the end of an earlier write takes back nothing of what is on disk', () => {
    const log = logOf([]);
    log.append(entriesOf([1, 1, 1]));
    log.stableTo(3);

    log.stableTo(2);

    expect(log.stableIndex).toBe(3);
  });

  test('what is applied is so for good, told late or twice', () => {
    const log = logOf([]);
    log.append(entriesOf([1, 1, 1]));
    log.stableTo(3);
    log.commitTo(3);
    log.markApplying(entriesOf([1, 1, 1]), 0);
    log.appliedTo(2);

    log.appliedTo(2);
    expect(() => {
      log.appliedTo(1);
    }).toThrow('never shrinks');
    log.restore(9, 2);
    log.appliedTo(3);

    expect(log.appliedIndex).toBe(9);
  });

  test('what fits the memory for applied entries to the byte stays there', () => {
    const log = logOf([], { cacheBytesMax: 2 * (3 + 64) });
    const entries = ['abc', 'def', 'ghi'].map((text, i) => entry(i + 1, 1, text));
    log.append(entries);
    log.stableTo(3);
    log.commitTo(3);
    log.markApplying(entries, 9);

    log.appliedTo(3);

    expect(log.cacheFirst).toBe(2);
  });

  test('what waits to be applied fills the memory up to a bound: its disk has it', () => {
    const log = logOf([], { cacheBytesMax: 100, unappliedBytesMax: 500 });
    const most: number[] = [];
    for (let index = 1; index <= 1000; index++) {
      log.append([entry(index, 1, 'abc')]);
      log.commitTo(index);
      log.stableTo(index);
      most.push(log.cacheBytes);
    }

    expect(Math.max(...most)).toBeLessThanOrEqual(500);
    expect(Math.max(...most), 'more than of what is applied').toBeGreaterThan(100);
    expect(log.nextToApply).toBe(1);
    expect(log.slice(1, 1001, 100)).toEqual({ kind: 'not-cached' });
  });

  test('what is not committed stays in memory, however much it is', () => {
    const log = logOf([], { cacheBytesMax: 0, unappliedBytesMax: 0 });
    log.append([entry(1, 1, 'a'), entry(2, 1, 'b'), entry(3, 1, 'c')]);
    log.commitTo(1);
    log.stableTo(3);

    expect(log.cacheFirst).toBe(2);
    expect(log.uncommittedBytes).toBe(2);
  });

  test('O14: terms outside the log are unknown, slices outside it stop the node', () => {
    const log = logOf([1]);

    expect(log.termAt(2)).toBeUndefined();
    expect(() => log.slice(1, 3, 10)).toThrow(/slice/);
    expect(log.slice(1, 2, 10)).toEqual({ kind: 'not-cached' });
  });

  test('O15: a slice stops at the limit but gives at least one entry', () => {
    const log = logOf([]);
    log.append([entry(1, 1, 'aaaa'), entry(2, 1, 'b'), entry(3, 1, 'c'), entry(4, 1, 'd')]);
    const lengthOf = (lo: number, bytesMax: number): number => {
      const slice = log.slice(lo, 5, bytesMax);
      return slice.kind === 'entries' ? slice.entries.length : 0;
    };

    expect([lengthOf(1, 1), lengthOf(2, 2), lengthOf(2, 100)]).toEqual([1, 2, 3]);
  });
});
