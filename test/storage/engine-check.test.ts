/** What RocksDB itself would not find; `engine-damage.test.ts` tries all its files. */
import { describe, expect, test } from 'vitest';
import type { KvError } from '../../src/base/index.ts';
import { crc32c } from '../../src/storage/crc32c.ts';
import { checkEngineFiles } from '../../src/storage/engine-check.ts';
import { viewOf } from '../../src/storage/record.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const folder = '/member/engine/0000000001';
const blockBytes = 32 * 1024;
const skippableTag = 8193;

/** Batches of one operation each, with ascending sequence numbers from `sequence` on. */
function logOf(sizes: readonly number[], sequence = 100): Uint8Array {
  return fileOf(
    sizes.map((size, i) => {
      const data = new Uint8Array(size).fill(i + 1);
      viewOf(data).setBigUint64(0, BigInt(sequence + i), true);
      viewOf(data).setUint32(8, 1, true);
      return data;
    }),
  );
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** Edits of these sizes that say nothing: a field that may be skipped, led by its length. */
function manifestOf(sizes: readonly number[]): Uint8Array {
  return fileOf(
    sizes.map((size) => {
      const lengths = [1, 2, 3].map((bytes) => varint(size - 2 - bytes));
      const length = lengths.find((it, at) => it.length === at + 1) ?? [];
      const edit = new Uint8Array(size).fill(7);
      edit.set([...varint(skippableTag), ...length]);
      return edit;
    }),
  );
}

/** Records in RocksDB's format, cut into pieces at the ends of blocks. */
function fileOf(records: readonly Uint8Array[]): Uint8Array {
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
  for (const data of records) {
    const size = data.length;
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
  fileSystem.setFile(`${folder}/CURRENT`, new TextEncoder().encode(`${name}\n`));
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
  const smallManifest = manifestOf([50, 80, 200, 30]);

  test('finds nothing in sound files, records over several blocks included', async () => {
    for (const sizes of [
      [],
      [20],
      [100, 70_000, 15],
      [blockBytes - 7, 20],
      [blockBytes - 17, 90],
    ]) {
      expect(await damageOf(manifest, manifestOf(sizes))).toBe('none');
      expect(await damageOf('000010.log', logOf(sizes))).toBe('none');
    }
    expect(await damageOf('000010.sst', Uint8Array.of(0, 0, 0, 0, 0, 0, 9))).toBe('none');
  });

  test('a manifest cut short at any byte is what a crash may leave', async () => {
    for (let length = 0; length < smallManifest.length; length++) {
      expect(await damageOf(manifest, smallManifest.slice(0, length))).toBe('none');
    }
  });

  test('a record whose length was turned so that it seems cut short is damage', async () => {
    // The last record, and one in the middle: what follows it would be lost without a word.
    for (const at of [7 + 50 + 7 + 80, 7 + 50]) {
      for (const high of [1, 2, 0x80, 0xff]) {
        const flipped = (file: Uint8Array): Uint8Array =>
          file.map((byte, i) => (i === at + 5 ? byte ^ high : byte));
        const what = 'the length of a record is wrong';
        expect(await damageOf(manifest, flipped(smallManifest))).toContain(what);
        // There a log ends as if cut short: an earlier prefix.
        expect(await damageOf('000010.log', flipped(small))).toBe('none');
      }
    }
  });

  test('a type of record that is not in use is damage', async () => {
    for (const type of [5, 6, 7, 8, 9, 130, 255]) {
      const turned = (file: Uint8Array): Uint8Array =>
        file.map((byte, i) => (i === 7 + 50 + 6 ? type : byte));
      expect(await damageOf(manifest, turned(smallManifest))).toContain(`unknown type ${type}`);
      expect(await damageOf('000010.log', turned(small))).toContain(`unknown type ${type}`);
    }
  });

  test('what RocksDB finds by itself is left to it', async () => {
    const damaged = smallManifest.slice();
    damaged[30] = (damaged[30] ?? 0) ^ 1;

    expect(await damageOf(manifest, damaged)).toBe('none');
  });

  test.each([
    ['an unknown tag', [55, 1], 'has the unknown tag 55'],
    ['a number that does not end', [2, 0x80], 'is too short'],
    ['a field longer than the edit', [...varint(skippableTag), 9, 1], 'is too short'],
  ])('an edit with %s is damage, as it is for RocksDB', async (_, edit, what) => {
    const file = fileOf([Uint8Array.from(edit)]);
    expect(await damageOf(manifest, file)).toContain(`an edit of the manifest ${what}`);
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

  describe('of two families', () => {
    const [olderName, newerName] = ['000099.log', '000100.log'];
    const older = logOf([50, 80, 60], 100);
    const newer = logOf([40, 30], 103);
    /** A file of the second family has everything up to `sequence`; it goes on at `logNumber`. */
    function flushedTo(sequence: number, logNumber: number, firstLog = 99): Uint8Array {
      const file = [103, 0, 7, ...varint(5000), 1, 0x61, 1, 0x7a, 1, ...varint(sequence)];
      const fields = [5, 2, 1, 1, 1];
      const others = [3, 9, 4, 120, 6, 1, 8, 10, ...varint(firstLog)];
      const edits = [
        [1, 1, 0x78, 2, ...varint(99), 9, 0],
        [...varint(201), 1, 0x61, 2, ...varint(99), ...varint(200), 1],
        [2, ...varint(logNumber), ...others, ...file, ...fields, ...varint(200), 1],
      ];
      return fileOf(edits.map((edit) => Uint8Array.from(edit)));
    }

    async function check(
      flushed: Uint8Array,
      first: Uint8Array,
      second: Uint8Array,
    ): Promise<string> {
      const fileSystem = new MemoryFileSystem();
      // One that is not in force.
      fileSystem.setFile(`${folder}/MANIFEST-000009`, flushedTo(1000, 100));
      fileSystem.setFile(`${folder}/CURRENT`, new TextEncoder().encode(`${manifest}\n`));
      fileSystem.setFile(`${folder}/${manifest}`, flushed);
      fileSystem.setFile(`${folder}/${olderName}`, first);
      fileSystem.setFile(`${folder}/${newerName}`, second);
      try {
        await checkEngineFiles(folder, fileSystem);
        return 'none';
      } catch (error) {
        expect(fileSystem.getFile(`${folder}/${olderName}`)).toEqual(first);
        expect(fileSystem.getFile(`${folder}/${newerName}`)).toEqual(second);
        return (error as KvError).details['file']?.toString().split('/').at(-1) ?? '';
      }
    }

    test('whatever is missing of a log that one of them was flushed beyond is damage', async () => {
      const flushed = flushedTo(102, 100);
      expect(await check(flushed, older, newer)).toBe('none');
      // Of an empty log nothing tells that it ever had a batch.
      for (let length = 1; length < older.length; length++) {
        expect(await check(flushed, older.slice(0, length), newer)).toBe(olderName);
        expect(await check(flushed, older.slice(0, length), new Uint8Array())).toBe(olderName);
      }
    });

    test('of logs that neither was flushed beyond, anything may be missing', async () => {
      for (const flushed of [flushedTo(101, 99), flushedTo(102, 100)]) {
        for (let length = 0; length < newer.length; length++) {
          expect(await check(flushed, older, newer.slice(0, length))).toBe('none');
        }
      }
      // Nor does it matter of logs that nobody needs any more.
      for (const flushed of [flushedTo(99, 99), flushedTo(102, 100, 100)]) {
        for (let length = 0; length < older.length; length++) {
          expect(await check(flushed, older.slice(0, length), newer)).toBe('none');
        }
      }
    });
  });
});
