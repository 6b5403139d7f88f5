/** Compaction of the log on disk: what goes, what stays, and what is refused. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { createWal, type LogStore, openWal, type WalOptions } from '../../src/storage/index.ts';
import { readLogStart, writeLogStart } from '../../src/storage/log-start.ts';
import { makeEntries, plain } from '../conformance/log-store.suite.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

const folder = '/member/wal';

function optionsFor(fileSystem: MemoryFileSystem): WalOptions {
  const prng = createPrng(2);
  return { folder, fileSystem, segmentBytes: 1024, randomUint32: () => prng.nextUint32() };
}

/** A log of 40 entries over many segments. */
async function openFilled(): Promise<{ fileSystem: MemoryFileSystem; log: LogStore }> {
  const fileSystem = new MemoryFileSystem();
  await createWal(optionsFor(fileSystem));
  const log = await openWal(optionsFor(fileSystem));
  for (let index = 1; index < 41; index += 2) {
    await log.append({ entries: makeEntries(index, index + 2, 1, 100), mustSync: true });
  }
  return { fileSystem, log };
}

const segmentsOf = (fileSystem: MemoryFileSystem): string[] =>
  fileSystem.list(folder).filter((name) => name.endsWith('.wal'));

describe('the start of the log', () => {
  test('comes back as it was written', async () => {
    const fileSystem = new MemoryFileSystem();
    expect(await readLogStart(fileSystem, folder)).toBeUndefined();
    const start = { segment: 7, position: { index: 2 ** 40, term: 3 } };
    await writeLogStart(fileSystem, folder, start);
    await fileSystem.syncDirectory('/member');

    expect(
      await readLogStart(
        fileSystem.crash(() => false, false),
        folder,
      ),
    ).toEqual(start);
  });

  test('every flipped bit of it is found', async () => {
    const fileSystem = new MemoryFileSystem();
    const position = { index: 5, term: 3 };
    await writeLogStart(fileSystem, folder, { segment: 7, position });
    const path = `${folder}/start`;
    const original = fileSystem.getFile(path);
    for (let bit = 0; bit < original.length * 8; bit++) {
      const damaged = original.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fileSystem.setFile(path, damaged);
      await expect(readLogStart(fileSystem, folder)).rejects.toMatchObject({
        code: 'DATA_CORRUPT',
        details: { part: 'log', file: path },
      });
    }
  });
});

