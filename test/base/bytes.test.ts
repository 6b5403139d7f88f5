/** Byte strings, as arrays and as Buffers alike. */
import { describe, expect, test } from 'vitest';
import { prefixEnd } from '../../src/base/index.ts';

describe('prefixEnd', () => {
  test.each([
    [[0x61], [0x62]],
    [
      [0x61, 0x62],
      [0x61, 0x63],
    ],
    [[0x61, 0xff, 0xff], [0x62]],
    [[0x00], [0x01]],
  ])('of %j is %j', (prefix, expected) => {
    expect(prefixEnd(Uint8Array.from(prefix))).toEqual(Uint8Array.from(expected));
  });

  test.each([[[]], [[0xff]], [[0xff, 0xff]]])('of %j is none', (prefix) => {
    expect(prefixEnd(Uint8Array.from(prefix))).toBeUndefined();
  });

  test('leaves the prefix as it is, even a Buffer', () => {
    const prefix = Buffer.from('a');

    const end = prefixEnd(prefix);

    expect(prefix).toEqual(Buffer.from('a'));
    expect(end).toEqual(Uint8Array.from([0x62]));
  });
});
