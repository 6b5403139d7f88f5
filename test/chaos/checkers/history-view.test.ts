import { describe, expect, test } from 'vitest';
import { stateAt } from '../../../chaos/checkers/history-view.ts';
import { account, deleteEvent, put, putEvent, stream, view, watch } from './planted.ts';

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

describe('stateAt', () => {
  test('adds events up to a revision', () => {
    const seen = view([account(putEvent(1, 'a', '1'), putEvent(2, 'b', '2'), deleteEvent(3, 'a'))]);

    expect(Array.from(stateAt(seen, 2).keys())).toEqual(['a', 'b']);
    expect(Array.from(stateAt(seen).keys())).toEqual(['b']);
  });
});
