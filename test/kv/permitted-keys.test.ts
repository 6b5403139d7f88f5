import { describe, expect, test } from 'vitest';
import { compareBytes, createPrng, type Prng } from '../../src/base/index.ts';
import type { KeySelector } from '../../src/kv/index.ts';
import { isPermittable, PermittedKeys } from '../../src/kv/permitted-keys.ts';
import { choose } from './generators.ts';
import { bytes } from './map-store.ts';

const letters = ['\0', 'a', 'b'];
/** Keys that selectors are made of. */
const names = ['a', 'b', 'aa', 'ab', 'ba', 'bb', 'a\0', 'b\0'];
/** Every key that lies between two of them, or beyond, in every way that may matter. */
const universe = letters
  .flatMap((x) => [x, ...letters.flatMap((y) => [x + y, ...letters.map((z) => x + y + z)])])
  .concat('c', 'zz')
  .map(bytes);

function select(key: string, rangeEnd?: string): KeySelector {
  return rangeEnd === undefined
    ? { key: bytes(key) }
    : { key: bytes(key), rangeEnd: bytes(rangeEnd) };
}

function randomSelector(prng: Prng): KeySelector {
  const end = choose(prng, ['point', 'range', 'range', 'from'] as const);
  const key = choose(prng, names);
  if (end === 'point') {
    return select(key);
  }
  return select(key, end === 'from' ? '\0' : choose(prng, [...names, 'c']));
}

/** The naive twin of everything here: is this one key in the selector? */
function isIn({ key, rangeEnd }: KeySelector, candidate: Uint8Array): boolean {
  if (rangeEnd === undefined) {
    return compareBytes(key, candidate) === 0;
  }
  const isEndless = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return compareBytes(key, candidate) <= 0 && (isEndless || compareBytes(candidate, rangeEnd) < 0);
}

describe('permitted keys', () => {
  test('cover what a look at every single key says, for random permissions', () => {
    const prng = createPrng(11);
    for (let run = 0; run < 4000; run++) {
      const permissions = Array.from({ length: prng.nextInt(0, 6) }, () => randomSelector(prng));
      const asked = randomSelector(prng);
      const wanted = universe.filter((key) => isIn(asked, key));
      const expected =
        wanted.length > 0 && wanted.every((key) => permissions.some((each) => isIn(each, key)));

      expect(
        new PermittedKeys(permissions).covers(asked),
        JSON.stringify({ permissions, asked }),
      ).toBe(expected);
    }
  });

  test('cover a range that two of them make up together', () => {
    const keys = new PermittedKeys([select('a', 'm'), select('m', 'z'), select('z')]);

    expect(keys.covers(select('b', 'y'))).toBe(true);
    expect(keys.covers(select('b', 'z\0'))).toBe(true);
    expect(keys.covers(select('b', 'z\0a'))).toBe(false);
  });

  test('without an end cover every key from theirs on, and no other', () => {
    const keys = new PermittedKeys([select('m', '\0')]);

    expect(keys.covers(select('zzz', '\0'))).toBe(true);
    expect(keys.covers(select('m'))).toBe(true);
    expect(keys.covers(select('l', '\0'))).toBe(false);
    expect(new PermittedKeys([select('m', 'z')]).covers(select('n', '\0'))).toBe(false);
  });

  test('a range of nothing is not covered, and permits nothing', () => {
    expect(new PermittedKeys([select('a', 'z')]).covers(select('c', 'b'))).toBe(false);
    expect(isPermittable(select('b', 'a'))).toBe(false);
    expect(isPermittable(select('b', 'b'))).toBe(false);
    expect(isPermittable(select(''))).toBe(false);
    expect(isPermittable(select('b', '\0'))).toBe(true);
    expect(isPermittable(select('b'))).toBe(true);
  });
});
