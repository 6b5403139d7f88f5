import { describe, expect, test } from 'vitest';
import { zeroFill } from '../../src/storage/zero-fill.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const mebibyte = 1024 * 1024;

describe('zeroFill', () => {
  test('never leaves more than a piece unsynced for other syncs to wait for', async () => {
    const fileSystem = new MemoryFileSystem();
    const file = fileSystem.open('/blank', 'create');
    let unsynced = 0;
    let unsyncedMost = 0;
    const watched = {
      ...file,
      write: async (source: Uint8Array, length: number, position: number) => {
        unsynced += length;
        unsyncedMost = Math.max(unsyncedMost, unsynced);
        await file.write(source, length, position);
      },
      sync: async () => {
        unsynced = 0;
        await file.sync();
      },
    };

    await zeroFill(watched, 100, 100 + 5 * mebibyte + 7);

    expect(unsyncedMost).toBe(mebibyte);
    expect(unsynced).toBe(0);
    expect(file.sizeBytes()).toBe(100 + 5 * mebibyte + 7);
  });
});
