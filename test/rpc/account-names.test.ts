import { expect, test } from 'vitest';
import { fromName, toName } from '../../src/rpc/account-names.ts';

test('a name has one character for each byte of its UTF-8, and comes back as text', () => {
  for (const text of ['ann', 'zoë', '猫', '']) {
    const name = toName(text, 256);

    expect(name).toHaveLength(Buffer.byteLength(text));
    expect(fromName(name)).toBe(text);
  }
});

test('names that are too long are refused, with the limit', () => {
  expect(toName('ë'.repeat(128), 256)).toHaveLength(256);
  expect(() => toName(`${'ë'.repeat(128)}x`, 256)).toThrow('at most 256 bytes');
});
