import { describe, expect, test } from 'vitest';
import { MemoryWatch } from '../../src/rpc/memory-watch.ts';

const bounds = { residentBytes: 1000, heapBytes: 100 };

/** What is short after each of these percentages in use, of the whole process. */
function shortages(...percentages: readonly number[]): readonly string[] {
  const watch = new MemoryWatch(bounds);
  return percentages.map((used) => watch.look({ residentBytes: 10 * used, heapBytes: 0 }));
}

describe('MemoryWatch', () => {
  test('memory is short for bulk work first, then for ordinary work', () => {
    expect(shortages(10, 79, 80, 89, 90, 200)).toEqual([
      ...['none', 'none', 'bulk', 'bulk', 'ordinary', 'ordinary'],
    ]);
  });

  test('a shortage ends below where it began', () => {
    expect(shortages(95, 85, 84, 75, 74)).toEqual([
      ...['ordinary', 'ordinary', 'bulk', 'bulk', 'none'],
    ]);
  });

  test('it may begin and end at once', () => {
    expect(shortages(99, 10, 99)).toEqual(['ordinary', 'none', 'ordinary']);
  });

  test('the heap counts as the whole process does: what is nearer to its end', () => {
    const watch = new MemoryWatch(bounds);

    expect(watch.look({ residentBytes: 100, heapBytes: 91 })).toBe('ordinary');
    expect(watch.look({ residentBytes: 820, heapBytes: 1 })).toBe('bulk');
  });
});
