/**
 * What every LogStore must do. The factory gives a harness around one log: `open` opens it, and
 * opening again after `close` must find what was acknowledged. A naive twin (an array) says what
 * that is.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import type { Entry, HardState, TermRun } from '../../src/raft/index.ts';
import type { LogStore } from '../../src/storage/index.ts';

/** One log that can be opened again and again. */
export interface LogStoreHarness {
  open(): Promise<LogStore>;
  dispose(): Promise<void>;
}

/** An entry whose data depends on index and term alone. */
export function makeEntry(index: number, term: number, dataBytes = 5): Entry {
  const data = new Uint8Array(dataBytes);
  for (let i = 0; i < dataBytes; i++) {
    data[i] = (index * 31 + term * 7 + i) & 0xff;
  }
  return { index, term, type: index % 7 === 3 ? 'confChange' : 'normal', data };
}

/** Entries `[lo, hi)` of one term. */
export function makeEntries(lo: number, hi: number, term: number, dataBytes = 5): Entry[] {
  return Array.from({ length: hi - lo }, (_, i) => makeEntry(lo + i, term, dataBytes));
}

/**
 * The form entries are compared in: a Buffer or a plain array of the same bytes is the same data.
 */
export function plain(entries: readonly Entry[]): unknown[] {
  return entries.map(({ index, term, type, data }) => ({ index, term, type, data: [...data] }));
}

/** Term runs, the slow way. */
function termRunsOf(entries: readonly Entry[]): TermRun[] {
  const runs: TermRun[] = [];
  for (const { term, index } of entries) {
    if (runs.at(-1)?.term !== term) {
      runs.push({ term, firstIndex: index });
    }
  }
  return runs;
}

function confEntriesOf(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ type }) => type === 'confChange');
}

const hardState = (currentTerm: number, votedFor: number, commitIndex: number): HardState => ({
  currentTerm,
  votedFor,
  commitIndex,
});

