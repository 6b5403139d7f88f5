/** Values as bytes and back. */
import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/client/codec.ts';

describe('a codec', () => {
  test('of text writes UTF-8 and refuses what is none', () => {
    expect(codecs.string.encode('é')).toEqual(Buffer.from([0xc3, 0xa9]));
    expect(codecs.string.decode(Buffer.from([0xc3, 0xa9]))).toBe('é');
    expect(codecs.string.decode(Buffer.from('\uFEFFa'))).toBe('\uFEFFa');
    expect(() => codecs.string.decode(Buffer.from([0xff]))).toThrow();
  });

  test('of text refuses half of a surrogate pair: it would be read as something else', () => {
    expect(() => codecs.string.encode('a\uD83D')).toThrow('lone surrogate');
    expect(codecs.string.decode(codecs.string.encode('\u{1F600}'))).toBe('\u{1F600}');
  });

  test('of JSON keeps one, which it writes in digits', () => {
    const json = codecs.json<string>();

    expect(json.decode(json.encode('a\uD83D'))).toBe('a\uD83D');
  });

  test('of bytes copies what it reads: an answer is not kept for one value', () => {
    const bytes = Buffer.from([1, 2, 3]);
    const value = codecs.bytes.decode(bytes.subarray(1));
    bytes.fill(0);

    expect(value).toEqual(Uint8Array.of(2, 3));
    expect(value.buffer.byteLength).toBe(2);
  });

  test('of JSON gives back what it was given', () => {
    const json = codecs.json<{ readonly list: readonly (number | null)[] }>();
    const value = { list: [1, null] };

    expect(json.decode(json.encode(value))).toEqual(value);
    expect(() => json.decode(Buffer.from('{'))).toThrow();
  });
});
