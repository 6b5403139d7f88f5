/** Keys and ranges within a namespace. */
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/client/errors.ts';
import { copyRange, type KeyRange, Namespace } from '../../src/client/keys.ts';
import { beginningOf, endOf } from '../../src/client/range-pages.ts';

function bounds(namespace: string, range: KeyRange): readonly [string, string] {
  const { key, rangeEnd } = new Namespace(namespace).bounds(range);
  return [Buffer.from(key).toString('latin1'), Buffer.from(rangeEnd).toString('latin1')];
}

/** What plain JavaScript may hand over. */
const noRanges: readonly (readonly [unknown, string])[] = [
  [{ prefx: 'zz' }, 'a range: unknown field "prefx"; known: prefix, from, to'],
  [{ from: 'a', till: 'b' }, 'a range: unknown field "till"; known: prefix, from, to'],
  [{}, "a range has a prefix, or from, to or both; to mean every key give { prefix: '' }"],
  [{ prefix: undefined }, "to mean every key give { prefix: '' }"],
  [{ prefix: 'a', to: 'b' }, 'a range has a prefix, or from and to, not both'],
  [
    { prefix: 5 },
    'a range: prefix is 5: give text without lone surrogates, or bytes (a Uint8Array)',
  ],
  [
    { from: null },
    'a range: from is null: give text without lone surrogates, or bytes (a Uint8Array)',
  ],
  [undefined, 'a range: give an object, not undefined'],
  ['zz', 'a range: give an object, not a string'],
  [{ from: 'a', to: '' }, 'a range: to is empty: no key is before it'],
  [{ to: new Uint8Array(0) }, 'a range: to is empty: no key is before it'],
  [['a', 'b'], 'a range: give an object, not an array'],
];

describe('what is no range', () => {
  test.each(noRanges)('%j is refused, not taken as every key', (range, text) => {
    const error = thrownBy(() => new Namespace('').bounds(range as KeyRange));

    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'rejected' });
    expect((error as HoldfastError).message).toContain(text);
    expect(() => beginningOf(range as KeyRange)).toThrow(text);
    expect(() => endOf(range as KeyRange)).toThrow(text);
  });

  test('a range up to the smallest key is refused, not taken as one without an end', () => {
    const text = 'a range: to is the smallest key: no key is before it';

    expect(() => bounds('', { from: 'a', to: '\0' })).toThrow(text);
    expect(() => bounds('', { to: Uint8Array.of(0) })).toThrow(text);
    expect(bounds('n/', { from: 'a', to: '\0' })).toEqual(['n/a', 'n/\0']);
    expect(bounds('', { from: 'a', to: '\0\0' })).toEqual(['a', '\0\0']);
  });

  test('a key that is neither text nor bytes is refused', () => {
    const key = 5 as unknown as string;

    expect(thrownBy(() => new Namespace('').outer(key))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'a key is text or bytes (a Uint8Array), not a number',
    });
  });
});

describe('half of a surrogate pair in a key', () => {
  const text = 'lone surrogate';

  test.each(['\uD83D', 'a\uDE00', '\uDE00\uD83D', 'a\uD83Db'])('%j is refused', (half) => {
    const namespace = new Namespace('');

    expect(thrownBy(() => namespace.outer(half))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => namespace.outer(half)).toThrow(text);
    expect(() => namespace.within(half)).toThrow(text);
    expect(() => namespace.keyOrBounds(half)).toThrow(text);
    for (const range of [{ prefix: half }, { from: half }, { to: half }]) {
      expect(() => namespace.bounds(range)).toThrow(text);
      expect(() => copyRange(range)).toThrow(text);
      expect(() => beginningOf(range)).toThrow(text);
    }
  });

  test('a whole pair is not, nor the character that halves would become', () => {
    const bytes = new Namespace('').outer('\u{1F600}\uFFFD');

    expect(Buffer.from(bytes).toString('hex')).toBe('f09f9880efbfbd');
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('a range that is copied is the same, and its own', () => {
  const from = Buffer.from('a');
  const copy = copyRange({ from, to: 'd' });
  from.fill('b');

  expect(bounds('', copy)).toEqual(['a', 'd']);
  expect(bounds('', copyRange({ prefix: '' }))).toEqual(['\0', '\0']);
  expect(() => copyRange({ prefix: 5 } as never)).toThrow('prefix is 5');
});

describe('a namespace', () => {
  test('is put before keys and taken off again', () => {
    const namespace = new Namespace('app/').within('users/');

    expect(Buffer.from(namespace.outer('ann')).toString()).toBe('app/users/ann');
    expect(namespace.inner(Buffer.from('app/users/ann')).toString()).toBe('ann');
    expect(Buffer.from(namespace.outer(Uint8Array.of(0xff))).toString('latin1')).toBe(
      'app/users/\xff',
    );
  });

  test('leaves an empty key empty, for the members to refuse', () => {
    expect(new Namespace('app/').outer('')).toHaveLength(0);
  });

  test.each<readonly [string, KeyRange, string, string]>([
    ['', { prefix: 'a' }, 'a', 'b'],
    ['', { prefix: '' }, '\0', '\0'],
    ['', { from: 'b' }, 'b', '\0'],
    ['', { from: 'b', to: 'd' }, 'b', 'd'],
    ['', { to: 'd' }, '\0', 'd'],
    ['', { prefix: Uint8Array.of(0xff) }, '\xff', '\0'],
    ['n/', { prefix: 'a' }, 'n/a', 'n/b'],
    ['n/', { prefix: '' }, 'n/', 'n0'],
    ['n/', { from: 'b' }, 'n/b', 'n0'],
    ['n/', { from: 'b', to: 'd' }, 'n/b', 'n/d'],
    ['n/', { prefix: Uint8Array.of(0xff) }, 'n/\xff', 'n0'],
  ])('%j bounds %j: no range reaches beyond it', (namespace, range, key, rangeEnd) => {
    expect(bounds(namespace, range)).toEqual([key, rangeEnd]);
  });
});
