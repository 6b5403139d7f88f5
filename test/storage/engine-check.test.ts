/** What RocksDB itself would not find; `engine-damage.test.ts` tries all its files. */
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/storage/crc32c.ts';
import { checkEngineFiles } from '../../src/storage/engine-check.ts';
import { viewOf } from '../../src/storage/record.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const folder = '/member/engine/0000000001';
const blockBytes = 32 * 1024;

/**
 * Batches in RocksDB's format, cut into pieces at the ends of blocks: of one operation each, with
 * ascending sequence numbers from `sequence` on.
 */
function logOf(sizes: readonly number[], sequence = 100): Uint8Array {
  const log = new Uint8Array(blockBytes * 8);
  const view = viewOf(log);
  let at = 0;
  const add = (type: number, data: Uint8Array): void => {
    const dataBytes = data.length;
    log.set(data, at + 7);
    view.setUint16(at + 4, dataBytes, true);
    view.setUint8(at + 6, type);
    const crc = crc32c(view, at + 6, at + 7 + dataBytes, 0);
    view.setUint32(at, (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0, true);
    at += 7 + dataBytes;
  };
  for (const [i, size] of sizes.entries()) {
    const data = new Uint8Array(size).fill(i + 1);
    viewOf(data).setBigUint64(0, BigInt(sequence + i), true);
    viewOf(data).setUint32(8, 1, true);
    let rest = size;
    let isFirst = true;
    do {
      const left = blockBytes - (at % blockBytes);
      if (left < 7) {
        at += left;
        continue;
      }
      const piece = Math.min(rest, left - 7);
      const isLast = piece === rest;
      const from = size - rest;
      add(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, data.subarray(from, from + piece));
      rest -= piece;
      isFirst = false;
    } while (rest > 0);
  }
  return log.slice(0, at);
}

async function damageOf(name: string, content: Uint8Array): Promise<string> {
  const fileSystem = new MemoryFileSystem();
  fileSystem.setFile(`${folder}/${name}`, content);
  try {
    await checkEngineFiles(folder, fileSystem);
    return 'none';
  } catch (error) {
    expect(error).toMatchObject({
      code: 'DATA_CORRUPT',
      details: { part: 'engine', file: `${folder}/${name}` },
    });
    return String(error);
  }
}

describe('checkEngineFiles', () => {
  const manifest = 'MANIFEST-000005';
  const small = logOf([50, 80, 200, 30]);

  test('finds nothing in sound files, records over several blocks included', async () => {
    for (const sizes of [
      [],
      [20],
      [100, 70_000, 15],
      [blockBytes - 7, 20],
      [blockBytes - 17, 90],
    ]) {
      expect(await damageOf(manifest, logOf(sizes))).toBe('none');
      expect(await damageOf('000010.log', logOf(sizes))).toBe('none');
    }
    expect(await damageOf('000010.sst', Uint8Array.of(0, 0, 0, 0, 0, 0, 9))).toBe('none');
  });

  test('a manifest cut short at any byte is what a crash may leave', async () => {
    for (let length = 0; length < small.length; length++) {
      expect(await damageOf(manifest, small.slice(0, length))).toBe('none');
    }
  });

  test('a record whose length was turned so that it seems cut short is damage', async () => {
    // The last record, and one in the middle: what follows it would be lost without a word.
    for (const at of [7 + 50 + 7 + 80, 7 + 50]) {
      for (const high of [1, 2, 0x80, 0xff]) {
        const damaged = small.slice();
        damaged[at + 5] = (damaged[at + 5] ?? 0) ^ high;
        expect(await damageOf(manifest, damaged)).toContain('the length of a record is wrong');
        // There a log ends as if cut short: an earlier prefix.
        expect(await damageOf('000010.log', damaged)).toBe('none');
      }
    }
  });

  test('a type of record that is not in use is damage', async () => {
    for (const type of [5, 6, 7, 8, 9, 130, 255]) {
      const damaged = small.slice();
      damaged[7 + 50 + 6] = type;
      expect(await damageOf(manifest, damaged)).toContain(`unknown type ${type}`);
      expect(await damageOf('000010.log', damaged)).toContain(`unknown type ${type}`);
    }
  });

  test('what RocksDB finds by itself is left to it', async () => {
    const damaged = small.slice();
    damaged[30] = (damaged[30] ?? 0) ^ 1;

    expect(await damageOf(manifest, damaged)).toBe('none');
  });

  test('of a log that has damage in it, what comes after is cut off', async () => {
    const fileSystem = new MemoryFileSystem();
    const path = `${folder}/000010.log`;
    const damaged = small.slice();
    damaged[7 + 50 + 30] = (damaged[7 + 50 + 30] ?? 0) ^ 1;
    fileSystem.setFile(path, damaged);
    await checkEngineFiles(folder, fileSystem);

    const found = fileSystem.crash(() => false, false).getFile(path);
    expect(found.slice(0, 57)).toEqual(small.slice(0, 57));
    expect(found.slice(57).every((byte) => byte === 0)).toBe(true);
  });

  test('zeros up to the end of a block do not hide that batches are missing', async () => {
    // The next block begins with a whole batch, which RocksDB would go on with.
    const log = logOf([1000, blockBytes - 1007 - 7, 500]);
    const path = `${folder}/000010.log`;
    const fileSystem = new MemoryFileSystem();
    fileSystem.setFile(path, log.slice().fill(0, 1007, blockBytes));
    await checkEngineFiles(folder, fileSystem);

    expect(
      fileSystem
        .getFile(path)
        .slice(1007)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  describe('with two logs', () => {
    const older = logOf([50, 80, 60], 100);
    const newer = logOf([40, 30], 103);
    const [olderName, newerName] = ['000099.log', '000100.log'];

    async function logsAfter(first: Uint8Array, second: Uint8Array): Promise<MemoryFileSystem> {
      const fileSystem = new MemoryFileSystem();
      fileSystem.setFile(`${folder}/${olderName}`, first);
      fileSystem.setFile(`${folder}/${newerName}`, second);
      await checkEngineFiles(folder, fileSystem);
      return fileSystem.crash(() => false, false);
    }

    test('leaves both when the newer one goes on where the older one ends', async () => {
      const found = await logsAfter(older, newer);

      expect(found.getFile(`${folder}/${olderName}`)).toEqual(older);
      expect(found.getFile(`${folder}/${newerName}`)).toEqual(newer);
    });

    test('drops the newer one whenever anything of the older one is missing', async () => {
      for (let length = 0; length < older.length; length++) {
        const found = await logsAfter(older.slice(0, length), newer);

        expect(found.list(folder)).not.toContain(newerName);
      }
    });

    test('keeps a newer one that was written after the older one had been cut', async () => {
      const found = await logsAfter(older.slice(0, 57 + 87 + 20), logOf([40, 30], 102));

      expect(found.list(folder)).toEqual([olderName, newerName]);
    });
  });
});
