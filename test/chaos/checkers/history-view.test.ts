import { describe, expect, test } from 'vitest';
import { stateAt } from '../../../chaos/checkers/history-view.ts';
import { account, clock, deleteEvent, put, putEvent, stream, view, watch } from './planted.ts';

describe('viewHistory', () => {
  test('puts the account together from all watchers, in the order of revisions', () => {
    const seen = view([
      watch('n1', stream([[putEvent(2, 'b', '2')]], 2)),
      watch('n2', stream([[putEvent(1, 'a', '1')], [putEvent(2, 'b', '2')]])),
      put(0, [5, 6], ['c', '3'], 3),
      put(0, [1, 2], ['a', '1'], 1),
    ]);

    expect(Array.from(seen.events.keys())).toEqual([1, 2]);
    expect(seen.calls.map(({ revision }) => revision)).toEqual([1, 3]);
    expect(seen.lastRevision).toBe(3);
  });
});

describe('the rates of clocks', () => {
  test('hold the test’s own and whatever was set', () => {
    expect(view([]).clockRates).toEqual({ slowest: 1, fastest: 1 });
    expect(view([clock('n1', 0.9), clock('n2', 1.1), clock('n1', 1.05)]).clockRates).toEqual({
      ...{ slowest: 0.9, fastest: 1.1 },
    });
  });
});

describe('stateAt', () => {
  test('adds events up to a revision', () => {
    const seen = view([account(putEvent(1, 'a', '1'), putEvent(2, 'b', '2'), deleteEvent(3, 'a'))]);

    expect(Array.from(stateAt(seen, 2).keys())).toEqual(['a', 'b']);
    expect(Array.from(stateAt(seen).keys())).toEqual(['b']);
  });
});
