import { describe, expect, test } from 'vitest';
import {
  frameMessage,
  framePut,
  frameRange,
  frameTxn,
  tagPut,
  unframeMessage,
} from '../../../src/cli/bench/requests.ts';
import { services } from '../../../src/wire/index.ts';

const { Put, Range, Txn } = services['etcdserverpb.KV'];
// Around every length at which a length takes one byte more.
const lengths = [0, 1, 8, 100, 127, 128, 129, 256, 16_383, 16_384, 100_000];

function bytes(length: number, start = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (start + i) & 0xff));
}

function messageOf(frame: Buffer): Buffer {
  const message = unframeMessage(frame);
  if (message === undefined) {
    throw new Error('the frame does not hold one whole message');
  }
  return message;
}

describe('requests', () => {
  test('a put decodes to its key and value, at every length', () => {
    for (const length of lengths) {
      const put = { key: bytes(8, 1), value: bytes(length) };

      const decoded = Put.requestDeserialize(messageOf(framePut(put)));

      expect(decoded.key.equals(put.key)).toBe(true);
      expect(decoded.value.equals(put.value)).toBe(true);
      expect({ ...decoded, key: null, value: null }).toEqual({
        key: null,
        value: null,
        lease: '0',
        prev_kv: false,
        ignore_value: false,
        ignore_lease: false,
        ttl_ms: '0',
        ttl_refresh_on_write: false,
      });
    }
  });

  test('a tag takes the first four bytes of the value, and nothing else', () => {
    for (const length of lengths.filter((each) => each >= 4)) {
      const put = { key: bytes(8, 1), value: bytes(length) };
      const frame = framePut(put);

      tagPut(frame, length, 0xfeed_beef);

      const { key, value } = Put.requestDeserialize(messageOf(frame));
      expect(key.equals(put.key)).toBe(true);
      expect(value.readUInt32BE(0)).toBe(0xfeed_beef);
      expect(value.subarray(4).equals(put.value.subarray(4))).toBe(true);
    }
  });

  test('a range decodes to one key with the consistency that was asked for', () => {
    for (const isSerializable of [false, true]) {
      const frame = frameRange(bytes(300), isSerializable);

      const decoded = Range.requestDeserialize(messageOf(frame));

      expect(decoded.key.equals(bytes(300))).toBe(true);
      expect(decoded.serializable).toBe(isSerializable);
      expect(decoded.range_end.length).toBe(0);
      expect(decoded.limit).toBe('0');
    }
  });

  test('a transaction decodes to one comparison that always holds, and its puts', () => {
    for (const length of lengths) {
      const puts = [
        { key: bytes(8), value: bytes(length) },
        { key: bytes(200, 7), value: bytes(3) },
      ];

      const decoded = Txn.requestDeserialize(messageOf(frameTxn(puts)));

      expect(decoded.compare).toMatchObject([
        { result: 'LESS', target: 'MOD', mod_revision: String(Number.MAX_SAFE_INTEGER) },
      ]);
      expect(decoded.compare[0]?.key.equals(puts[0]?.key ?? Buffer.alloc(0))).toBe(true);
      expect(decoded.success.map((operation) => operation.request_put?.key)).toEqual(
        puts.map((put) => put.key),
      );
      expect(
        decoded.success.every((operation, i) =>
          operation.request_put?.value.equals(puts[i]?.value ?? Buffer.alloc(0)),
        ),
      ).toBe(true);
      expect(decoded.failure).toEqual([]);
    }
  });

  test('a transaction without puts is refused', () => {
    expect(() => frameTxn([])).toThrow('at least one key');
  });

  test('a frame gives back its message, and nothing when it is cut or too long', () => {
    const frame = frameMessage(bytes(70_000));

    expect(messageOf(frame).equals(bytes(70_000))).toBe(true);
    expect(unframeMessage(frame.subarray(0, frame.length - 1))).toBeUndefined();
    expect(unframeMessage(frame.subarray(0, 3))).toBeUndefined();
    expect(unframeMessage(Buffer.concat([frame, Buffer.alloc(1)]))).toBeUndefined();
  });
});
