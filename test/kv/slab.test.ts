import { describe, expect, test } from 'vitest';
import { slabBytes, SlabAllocator } from '../../src/kv/slab.ts';

describe('SlabAllocator', () => {
  test('small pieces share a slab until it is full', () => {
    const slabs = new SlabAllocator();
    const first = slabs.reserve(1000);
    expect(first.bytes).toHaveLength(slabBytes);
    first.used += 1000;
    for (const taken of [1000, 1000, 1000]) {
      expect(slabs.reserve(taken)).toBe(first);
      first.used += taken;
    }
    const second = slabs.reserve(100);
    expect(second).not.toBe(first);
    expect(second.used).toBe(0);
  });

  test('what is reserved but not used is handed out again', () => {
    const slabs = new SlabAllocator();
    const slab = slabs.reserve(1000);
    slab.used += 10;
    expect(slabs.reserve(1000)).toBe(slab);
    expect(slab.used).toBe(10);
  });

  test('a large piece gets a slab of its own and leaves the shared one alone', () => {
    const slabs = new SlabAllocator();
    const shared = slabs.reserve(10);
    const own = slabs.reserve(1_000_000);
    expect(own.bytes).toHaveLength(1_000_000);
    expect(slabs.reserve(10)).toBe(shared);
  });

  test('what is taken is of nobody else, whatever its length', () => {
    const slabs = new SlabAllocator();
    const lengths = [0, 1, 7, 1000, 1024, 1025, 40_000, 3, ...Array<number>(20).fill(500)];
    const taken = lengths.map((length) => slabs.take(length));
    expect(taken).toEqual(lengths.map((length) => new Uint8Array(length)));
    for (const [at, each] of taken.entries()) {
      each.fill(at + 1);
    }
    for (const [at, each] of taken.entries()) {
      expect(each.every((byte) => byte === at + 1)).toBe(true);
    }
  });
});
