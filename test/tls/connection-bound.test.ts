import { expect, test } from 'vitest';
import { ConnectionBound } from '../../src/tls/connection-bound.ts';

test('is full at its number, and has room again once one has ended', () => {
  const told: number[] = [];
  const bound = new ConnectionBound(2, 'use fewer', (open) => told.push(open));

  const leave = bound.enter();
  expect(bound.isFull).toBe(false);
  bound.enter();
  expect(bound.isFull).toBe(true);
  leave();

  expect(bound.isFull).toBe(false);
  expect(told).toEqual([1, 2, 1]);
});
