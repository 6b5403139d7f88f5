import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/raft/index.ts';
import type { StorageFile } from '../../src/storage/file-system.ts';
import { FramePacker } from '../../src/storage/frame-packer.ts';
import { entryHeaderBytes } from '../../src/storage/record.ts';
import { type ReadRun, Segment, SegmentMap } from '../../src/storage/segment.ts';
import { readRun } from '../../src/storage/segment-reader.ts';

const entries: readonly Entry[] = [7, 8, 9].map((index) => ({
  ...{ term: 3, index, type: 'normal' as const },
  data: new Uint8Array(10).fill(index),
}));

/** A segment of three entries in memory, and the run that holds all of them. */
function start() {
  const header = {
    number: 1,
    allocatedBytes: 4096,
    start: undefined,
    firstFrameNumber: 1,
    salt: 5,
  };
  const hardState = { currentTerm: 3, votedFor: 0, commitIndex: 6 };
  const { bytes, length, bodyAt } = new FramePacker().packFirst(header, entries, hardState);
  const disk = {
    content: bytes.slice(0, length),
    isOpen: true,
    failure: undefined as Error | undefined,
  };
  const file: StorageFile = {
    path: 'segment',
    sizeBytes: () => disk.content.length,
    read: async (target, position) => {
      await Promise.resolve();
      if (disk.failure !== undefined) {
        throw disk.failure;
      }
      const part = disk.content.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    ...{ writeSync: never, write: never, datasync: never, sync: never },
    close: () => {
      disk.isOpen = false;
    },
  };
  const segment = new Segment(file, 'segment', header);
  const map = new SegmentMap(6);
  map.segments.push(segment);
  let offset = bodyAt;
  for (const { index, data } of entries) {
    map.push(index, offset, data.length);
    offset += entryHeaderBytes + data.length;
  }
  const [run] = map.runs(7, 10, 1000) as [ReadRun];
  return { disk, segment, run };
}

function never(): never {
  throw new Error('a read writes nothing');
}

describe('readRun', () => {
  test('reads the entries of a run as they were written', async () => {
    const { run } = start();

    expect(await readRun(run)).toEqual(entries);
  });

  test('refuses an entry that does not match its checksum, and says which and where', async () => {
    const { disk, run } = start();
    const at = run.offset + entryHeaderBytes + 10 + entryHeaderBytes;
    disk.content[at] = (disk.content[at] ?? 0) ^ 1;

    await expect(readRun(run)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('entry 8') as string,
    });
  });

  test('refuses a file that has become shorter', async () => {
    const { disk, run } = start();
    disk.content = disk.content.slice(0, run.offset + 20);

    await expect(readRun(run)).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  });

  test('a segment that is retired meanwhile closes after the read', async () => {
    const { disk, segment, run } = start();
    const reading = readRun(run);

    segment.retire(() => undefined);
    expect(disk.isOpen).toBe(true);

    expect(await reading).toHaveLength(3);
    expect(disk.isOpen).toBe(false);
  });

  test('a disk that fails is told apart from damage, and the file is let go', async () => {
    const { disk, segment, run } = start();
    disk.failure = new Error('EIO');

    await expect(readRun(run)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    segment.retire(() => undefined);

    expect(disk.isOpen).toBe(false);
  });
});
