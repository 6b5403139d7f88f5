/** What RocksDB itself would not find; `engine-damage.test.ts` tries all its files. */
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/storage/crc32c.ts';
import { checkEngineFiles } from '../../src/storage/engine-check.ts';
import { viewOf } from '../../src/storage/record.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const folder = '/member/engine/0000000001';
const blockBytes = 32 * 1024;

/** Records in RocksDB's format, with its parts at the ends of blocks. */
function logOf(sizes: readonly number[]): Uint8Array {
  const log = new Uint8Array(blockBytes * 8);
  const view = viewOf(log);
  let at = 0;
  const add = (type: number, dataBytes: number, fill: number): void => {
    log.fill(fill, at + 7, at + 7 + dataBytes);
    view.setUint16(at + 4, dataBytes, true);
    view.setUint8(at + 6, type);
    const crc = crc32c(view, at + 6, at + 7 + dataBytes, 0);
    view.setUint32(at, (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0, true);
    at += 7 + dataBytes;
  };
  for (const [i, size] of sizes.entries()) {
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
      add(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, piece, i + 1);
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
    for (const sizes of [[], [10], [100, 70_000, 5], [blockBytes - 7, 10], [blockBytes - 10, 90]]) {
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
});
