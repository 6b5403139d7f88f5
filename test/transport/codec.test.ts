/** Messages survive the wire; bytes that are no message are refused, whatever they are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { Entry } from '../../src/raft/index.ts';
import { decodeMessage, encodings, MessageEncoder } from '../../src/transport/codec.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import { anyMessage, messagesByType } from './messages.ts';

function encode(message: PeerMessage): Buffer {
  return new MessageEncoder().encode(message, encodings.newest);
}

/** The message, or undefined when the bytes are refused as they should be. */
function maybeDecode(bytes: Buffer): PeerMessage | undefined {
  try {
    return decodeMessage(bytes, encodings.newest);
  } catch (error) {
    if (error instanceof KvError && error.code === 'INVALID_ARGUMENT') {
      return undefined;
    }
    throw error;
  }
}

function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') {
    return [value];
  }
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value)
    ? Object.values(value).flatMap(numbersIn)
    : [];
}

describe('a message', () => {
  test.each(Object.entries(messagesByType))(
    '%s is the same after a round trip',
    (_type, messages) => {
      fc.assert(
        fc.property(messages as fc.Arbitrary<PeerMessage>, (message) => {
          expect(decodeMessage(encode(message), encodings.newest)).toEqual(message);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('is the same whatever its encoder has encoded before', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
        const encoder = new MessageEncoder();

        for (const message of messages) {
          expect(encoder.encode(message, encodings.newest).equals(encode(message))).toBe(true);
        }
      }),
    );
  });

  test('to several followers carries the right entries, shared or not', () => {
    const encoder = new MessageEncoder();
    const entry = (index: number): Entry => ({
      term: 2,
      index,
      type: 'normal',
      data: Buffer.from(`entry ${index}`),
    });
    const all = [entry(5), entry(6), entry(7)];
    const append = (to: number, prevLogIndex: number, entries: readonly Entry[]): PeerMessage => {
      const fields = { from: 1, to, term: 2, prevLogIndex, prevLogTerm: 1, commitIndex: 4 };
      return { type: 'AppendEntries', ...fields, entries };
    };
    const messages = [
      append(2, 4, all),
      append(3, 4, [...all]),
      append(4, 5, all.slice(1)),
      append(5, 4, all.slice(0, 2)),
      append(6, 4, []),
      append(7, 4, all),
    ];

    const decoded = messages.map((message) =>
      decodeMessage(encoder.encode(message, encodings.newest), encodings.newest),
    );

    expect(decoded).toEqual(messages);
  });
});

describe('bytes that are no message', () => {
  test('cut off anywhere are refused', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = encode(message);

        for (let length = 0; length < bytes.length; length++) {
          expect(maybeDecode(bytes.subarray(0, length))).toBeUndefined();
        }
      }),
      { numRuns: 200 },
    );
  });

  test('with bytes after their end are refused', () => {
    fc.assert(
      fc.property(anyMessage, fc.uint8Array({ minLength: 1, maxLength: 9 }), (message, extra) => {
        expect(maybeDecode(Buffer.concat([encode(message), extra]))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test('are refused at worst, and never decode to a number that is no safe integer', () => {
    const mutated = fc
      .tuple(anyMessage, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }))
      .map(([message, changes]) => {
        const bytes = Buffer.from(encode(message));
        for (const [at, value] of changes) {
          bytes[at % bytes.length] = value;
        }
        return bytes;
      });
    const garbage = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

    fc.assert(
      fc.property(fc.oneof(mutated, garbage), (bytes) => {
        const unsafe = numbersIn(maybeDecode(bytes)).filter((each) => !Number.isSafeInteger(each));

        expect(unsafe).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  test('of another encoding than their stream’s are refused by it', () => {
    const bytes = encode({ type: 'TimeoutNow', from: 1, to: 2, term: 3 });
    bytes[0] = 5;

    expect(() => decodeMessage(bytes, encodings.newest)).toThrow(
      'malformed peer message: it has encoding 5, and its stream has 4',
    );
  });

  test('of an unknown type are refused', () => {
    const bytes = encode({ type: 'TimeoutNow', from: 1, to: 2, term: 3 });
    bytes[1] = 18;

    expect(() => decodeMessage(bytes, encodings.newest)).toThrow('18 is none of 18 choices');
  });

  test('of a state hash in a term are refused', () => {
    const bytes = encode({ type: 'StateHash', from: 1, to: 2, index: 3, hash: 4n });
    bytes.writeBigUInt64BE(5n, 18);

    expect(() => decodeMessage(bytes, encodings.newest)).toThrow('a StateHash has a term');
  });

  test.each([
    ['from', 2],
    ['to', 10],
    ['term', 18],
  ])('with a %s above 2^53-1 are refused', (_field, offset) => {
    const bytes = encode({ type: 'TimeoutNow', from: 1, to: 2, term: 3 });
    bytes.writeBigUInt64BE(2n ** 53n, offset);

    expect(() => decodeMessage(bytes, encodings.newest)).toThrow('a number is above 2^53-1');
  });

  test('with entries whose index would be above 2^53-1 are refused', () => {
    const entry: Entry = { term: 1, index: 1, type: 'normal', data: Buffer.alloc(0) };
    const fields = { from: 1, to: 2, term: 1, prevLogTerm: 1, commitIndex: 0 };
    const append = (prevLogIndex: number, entries: readonly Entry[]): PeerMessage => ({
      type: 'AppendEntries',
      ...fields,
      prevLogIndex,
      entries,
    });

    const last = encode(append(Number.MAX_SAFE_INTEGER - 1, [entry]));
    const beyond = encode(append(Number.MAX_SAFE_INTEGER - 1, [entry, entry]));

    expect(decodeMessage(last, encodings.newest)).toMatchObject({
      entries: [{ index: Number.MAX_SAFE_INTEGER }],
    });
    expect(maybeDecode(beyond)).toBeUndefined();
  });

  test.each([
    ['entries', 'AppendEntries', 26 + 24],
    ['proposals', 'Propose', 26 + 8],
    ['voters', 'ProposeConfChange', 26 + 16],
  ] as const)('that promise four billion %s are refused at once', (_what, type, offset) => {
    fc.assert(
      fc.property(messagesByType[type] as fc.Arbitrary<PeerMessage>, (message) => {
        const bytes = encode(message);
        bytes.writeUInt32BE(0xffff_ffff, offset);

        expect(maybeDecode(bytes)).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  test('that promise four billion bytes of data are refused at once', () => {
    const bytes = encode({
      type: 'Propose',
      from: 1,
      to: 2,
      term: 0,
      context: 1,
      proposals: [Buffer.from('data')],
    });
    bytes.writeUInt32BE(0xffff_ffff, 26 + 8 + 4);

    expect(() => decodeMessage(bytes, encodings.newest)).toThrow(
      'within a field of 4294967295 bytes',
    );
  });
});
