/** Snapshot files on a real disk. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { receiveSnapshot, TrailerCheck } from '../../../src/cli/client/snapshot-file.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-snapshot-'));
  path = join(directory, 'backup.db');
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A file that is as a snapshot must be. */
function whole(blocks: number): Buffer {
  const body = Buffer.alloc(512 * blocks, 'snapshot');
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

async function* cut(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array, void> {
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    yield await Promise.resolve(bytes.subarray(from, from + chunkBytes));
  }
}

describe('receiveSnapshot', () => {
  test.each([1, 31, 32, 33, 512, 5000])('stores what comes in chunks of %i bytes', async (size) => {
    const bytes = whole(3);

    expect(await receiveSnapshot(path, cut(bytes, size))).toBe(bytes.length);

    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await readdir(directory)).toEqual(['backup.db']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('replaces an older file', async () => {
    await writeFile(path, 'old');
    await receiveSnapshot(path, cut(whole(1), 100));

    expect((await readFile(path)).equals(whole(1))).toBe(true);
  });

  test('writes over what a run that was cut off has left', async () => {
    await writeFile(`${path}.part`, Buffer.alloc(10_000));
    await receiveSnapshot(path, cut(whole(1), 100));

    expect((await readFile(path)).equals(whole(1))).toBe(true);
  });

  test.each([
    ['a byte is wrong', (bytes: Buffer) => bytes.fill(1, 100, 101)],
    ['the trailer is wrong', (bytes: Buffer) => bytes.fill(1, bytes.length - 1)],
    ['the end is missing', (bytes: Buffer) => bytes.subarray(0, -32)],
    ['a block is missing', (bytes: Buffer) => bytes.subarray(512)],
    ['it is empty', () => Buffer.alloc(0)],
  ])('leaves the older file as it is when %s', async (_case, damage) => {
    await writeFile(path, 'old');

    await expect(receiveSnapshot(path, cut(damage(whole(2)), 100))).rejects.toThrow('not whole');

    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['backup.db']);
  });

  test('passes on what went wrong at the source, and leaves nothing', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield* cut(whole(1), 100);
      throw new Error('cut off');
    };

    await expect(receiveSnapshot(path, broken())).rejects.toThrow('cut off');

    expect(await readdir(directory)).toEqual([]);
  });

  test('names the file that cannot be written', async () => {
    await expect(receiveSnapshot(join(directory, 'none', 'f'), cut(whole(1), 100))).rejects.toThrow(
      `cannot write ${join(directory, 'none', 'f.part')}: ENOENT`,
    );

    await mkdir(path);
    await expect(receiveSnapshot(path, cut(whole(1), 100))).rejects.toThrow(`cannot write ${path}`);
    expect(await readdir(directory)).toEqual(['backup.db']);
  });
});

test('a trailer is looked for behind whole blocks only', () => {
  const body = Buffer.alloc(100);
  const check = new TrailerCheck();
  check.update(Buffer.concat([body, createHash('sha256').update(body).digest()]));

  expect(check.isRight()).toBe(false);
});