/** Runs the suite; `create` makes an empty log. */
export function describeLogStore(name: string, create: () => Promise<LogStoreHarness>): void {
  // Real syncs on a busy machine.
  describe(`${name} as a LogStore`, { timeout: 60_000 }, () => {
    let harness: LogStoreHarness;
    let log: LogStore;
    beforeEach(async () => {
      harness = await create();
      log = await harness.open();
    });
    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    const append = async (entries: readonly Entry[], state?: HardState): Promise<void> =>
      log.append({ entries, hardState: state, mustSync: true });
    const reopen = async (): Promise<void> => {
      await log.close();
      log = await harness.open();
    };
    const readAll = async (): Promise<readonly Entry[]> => {
      const { snapshotIndex, lastIndex } = log.initialLog;
      return lastIndex === snapshotIndex
        ? []
        : log.read(snapshotIndex + 1, lastIndex + 1, Number.MAX_SAFE_INTEGER);
    };

    test('an empty log says so', async () => {
      expect(log.initialHardState).toEqual(hardState(0, 0, 0));
      expect(log.initialLog).toEqual({
        snapshotIndex: 0,
        snapshotTerm: 0,
        lastIndex: 0,
        termRuns: [],
        confEntries: [],
      });
      await reopen();
      expect(log.initialLog.lastIndex).toBe(0);
    });

    test('entries and hard state are there after a reopen', async () => {
      const entries = [...makeEntries(1, 4, 1), ...makeEntries(4, 6, 3)];
      await append(entries, hardState(3, 2, 4));
      await reopen();

      expect(log.initialHardState).toEqual(hardState(3, 2, 4));
      const { confEntries, ...rest } = log.initialLog;
      expect({ ...rest, confEntries: plain(confEntries) }).toEqual({
        snapshotIndex: 0,
        snapshotTerm: 0,
        lastIndex: 5,
        termRuns: termRunsOf(entries),
        confEntries: plain(confEntriesOf(entries)),
      });
      expect(plain(await readAll())).toEqual(plain(entries));
    });

    test('appended entries are readable at once', async () => {
      const entries = makeEntries(1, 10, 1);
      await append(entries);

      expect(plain(await log.read(3, 6, 1000))).toEqual(plain(entries.slice(2, 5)));
    });

    test('a batch without hard state keeps the one before', async () => {
      await append([], hardState(2, 1, 0));
      await append(makeEntries(1, 2, 2));
      await reopen();

      expect(log.initialHardState).toEqual(hardState(2, 1, 0));
    });

    test('an unsynced hard state goes with the next synced batch, or with close', async () => {
      await append(makeEntries(1, 3, 1), hardState(1, 1, 0));
      await log.append({ hardState: hardState(1, 1, 1), entries: [], mustSync: false });
      await append(makeEntries(3, 4, 1));
      await reopen();
      expect(log.initialHardState).toEqual(hardState(1, 1, 1));

      await log.append({ hardState: hardState(1, 1, 3), entries: [], mustSync: false });
      await reopen();
      expect(log.initialHardState).toEqual(hardState(1, 1, 3));
    });

    test('an append at or below the last index overwrites the tail', async () => {
      await append(makeEntries(1, 8, 1));
      await append(makeEntries(4, 6, 2));
      const expected = [...makeEntries(1, 4, 1), ...makeEntries(4, 6, 2)];

      expect(plain(await log.read(1, 6, 1000))).toEqual(plain(expected));
      await reopen();
      expect(log.initialLog.lastIndex).toBe(5);
      expect(log.initialLog.termRuns).toEqual(termRunsOf(expected));
      expect(plain(log.initialLog.confEntries)).toEqual(plain(confEntriesOf(expected)));
      expect(plain(await readAll())).toEqual(plain(expected));
    });

    test('the whole log can be overwritten', async () => {
      await append(makeEntries(1, 5, 1));
      await append(makeEntries(1, 2, 2));
      await reopen();

      expect(plain(await readAll())).toEqual(plain(makeEntries(1, 2, 2)));
    });

    test('a read stops before bytesMax is passed, but returns at least one entry', async () => {
      await append(makeEntries(1, 11, 1, 100));

      expect((await log.read(1, 11, 0)).length).toBe(1);
      expect((await log.read(1, 11, 99)).length).toBe(1);
      expect((await log.read(1, 11, 299)).length).toBe(2);
      expect((await log.read(1, 11, 300)).length).toBe(3);
      expect((await log.read(1, 11, 10_000)).length).toBe(10);
      expect((await log.read(10, 11, 10_000)).length).toBe(1);
    });

    test('empty and large entries come back as they were', async () => {
      const entries = [makeEntry(1, 1, 0), makeEntry(2, 1, 300_000), makeEntry(3, 1, 1)];
      await append(entries);
      await reopen();

      expect(plain(await readAll())).toEqual(plain(entries));
    });

    test('holes, appends at the same time and reads beyond the end stop the program', async () => {
      await append(makeEntries(1, 3, 1));

      await expect(append(makeEntries(4, 5, 1))).rejects.toThrow('hole');
      await expect(append([makeEntry(3, 1), makeEntry(5, 1)])).rejects.toThrow('contiguous');
      await expect(log.read(1, 4, 1)).rejects.toThrow('beyond');
      await expect(log.read(0, 1, 1)).rejects.toThrow('not above the snapshot');
      const first = append(makeEntries(3, 4, 1));
      await expect(append(makeEntries(4, 5, 1))).rejects.toThrow('one append at a time');
      await first;
    });

    test('a compaction forgets the entries up to its index, also after a reopen', async () => {
      const entries = [...makeEntries(1, 9, 1), ...makeEntries(9, 21, 3)];
      await append(entries, hardState(3, 1, 15));
      await log.compact(12);

      expect(plain(await log.read(13, 21, 1e9))).toEqual(plain(entries.slice(12)));
      await expect(log.read(12, 14, 1e9)).rejects.toThrow('not above the snapshot');
      await reopen();
      expect(log.initialHardState).toEqual(hardState(3, 1, 15));
      expect(log.initialLog).toMatchObject({
        snapshotIndex: 12,
        snapshotTerm: 3,
        lastIndex: 20,
        termRuns: [{ term: 3, firstIndex: 13 }],
      });
      expect(plain(log.initialLog.confEntries)).toEqual(
        plain(confEntriesOf(entries).filter(({ index }) => index > 12)),
      );
      expect(plain(await readAll())).toEqual(plain(entries.slice(12)));
    });

    test('the term of the last forgotten entry is kept, also between two terms', async () => {
      await append([...makeEntries(1, 9, 1), ...makeEntries(9, 21, 3)]);
      await log.compact(8);
      await reopen();

      expect(log.initialLog).toMatchObject({
        snapshotIndex: 8,
        snapshotTerm: 1,
        termRuns: [{ term: 3, firstIndex: 9 }],
      });
    });

    test('a compaction of everything leaves a log that goes on', async () => {
      await append(makeEntries(1, 9, 2));
      await log.compact(8);
      await reopen();
      expect(log.initialLog).toEqual({
        snapshotIndex: 8,
        snapshotTerm: 2,
        lastIndex: 8,
        termRuns: [],
        confEntries: [],
      });

      await append(makeEntries(9, 12, 2));
      await reopen();
      expect(plain(await readAll())).toEqual(plain(makeEntries(9, 12, 2)));
    });

    test('a compaction to where the log starts already, or below, changes nothing', async () => {
      await append(makeEntries(1, 9, 1));
      await log.compact(5);
      await log.compact(5);
      await log.compact(3);
      await reopen();

      expect(log.initialLog.snapshotIndex).toBe(5);
    });

    test('a compaction beyond the end stops the program', async () => {
      await append(makeEntries(1, 3, 1));

      await expect(log.compact(3)).rejects.toThrow('beyond the end');
    });

    test('a compaction runs beside an append and beside reads', async () => {
      const entries = makeEntries(1, 40, 1, 100);
      await append(entries.slice(0, 30));
      const reading = log.read(1, 31, 1e9);
      const appending = append(entries.slice(30));
      const compacting = [log.compact(20), log.compact(10)];
      await Promise.all([appending, ...compacting]);

      expect(plain(await reading)).toEqual(plain(entries.slice(0, 30)));
      expect(plain(await log.read(21, 40, 1e9))).toEqual(plain(entries.slice(20)));
      await reopen();
      expect(plain(await readAll())).toEqual(plain(entries.slice(20)));
    });

    test('a reset empties the log, which goes on after the position', async () => {
      await append(makeEntries(1, 9, 2), hardState(2, 1, 5));
      const reading = log.read(1, 9, 1e9);
      await log.reset({ index: 100, term: 7 }, hardState(8, 3, 100));

      expect(plain(await reading)).toEqual(plain(makeEntries(1, 9, 2)));
      await expect(log.read(8, 9, 1e9)).rejects.toThrow('not above the snapshot');
      await expect(append(makeEntries(9, 10, 2))).rejects.toThrow('compacted log');
      await reopen();
      expect(log.initialHardState).toEqual(hardState(8, 3, 100));
      expect(log.initialLog).toEqual({
        snapshotIndex: 100,
        snapshotTerm: 7,
        lastIndex: 100,
        termRuns: [],
        confEntries: [],
      });
      await append(makeEntries(101, 104, 8));
      await reopen();
      expect(plain(await readAll())).toEqual(plain(makeEntries(101, 104, 8)));
    });

    test('a reset may go back, too, and is compacted afterwards as any log', async () => {
      await append(makeEntries(1, 60, 2, 60));
      await log.compact(50);
      await log.reset({ index: 20, term: 9 }, hardState(9, 0, 20));
      await append(makeEntries(21, 40, 9, 60));
      await log.compact(30);
      await reopen();

      expect(log.initialLog).toMatchObject({ snapshotIndex: 30, snapshotTerm: 9, lastIndex: 39 });
      expect(plain(await readAll())).toEqual(plain(makeEntries(31, 40, 9, 60)));
      await log.reset({ index: 35, term: 9 }, hardState(9, 0, 35));
      await reopen();
      expect(log.initialLog).toMatchObject({ snapshotIndex: 35, snapshotTerm: 9, lastIndex: 35 });
    });

    test('a reset counts as an append: one at a time', async () => {
      const first = log.reset({ index: 5, term: 1 }, hardState(1, 0, 5));
      await expect(append(makeEntries(6, 7, 1))).rejects.toThrow('one append at a time');
      await first;
    });

    test('closing twice does nothing, and size is told', async () => {
      await append(makeEntries(1, 2, 1));

      expect(log.sizeBytes()).toBeGreaterThan(0);
      await log.close();
      await log.close();
    });

    test('agrees with a naive twin over random changes and reopens', async () => {
      const prng = createPrng(7);
      let start = { index: 0, term: 0 };
      let twin: Entry[] = [];
      let twinState = hardState(0, 0, 0);
      let term = 1;
      for (let round = 0; round < 300; round++) {
        const lastIndex = start.index + twin.length;
        const kind = prng.nextInt(0, 20);
        if (kind === 0) {
          await reopen();
          expect(log.initialHardState).toEqual(twinState);
          expect(log.initialLog).toMatchObject({
            snapshotIndex: start.index,
            snapshotTerm: start.term,
            lastIndex,
            termRuns: termRunsOf(twin),
          });
          expect(plain(log.initialLog.confEntries)).toEqual(plain(confEntriesOf(twin)));
          expect(plain(await readAll())).toEqual(plain(twin));
          continue;
        }
        if (kind === 1 && twin.length > 0) {
          const kept = prng.nextInt(0, twin.length);
          const { index, term: lastTerm } = twin[twin.length - kept - 1] as Entry;
          start = { index, term: lastTerm };
          twin = twin.slice(twin.length - kept);
          await log.compact(index);
          continue;
        }
        term += kind < 4 ? 1 : 0;
        if (kind === 2 && prng.nextInt(0, 4) === 0) {
          start = { index: lastIndex + prng.nextInt(0, 9), term };
          twin = [];
          twinState = hardState(term, 0, start.index);
          await log.reset(start, twinState);
          continue;
        }
        const entries = randomEntries(prng, start.index, lastIndex, term);
        const cut = (entries[0]?.index ?? lastIndex + 1) - start.index - 1;
        twin = [...twin.slice(0, cut), ...entries];
        twinState = hardState(term, prng.nextInt(0, 4), prng.nextInt(0, twin.length + 1));
        await append(entries, twinState);
        if (twin.length > 0) {
          const lo = prng.nextInt(0, twin.length);
          const hi = prng.nextInt(lo + 1, twin.length + 1);
          const at = start.index + 1;
          const read = await log.read(at + lo, at + hi, Number.MAX_SAFE_INTEGER);
          expect(plain(read)).toEqual(plain(twin.slice(lo, hi)));
        }
      }
    });
  });
}

/**
 * Mostly what follows; now and then an overwrite (which needs a term not below the kept ones: a new
 * one).
 */
function randomEntries(prng: Prng, start: number, lastIndex: number, term: number): Entry[] {
  const isOverwrite = prng.nextInt(0, 12) === 0;
  const lo = isOverwrite ? Math.max(start + 1, lastIndex + 1 - prng.nextInt(0, 9)) : lastIndex + 1;
  const hi = lo + prng.nextInt(0, 5);
  return Array.from({ length: hi - lo }, (_, i) => makeEntry(lo + i, term, prng.nextInt(0, 60)));
}
