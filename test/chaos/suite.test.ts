import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nemeses } from '../../chaos/nemesis/index.ts';
import { parseOptions } from '../../chaos/options.ts';
import { pairsOf } from '../../chaos/suite.ts';
import { workloads } from '../../chaos/workloads/index.ts';

describe('the suites', () => {
  test('name workloads and nemeses that there are', () => {
    for (const { workload, nemesis } of pairsOf('quick')) {
      expect(Object.keys(workloads)).toContain(workload);
      expect(Array.from(nemeses.keys())).toContain(nemesis);
    }
  });

  test('the quick one has every workload, the full one every pair', () => {
    const quick = new Set(pairsOf('quick').map(({ workload }) => workload));

    expect(quick).toEqual(new Set(Object.keys(workloads)));
    expect(pairsOf('full')).toHaveLength(Object.keys(workloads).length * nemeses.size);
  });

  test('every workload and nemesis is documented', () => {
    const page = readFileSync('docs/chaos.md', 'utf8');

    const missing = [...Object.keys(workloads), ...nemeses.keys()].filter(
      (name) => !page.includes(`\`${name}\``),
    );

    expect(missing).toEqual([]);
  });
});

describe('parseOptions', () => {
  test('takes a workload, a nemesis, a seed and a time', () => {
    const args = ['--workload', 'bank', '--nemesis', 'ring', '--seed', '7', '--minutes', '2'];

    expect(parseOptions(args, 0)).toMatchObject({
      workload: 'bank',
      nemesis: 'ring',
      seed: 7,
      seconds: 120,
      size: 3,
      suite: undefined,
    });
  });

  test.each([
    [['--workload', 'tetris'], /there are register/],
    [['--nemesis', 'godzilla'], /there are isolate-leader/],
    [['--suite', 'endless'], /quick and full/],
    [['--minutes', 'soon'], /must be a number/],
  ])('refuses %j and says what there is', (args, expected) => {
    expect(() => parseOptions(args, 0)).toThrow(expected);
  });
});
