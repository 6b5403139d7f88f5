import { describe, expect, test } from 'vitest';
import { isAwaited } from '../../src/replica/effects.ts';
import { entriesOf, put } from './commands.ts';

describe('isAwaited', () => {
  test('one proposal of this member makes a batch awaited', () => {
    const entries = entriesOf([put('a', '1'), put('b', '2')], 1);

    expect(isAwaited({ entries, proposalIds: [0, 0] })).toBe(false);
    expect(isAwaited({ entries, proposalIds: [0, 5] })).toBe(true);
  });
});
