/**
 * The crash matrix of the log: whatever a crash or a damaged disk makes of a small log, it opens to
 * exactly what was acknowledged (and possibly the append under way), or refuses and says where and
 * what to do.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, KvError } from '../../src/base/index.ts';
import type { Entry, HardState } from '../../src/raft/index.ts';
import {
  createWal,
  type LogAppend,
  type LogPosition,
  type LogStore,
  openWal,
  type WalOptions,
} from '../../src/storage/index.ts';
import { makeEntries, makeEntry, plain } from '../conformance/log-store.suite.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, type SectorPolicy } from './memory-file-system.ts';

const folder = '/member/wal';
const segmentBytes = 1024;
/** Thousands of openings: a second or two, more on a busy machine. */
const timeoutMs = 60_000;

function optionsFor(fileSystem: MemoryFileSystem): WalOptions {
  const prng = createPrng(11);
  return { folder, fileSystem, segmentBytes, randomUint32: () => prng.nextUint32() };
}

/** What a log holds, in comparable form. */
interface Contents {
  readonly hardState: HardState;
  readonly start: LogPosition;
  readonly entries: unknown[];
}

const empty: Contents = {
  hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
  start: { index: 0, term: 0 },
  entries: [],
};

/** One change of the log. */
type Step =
  | LogAppend
  | { readonly compactTo: LogPosition }
  | { readonly resetTo: LogPosition; readonly hardState: HardState };

function after(contents: Contents, step: Step): Contents {
  const { hardState, start, entries } = contents;
  if ('compactTo' in step) {
    return {
      hardState,
      start: step.compactTo,
      entries: entries.slice(step.compactTo.index - start.index),
    };
  }
  if ('resetTo' in step) {
    return { hardState: step.hardState, start: step.resetTo, entries: [] };
  }
  const first = step.entries[0];
  const kept = first === undefined ? entries : entries.slice(0, first.index - 1 - start.index);
  return {
    hardState: step.hardState ?? hardState,
    start,
    entries: [...kept, ...plain(step.entries)],
  };
}

async function take(log: LogStore, step: Step): Promise<void> {
  if ('compactTo' in step) {
    await log.compact(step.compactTo.index);
  } else if ('resetTo' in step) {
    await log.reset(step.resetTo, step.hardState);
  } else {
    await log.append(step);
  }
}

async function contentsOf(fileSystem: MemoryFileSystem): Promise<Contents> {
  const log = await openWal(optionsFor(fileSystem));
  const { snapshotIndex, snapshotTerm, lastIndex } = log.initialLog;
  const first = snapshotIndex + 1;
  const entries = lastIndex < first ? [] : await log.read(first, lastIndex + 1, 1e9);
  await log.close();
  return {
    hardState: log.initialHardState,
    start: { index: snapshotIndex, term: snapshotTerm },
    entries: plain(entries),
  };
}

/** Opens; a refusal must be one that an operator can work with. */
async function openOrRefusal(fileSystem: MemoryFileSystem): Promise<Contents | KvError> {
  try {
    return await contentsOf(fileSystem);
  } catch (error) {
    if (!(error instanceof KvError)) {
      throw error;
    }
    expect(error.code).toBe('DATA_CORRUPT');
    expect(error.message).toMatch(/\/member\/wal.* at offset \d+: .+\. Remedy: .*add it anew/s);
    return error;
  }
}

/** Data with a stretch of zeros as long as two sectors: looks torn without being so. */
function zeroEntry(index: number, term: number): Entry {
  const data = new Uint8Array(1100);
  data.fill(7, 0, 20);
  data.fill(9, 1080);
  return { index, term, type: 'normal', data };
}

const batches: readonly LogAppend[] = [
  { hardState: { currentTerm: 1, votedFor: 2, commitIndex: 0 }, entries: [], mustSync: true },
  { entries: makeEntries(1, 4, 1, 40), mustSync: true },
  {
    hardState: { currentTerm: 2, votedFor: 3, commitIndex: 1 },
    entries: makeEntries(3, 6, 2, 20),
    mustSync: true,
  },
  { entries: [makeEntry(6, 2, 300)], mustSync: true },
];

