/** Snapshot files on a real disk. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExitError } from '../../src/cli/exit.ts';
import { readSnapshotFile, summarizeSnapshot } from '../../src/cli/snapshot-reader.ts';
import { sampleHeader, sampleSnapshot } from './snapshot-sample.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-reader-'));
  path = join(directory, 'backup.db');
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function recordsOf(skipHashCheck: boolean): Promise<number> {
  let count = 0;
  for await (const records of readSnapshotFile(path, { skipHashCheck })) {
    count += records.length;
  }
  return count;
}

describe('a snapshot file', () => {
  test('is summarized', async () => {
    const bytes = sampleSnapshot();
    await writeFile(path, bytes);

    expect(await summarizeSnapshot(path)).toMatchObject({
      header: sampleHeader,
      liveKeys: 2,
      sizeBytes: bytes.length,
    });
  });

  test('has the hash of its records: the header does not count', async () => {
    await writeFile(path, sampleSnapshot());
    const { hash } = await summarizeSnapshot(path);
    await writeFile(path, sampleSnapshot({ ...sampleHeader, createdMs: 1 }));

    expect((await summarizeSnapshot(path)).hash).toBe(hash);
  });

  test.each([
    ['missing', undefined, 'cannot read'],
    ['empty', Buffer.alloc(0), 'ends too early'],
    ['something else', Buffer.alloc(4096, 'x'), 'not a snapshot of Holdfast'],
    ['cut off', sampleSnapshot().subarray(0, -1), 'ends too early'],
    [
      'longer than it should be',
      Buffer.concat([sampleSnapshot(), Buffer.alloc(1)]),
      'after its end',
    ],
  ])('that is %s is told with its path, once', async (_case, bytes, problem) => {
    if (bytes !== undefined) {
      await writeFile(path, bytes);
    }

    const error = await summarizeSnapshot(path).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ExitError);
    // What the system says of a file that cannot be opened has its path once more.
    const ours = (error as ExitError).message.replace(/ENOENT:.*$/, '');
    expect(ours.split(path)).toHaveLength(2);
    expect(ours).toContain(problem);
  });

  test('with one wrong byte anywhere is refused', async () => {
    const bytes = sampleSnapshot();
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      await writeFile(path, damaged);

      await expect(recordsOf(false)).rejects.toThrow(ExitError);
    }
  });
});

describe('without the check of the hash', () => {
  test('a file whose SHA-256 is wrong or missing is read', async () => {
    const bytes = sampleSnapshot();
    await writeFile(path, bytes);
    const count = await recordsOf(false);

    const wrong = Buffer.from(bytes).fill(0, bytes.length - 32);
    await writeFile(path, wrong);
    await expect(recordsOf(false)).rejects.toThrow('SHA-256');
    expect(await recordsOf(true)).toBe(count);

    await writeFile(path, bytes.subarray(0, -32));
    await expect(recordsOf(false)).rejects.toThrow('too early');
    expect(await recordsOf(true)).toBe(count);
  });

  test('a file whose blocks are damaged is not', async () => {
    const bytes = sampleSnapshot();
    bytes[120] = (bytes[120] ?? 0) ^ 1;
    await writeFile(path, bytes);

    await expect(recordsOf(true)).rejects.toThrow('checksum');
  });
});
