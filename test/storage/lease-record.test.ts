import { describe, expect, test } from 'vitest';
import { recordLease } from '../../src/storage/index.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

const folder = '/member';
const path = `${folder}/lease.json`;

async function record(fileSystem: MemoryFileSystem, leaseMs: number): Promise<number> {
  return recordLease({ folder, fileSystem, leaseMs });
}

describe('the record of promises', () => {
  test('is not made by a member that promises nothing', async () => {
    const fileSystem = new MemoryFileSystem();

    expect(await record(fileSystem, 0)).toBe(0);
    expect(fileSystem.list(folder)).toEqual([]);
  });

  test('tells the longest promise of all earlier runs, after a power cut too', async () => {
    const fileSystem = new MemoryFileSystem();
    expect(await record(fileSystem, 900)).toBe(0);

    const later = fileSystem.crash(() => false, false);
    expect(await record(later, 400)).toBe(900);
    expect(await record(later, 0)).toBe(900);
    expect(await record(later, 1400)).toBe(900);
    expect(await record(later, 0)).toBe(1400);
  });

  test('refuses to guess what a damaged file said', async () => {
    const fileSystem = new MemoryFileSystem();
    await record(fileSystem, 900);
    const bytes = fileSystem.getFile(path);
    const digit = new TextDecoder().decode(bytes).indexOf('900');
    bytes[digit] = (bytes[digit] ?? 0) ^ 1;
    fileSystem.setFile(path, bytes);

    await expect(record(fileSystem, 0)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: matching(/\/member\/lease\.json at offset 0: .*checksum/),
    });
  });

  test('stops the start when it cannot be written', async () => {
    const fileSystem = new MemoryFileSystem();
    fileSystem.onOperation = () => {
      throw systemError('EIO');
    };

    await expect(record(fileSystem, 900)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