async function smallLog(steps: readonly Step[]): Promise<{
  fileSystem: MemoryFileSystem;
  contents: Contents;
}> {
  const fileSystem = new MemoryFileSystem();
  await createWal(optionsFor(fileSystem));
  const log = await openWal(optionsFor(fileSystem));
  let contents = empty;
  for (const step of steps) {
    await take(log, step);
    contents = after(contents, step);
  }
  return { fileSystem: fileSystem.copy(), contents };
}

function segmentPaths(fileSystem: MemoryFileSystem): string[] {
  return fileSystem
    .list(folder)
    .filter((name) => name.endsWith('.wal') || name === 'start')
    .map((name) => `${folder}/${name}`);
}

/** Where the last nonzero byte of the file ends. */
function usedBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

describe('Wal after damage', { timeout: timeoutMs }, () => {
  const logs: readonly (readonly [string, readonly Step[]])[] = [
    ['one segment', batches],
    [
      'three segments',
      [
        ...batches,
        { entries: makeEntries(7, 9, 2, 200), mustSync: true },
        { entries: [zeroEntry(9, 2)], mustSync: true },
      ],
    ],
    [
      'a compacted log',
      [
        ...batches,
        { entries: makeEntries(7, 9, 2, 200), mustSync: true },
        { entries: makeEntries(9, 11, 2, 200), mustSync: true },
        { compactTo: { index: 7, term: 2 } },
      ],
    ],
    [
      'a log that was reset',
      [
        ...batches,
        {
          resetTo: { index: 90, term: 4 },
          hardState: { currentTerm: 5, votedFor: 1, commitIndex: 90 },
        },
        { entries: makeEntries(91, 94, 5, 50), mustSync: true },
      ],
    ],
  ];

  test.each(logs)('a flipped bit never loses or changes anything: %s', async (_, steps) => {
    const { fileSystem, contents } = await smallLog(steps);
    const paths = segmentPaths(fileSystem);
    let refused = 0;
    for (const path of paths) {
      const original = fileSystem.getFile(path);
      const used = usedBytes(original);
      for (let at = 0; at < original.length; at++) {
        const damaged = original.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << ((at * 5) % 8));
        const copy = fileSystem.copy();
        copy.setFile(path, damaged);
        const found = await openOrRefusal(copy);
        if (found instanceof KvError) {
          refused++;
          expect(found.details['file']).toBe(path);
        } else {
          expect(found).toEqual(contents);
          // Every byte of the header and the frames counts.
          expect(at).toBeGreaterThanOrEqual(used);
        }
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test('every bit of the last frame is covered, not one bit a byte only', async () => {
    const { fileSystem } = await smallLog(batches);
    const path = segmentPaths(fileSystem)[0] ?? '';
    const original = fileSystem.getFile(path);
    for (let at = usedBytes(original) - 380; at < usedBytes(original); at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = original.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        const copy = fileSystem.copy();
        copy.setFile(path, damaged);
        expect(await openOrRefusal(copy)).toBeInstanceOf(KvError);
      }
    }
  });

  test.each(logs)('a file cut short anywhere is refused, at the cut: %s', async (_, steps) => {
    const { fileSystem } = await smallLog(steps);
    for (const path of segmentPaths(fileSystem)) {
      const original = fileSystem.getFile(path);
      for (let length = 0; length < original.length; length++) {
        const copy = fileSystem.copy();
        copy.setFile(path, original.slice(0, length));
        const found = await openOrRefusal(copy);
        expect(found).toMatchObject({
          code: 'DATA_CORRUPT',
          details: { file: path, offset: length },
        });
      }
    }
  });

  test('a missing segment is refused by name', async () => {
    const { fileSystem } = await smallLog(logs[1]?.[1] ?? []);
    const [first = '', second = '', third = ''] = segmentPaths(fileSystem);
    expect(third).not.toBe('');
    for (const path of [first, second]) {
      const copy = fileSystem.copy();
      copy.remove(path);
      expect(await openOrRefusal(copy)).toBeInstanceOf(KvError);
    }
    const none = new MemoryFileSystem();
    expect(await openOrRefusal(none)).toMatchObject({
      message: matching('no segment'),
    });
  });

  test('a start of the log that names a segment which is missing is refused', async () => {
    const { fileSystem } = await smallLog([
      ...batches,
      {
        resetTo: { index: 90, term: 4 },
        hardState: { currentTerm: 5, votedFor: 1, commitIndex: 90 },
      },
      { entries: makeEntries(91, 93, 5, 300), mustSync: true },
      { entries: makeEntries(93, 95, 5, 300), mustSync: true },
    ]);
    const [oldest = ''] = segmentPaths(fileSystem);
    const bytes = fileSystem.getFile(oldest);
    const log = await openWal(optionsFor(fileSystem));
    await log.compact(94);
    await log.close();
    const [last = ''] = segmentPaths(fileSystem);
    expect(last).not.toBe(oldest);
    // A compaction that was cut short leaves the older ones; then the only one that counts is lost.
    fileSystem.setFile(oldest, bytes);
    fileSystem.remove(last);

    expect(await openOrRefusal(fileSystem)).toMatchObject({ message: matching('is missing') });
  });

  test('an intact frame in the place of another is refused', async () => {
    const same = [1, 2, 3].map((index) => ({
      entries: [makeEntry(index, 1, 40)],
      mustSync: true,
    }));
    const { fileSystem } = await smallLog(same);
    const path = segmentPaths(fileSystem)[0] ?? '';
    const bytes = fileSystem.getFile(path);
    bytes.copyWithin(256, 128, 256);
    fileSystem.setFile(path, bytes);

    expect(await openOrRefusal(fileSystem)).toMatchObject({
      message: matching('frame 2 stands where frame 3 belongs'),
    });
  });

  test('a damaged record is refused by a read, too', async () => {
    const { fileSystem } = await smallLog(batches);
    const path = segmentPaths(fileSystem)[0] ?? '';
    const log = await openWal(optionsFor(fileSystem));
    const bytes = fileSystem.getFile(path);
    const file = fileSystem.open(path, 'existing');
    file.writeSync(Uint8Array.of((bytes[usedBytes(bytes) - 1] ?? 0) ^ 1), 1, usedBytes(bytes) - 1);

    await expect(log.read(6, 7, 1)).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
    expect((await log.read(1, 6, 1e9)).length).toBe(5);
  });
});

describe('Wal after a torn write', { timeout: timeoutMs }, () => {
  /** The log before `batch`, and the file system in the moment before its sync. */
  async function unsynced(batch: LogAppend): Promise<{
    fileSystem: MemoryFileSystem;
    before: Contents;
  }> {
    const { fileSystem, contents } = await smallLog(batches.slice(0, 2));
    const log = await openWal(optionsFor(fileSystem));
    fileSystem.onOperation = (operation) => {
      if (operation === 'datasync') {
        throw new Error('power cut');
      }
    };
    await expect(log.append(batch)).rejects.toThrow('power cut');
    fileSystem.onOperation = () => undefined;
    return { fileSystem, before: contents };
  }

  const writes: readonly (readonly [string, LogAppend])[] = [
    ['a small frame', { entries: makeEntries(4, 5, 2, 10), mustSync: true }],
    ['a frame over two sectors', { entries: makeEntries(4, 6, 2, 150), mustSync: true }],
    [
      'a frame of hard state and an overwrite',
      {
        hardState: { currentTerm: 5, votedFor: 1, commitIndex: 1 },
        entries: makeEntries(2, 5, 5, 120),
        mustSync: true,
      },
    ],
  ];

  test.each(writes)(
    'opens to all or nothing, whatever sectors were written: %s',
    async (_, batch) => {
      const { fileSystem, before } = await unsynced(batch);
      const outcomes = new Set<string>();
      for (let subset = 0; subset < 4; subset++) {
        const crashed = fileSystem.crash((__, sector) => ((subset >> sector) & 1) === 1, true);
        const found = await contentsOf(crashed);
        const isAll = JSON.stringify(found) === JSON.stringify(after(before, batch));
        expect(found).toEqual(isAll ? after(before, batch) : before);
        outcomes.add(isAll ? 'all' : 'nothing');
        await appendAndReopen(crashed, found);
      }
      expect([...outcomes].sort()).toEqual(['all', 'nothing']);
    },
  );

  /** A log in one large segment whose last append covers several sectors. */
  async function logWith(batch: LogAppend, isSynced: boolean): Promise<MemoryFileSystem> {
    const fileSystem = new MemoryFileSystem();
    const options = { ...optionsFor(fileSystem), segmentBytes: 8192 };
    await createWal(options);
    const log = await openWal(options);
    fileSystem.onOperation = (operation) => {
      if (operation === 'datasync' && !isSynced) {
        throw new Error('power cut');
      }
    };
    const appending = log.append(batch);
    await (isSynced ? appending : expect(appending).rejects.toThrow('power cut'));
    fileSystem.onOperation = () => undefined;
    return fileSystem;
  }
  const zeros: LogAppend = { entries: [zeroEntry(1, 1), makeEntry(2, 1, 1500)], mustSync: true };

  test('zeros in the data are told from sectors that are missing', async () => {
    const fileSystem = await logWith(zeros, false);
    for (let subset = 0; subset < 64; subset++) {
      const crashed = fileSystem.crash((_, sector) => ((subset >> sector) & 1) === 1, true);
      const found = await contentsOf(crashed);
      const isAll = found.entries.length > 0;
      expect(found).toEqual(isAll ? after(empty, zeros) : empty);
      await appendAndReopen(crashed, found);
    }
  });

  test('what is cut off cannot be taken for a part of what is appended later', async () => {
    const fileSystem = await logWith({ entries: [makeEntry(1, 1, 1500)], mustSync: true }, false);
    for (let subset = 0; subset < 8; subset++) {
      const crashed = fileSystem.crash((_, sector) => ((subset >> sector) & 1) === 1, true);
      const found = await contentsOf(crashed);
      expect(found).toEqual(empty);
      await appendAndReopen(crashed, found);
    }
  });

  test('a flipped bit in a frame with zeros in its data does not make it look torn', async () => {
    const fileSystem = (await logWith(zeros, true)).copy();
    const path = segmentPaths(fileSystem)[0] ?? '';
    const original = fileSystem.getFile(path);
    for (let at = 128; at < usedBytes(original); at++) {
      const damaged = original.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      fileSystem.setFile(path, damaged);
      expect(await openOrRefusal(fileSystem)).toBeInstanceOf(KvError);
    }
  });

  test('a whole frame behind a torn one is damage, and refused', async () => {
    const { fileSystem } = await smallLog(batches);
    const path = segmentPaths(fileSystem)[0] ?? '';
    const bytes = fileSystem.getFile(path);
    // The sector of the first frames goes; the last frame reaches into the second sector, intact.
    bytes.fill(0, 128, 512);
    fileSystem.setFile(path, bytes);

    expect(await openOrRefusal(fileSystem)).toBeInstanceOf(KvError);
  });
});

describe('Wal after a crash at any operation', { timeout: timeoutMs }, () => {
  const workload: readonly Step[] = [
    ...batches,
    { entries: makeEntries(7, 10, 2, 150), mustSync: true },
    { entries: [makeEntry(10, 2, 2000)], mustSync: true },
    {
      hardState: { currentTerm: 4, votedFor: 1, commitIndex: 6 },
      entries: makeEntries(8, 12, 4, 100),
      mustSync: true,
    },
    { compactTo: { index: 6, term: 2 } },
    { entries: makeEntries(12, 14, 4, 220), mustSync: true },
    { compactTo: { index: 11, term: 4 } },
    { compactTo: { index: 13, term: 4 } },
    { entries: makeEntries(14, 16, 4, 300), mustSync: true },
    {
      resetTo: { index: 40, term: 6 },
      hardState: { currentTerm: 7, votedFor: 2, commitIndex: 40 },
    },
    { entries: makeEntries(41, 44, 7, 250), mustSync: true },
    { entries: makeEntries(44, 46, 7, 250), mustSync: true },
    { compactTo: { index: 44, term: 7 } },
    {
      resetTo: { index: 30, term: 8 },
      hardState: { currentTerm: 8, votedFor: 2, commitIndex: 30 },
    },
  ];
  const stopMax = 400;
  const policies: readonly (readonly [string, SectorPolicy, boolean])[] = [
    ['nothing unsynced survives', () => false, false],
    ['everything survives', () => true, true],
    ['even sectors survive', (_, sector) => sector % 2 === 0, false],
    ['odd sectors and all names survive', (_, sector) => sector % 2 === 1, true],
  ];

  test.each(policies)('opens to what was acknowledged: %s', async (_, survives, namesSurvive) => {
    let crashes = 0;
    for (let stopAt = 1; stopAt < stopMax; stopAt++) {
      const run = await runUntil(workload, stopAt);
      const crashed = run.fileSystem.crash(survives, namesSurvive);
      const found = await contentsOf(crashed);
      const isAcknowledged = JSON.stringify(found) === JSON.stringify(run.acknowledged);
      expect(found).toEqual(isAcknowledged ? run.acknowledged : run.attempted);
      await appendAndReopen(crashed, found);
      crashes++;
      if (run.isComplete) {
        break;
      }
    }
    expect(crashes).toBeGreaterThan(80);
    expect(crashes).toBeLessThan(stopMax - 1);
  });

  test('keeps, through a power cut, what was found after the process was killed', async () => {
    const found = new Set<string>();
    for (let killedAt = 1; killedAt < stopMax; killedAt++) {
      const fileSystem = new MemoryFileSystem();
      await createWal(optionsFor(fileSystem));
      const log = await openWal(optionsFor(fileSystem));
      let operations = 0;
      let killed: MemoryFileSystem | undefined;
      fileSystem.onOperation = () => {
        operations++;
        if (operations === killedAt) {
          killed = fileSystem.killed();
        }
      };
      for (const step of workload) {
        await take(log, step);
      }
      await log.close();
      if (killed === undefined) {
        expect(found.size).toBeGreaterThan(workload.length / 2);
        return;
      }
      const contents = await contentsOf(killed);
      expect(await contentsOf(killed.crash(() => false, false))).toEqual(contents);
      found.add(JSON.stringify(contents));
    }
    expect.unreachable('the workload has fewer operations');
  });

  /** Runs the workload until operation number `stopAt`, which fails, and everything after it. */
  async function runUntil(
    steps: readonly Step[],
    stopAt: number,
  ): Promise<{
    fileSystem: MemoryFileSystem;
    acknowledged: Contents;
    attempted: Contents;
    isComplete: boolean;
  }> {
    const fileSystem = new MemoryFileSystem();
    await createWal(optionsFor(fileSystem));
    const log = await openWal(optionsFor(fileSystem));
    let operations = 0;
    fileSystem.onOperation = () => {
      operations++;
      if (operations >= stopAt) {
        throw new Error('power cut');
      }
    };
    let acknowledged = empty;
    let attempted = empty;
    for (const step of steps) {
      attempted = after(acknowledged, step);
      try {
        await take(log, step);
      } catch (error) {
        expect(error).toBeInstanceOf(KvError);
        return { fileSystem, acknowledged, attempted, isComplete: false };
      }
      acknowledged = attempted;
    }
    await log.close();
    return { fileSystem, acknowledged, attempted, isComplete: true };
  }
});

/** The log that was found goes on as if nothing had happened. */
async function appendAndReopen(fileSystem: MemoryFileSystem, found: Contents): Promise<void> {
  const log = await openWal(optionsFor(fileSystem));
  const next = found.start.index + found.entries.length + 1;
  const batch = { entries: makeEntries(next, next + 1, 9, 60), mustSync: true };
  await log.append(batch);
  await log.close();
  expect(await contentsOf(fileSystem)).toEqual(after(found, batch));
}
