import { describe, expect, test } from 'vitest';
import { BulkMemory, bulkMemory } from '../../src/cli/bulk-memory.ts';

describe('BulkMemory', () => {
  test('gives the heap room while anybody moves bulk, and takes it back after the last', () => {
    const flags: string[] = [];
    const memory = new BulkMemory((flag) => {
      flags.push(flag);
    });

    memory.count(1);
    memory.count(1);
    memory.count(-1);
    expect(flags).toEqual(['--heap-growing-percent=200']);

    memory.count(-1);
    expect(flags).toEqual(['--heap-growing-percent=200', '--heap-growing-percent=0']);
  });

  test('an end without a beginning is a mistake of the caller', () => {
    const memory = new BulkMemory(() => undefined);

    expect(() => {
      memory.count(-1);
    }).toThrow('nobody moves bulk');
  });

  test('this V8 knows the flag: it takes it without a word', () => {
    expect(() => {
      bulkMemory.count(1);
      bulkMemory.count(-1);
    }).not.toThrow();
  });
});
