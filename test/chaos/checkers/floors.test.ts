import { describe, expect, test } from 'vitest';
import { checkFloors } from '../../../chaos/checkers/floors.ts';
import type { HistoryLine } from '../../../chaos/history.ts';
import { account, fault, messages, put, putEvent, read, record, view } from './planted.ts';

const seen = [record('a', '1', 2)];
const worthy: readonly HistoryLine[] = [
  put(0, [0, 100], ['a', '1'], 2),
  read(1, [50, 120], 'a', seen, { revision: 2 }),
  fault(500, 900),
  read(1, [1000, 1001], '\0', seen, { rangeEnd: '\0', isFinal: true, revision: 2 }),
  account(putEvent(2, 'a', '1')),
];

function judge(lines: readonly HistoryLine[], callsPerSecondMin = 1): readonly string[] {
  return messages(checkFloors(view(lines), { callsPerSecondMin }).findings);
}

describe('checkFloors', () => {
  test('accepts a run that is worth something', () => {
    expect(judge(worthy)).toEqual([]);
    expect(checkFloors(view(worthy), { callsPerSecondMin: 1 }).counts).toMatchObject({
      ok: 3,
      faults: 1,
      overlapping: 1,
      watchEvents: 1,
      callsPerSecond: 4,
    });
  });

  test.each([
    ['load', worthy, 100, /only 4.0 successful calls/],
    ['a fault', worthy.filter(({ kind }) => kind !== 'fault'), 0, /there was no fault/],
    [
      'evidence',
      worthy.map((line) =>
        line.kind === 'fault' ? fault(500, 900, { evidence: undefined }) : line,
      ),
      0,
      /nothing shows that the fault "cut"/,
    ],
    ['watch events', worthy.filter(({ kind }) => kind !== 'watch'), 0, /no watcher got an event/],
    ['a final read', worthy.filter((_, i) => i !== 3), 0, /no final read from n1/],
    ['concurrency', worthy.filter((_, i) => i !== 1), 0, /no two calls on one key overlapped/],
    ['reads that see', worthy.filter((_, i) => i !== 1 && i !== 3), 0, /no read saw anything/],
  ])('a run without %s is worth nothing', (_, lines, callsPerSecondMin, expected) => {
    expect(judge(lines, callsPerSecondMin).join('\n')).toMatch(expected);
  });
});
