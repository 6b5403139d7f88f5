import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import type { KeySelector } from '../../src/kv/index.ts';
import {
  isEmptyRange,
  watchedRange,
  type WatchedRange,
  WatchIndex,
} from '../../src/kv/watch-index.ts';
import { bytes, text } from './map-store.ts';

function selector(key: string, rangeEnd?: string): KeySelector {
  return rangeEnd === undefined
    ? { key: bytes(key) }
    : { key: bytes(key), rangeEnd: bytes(rangeEnd) };
}

function range(key: string, rangeEnd?: string): WatchedRange {
  return watchedRange(selector(key, rangeEnd));
}

function found(index: WatchIndex<string>, key: string): string {
  const watchers = new Set<string>();
  index.visit(bytes(key), (group) => {
    for (const watcher of typeof group === 'string' ? [group] : group) {
      watchers.add(watcher);
    }
  });
  return [...watchers].sort().join(' ');
}

/** Whether a key is in a selector, said plainly. */
function contains({ key, rangeEnd }: KeySelector, wanted: string): boolean {
  if (rangeEnd === undefined) {
    return text(key) === wanted;
  }
  return wanted >= text(key) && (text(rangeEnd) === '\0' || wanted < text(rangeEnd));
}

describe('WatchIndex', () => {
  test('finds who watches a key, a range around it, or everything from a key on', () => {
    const index = new WatchIndex<string>();
    index.add(range('a'), 'key');
    index.add(range('a', 'b'), 'prefix');
    index.add(range('a', 'b'), 'prefix too');
    index.add(range('aa', '\0'), 'from');

    expect(found(index, 'a')).toBe('key prefix prefix too');
    expect(found(index, 'ab')).toBe('from prefix prefix too');
    expect(found(index, 'b')).toBe('from');
    expect(found(index, '\xff\xff')).toBe('from');
    expect(found(index, 'A')).toBe('');
  });

  test('forgets who goes, and is empty when all have gone', () => {
    const index = new WatchIndex<string>();
    index.add(range('a', 'b'), 'one');
    index.add(range('a', 'b'), 'two');
    index.add(range('a'), 'three');

    index.remove(range('a', 'b'), 'one');
    expect(found(index, 'a')).toBe('three two');
    index.remove(range('a'), 'three');
    index.remove(range('a', 'b'), 'two');

    expect(index.isEmpty).toBe(true);
  });

  test('a range without keys is nobody’s, and can be told', () => {
    const index = new WatchIndex<string>();
    index.add(range('b', 'a'), 'none');

    expect(index.isEmpty).toBe(true);
    expect(isEmptyRange(selector('b', 'a'))).toBe(true);
    expect(isEmptyRange(selector('b', '\0'))).toBe(false);
    expect(isEmptyRange(selector('b'))).toBe(false);
  });

  test('agrees with a list of selectors, whatever comes and goes', () => {
    const prng = createPrng(20_261_124);
    const letters = ['\0', 'a', 'b', 'c', '\xff'];
    const key = (): string =>
      Array.from({ length: prng.nextInt(1, 4) }, () => letters[prng.nextInt(0, 5)]).join('');
    const index = new WatchIndex<string>();
    const list: { readonly selector: KeySelector; readonly name: string }[] = [];
    for (let step = 0; step < 3000; step++) {
      if (list.length > 60 || (list.length > 0 && prng.nextInt(0, 3) === 0)) {
        const [gone] = list.splice(prng.nextInt(0, list.length), 1);
        index.remove(watchedRange(gone?.selector ?? selector('a')), gone?.name ?? '');
      } else {
        const added = selector(key(), prng.nextInt(0, 3) === 0 ? undefined : key());
        list.push({ selector: added, name: `w${step}` });
        index.add(watchedRange(added), `w${step}`);
      }
      const wanted = key();
      const expected = list.filter((each) => contains(each.selector, wanted));
      expect(found(index, wanted)).toBe(
        expected
          .map(({ name }) => name)
          .sort()
          .join(' '),
      );
    }
  });
});
