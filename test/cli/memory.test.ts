import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { memoryBounds, memoryInUse, smallerLimit } from '../../src/cli/memory.ts';

describe('memory', () => {
  test('in use is less than there is, of the process and of its heap', () => {
    const [used, bounds] = [memoryInUse(), memoryBounds(undefined)];

    expect(used.heapBytes).toBeGreaterThan(0);
    expect(used.heapBytes).toBeLessThan(bounds.heapBytes);
    expect(used.residentBytes).toBeLessThan(bounds.residentBytes);
    expect(bounds.residentBytes).toBeLessThanOrEqual(totalmem());
  });

  test('ends where an operator says', () => {
    expect(memoryBounds(1234).residentBytes).toBe(1234);
  });

  test('ends at the limit of a container, where there is one below what the machine has', () => {
    expect(smallerLimit(500, 1000)).toBe(500);
    expect(smallerLimit(2 ** 64, 1000)).toBe(1000);
    expect(smallerLimit(0, 1000)).toBe(1000);
    expect(smallerLimit(undefined, 1000)).toBe(1000);
  });
});
