import { describe, expect, test } from 'vitest';
import { RevisionStore } from '../../../chaos/checkers/revision-store.ts';
import type { KeyValue } from '../../../chaos/checkers/store.ts';

function kv(key: string, modRevision: number): KeyValue {
  return { key, value: 'x', createRevision: modRevision, modRevision, version: 1 };
}

describe('RevisionStore', () => {
  test('tells each key as it was at a revision', () => {
    const store = new RevisionStore(['a', 'b'], []);
    store.commit(2, new Map([['a', kv('a', 2)]]));
    store.commit(3, new Map([['a', undefined]]));

    expect(store.recordOf('a', undefined)).toBeUndefined();
    expect(store.recordOf('a', 2)).toEqual(kv('a', 2));
    expect(store.recordOf('a', 1)).toBeUndefined();
    expect(store.lastChangeOf('a')).toBe(3);
    expect(store.lastChangeOf('b')).toBeUndefined();
  });

  test('takes revisions back, but not what it began with', () => {
    const store = new RevisionStore(['b'], [kv('a', 5)]);
    store.commit(8, new Map([['a', kv('a', 8)]]));
    store.commit(9, new Map([['b', kv('b', 9)]]));

    store.undoTo(7);

    expect(store.recordOf('a', undefined)).toEqual(kv('a', 5));
    expect(store.recordOf('b', undefined)).toBeUndefined();
  });

  test('lists the keys of a range in order', () => {
    const store = new RevisionStore(['c', 'a', 'b', 'a'], [kv('bb', 2)]);

    expect(store.keysIn({ key: 'b', rangeEnd: '\0' })).toEqual(['b', 'bb', 'c']);
    expect(store.keysIn({ key: 'a', rangeEnd: 'bb' })).toEqual(['a', 'b']);
    expect(store.keysIn({ key: 'c' })).toEqual(['c']);
    expect(store.keysIn({ key: 'd' })).toEqual([]);
  });
});
