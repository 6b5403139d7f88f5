import { expect, test } from 'vitest';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('HMAC-SHA-256 is that of RFC 4231, in however many parts', () => {
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';

  for (const parts of [['what do ya want for nothing?'], ['what do ya ', 'want for nothing?']]) {
    const digest = nodeCryptography.hmac(bytes('Jefe'), ...parts.map(bytes));
    expect(Buffer.from(digest).toString('hex')).toBe(expected);
  }
});

test('scrypt is that of RFC 7914', async () => {
  const work = { cost: 1024, blockSize: 8, parallelization: 16 };
  const key = await nodeCryptography.deriveKey('password', bytes('NaCl'), work);

  expect(Buffer.from(key).toString('hex')).toBe(
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
  );
});

test('bytes are compared as a whole, and random ones differ', () => {
  const isEqual = (a: Uint8Array, b: Uint8Array): boolean => nodeCryptography.isEqual(a, b);
  const randomBytes = (): Uint8Array => nodeCryptography.randomBytes(16);

  expect(isEqual(bytes('abc'), bytes('abc'))).toBe(true);
  expect(isEqual(bytes('abc'), bytes('abd'))).toBe(false);
  expect(isEqual(bytes('abc'), bytes('ab'))).toBe(false);
  expect(isEqual(randomBytes(), randomBytes())).toBe(false);
});
