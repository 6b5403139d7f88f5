import { describe, expect, test } from 'vitest';
import { expectGet, expectScan, inPieces, type Need } from '../../src/kv/need.ts';

describe('needs', () => {
  test('an answer of the right kind is passed on', () => {
    const got = { type: 'get', values: [undefined] } as const;
    const scanned = { type: 'scan', records: [] } as const;
    expect(expectGet(got)).toBe(got);
    expect(expectScan(scanned)).toBe(scanned);
  });

  test('much is gone over in pieces, each in a turn of its own; little at once', () => {
    const seen: number[] = [];
    const needs: Need[] = [];
    for (const count of [0, 1024, 2500]) {
      const items = Array.from({ length: count }, (_, at) => at);
      // eslint-disable-next-line require-yield -- what a piece needs is not what this is about
      const reading = inPieces(items, function* (piece) {
        seen.push(piece.length);
      });
      for (let step = reading.next(); step.done !== true; ) {
        needs.push(step.value);
        step = reading.next({ type: 'get', values: [] });
      }
    }

    expect(seen).toEqual([0, 1024, 1024, 1024, 452]);
    expect(needs).toEqual(Array(3).fill({ type: 'get', keys: [], afterWrites: false }));
  });

  test('an answer of the wrong kind stops the computation', () => {
    expect(() => expectGet({ type: 'scan', records: [] })).toThrow('answered with values');
    expect(() => expectScan({ type: 'get', values: [] })).toThrow('answered with records');
  });
});
