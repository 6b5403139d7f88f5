import { describe, expect, test } from 'vitest';
import { expectGet, expectScan } from '../../src/kv/need.ts';

describe('needs', () => {
  test('an answer of the right kind is passed on', () => {
    const got = { type: 'get', values: [undefined] } as const;
    const scanned = { type: 'scan', records: [] } as const;
    expect(expectGet(got)).toBe(got);
    expect(expectScan(scanned)).toBe(scanned);
  });

  test('an answer of the wrong kind stops the computation', () => {
    expect(() => expectGet({ type: 'scan', records: [] })).toThrow('answered with values');
    expect(() => expectScan({ type: 'get', values: [] })).toThrow('answered with records');
  });
});