describe('a compaction', () => {
  test('removes whole segments and tells the smaller size', async () => {
    const { fileSystem, log } = await openFilled();
    const before = segmentsOf(fileSystem).length;
    const sizeBefore = log.sizeBytes();
    await log.compact(20);

    const after = segmentsOf(fileSystem).length;
    expect(after).toBeLessThan(before - 2);
    expect(log.sizeBytes()).toBeLessThan(sizeBefore * 0.7);
    await log.compact(40);
    expect(segmentsOf(fileSystem).length).toBe(1);
    await log.close();
  });

  test('keeps a segment open, and its file, until its last read has settled', async () => {
    const { fileSystem, log } = await openFilled();
    const before = segmentsOf(fileSystem).length;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    fileSystem.beforeRead = async () => gate;
    const reading = log.read(1, 3, 1e9);
    fileSystem.beforeRead = undefined;
    await log.compact(40);
    const open = fileSystem.openCount;

    // The active segment, and the one that is being read.
    expect(segmentsOf(fileSystem).length).toBe(2);
    expect(before).toBeGreaterThan(5);
    release();
    expect(plain(await reading)).toEqual(plain(makeEntries(1, 3, 1, 100)));
    expect(segmentsOf(fileSystem).length).toBe(1);
    expect(fileSystem.openCount).toBe(open - 1);
    await log.close();
    expect(fileSystem.openCount).toBe(0);
  });

  test('that a reset overtakes changes nothing of the log that begins then', async () => {
    const { fileSystem, log } = await openFilled();
    let release: () => void = () => undefined;
    fileSystem.beforeRead = async () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    const resetting = log.reset(
      { index: 90, term: 3 },
      { currentTerm: 3, votedFor: 0, commitIndex: 90 },
    );
    const compacting = log.compact(20);
    await resetting;
    release();
    await compacting;
    fileSystem.beforeRead = undefined;

    await expect(log.read(50, 51, 1)).rejects.toThrow('not above the snapshot');
    await log.close();
    const reopened = await openWal(optionsFor(fileSystem));
    expect(reopened.initialLog).toMatchObject({ snapshotIndex: 90, lastIndex: 90 });
    await reopened.close();
  });

  test('leaves the log whole when the disk is full, and works once there is room', async () => {
    const { fileSystem, log } = await openFilled();
    fileSystem.onOperation = (operation, path) => {
      if (operation === 'write' && path.endsWith('start.tmp')) {
        throw systemError('ENOSPC');
      }
    };
    await expect(log.compact(20)).rejects.toMatchObject({ code: 'DISK_FULL', outcome: 'rejected' });
    expect((await log.read(1, 41, 1e9)).length).toBe(40);
    await log.append({ entries: makeEntries(41, 42, 1, 10), mustSync: true });

    fileSystem.onOperation = () => undefined;
    await log.compact(20);
    await log.close();
    const reopened = await openWal(optionsFor(fileSystem.crash(() => false, false)));
    expect(reopened.initialLog).toMatchObject({ snapshotIndex: 20, lastIndex: 41 });
  });

  test('that fails for another reason is final', async () => {
    const { fileSystem, log } = await openFilled();
    fileSystem.onOperation = (operation) => {
      if (operation === 'rename') {
        throw systemError('EIO');
      }
    };
    await expect(log.compact(20)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(log.read(30, 31, 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  test('a start or a first segment that is gone afterwards is refused', async () => {
    const { fileSystem, log } = await openFilled();
    await log.compact(20);
    await log.close();
    for (const name of ['start', segmentsOf(fileSystem)[0] ?? '']) {
      const copy = fileSystem.copy();
      copy.remove(`${folder}/${name}`);

      await expect(openWal(optionsFor(copy))).rejects.toMatchObject({
        code: 'DATA_CORRUPT',
        message: matching('the log starts before this segment'),
      });
    }
  });

  test('segments it left behind at a crash go at the next opening', async () => {
    const { fileSystem, log } = await openFilled();
    const before = fileSystem.copy();
    await log.compact(20);
    await log.close();
    const kept = segmentsOf(fileSystem);
    before.setFile(`${folder}/start`, fileSystem.getFile(`${folder}/start`));

    const reopened = await openWal(optionsFor(before));
    expect(reopened.initialLog).toMatchObject({ snapshotIndex: 20, lastIndex: 40 });
    expect(segmentsOf(before)).toEqual(kept);
  });

  test('entries that a later segment overwrites do not hold up the opening', async () => {
    const fileSystem = new MemoryFileSystem();
    await createWal(optionsFor(fileSystem));
    const log = await openWal(optionsFor(fileSystem));
    for (let index = 1; index < 21; index += 2) {
      await log.append({ entries: makeEntries(index, index + 2, 1, 100), mustSync: true });
    }
    // The last segments hold entries up to 20 of term 1, then the tail is replaced from 6 on.
    await log.append({ entries: makeEntries(6, 8, 2, 100), mustSync: true });
    await log.compact(5);
    await log.close();

    const reopened = await openWal(optionsFor(fileSystem.crash(() => false, false)));
    expect(reopened.initialLog).toMatchObject({
      snapshotIndex: 5,
      snapshotTerm: 1,
      lastIndex: 7,
      termRuns: [{ term: 2, firstIndex: 6 }],
    });
    expect(plain(await reopened.read(6, 8, 1e9))).toEqual(plain(makeEntries(6, 8, 2, 100)));
  });
});
