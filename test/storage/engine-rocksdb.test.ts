import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type EngineOperation, openRocksdbEngine } from '../../src/storage/index.ts';
import { bindingError, engineError } from '../../src/storage/rocksdb-errors.ts';
import { describeEngine } from '../conformance/engine.suite.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-rocksdb-'));
let count = 0;
const freshFolder = (): string => join(root, String(count++));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describeEngine('RocksdbEngine', async () => openRocksdbEngine(freshFolder()));
describe.each(['b', 'k'])('with the table %s kept apart', (table) => {
  const ascendingTable = table.charCodeAt(0);
  describeEngine('RocksdbEngine', async () => openRocksdbEngine(freshFolder(), { ascendingTable }));
});

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

  test('does not write anew what is kept apart and comes in ascending order', async () => {
    const folder = freshFolder();
    const engine = await openRocksdbEngine(folder, { ascendingTable: 0x72 });
    const value = Buffer.alloc(1000, 'v');
    const put = (key: string): EngineOperation => ({ type: 'put', key: Buffer.from(key), value });
    for (let round = 0; round < 12; round++) {
      const batch = Array.from({ length: 20 }, (_, i) => [
        put(`r${1000 + round * 20 + i}`),
        put(`${i}`),
      ]);
      await engine.write(batch.flat());
      await engine.flush();
    }
    const said = async (text: string): Promise<boolean> =>
      (await readFile(join(folder, 'LOG'), 'utf8')).includes(text);
    while (!(await said('[default] compacted to')) || !(await said('[ascending] Moving'))) {
      await sleep(5);
    }
    await engine.close();

    expect(await said('[ascending] compacted to')).toBe(false);
  });

  test("RocksDB's log stays short, though one family is hardly written to", async () => {
    const folder = freshFolder();
    const engine = await openRocksdbEngine(folder, { ascendingTable: 0x72 });
    const value = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < 200; at++) {
      const event = { type: 'put', key: Buffer.from(`r${1000 + at}`), value } as const;
      await engine.write([record, event]);
    }
    const logs = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.log'));
    const logBytes = (): number =>
      logs().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    while (logBytes() > 96 * value.length) {
      await sleep(5);
    }
    await engine.close();
  });

  test('what a batch changes of the table kept apart is there before the rest', async () => {
    const folder = freshFolder();
    const engine = await openRocksdbEngine(folder, { ascendingTable: 0x72 });
    const apart = { type: 'put', key: Buffer.from('r1'), value: Buffer.from('1') } as const;
    await engine.write([record, apart]);
    await engine.close();

    // What was written last loses its end.
    const [log = ''] = readdirSync(folder).filter((name) => name.endsWith('.log'));
    truncateSync(join(folder, log), statSync(join(folder, log)).size - 1);
    const options = { mustExist: true, ascendingTable: 0x72 };
    const reopened = await openRocksdbEngine(folder, options);
    const found = await reopened.getMany([apart.key, record.key]);
    expect(found).toEqual([Buffer.from('1'), undefined]);
    await reopened.close();
  });

  test('a store is opened with the table that it was made with, or not at all', async () => {
    const folder = freshFolder();
    const engine = await openRocksdbEngine(folder, { ascendingTable: 0x72 });
    await engine.write([record]);
    await engine.close();

    const outcome = { code: 'STORAGE_FAILED', outcome: 'rejected' };
    await expect(openRocksdbEngine(folder, { mustExist: true })).rejects.toMatchObject(outcome);
    const plain = freshFolder();
    await (await openRocksdbEngine(plain)).close();
    const apart = { mustExist: true, ascendingTable: 0x72 };
    await expect(openRocksdbEngine(plain, apart)).rejects.toMatchObject(outcome);
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
