import { expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { firstAtOrAfter, KeyOrder } from '../../src/client/key-order.ts';

interface Item {
  readonly name: string;
  readonly value: number;
}

/** As `Buffer.compare` has them, which knows nothing of texts. */
function sortedByBytes(byName: ReadonlyMap<string, Item>): readonly Item[] {
  const bytes = ({ name }: Item): Buffer => Buffer.from(name, 'latin1');
  return [...byName.values()].sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
}

test('is that of the bytes, however many entries have changed since it was asked for', () => {
  const prng = createPrng(1);
  const order = new KeyOrder<Item>();
  const byName = new Map<string, Item>();
  const randomName = (): string =>
    String.fromCharCode(...Array.from({ length: prng.nextInt(0, 3) }, () => prng.nextInt(0, 256)));

  for (let round = 0; round < 300; round++) {
    for (let changes = prng.nextInt(0, round % 10 === 0 ? 200 : 5); changes > 0; changes--) {
      const name = randomName();
      if (prng.nextInt(0, 3) === 0) {
        byName.delete(name);
      } else {
        byName.set(name, { name, value: round });
      }
      order.note(name);
    }

    expect(order.of(byName)).toEqual(sortedByBytes(byName));
  }
});

test('that was given out, or copied, stays as it is', () => {
  const order = new KeyOrder<Item>();
  const byName = new Map([['b', { name: 'b', value: 1 }]]);
  const before = order.of(byName);
  const copy = order.copy();
  byName.set('a', { name: 'a', value: 2 });
  order.note('a');

  expect(order.of(byName).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(before.map(({ name }) => name)).toEqual(['b']);
  expect(copy.of(new Map([['b', { name: 'b', value: 1 }]]))).toBe(before);
});

test('finds where a range begins', () => {
  const sorted = ['a', 'c', 'e'].map((name) => ({ name }));

  expect(['', 'a', 'b', 'e', 'f'].map((name) => firstAtOrAfter(sorted, name))).toEqual([
    0, 0, 1, 2, 3,
  ]);
});
