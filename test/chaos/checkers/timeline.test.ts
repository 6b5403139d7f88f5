import { expect, test } from 'vitest';
import { registerModel } from '../../../chaos/checkers/models.ts';
import { describeViolation } from '../../../chaos/checkers/timeline.ts';
import { lost, returned } from './recorded-runs.ts';

const written = { type: 'written' } as const;

test('a violation is told as bars over time, and ends with the answer that does not fit', () => {
  const operations = [
    lost(12, 1, { type: 'write', key: 'r', value: 7 } as const),
    returned(1, [2, 6], { type: 'write', key: 'r', value: 1 } as const, written),
    returned(2, [5, 9], { type: 'read', key: 'r' } as const, { type: 'read', value: 3 } as const),
  ];

  const text = describeViolation(
    { modelName: 'register', partition: 'r', operations },
    registerModel(null),
  );

  expect(text.split('\n')).toEqual([
    'No order explains these 3 operations on register "r":',
    '  p12 |--------------> write r 7: ?',
    '  p 1    |-----|       write r 1: ok',
    '  p 2       |-----|    read r: 3',
    'The last answer does not fit: p2 read r: 3',
  ]);
});

test('a long violation still fits on a line', () => {
  const operations = Array.from({ length: 100 }, (_, i) =>
    returned(0, [2 * i, 2 * i + 1], { type: 'write', key: 'r', value: i } as const, written),
  );

  const text = describeViolation(
    { modelName: 'register', partition: undefined, operations },
    registerModel(null),
  );

  const columns = text.split('\n').map((line) => line.length);
  expect(Math.max(...columns)).toBeLessThan(100);
});
