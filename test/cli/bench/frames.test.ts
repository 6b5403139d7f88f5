import { expect, test } from 'vitest';
import { frameFlag, withoutPadding } from '../../../src/cli/bench/frames.ts';

test.each([
  ['a plain payload stays', 0, '616263', 'abc'],
  ['padding goes', frameFlag.padded, '02616263' + '0000', 'abc'],
  ['a priority goes', frameFlag.priority, '0102030405' + '616263', 'abc'],
  ['both go', frameFlag.padded | frameFlag.priority, '010102030405' + '6162' + '00', 'ab'],
  ['more padding than there is leaves nothing', frameFlag.padded, 'ff616263', ''],
])('%s', (_, flags, payload, expected) => {
  expect(withoutPadding(flags, Buffer.from(payload, 'hex')).toString('latin1')).toBe(expected);
});
