import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openRocksdbEngine } from '../../src/storage/index.ts';
import { bindingError, engineError } from '../../src/storage/engine-rocksdb.ts';
import { describeEngine } from '../conformance/engine.suite.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-rocksdb-'));
let count = 0;
const freshFolder = (): string => join(root, String(count++));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describeEngine('RocksdbEngine', async () => openRocksdbEngine(freshFolder()));

describe('RocksdbEngine', () => {
  const record = { type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) } as const;

  test('reopens with everything that was written', async () => {
    const folder = freshFolder();
    const first = await openRocksdbEngine(folder);
    await first.write([record]);
    await first.close();

    const second = await openRocksdbEngine(folder);
    expect(await second.getMany([record.key])).toEqual([Buffer.from([2])]);
    await second.close();
  });

  test('refuses a folder that is open already, as locked', async () => {
    const folder = freshFolder();
    const first = await openRocksdbEngine(folder);

    await expect(openRocksdbEngine(folder)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await first.close();
  });

  test('finishes the writes under way before it closes', async () => {
    const folder = freshFolder();
    const first = await openRocksdbEngine(folder);
    const writing = first.write([record]);
    await first.close();
    await writing;

    const second = await openRocksdbEngine(folder);
    expect(await second.getMany([record.key])).toEqual([Buffer.from([2])]);
    await second.close();
  });

  test('a missing libatomic is named with the package that brings it', () => {
    const cause = new Error('libatomic.so.1: cannot open shared object file');
    const error = bindingError(new Error("Cannot load addon 'x'", { cause }));

    expect(error.code).toBe('STORAGE_FAILED');
    expect(error.message).toContain('apt-get install libatomic1');
  });

  test('a full disk is named as such, with how much room a start needs', () => {
    const cause = new Error('While appending to file: /d/000018.log: No space left on device');
    const error = engineError(new Error('Batch was not applied', { cause }), {
      ...{ folder: '/d', what: 'a batch could not be written', outcome: 'unknown' },
    });

    expect(error).toMatchObject({ code: 'DISK_FULL', outcome: 'unknown' });
    expect(error.message).toMatch(/000018\.log: No space left on device\. Make room, 256 MiB/);
  });
});
