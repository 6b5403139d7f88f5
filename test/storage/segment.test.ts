import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { Segment, SegmentMap, segmentName, segmentNumberOf } from '../../src/storage/segment.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

function newSegment(number: number): Segment {
  const path = segmentName(number, 1);
  const header = {
    number,
    allocatedBytes: 1 << 20,
    start: undefined,
    firstFrameNumber: 1,
    salt: 0,
  };
  return new Segment(new MemoryFileSystem().open(path, 'create'), path, header);
}

describe('segmentName', () => {
  test('sorts as its number does, and gives it back', () => {
    expect(segmentNumberOf(segmentName(12, 345))).toBe(12);
    expect([segmentName(10, 1), segmentName(9, 1)].sort()).toEqual([
      segmentName(9, 1),
      segmentName(10, 1),
    ]);
    expect(segmentNumberOf('next.tmp')).toBeUndefined();
  });
});

describe('SegmentMap', { timeout: 60_000 }, () => {
  test('agrees with a naive list over pushes, truncations and new segments', () => {
    const prng = createPrng(4);
    const map = new SegmentMap(0);
    map.segments.push(newSegment(1));
    /** Index by index: segment number, offset, length. */
    let twin: { segment: number; offset: number; dataBytes: number }[] = [];
    let offset = 64;
    for (let round = 0; round < 2000; round++) {
      const kind = prng.nextInt(0, 40);
      if (kind === 0) {
        map.segments.push(newSegment(map.segments.length + 1));
        offset = 64;
      } else if (kind === 1 && twin.length > 0) {
        const index = prng.nextInt(Math.max(1, twin.length - 30), twin.length + 1);
        map.truncate(index);
        twin = twin.slice(0, index - 1);
      } else {
        const dataBytes = prng.nextInt(0, 200);
        twin.push({ segment: map.segments.length, offset, dataBytes });
        map.push(twin.length, offset, dataBytes);
        offset += 16 + dataBytes;
      }
      expect(map.lastIndex).toBe(twin.length);
      if (twin.length > 0) {
        const lo = prng.nextInt(1, twin.length + 1);
        const hi = prng.nextInt(lo + 1, twin.length + 2);
        const bytesMax = prng.nextInt(0, 5000);
        checkRuns(map, twin, { lo, hi, bytesMax });
      }
    }
  });

  function checkRuns(
    map: SegmentMap,
    twin: readonly { segment: number; offset: number; dataBytes: number }[],
    { lo, hi, bytesMax }: { lo: number; hi: number; bytesMax: number },
  ): void {
    let expectedEnd = lo + 1;
    let bytes = twin[lo - 1]?.dataBytes ?? 0;
    while (expectedEnd < hi && bytes + (twin[expectedEnd - 1]?.dataBytes ?? 0) <= bytesMax) {
      bytes += twin[expectedEnd - 1]?.dataBytes ?? 0;
      expectedEnd++;
    }
    let next = lo;
    for (const run of map.runs(lo, hi, bytesMax)) {
      expect(run.lo).toBe(next);
      for (let index = run.lo; index < run.hi; index++) {
        const place = twin[index - 1];
        expect(run.segment.header.number).toBe(place?.segment);
        expect(run.segment.offsetOf(index)).toBe(place?.offset);
        expect(run.segment.dataBytesOf(index)).toBe(place?.dataBytes);
      }
      const last = twin[run.hi - 2];
      expect(run.offset + run.bytes).toBe((last?.offset ?? 0) + 16 + (last?.dataBytes ?? 0));
      next = run.hi;
    }
    expect(next).toBe(expectedEnd);
  }
});
