import { expect, test } from 'vitest';
import { append } from '../../src/base/index.ts';

test('items are put behind those that are there, in their order', () => {
  const list = [1, 2];
  append(list, [3, 4]);
  append(list, []);
  expect(list).toEqual([1, 2, 3, 4]);
});

test('there may be more than fit on the stack', () => {
  const list: number[] = [];
  append(list, new Uint8Array(500_000));
  expect(list).toHaveLength(500_000);
});
