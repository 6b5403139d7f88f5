import { describe, expect, test } from 'vitest';
import { judge } from '../../chaos/checks.ts';
import { renderReport } from '../../chaos/report/report.ts';
import { bank } from '../../chaos/workloads/keyed.ts';
import { fault, put, read, record, sample, view } from './checkers/planted.ts';

describe('renderReport', () => {
  test('holds figures, lanes, faults and the calls that a finding is about, in one file', () => {
    const wrong = read(1, [3, 4], 'bank/', [record('bank/a', '</script>')], { rangeEnd: 'bank0' });
    const seen = view([
      put(0, [0, 1], ['bank/a', '5'], 2),
      wrong,
      fault(1, 2),
      sample(0, 'n1', 'leader', 1),
      sample(1, 'n1', 'leader', 1),
      sample(2, 'n1', 'down', 1),
    ]);
    const verdict = judge(seen, bank());
    const result = {
      name: 'bank-cut-1',
      workload: 'bank',
      nemesis: 'cut',
      seed: 1,
      seconds: 1,
      replay: 'npm run chaos -- --seed 1',
      directory: 'x',
      verdict,
    };

    const page = renderReport(result, seen, { workload: 'transfers', nemesis: 'a cut' });

    expect(verdict.verdict).toBe('bad');
    const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1];
    const data = JSON.parse(json ?? '') as {
      readonly lanes: unknown;
      readonly calls: readonly { readonly id: number; readonly isOffending: boolean }[];
    };
    expect(data).toMatchObject({ replay: 'npm run chaos -- --seed 1', faults: [{ name: 'cut' }] });
    expect(data.lanes).toEqual([
      {
        member: 'n1',
        spans: [
          { state: 'leader', term: 1, from: 0, to: 2 },
          { state: 'down', term: 1, from: 2, to: 2 },
        ],
      },
    ]);
    expect(data.calls.filter(({ isOffending }) => isOffending).map(({ id }) => id)).toContain(
      wrong.id,
    );
    expect(page).not.toMatch(/(?:src|href)=/);
  });
});
