import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concatBytes, createPrng, equalBytes, KvError } from '../../src/base/index.ts';
import { crc32c } from '../../src/storage/crc32c.ts';
import type { EngineRecord } from '../../src/storage/index.ts';
import { SnapshotDecoder } from '../../src/storage/snapshot-decoder.ts';
import {
  SnapshotEncoder,
  type SnapshotHeader,
  type SnapshotTotals,
} from '../../src/storage/snapshot-format.ts';

const header: SnapshotHeader = {
  clusterId: 2 ** 52 + 5,
  index: 1234,
  term: 7,
  revision: 999,
  membership: Uint8Array.of(1, 2, 3),
  createdBy: '0.1.0-ö',
  createdMs: 1_700_000_000_000,
  estimatedBytes: 5000,
  senderTerm: 9,
};

function recordOf(number: number, valueBytes: number): EngineRecord {
  const key = new TextEncoder().encode(`key-${String(number).padStart(8, '0')}`);
  return { key, value: new Uint8Array(valueBytes).fill(number & 0xff) };
}

function encode(records: readonly EngineRecord[], batch = 100, versionMax?: number): Uint8Array {
  return concatBytes(...blocksOf(records, batch, versionMax));
}

/** The blocks as they come out, copied before more is asked for. */
function blocksOf(
  records: readonly EngineRecord[],
  batch = 100,
  versionMax?: number,
): readonly Uint8Array[] {
  const encoder = new SnapshotEncoder(header, versionMax);
  const blocks: Uint8Array[] = [];
  const take = (made: Iterable<Uint8Array>): void => {
    for (const block of made) {
      blocks.push(new Uint8Array(block));
      block.fill(0xee);
    }
  };
  for (let i = 0; i < records.length; i += batch) {
    take(encoder.push(records.slice(i, i + batch)));
  }
  take(encoder.finish());
  return blocks;
}

interface Decoded {
  readonly header: SnapshotHeader | undefined;
  readonly records: EngineRecord[];
  readonly totals: SnapshotTotals;
}

function drain(made: Iterable<unknown>): void {
  Array.from(made);
}

/** Decodes pieces; `seen` also gets what came out before an error. */
function decode(pieces: Iterable<Uint8Array>, seen: EngineRecord[] = []): Decoded {
  const decoder = new SnapshotDecoder('/backup/x');
  for (const piece of pieces) {
    for (const batch of decoder.push(piece)) {
      for (const { key, value } of batch) {
        seen.push({ key: new Uint8Array(key), value: new Uint8Array(value) });
        key.fill(0xee);
        value.fill(0xee);
      }
    }
  }
  const totals = decoder.finish();
  return { header: decoder.header, records: seen, totals };
}

function* piecesOf(bytes: Uint8Array, nextSize: () => number): Iterable<Uint8Array> {
  let at = 0;
  while (at < bytes.length) {
    const size = nextSize();
    // A copy that is spoilt afterwards: the decoder must not keep it.
    const piece = bytes.slice(at, at + size);
    yield piece;
    piece.fill(0xee);
    at += size;
  }
}

const plain = (records: readonly EngineRecord[]): string[] =>
  records.map(({ key, value }) => Buffer.concat([key, value]).toString('base64'));

function refusal(bytes: Uint8Array, seen: EngineRecord[] = []): KvError {
  try {
    decode([bytes], seen);
  } catch (error) {
    if (error instanceof KvError) {
      expect(error.code).toBe('DATA_CORRUPT');
      expect(error.message).toMatch(/\/backup\/x at offset \d+: .+ Remedy: /);
      expect(error.details['part']).toBe('snapshot');
      return error;
    }
    throw error;
  }
  throw new Error('the damaged snapshot was accepted');
}

