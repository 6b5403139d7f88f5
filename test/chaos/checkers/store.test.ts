import { describe, expect, test } from 'vitest';
import { findDifference } from '../../../chaos/checkers/difference.ts';
import { RevisionStore } from '../../../chaos/checkers/revision-store.ts';
import {
  answeredParts,
  describeRequest,
  executeRequest,
  hasChanged,
  isSelected,
  mayChange,
} from '../../../chaos/checkers/store.ts';
import { createPrng } from '../../../src/base/index.ts';
import { recordRun } from './recorded-runs.ts';

describe('executeRequest', () => {
  test('answers as the naive twin of the state machine', () => {
    const keys = ['a', 'aa', 'b', 'c'];
    for (let seed = 1; seed <= 100; seed++) {
      const history = recordRun({
        prng: createPrng(seed),
        operationsMax: 60,
        processCount: 1,
        keys,
        lostPercent: 0,
        hasUniqueValues: false,
        hasOldReads: false,
      });
      const store = new RevisionStore(keys, []);
      let revision = 1;
      for (const { input, output } of history) {
        const { result, changes } = executeRequest(store, input, revision + 1);
        if (changes.size > 0) {
          revision += 1;
          store.commit(revision, changes);
        }

        const told = output ?? { revision: 0, result };
        expect({ seed, input, revision }).toEqual({ seed, input, revision: told.revision });
        expect(findDifference(result, told.result)).toBeUndefined();
        expect(hasChanged(result)).toBe(changes.size > 0);
      }
    }
  });

  test('reads a past revision', () => {
    const store = new RevisionStore(['a'], []);
    for (const [revision, value] of [
      [2, 'x'],
      [3, 'y'],
    ] as const) {
      store.commit(
        revision,
        executeRequest(store, { type: 'put', key: 'a', value }, revision).changes,
      );
    }

    const { result } = executeRequest(store, { type: 'range', key: 'a', revision: 2 }, 4);

    expect(result).toMatchObject({ kvs: [{ value: 'x', modRevision: 2 }] });
  });
});

describe('requests', () => {
  test('a range end of zero selects everything from the key on', () => {
    expect(isSelected({ key: 'b', rangeEnd: '\0' }, 'z')).toBe(true);
    expect(isSelected({ key: 'b', rangeEnd: '\0' }, 'a')).toBe(false);
    expect(isSelected({ key: 'b', rangeEnd: '' }, 'z')).toBe(false);
    expect(isSelected({ key: 'b', rangeEnd: 'd' }, 'd')).toBe(false);
  });

  test('a transaction may change something if either branch does', () => {
    const read = { type: 'range', key: 'a' } as const;
    const write = { type: 'put', key: 'a', value: '1' } as const;

    expect(mayChange({ type: 'txn', compare: [], success: [read], failure: [] })).toBe(false);
    expect(mayChange({ type: 'txn', compare: [], success: [read], failure: [write] })).toBe(true);
  });

  test('an answer belongs to the parts of the branch taken', () => {
    const read = { type: 'range', key: 'a' } as const;
    const write = { type: 'put', key: 'a', value: '1' } as const;
    const request = { type: 'txn', compare: [], success: [read], failure: [write] } as const;
    const result = { type: 'txn', succeeded: false, responses: [{ type: 'put' }] } as const;

    expect(answeredParts(request, result)).toEqual([{ part: write, result: { type: 'put' } }]);
  });

  test('a request is told in one line', () => {
    const text = describeRequest({
      type: 'txn',
      compare: [{ key: 'a', target: 'mod', result: 'equal', operand: 3 }],
      success: [{ type: 'put', key: 'a', value: '1' }],
      failure: [{ type: 'range', key: 'a', rangeEnd: 'c', limit: 2, serializable: true }],
    });

    expect(text).toBe(
      'txn if mod("a") equal 3 then {put "a" "1"} else {serializable range ["a", "c") limit 2}',
    );
  });
});
