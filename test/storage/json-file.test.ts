import { describe, expect, test } from 'vitest';
import { readJsonFile, writeJsonFile } from '../../src/storage/json-file.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

const folder = '/member';
const path = `${folder}/x.json`;

async function written(fields: Record<string, unknown>): Promise<MemoryFileSystem> {
  const fileSystem = new MemoryFileSystem();
  await writeJsonFile(folder, 'x.json', fields, fileSystem);
  return fileSystem;
}

describe('a JSON file', () => {
  test('comes back as it was, after a power cut, too', async () => {
    const fields = { b: 1, a: 'text ö', list: [[1, 2]], none: null };
    const fileSystem = await written(fields);

    expect(
      await readJsonFile(
        path,
        fileSystem.crash(() => false, false),
      ),
    ).toEqual(fields);
  });

  test('a digit, a letter or a name that has changed is found', async () => {
    const fields = { memberId: 12345, name: 'n1' };
    const fileSystem = await written(fields);
    const original = fileSystem.getFile(path);
    let unseen = 0;
    for (let bit = 0; bit < original.length * 8; bit++) {
      const damaged = original.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fileSystem.setFile(path, damaged);
      const found = await readJsonFile(path, fileSystem);
      if (typeof found !== 'string') {
        // Space between the fields says nothing.
        expect(found).toEqual(fields);
        unseen++;
      }
    }
    expect(unseen).toBeLessThan(5);
  });

  test.each([
    ['', 'not readable'],
    ['{', 'not readable'],
    ['null', 'not an object'],
    ['7', 'not an object'],
    ['{"a":1}', 'checksum'],
  ])('content %j is refused', async (text, reason) => {
    const fileSystem = await written({});
    fileSystem.setFile(path, new TextEncoder().encode(text));

    expect(await readJsonFile(path, fileSystem)).toContain(reason);
  });

  test('what is wrong is told in one line', async () => {
    const fileSystem = await written({});
    fileSystem.setFile(path, new TextEncoder().encode('{\n "a": \n\u0001}'));

    expect(await readJsonFile(path, fileSystem)).not.toMatch(/\p{Cc}/u);
  });

  test('a power cut at any operation leaves the old fields or the new', async () => {
    for (let stopAt = 1; stopAt < 20; stopAt++) {
      for (const survives of [false, true]) {
        const fileSystem = await written({ a: 'old' });
        let operations = 0;
        fileSystem.onOperation = () => {
          operations++;
          if (operations >= stopAt) {
            throw systemError('EIO');
          }
        };
        const isDone = await writeJsonFile(folder, 'x.json', { a: 'new' }, fileSystem).then(
          () => true,
          () => false,
        );
        const found = await readJsonFile(
          path,
          fileSystem.crash(() => survives, survives),
        );
        expect(isDone ? [{ a: 'new' }] : [{ a: 'old' }, { a: 'new' }]).toContainEqual(found);
      }
    }
  });
});
