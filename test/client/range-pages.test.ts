import { expect, test } from 'vitest';
import { beginningOf, endOf, rangePages } from '../../src/client/range-pages.ts';
import { FakeStore } from './fake-store.ts';

async function pagesOf(store: FakeStore, onPage: () => void = () => undefined) {
  const pages = [];
  for await (const page of rangePages(store, { prefix: 'k' }, {})) {
    pages.push(page);
    onPage();
  }
  return pages;
}

test('an empty range has one page, which tells the revision', async () => {
  const store = new FakeStore();
  store.write({ other: '1' });

  expect(await pagesOf(store)).toEqual([{ entries: [], revision: 2, hasMore: false }]);
});

test('a large range comes in pages, all as it was when the first was read', async () => {
  const store = new FakeStore();
  const key = (i: number): string => `k${String(i).padStart(4, '0')}`;
  store.write(Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [key(i), '1'])));

  const pages = await pagesOf(store, () => store.write({ [key(2499)]: undefined, zzz: 'x' }));

  expect(pages.map(({ entries }) => entries.length)).toEqual([1000, 1000, 500]);
  expect(pages.map(({ hasMore }) => hasMore)).toEqual([true, true, false]);
  expect(new Set(pages.map(({ revision }) => revision))).toEqual(new Set([2]));
  const keys = pages.flatMap(({ entries }) => entries.map((each) => each.key));
  expect(keys).toEqual(Array.from({ length: 2500 }, (_, i) => key(i)));
});

test('a range has a beginning, and an end unless it is open', () => {
  expect(beginningOf({ prefix: 'ab' })).toEqual(Buffer.from('ab'));
  expect(endOf({ prefix: 'ab' })).toEqual(new Uint8Array(Buffer.from('ac')));
  expect(beginningOf({ prefix: '' })).toHaveLength(0);
  expect(endOf({ from: 'a' })).toBeUndefined();
  expect(endOf({ to: 'b' })).toEqual(Buffer.from('b'));
});
