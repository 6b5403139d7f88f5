/** The batch written by hand is the `PeerBatch` of `proto/holdfast/peer.proto`, to the bit. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { decodeBatch, encodeBatch, type PeerBatch } from '../../src/transport/batch.ts';
import { exchangePath } from '../../src/transport/peer-link.ts';

interface ProtoBatch {
  readonly messages: readonly Buffer[];
  readonly ping_id: string;
  readonly pong_id: string;
}

const definitions = loadSync('holdfast/peer.proto', {
  includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))],
  keepCase: true,
  longs: String,
  defaults: true,
  arrays: true,
});
const { Exchange: exchange } = definitions['holdfast.v1.Peer'] as unknown as {
  readonly Exchange: MethodDefinition<object, object, ProtoBatch, ProtoBatch>;
};

const batches: fc.Arbitrary<PeerBatch> = fc.record({
  messages: fc.array(
    fc.uint8Array({ maxLength: 300, size: 'max' }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 5 },
  ),
  pingId: fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()),
  pongId: fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()),
});

/** The batch, or undefined when the bytes are refused as they should be. */
function maybeDecode(bytes: Buffer): PeerBatch | undefined {
  try {
    return decodeBatch(bytes);
  } catch (error) {
    if (error instanceof KvError && error.code === 'INVALID_ARGUMENT') {
      return undefined;
    }
    throw error;
  }
}

describe('a batch', () => {
  test('is the same after a round trip', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
      }),
      { numRuns: 500 },
    );
  });

  test('is read by protobuf as it was written here', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(exchange.requestDeserialize(encodeBatch(batch))).toEqual({
          messages: batch.messages,
          ping_id: String(batch.pingId),
          pong_id: String(batch.pongId),
        });
      }),
      { numRuns: 500 },
    );
  });

  test('is read here as protobuf has written it', () => {
    fc.assert(
      fc.property(batches, ({ messages, pingId, pongId }) => {
        const bytes = exchange.requestSerialize({
          messages,
          ping_id: String(pingId),
          pong_id: String(pongId),
        });

        expect(decodeBatch(bytes)).toEqual({ messages, pingId, pongId });
      }),
      { numRuns: 500 },
    );
  });

  test('with nothing in it has no bytes', () => {
    const nothing = { messages: [], pingId: 0, pongId: 0 };

    expect(encodeBatch(nothing)).toHaveLength(0);
    expect(decodeBatch(Buffer.alloc(0))).toEqual(nothing);
  });

  test('shares its messages with the bytes it came in', () => {
    const bytes = encodeBatch({ messages: [Buffer.from('abc')], pingId: 0, pongId: 0 });

    const [message] = decodeBatch(bytes).messages;

    expect(message?.buffer).toBe(bytes.buffer);
  });

  test('travels on the path of the contract', () => {
    expect(exchange.path).toBe(exchangePath);
  });
});

describe('bytes that are no batch', () => {
  test('with a message cut off are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (message) => {
        const batch = { messages: [Buffer.from(message)], pingId: 0, pongId: 0 };
        const bytes = encodeBatch(batch);

        for (let length = 1; length < bytes.length; length++) {
          expect(maybeDecode(bytes.subarray(0, length))).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  test('never do worse than being refused, and hold no number that is not a safe integer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const { pingId = 0, pongId = 0 } = maybeDecode(Buffer.from(bytes)) ?? {};

        expect(Number.isSafeInteger(pingId) && Number.isSafeInteger(pongId)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['an unknown field', '2001', 'tag 32 is not known'],
    ['a known field of another kind', '0d00000000', 'tag 13 is not known'],
    ['a message longer than what is left', '0a05aabb', 'a message is cut off'],
    ['a number that ends in the middle', '10ff', 'a number is cut off or too long'],
    ['a number above 2^53-1', '10ffffffffffffff1f', 'a number is above 2^53-1'],
    ['a number of ten bytes', '10ffffffffffffffffff01', 'a number is cut off or too long'],
    ['a message of four billion bytes', '0affffffff0f', 'a message is cut off'],
  ])('with %s are refused', (_what, hex, text) => {
    expect(() => decodeBatch(Buffer.from(hex, 'hex'))).toThrow(`malformed peer batch: ${text}`);
  });

  test('may hold the largest safe integer', () => {
    expect(decodeBatch(Buffer.from('10ffffffffffffff0f', 'hex')).pingId).toBe(
      Number.MAX_SAFE_INTEGER,
    );
  });
});