/** The same snapshot as version 1 wrote it, before it said in which term it was made. */
function inVersion1(bytes: Uint8Array): Uint8Array {
  const headEnd = 24 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const block = concatBytes(bytes.subarray(0, 24 + 64), bytes.subarray(24 + 72, headEnd));
  const view = new DataView(block.buffer);
  view.setUint32(4, block.length - 24, true);
  view.setUint32(24, 1, true);
  view.setUint32(16, crc32c(view, 24, block.length, 0), true);
  view.setUint32(20, crc32c(view, 0, 20, 0), true);
  const rest = bytes.subarray(headEnd, -32);
  // Eight zeros more fill it up, or so many less.
  const isFilled = rest.subarray(-504).every((byte) => byte === 0);
  const padded = isFilled
    ? concatBytes(block, rest.subarray(0, -504))
    : concatBytes(block, rest, new Uint8Array(8));
  return concatBytes(padded, createHash('sha256').update(padded).digest());
}

describe('a snapshot', () => {
  const mixed = Array.from({ length: 400 }, (_, i) => recordOf(i, (i * 37) % 5000));

  test.each([
    ['no records', []],
    ['one empty value', [recordOf(1, 0)]],
    ['many chunks', mixed],
    ['a record larger than a chunk', [recordOf(1, 10), recordOf(2, 700_000), recordOf(3, 10)]],
  ])('comes back as it was: %s', (_, records) => {
    const bytes = encode(records);
    const decoded = decode([bytes]);

    expect(decoded.header).toEqual(header);
    expect(plain(decoded.records)).toEqual(plain(records));
    expect(decoded.totals).toEqual({
      records: records.length,
      bytes: records.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    });
  });

  test('of version 1 is read, too, and taken for one of the term of its last entry', () => {
    const decoded = decode([inVersion1(encode(mixed))]);

    expect(decoded.header).toEqual({ ...header, senderTerm: header.term });
    expect(plain(decoded.records)).toEqual(plain(mixed));
  });

  test('for a member that reads version 3 has a SHA-256 of all but the payloads of chunks', () => {
    const blocks = blocksOf(mixed, 100, 3);
    const bytes = concatBytes(...blocks);

    expect(decode([bytes]).header).toEqual(header);
    expect(plain(decode([bytes]).records)).toEqual(plain(mixed));
    const [head, ...others] = blocks;
    const chunks = others.slice(0, -3);
    const hash = createHash('sha256').update(head ?? '');
    for (const chunk of chunks) {
      hash.update(chunk.subarray(0, 24));
    }
    const [end, zeros, digest] = others.slice(-3);
    hash.update(end ?? '').update(zeros ?? '');
    expect(chunks.length).toBeGreaterThan(3);
    expect(Buffer.from(digest ?? '')).toEqual(hash.digest());
  });

  test.each([0, 1, 2, undefined])('for whoever reads up to version %s is of version 2', (max) => {
    expect(equalBytes(encode(mixed, 100, max), encode(mixed, 100, 2))).toBe(true);
    expect(equalBytes(encode(mixed, 100, 4), encode(mixed, 100, 3))).toBe(true);
    expect(equalBytes(encode(mixed, 100, 2), encode(mixed, 100, 3))).toBe(false);
  });

  test('of a version that is not known is refused', () => {
    const bytes = encode([recordOf(1, 3)]);
    const view = new DataView(bytes.buffer);
    view.setUint32(24, 4, true);
    const headEnd = 24 + view.getUint32(4, true);
    view.setUint32(16, crc32c(view, 24, headEnd, 0), true);
    view.setUint32(20, crc32c(view, 0, 20, 0), true);

    expect(refusal(bytes).message).toContain('format version 4, this program reads 1 to 3');
  });

  test('is cut into pieces anywhere, and comes in batches of any size', () => {
    const prng = createPrng(5);
    const bytes = encode(mixed, 7);
    expect(equalBytes(bytes, encode(mixed, 400))).toBe(true);

    for (const size of [512, 100_000, undefined]) {
      const decoded = decode(piecesOf(bytes, () => size ?? prng.nextInt(1, 3000)));
      expect(plain(decoded.records)).toEqual(plain(mixed));
    }
    const few = mixed.slice(0, 30);
    for (const size of [1, 3]) {
      expect(plain(decode(piecesOf(encode(few), () => size)).records)).toEqual(plain(few));
    }
  });

  test("has the size and the digest by which etcd's clients know a whole one", () => {
    for (const count of [0, 1, 2, 5, 100]) {
      const bytes = encode(mixed.slice(0, count));

      expect(bytes.length % 512).toBe(32);
      const digest = createHash('sha256').update(bytes.subarray(0, -32)).digest();
      expect(Buffer.from(bytes.subarray(-32))).toEqual(digest);
    }
  });

  test('comes in blocks of no more than 256 KiB', () => {
    const blocks = blocksOf(mixed);

    expect(blocks.length).toBeGreaterThan(5);
    expect(Math.max(...blocks.map((block) => block.length))).toBeLessThanOrEqual(256 * 1024);
  });

  test('is written and read in the same memory again and again', () => {
    const encoder = new SnapshotEncoder(header);
    const decoder = new SnapshotDecoder();
    const written = new Set<unknown>();
    const read = new Set<unknown>();
    for (const block of encoder.push(mixed)) {
      written.add(block.buffer);
      for (const batch of decoder.push(block)) {
        read.add(batch[0]?.value.buffer);
      }
    }

    // The header's, and the chunks'.
    expect(written.size).toBe(2);
    expect(read.size).toBe(1);
  });

  test.each([2, 3])(
    'of version %s: every flipped byte is found, and no wrong record comes out before',
    (version) => {
      const records = [recordOf(1, 3), recordOf(2, 0), recordOf(3, 30)];
      const bytes = encode(records, 100, version);
      for (let at = 0; at < bytes.length; at++) {
        for (const flip of [1 << (at % 8), 0xff]) {
          const damaged = bytes.slice();
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const seen: EngineRecord[] = [];
          refusal(damaged, seen);

          expect(plain(seen)).toEqual(plain(records.slice(0, seen.length)));
        }
      }
    },
  );

  test('a cut at every length is found, and says where', () => {
    const bytes = encode([recordOf(1, 3), recordOf(2, 30)]);
    for (let length = 0; length < bytes.length; length++) {
      const error = refusal(bytes.slice(0, length));

      expect(error.message).toContain(`at offset ${length}: it ends too early`);
    }
  });

  test('anything behind its end is found', () => {
    const bytes = encode([recordOf(1, 3)]);
    expect(refusal(concatBytes(bytes, Uint8Array.of(0))).message).toContain(
      `at offset ${bytes.length}: there is something after its end`,
    );
    const decoder = new SnapshotDecoder();
    drain(decoder.push(bytes));
    expect(() => {
      drain(decoder.push(Uint8Array.of(0)));
    }).toThrow('after its end');
  });

  test.each([2, 3])(
    'of version %s: chunks that are missing, swapped or of another snapshot are found',
    (version) => {
      const blocks = blocksOf(mixed, 100, version);
      const others = blocksOf(
        mixed.map(({ key, value }) => ({ key, value: value.map((x) => x ^ 1) })),
        100,
        version,
      );
      const foreign = blocks.map((block, i) => (i === 2 ? (others[2] as Uint8Array) : block));
      const without = blocks.filter((_, i) => i !== 2);
      const swapped = [...blocks];
      [swapped[1], swapped[2]] = [blocks[2] as Uint8Array, blocks[1] as Uint8Array];

      expect(refusal(concatBytes(...foreign)).message).toContain('its SHA-256 does not match');
      expect(refusal(concatBytes(...without)).message).toContain('block 3 stands where block 2');
      expect(refusal(concatBytes(...swapped)).message).toContain('block 2 stands where block 1');
      expect(refusal(new Uint8Array(1000)).message).toContain('not a snapshot of Holdfast');
    },
  );

  test('keys that do not ascend stop the program that writes them', () => {
    const encoder = new SnapshotEncoder(header);
    drain(encoder.push([recordOf(2, 1)]));

    expect(() => {
      drain(encoder.push([recordOf(2, 1)]));
    }).toThrow('ascend');
  });
});
