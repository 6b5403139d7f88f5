/** What the log does when the disk is full or fails. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { createWal, type LogStore, openWal, type WalOptions } from '../../src/storage/index.ts';
import { makeEntries, plain } from '../conformance/log-store.suite.ts';
import { matching } from './matching.ts';
import { type FileOperation, MemoryFileSystem, systemError } from './memory-file-system.ts';

const folder = '/member/wal';

function optionsFor(fileSystem: MemoryFileSystem): WalOptions {
  const prng = createPrng(2);
  return { folder, fileSystem, segmentBytes: 1024, randomUint32: () => prng.nextUint32() };
}

async function openNew(): Promise<{ fileSystem: MemoryFileSystem; log: LogStore }> {
  const fileSystem = new MemoryFileSystem();
  await createWal(optionsFor(fileSystem));
  return { fileSystem, log: await openWal(optionsFor(fileSystem)) };
}

const append = async (log: LogStore, lo: number, hi: number): Promise<void> =>
  log.append({ entries: makeEntries(lo, hi, 1, 100), mustSync: true });

function failOn(operation: FileOperation, path: RegExp, code: string) {
  return (happening: FileOperation, at: string): void => {
    if (happening === operation && path.test(at)) {
      throw systemError(code);
    }
  };
}

describe('Wal on a full disk', () => {
  test('refuses a write, loses nothing, and goes on once there is room', async () => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn('write', /\.tmp$/, 'ENOSPC');
    let last = 0;
    const fill = async (): Promise<void> => {
      for (; last < 50; last += 2) {
        await append(log, last + 1, last + 3);
      }
    };

    await expect(fill()).rejects.toMatchObject({
      code: 'DISK_FULL',
      outcome: 'rejected',
      message: matching(folder),
    });
    expect(last).toBeGreaterThan(0);
    await expect(append(log, last + 1, last + 3)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(plain(await log.read(1, last + 1, 1e9))).toEqual(
      plain(makeEntries(1, last + 1, 1, 100)),
    );

    fileSystem.onOperation = () => undefined;
    await fill();
    await log.close();
    const reopened = await openWal(optionsFor(fileSystem.crash(() => false, false)));
    expect(reopened.initialLog.lastIndex).toBe(50);
    expect(plain(await reopened.read(1, 51, 1e9))).toEqual(plain(makeEntries(1, 51, 1, 100)));
  });

  test('refuses a batch larger than a segment when there is no room for it', async () => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn('write', /large\.tmp$/, 'EDQUOT');

    await expect(append(log, 1, 40)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await append(log, 1, 2);
    expect((await log.read(1, 2, 1)).length).toBe(1);
  });

  test('leaves no blank file behind', async () => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn('sync', /\.tmp$/, 'ENOSPC');
    await expect(append(log, 1, 40)).rejects.toMatchObject({ code: 'DISK_FULL' });

    expect(fileSystem.list(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('Wal on a failing disk', () => {
  test('a failed sync is final: the disk is never asked again', async () => {
    const { fileSystem, log } = await openNew();
    await append(log, 1, 2);
    fileSystem.onOperation = failOn('datasync', /./, 'EIO');
    await expect(append(log, 2, 3)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      outcome: 'unknown',
    });
    const operations: string[] = [];
    fileSystem.onOperation = (operation) => {
      operations.push(operation);
    };

    await expect(append(log, 2, 3)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      outcome: 'rejected',
    });
    await expect(log.read(1, 2, 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(
      log.append({ entries: [], hardState: log.initialHardState, mustSync: false }),
    ).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(operations).toEqual([]);
    await log.close();
  });

  test.each([
    ['write', /\.wal$/],
    ['rename', /./],
    ['syncDirectory', /./],
  ] as const)('a failed %s is final', async (operation, path) => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn(operation, path, 'EIO');
    const fill = async (): Promise<void> => {
      for (let index = 1; index < 20; index++) {
        await append(log, index, index + 1);
      }
    };

    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FAILED', outcome: 'unknown' });
    fileSystem.onOperation = () => undefined;
    await expect(append(log, 1, 2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.close();
  });

  test('failing to allocate the next segment for another reason is final, too', async () => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn('write', /\.tmp$/, 'EIO');

    await expect(append(log, 1, 40)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(append(log, 1, 2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  test('what a killed process left unsynced is synced before the log opens', async () => {
    const { fileSystem, log } = await openNew();
    let killed = fileSystem;
    fileSystem.onOperation = (operation) => {
      killed = operation === 'datasync' ? fileSystem.killed() : killed;
    };
    await append(log, 1, 2);

    const reopened = await openWal(optionsFor(killed));
    expect(reopened.initialLog.lastIndex).toBe(1);
    const afterPowerCut = await openWal(optionsFor(killed.crash(() => false, false)));
    expect(afterPowerCut.initialLog.lastIndex).toBe(1);
  });

  test('what a failed sync has left in the cache alone is on disk before it opens', async () => {
    const { fileSystem, log } = await openNew();
    fileSystem.onOperation = failOn('datasync', /./, 'EIO');
    await expect(append(log, 1, 2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    fileSystem.onOperation = () => undefined;

    const reopened = await openWal(optionsFor(fileSystem));
    expect(reopened.initialLog.lastIndex).toBe(1);
    const afterPowerCut = await openWal(optionsFor(fileSystem.crash(() => false, false)));
    expect(afterPowerCut.initialLog.lastIndex).toBe(1);
  });
});
