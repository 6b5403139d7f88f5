import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/raft/index.ts';
import {
  bodyBytesOf,
  countZeroPieces,
  decodeEntry,
  decodeFrameHeader,
  decodeSegmentHeader,
  encodeFrame,
  encodeSegmentHeader,
  entryDataBytes,
  frameBytes,
  frameHeaderBytes,
  isEntryIntact,
  isFrameHeader,
  viewOf,
} from '../../src/storage/record.ts';
import { makeEntries, plain } from '../conformance/log-store.suite.ts';

const large = Number.MAX_SAFE_INTEGER;

function frameOf(entries: readonly Entry[], salt = 99): Uint8Array {
  const bytes = new Uint8Array(frameBytes(bodyBytesOf(entries)));
  const hardState = { currentTerm: large, votedFor: large - 1, commitIndex: large - 2 };
  const context = { salt, number: large, hardState, position: 64 };
  expect(encodeFrame({ bytes, view: viewOf(bytes), at: 0 }, entries, context)).toBe(bytes.length);
  return bytes;
}

describe('record', () => {
  test('a segment header comes back as it was, up to the largest integers', () => {
    const header = {
      number: large,
      allocatedBytes: 2 ** 40,
      start: { index: large - 1, term: 2 ** 33 },
      firstFrameNumber: 5,
      salt: 0xffff_ffff,
    };
    const view = new DataView(new ArrayBuffer(64));
    encodeSegmentHeader(view, header);

    expect(decodeSegmentHeader(view)).toEqual(header);
    encodeSegmentHeader(view, { ...header, start: undefined });
    expect(decodeSegmentHeader(view)).toEqual({ ...header, start: undefined });
    view.setUint8(30, 1 ^ view.getUint8(30));
    expect(decodeSegmentHeader(view)).toContain('checksum');
  });

  test('a frame comes back as it was, and is a multiple of 64 bytes', () => {
    const entries = makeEntries(5, 9, 3, 21);
    const bytes = frameOf(entries);
    const view = viewOf(bytes);

    expect(bytes.length % 64).toBe(0);
    expect(isFrameHeader(view, 0, 99)).toBe(true);
    expect(decodeFrameHeader(view, 0)).toEqual({
      bodyBytes: 4 * (16 + 21),
      number: large,
      entryCount: 4,
      zeroPieces: 0,
      firstIndex: 5,
      hardState: { currentTerm: large, votedFor: large - 1, commitIndex: large - 2 },
    });
    const found = entries.map((entry, i) => {
      const at = frameHeaderBytes + i * (16 + 21);
      const dataBytes = entryDataBytes(view, at);
      expect(isEntryIntact(view, at, { dataBytes, index: entry.index, salt: 99 })).toBe(true);
      return decodeEntry(bytes, view, at, entry.index);
    });
    expect(plain(found)).toEqual(plain(entries));
  });

  test('an entry fails its check at another index or under another salt', () => {
    const view = viewOf(frameOf(makeEntries(5, 6, 3, 21)));

    expect(isEntryIntact(view, 64, { dataBytes: 21, index: 6, salt: 99 })).toBe(false);
    expect(isEntryIntact(view, 64, { dataBytes: 21, index: 5 + 2 ** 32, salt: 99 })).toBe(false);
    expect(isEntryIntact(view, 64, { dataBytes: 21, index: 5, salt: 98 })).toBe(false);
  });

  test('data that looks like a frame is none, since its writer cannot know the salt', () => {
    const forged = frameOf([], 1);
    const entry: Entry = { index: 1, term: 1, type: 'normal', data: forged };
    const view = viewOf(frameOf([entry], 2));

    for (let at = 0; at + 64 <= view.byteLength; at++) {
      expect(isFrameHeader(view, at, 2)).toBe(at === 0);
    }
  });

  test('zero pieces are counted by the sectors of the file, without the one of the header', () => {
    const view = new DataView(new ArrayBuffer(2048));
    expect(countZeroPieces(view, 0, 2048, 0)).toBe(3);
    expect(countZeroPieces(view, 0, 2048, 64)).toBe(4);
    expect(countZeroPieces(view, 0, 448, 64)).toBe(0);
    expect(countZeroPieces(view, 0, 512, 64)).toBe(1);
    view.setUint8(1000, 1);
    expect(countZeroPieces(view, 0, 2048, 0)).toBe(2);
  });
});
