/** Keys and ranges within a namespace. */
import { describe, expect, test } from 'vitest';
import { type KeyRange, Namespace } from '../../src/client/keys.ts';

function bounds(namespace: string, range: KeyRange): readonly [string, string] {
  const { key, rangeEnd } = new Namespace(namespace).bounds(range);
  return [Buffer.from(key).toString('latin1'), Buffer.from(rangeEnd).toString('latin1')];
}

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
    ['', {}, '\0', '\0'],
    ['', { from: 'b' }, 'b', '\0'],
    ['', { from: 'b', to: 'd' }, 'b', 'd'],
    ['', { to: 'd' }, '\0', 'd'],
    ['', { prefix: Uint8Array.of(0xff) }, '\xff', '\0'],
    ['n/', { prefix: 'a' }, 'n/a', 'n/b'],
    ['n/', { prefix: '' }, 'n/', 'n0'],
    ['n/', {}, 'n/', 'n0'],
    ['n/', { from: 'b' }, 'n/b', 'n0'],
    ['n/', { from: 'b', to: 'd' }, 'n/b', 'n/d'],
    ['n/', { prefix: Uint8Array.of(0xff) }, 'n/\xff', 'n0'],
  ])('%j bounds %j: no range reaches beyond it', (namespace, range, key, rangeEnd) => {
    expect(bounds(namespace, range)).toEqual([key, rangeEnd]);
  });
});
