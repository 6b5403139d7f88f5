import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/raft/index.ts';
import { FramePacker } from '../../src/storage/frame-packer.ts';
import {
  bodyBytesOf,
  decodeEntry,
  decodeSegmentHeader,
  entryDataBytes,
  frameBytes,
  frameHeaderBytes,
  isEntryIntact,
  segmentHeaderBytes,
  viewOf,
} from '../../src/storage/record.ts';

const hardState = { currentTerm: 3, votedFor: 1, commitIndex: 6 };
const salt = 4711;

function entry(index: number, dataBytes: number): Entry {
  return { term: 3, index, type: 'normal', data: new Uint8Array(dataBytes).fill(index) };
}

function pack(packer: FramePacker, entries: readonly Entry[]) {
  const length = frameBytes(bodyBytesOf(entries));
  return packer.pack(entries, length, { salt, number: 9, hardState, position: 128 });
}

describe('FramePacker', () => {
  test('a frame is as long as it says, and its entries begin where it says', () => {
    const packed = pack(new FramePacker(), [entry(7, 100)]);

    const view = viewOf(packed.bytes);
    const at = packed.bodyAt;
    expect(packed.length % frameHeaderBytes).toBe(0);
    expect(entryDataBytes(view, at)).toBe(100);
    expect(isEntryIntact(view, at, { dataBytes: 100, index: 7, salt })).toBe(true);
    expect(decodeEntry(packed.bytes, view, at, 7)).toEqual(entry(7, 100));
  });

  test('the first frame of a segment stands behind its header', () => {
    const header = { number: 2, allocatedBytes: 4096, start: undefined, firstFrameNumber: 5, salt };

    const packed = new FramePacker().packFirst(header, [entry(7, 10)], hardState);

    const view = viewOf(packed.bytes);
    expect(decodeSegmentHeader(view)).toEqual(header);
    expect(packed.bodyAt).toBe(segmentHeaderBytes + frameHeaderBytes);
    expect(decodeEntry(packed.bytes, view, packed.bodyAt, 7)).toEqual(entry(7, 10));
  });

  test('nothing of a longer frame before it is left in a frame', () => {
    const packer = new FramePacker();
    pack(packer, [entry(1, 5000)]);

    const short = pack(packer, [entry(7, 10)]);

    const alone = pack(new FramePacker(), [entry(7, 10)]);
    const bytesOf = ({ bytes, length }: typeof short): Uint8Array => bytes.slice(0, length);
    expect(bytesOf(short)).toEqual(bytesOf(alone));
  });

  test('the buffer of a large frame is given back once that is written', () => {
    const packer = new FramePacker();
    const megabytes = 1024 * 1024;

    expect(pack(packer, [entry(1, 20 * megabytes)]).bytes.length).toBeGreaterThan(20 * megabytes);
    packer.release();

    expect(pack(packer, [entry(2, 10)]).bytes.length).toBe(8 * megabytes);
  });
});
