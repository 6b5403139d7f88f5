import { expect, test } from 'vitest';
import { isNearQuota, quotaAction } from '../../src/replica/storage-quota.ts';

test.each([
  ['below it nothing is done', 1000, false, 'none'],
  ['above it the alarm is raised', 1001, false, 'raise'],
  ['above it, raised, nothing is done', 2000, true, 'none'],
  ['a little below it the alarm stays', 900, true, 'none'],
  ['well below it the alarm is lifted', 899, true, 'lift'],
])('quota of 1000: %s', (_, size, isRaised, action) => {
  expect(quotaAction(size, 1000, isRaised)).toBe(action);
});

test('above three quarters of it, it is near', () => {
  expect(isNearQuota(750, 1000)).toBe(false);
  expect(isNearQuota(751, 1000)).toBe(true);
});
