import { expect, test } from 'vitest';
import { frameBytesMax, messageOf, SnapshotFrame } from '../../src/transport/snapshot-frame.ts';
import { services } from '../../src/wire/index.ts';

const { responseSerialize, responseDeserialize } = services['holdfast.v1.Peer'].FetchSnapshot;

test('a frame is the message that protobuf makes of its bytes, whatever it carried before', () => {
  const frame = new SnapshotFrame();
  for (const length of [frameBytesMax, 1, 127, 128, 16_383, 16_384, 70_000]) {
    const data = Buffer.alloc(length, length);
    frame.fill(data);

    expect(messageOf(frame).equals(responseSerialize({ data }))).toBe(true);
    expect(responseDeserialize(messageOf(frame)).data.equals(data)).toBe(true);
  }
});

test('a frame keeps a copy: what it was filled from may change', () => {
  const frame = new SnapshotFrame();
  const data = Uint8Array.of(1, 2, 3);
  frame.fill(data);
  data.fill(9);

  expect([...responseDeserialize(messageOf(frame)).data]).toEqual([1, 2, 3]);
});

test('a frame holds no more than its limit', () => {
  expect(() => {
    new SnapshotFrame().fill(new Uint8Array(frameBytesMax + 1));
  }).toThrow('fits its frame');
});
