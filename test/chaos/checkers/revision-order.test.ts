import { describe, expect, test } from 'vitest';
import { checkLinearizability } from '../../../chaos/checkers/linearizability.ts';
import type { StoreOperation } from '../../../chaos/checkers/revision-index.ts';
import { checkRevisionOrder } from '../../../chaos/checkers/revision-order.ts';
import type { KeyValue, RangeResult, StoreResult } from '../../../chaos/checkers/store.ts';
import { storeModel } from '../../../chaos/checkers/store-model.ts';
import { createPrng, must, type Prng } from '../../../src/base/index.ts';
import { chance } from '../../kv/generators.ts';
import { lost, recordRun, returned } from './recorded-runs.ts';

function kv(key: string, value: string, [create, mod, version]: [number, number, number]) {
  return { key, value, createRevision: create, modRevision: mod, version } satisfies KeyValue;
}

function put(key: string, value: string) {
  return { type: 'put', key, value } as const;
}

function read(key: string, rangeEnd?: string) {
  return { type: 'range', key, rangeEnd } as const;
}

function wrote(revision: number) {
  return { revision, result: { type: 'put' } } as const;
}

function saw(revision: number, ...kvs: readonly KeyValue[]) {
  const result: RangeResult = { type: 'range', kvs, count: kvs.length };
  return { revision, result };
}

function ranTxn(revision: number, succeeded: boolean, ...responses: { type: 'put' }[]) {
  return { revision, result: { type: 'txn', succeeded, responses } } as const;
}

/** Sets a to `next` if it is as revision `mod` left it. */
function casA(mod: number, next: string) {
  return {
    type: 'txn',
    compare: [{ key: 'a', target: 'mod', result: 'equal', operand: mod }],
    success: [put('a', next)],
    failure: [],
  } as const;
}

const txnAB = {
  type: 'txn',
  compare: [],
  success: [put('a', '5'), put('b', '5')],
  failure: [],
} as const;

/** A right history: each fault below changes a little of it. */
const good: readonly StoreOperation[] = [
  returned(0, [1, 4], put('a', '1'), wrote(2)),
  returned(1, [2, 5], read('a'), saw(1)),
  returned(0, [6, 9], put('a', '2'), wrote(3)),
  returned(1, [7, 8], read('a'), saw(2, kv('a', '1', [2, 2, 1]))),
  returned(1, [10, 12], read('a'), saw(3, kv('a', '2', [2, 3, 2]))),
  returned(0, [13, 15], casA(2, '3'), ranTxn(3, false)),
  returned(0, [16, 18], casA(3, '4'), ranTxn(4, true, { type: 'put' })),
  returned(1, [19, 21], txnAB, ranTxn(5, true, { type: 'put' }, { type: 'put' })),
  returned(0, [22, 24], read('a', '\0'), saw(5, kv('a', '5', [2, 5, 4]), kv('b', '5', [5, 5, 1]))),
  returned(
    1,
    [25, 27],
    { type: 'deleteRange', key: 'b' },
    { revision: 6, result: { type: 'deleteRange', deleted: 1 } },
  ),
  returned(0, [28, 30], read('b'), saw(6)),
];

function withFault(index: number, change: Partial<StoreOperation>): readonly StoreOperation[] {
  return good.map((operation, at) => (at === index ? { ...operation, ...change } : operation));
}

function violationOf(history: readonly StoreOperation[]) {
  const result = checkRevisionOrder(history);
  return must(result.verdict === 'violation' ? result.violation : undefined, 'a violation');
}

describe('checkRevisionOrder', () => {
  test('accepts a right history', () => {
    expect(checkRevisionOrder(good)).toEqual({ verdict: 'linearizable', placedCount: 0 });
  });

  const faults: readonly {
    readonly name: string;
    readonly history: readonly StoreOperation[];
    readonly kind: string;
    readonly culprits: readonly number[];
  }[] = [
    {
      name: 'a read that is older than a write that had returned',
      history: withFault(4, { output: saw(2, kv('a', '1', [2, 2, 1])) }),
      kind: 'real-time-order',
      culprits: [4, 2],
    },
    {
      name: 'a read that is older than a read that had returned',
      history: [
        ...good,
        returned(2, [31, 50], put('c', '1'), wrote(7)),
        returned(0, [32, 33], read('c'), saw(7, kv('c', '1', [7, 7, 1]))),
        returned(1, [34, 35], read('c'), saw(6)),
      ],
      kind: 'real-time-order',
      culprits: [13, 12],
    },
    {
      name: 'a serializable read of a write that was called only afterwards',
      history: [
        returned(0, [1, 2], { ...read('a'), serializable: true }, saw(2, kv('a', '1', [2, 2, 1]))),
        returned(1, [3, 4], put('a', '1'), wrote(2)),
      ],
      kind: 'real-time-order',
      culprits: [1, 0],
    },
    {
      name: 'a lost write, whose revision another one got',
      history: withFault(2, { output: wrote(2) }),
      kind: 'duplicate-revision',
      culprits: [0, 2],
    },
    {
      name: 'a lost write that nobody sees',
      history: withFault(4, { output: saw(3, kv('a', '1', [2, 2, 1])) }),
      kind: 'wrong-answer',
      culprits: [4, 2],
    },
    {
      name: 'a write from before the history',
      history: withFault(0, { output: wrote(1) }),
      kind: 'duplicate-revision',
      culprits: [0],
    },
    {
      name: 'writes in the wrong order',
      history: [
        returned(0, [1, 2], put('a', '1'), wrote(3)),
        returned(0, [3, 4], put('b', '1'), wrote(2)),
      ],
      kind: 'real-time-order',
      culprits: [1, 0],
    },
    {
      name: 'a value that nobody wrote',
      history: withFault(4, { output: saw(3, kv('a', '9', [2, 3, 2])) }),
      kind: 'wrong-answer',
      culprits: [4, 2],
    },
    {
      name: 'a key that nobody wrote',
      history: withFault(10, { output: saw(6, kv('z', '9', [6, 6, 1])) }),
      kind: 'wrong-answer',
      culprits: [10, 9],
    },
    {
      name: 'a revision that nobody made',
      history: withFault(10, { output: saw(7) }),
      kind: 'unexplained-revision',
      culprits: [9, 10],
    },
    {
      name: 'half a transaction',
      history: withFault(8, { output: saw(5, kv('a', '5', [2, 5, 4])) }),
      kind: 'wrong-answer',
      culprits: [8, 7],
    },
    {
      name: 'a transaction in two revisions',
      history: withFault(8, {
        output: saw(5, kv('a', '5', [2, 5, 4]), kv('b', '5', [6, 6, 1])),
      }),
      kind: 'wrong-answer',
      culprits: [8, 7],
    },
    {
      name: 'a compare-and-set that is said to have failed and took effect',
      history: withFault(6, { output: ranTxn(3, false) }),
      kind: 'unexplained-revision',
      culprits: [6, 7],
    },
    {
      name: 'a compare-and-set that took effect and should have failed',
      history: withFault(6, { input: casA(2, '4') }),
      kind: 'wrong-answer',
      culprits: [6, 2],
    },
    {
      name: 'a write that took effect twice',
      history: withFault(4, { output: saw(3, kv('a', '2', [2, 3, 3])) }),
      kind: 'wrong-answer',
      culprits: [4, 2],
    },
    {
      name: 'a deleted key that is still there',
      history: withFault(10, { output: saw(6, kv('b', '5', [5, 5, 1])) }),
      kind: 'wrong-answer',
      culprits: [10, 9],
    },
    {
      name: 'a deletion that counts wrongly',
      history: withFault(9, {
        output: { revision: 6, result: { type: 'deleteRange', deleted: 2 } },
      }),
      kind: 'wrong-answer',
      culprits: [9, 7],
    },
    {
      name: 'an answer of another type',
      history: withFault(10, {
        output: { revision: 6, result: { type: 'deleteRange', deleted: 0 } },
      }),
      kind: 'wrong-answer',
      culprits: [10, 9],
    },
  ];

  test.each(faults)('rejects $name', ({ history, kind, culprits }) => {
    const violation = violationOf(history);

    expect(violation.kind).toBe(kind);
    expect(violation.operations).toEqual(culprits.map((index) => history[index]));
  });

  test('says in one sentence which operations contradict each other', () => {
    expect(violationOf(withFault(4, { output: saw(2, kv('a', '1', [2, 2, 1])) })).message).toBe(
      '#4 (p1, range "a", 10..12, revision 2) was called after ' +
        '#2 (p0, put "a" "2", 6..9, revision 3) had returned, but is of an earlier state',
    );
    expect(violationOf(withFault(4, { output: saw(3, kv('a', '1', [2, 2, 1])) })).message).toBe(
      '#4 (p1, range "a", 10..12, revision 3) tells "a" = "1" (create 2, mod 2, version 1), ' +
        'instead of = "2" (create 2, mod 3, version 2), ' +
        'after #2 (p0, put "a" "2", 6..9, revision 3)',
    );
  });

  test('accepts an old serializable read, and an old state that was asked for', () => {
    const old = saw(2, kv('a', '1', [2, 2, 1]));

    const history = [
      ...good,
      returned(0, [31, 32], { ...read('a'), serializable: true } as const, old),
      returned(0, [33, 34], { ...read('a'), revision: 2 } as const, { ...old, revision: 6 }),
    ];

    expect(checkRevisionOrder(history).verdict).toBe('linearizable');
  });

  test('starts from the store that it is told', () => {
    const initial = { revision: 9, records: [kv('a', '1', [3, 8, 2])] };
    const history = [
      returned(0, [1, 2], put('a', '2'), wrote(10)),
      returned(0, [3, 4], read('a'), saw(10, kv('a', '2', [3, 10, 3]))),
    ];

    expect(checkRevisionOrder(history, { initial }).verdict).toBe('linearizable');
    expect(checkRevisionOrder(history).verdict).toBe('violation');
  });

  test('refuses a revision that is no number of one', () => {
    expect(() => checkRevisionOrder(withFault(0, { output: wrote(0.5) }))).toThrow(
      'operation 0: field "output.revision" must be a whole number from 1, is 0.5',
    );
  });
});

describe('operations of unknown outcome', () => {
  test('take effect where their effect was seen', () => {
    const history = [
      lost(0, 1, put('a', '1')),
      lost(1, 1, put('a', '2')),
      returned(2, [2, 3], put('b', '1'), wrote(3)),
      returned(2, [4, 5], read('a'), saw(3, kv('a', '2', [2, 2, 1]))),
    ];

    expect(checkRevisionOrder(history)).toEqual({ verdict: 'linearizable', placedCount: 1 });
  });

  test('need not take effect', () => {
    const history = [lost(0, 1, put('a', '1')), returned(2, [2, 3], read('a'), saw(1))];

    expect(checkRevisionOrder(history)).toEqual({ verdict: 'linearizable', placedCount: 0 });
  });

  test('take effect once', () => {
    const history = [
      lost(0, 1, put('a', '1')),
      lost(0, 1, put('b', '1')),
      returned(2, [4, 5], read('a'), saw(3, kv('a', '1', [2, 3, 2]))),
    ];

    expect(violationOf(history).kind).toBe('unexplained-revision');
  });

  test('do not take effect before their call', () => {
    const history = [
      returned(2, [1, 2], read('a'), saw(2, kv('a', '1', [2, 2, 1]))),
      lost(0, 3, put('a', '1')),
    ];

    const violation = violationOf(history);

    expect(violation.kind).toBe('unexplained-revision');
    expect(violation.operations).toEqual([history[0]]);
  });

  test('are tried until the answers fit, also where none tells of them directly', () => {
    const history = [
      lost(0, 1, { type: 'deleteRange', key: 'b' } as const),
      lost(1, 1, { type: 'deleteRange', key: 'a' } as const),
      lost(2, 1, put('c', '1')),
      returned(3, [1, 2], put('a', '1'), wrote(2)),
      returned(3, [3, 4], put('b', '1'), wrote(3)),
      returned(3, [5, 6], put('d', '1'), wrote(6)),
      returned(3, [7, 8], read('a', 'd'), saw(6, kv('b', '1', [3, 3, 1]), kv('c', '1', [5, 5, 1]))),
    ];

    expect(checkRevisionOrder(history)).toEqual({ verdict: 'linearizable', placedCount: 2 });
  });

  test('that leave too much to try are undecided', () => {
    const history = [
      ...Array.from({ length: 8 }, (_, i) => lost(i, 1, put(`k${i}`, '1'))),
      returned(9, [2, 3], put('z', '1'), wrote(6)),
      returned(9, [4, 5], read('k', 'l'), saw(6)),
    ];

    expect(checkRevisionOrder(history, { executionsMax: 10 })).toEqual({ verdict: 'undecided' });
    expect(checkRevisionOrder(history).verdict).toBe('violation');
  });
});

/** Changes one answer a little; mostly that makes a history wrong. */
function damage(history: readonly StoreOperation[], prng: Prng): readonly StoreOperation[] {
  const at = prng.nextInt(0, history.length);
  return history.map((operation, index) => {
    const { output } = operation;
    if (index !== at || output === undefined) {
      return operation;
    }
    if (chance(prng, 40)) {
      const revision = Math.max(1, output.revision + prng.nextInt(-1, 2));
      return { ...operation, output: { ...output, revision } };
    }
    return { ...operation, output: { ...output, result: damageResult(output.result, prng) } };
  });
}

function damageResult(result: StoreResult, prng: Prng): StoreResult {
  if (result.type === 'range' && result.kvs.length > 0) {
    const kvs = result.kvs.map((it) =>
      chance(prng, 50) ? { ...it, modRevision: it.modRevision - 1 } : { ...it, value: '1' },
    );
    return chance(prng, 50) ? { ...result, kvs } : { ...result, kvs: [], count: 0 };
  }
  if (result.type === 'txn') {
    return { ...result, succeeded: !result.succeeded };
  }
  return result.type === 'deleteRange' ? { ...result, deleted: 1 - result.deleted } : result;
}

const clock = { nowMs: () => 0 };
const bounds = { clock, timeMsMax: 1, cachedStatesMax: 1_000_000 };

describe('against the general search', () => {
  test.each([
    { name: 'small values', hasUniqueValues: false },
    { name: 'unique values', hasUniqueValues: true },
  ])('gives the same verdicts on small random histories of $name', ({ hasUniqueValues }) => {
    const model = storeModel({ revision: 1, records: new Map() });
    const counts = { linearizable: 0, violation: 0, placed: 0 };
    for (let seed = 1; seed <= 2000; seed++) {
      const prng = createPrng(seed);
      const run = recordRun({
        prng,
        operationsMax: prng.nextInt(4, 12),
        processCount: 3,
        keys: ['a', 'b'],
        lostPercent: prng.nextInt(10, 50),
        hasUniqueValues,
        hasOldReads: false,
      });
      const history = seed % 2 === 0 ? run : damage(run, prng);
      const expected = checkLinearizability(history, model, bounds).verdict;

      const result = checkRevisionOrder(history);

      expect({ seed, verdict: result.verdict }).toEqual({ seed, verdict: expected });
      if (result.verdict !== 'undecided') {
        counts[result.verdict] += 1;
      }
      counts.placed += result.verdict === 'linearizable' ? result.placedCount : 0;
    }

    expect(counts.linearizable).toBeGreaterThan(750);
    expect(counts.violation).toBeGreaterThan(200);
    expect(counts.placed).toBeGreaterThan(50);
  });
});

describe('long histories', () => {
  const run = recordRun({
    prng: createPrng(7),
    operationsMax: 20_000,
    processCount: 20,
    keys: Array.from({ length: 20 }, (_, i) => `k${i}`),
    lostPercent: 2,
    hasUniqueValues: true,
    hasOldReads: true,
  });

  test('are decided with a few executions for each operation', () => {
    const result = checkRevisionOrder(run, { executionsMax: 10 * run.length });

    expect(result.verdict).toBe('linearizable');
  });

  test('are rejected for one old value in the middle', () => {
    const at = run.findIndex(
      ({ output }, index) =>
        index > 10_000 && output?.result.type === 'range' && hasRecords(output),
    );
    const history = run.map((operation, index) =>
      index === at ? { ...operation, output: age(operation) } : operation,
    );

    const violation = violationOf(history);

    expect(violation.operations).toContain(history[at]);
  });
});

function hasRecords({ result }: { readonly result: StoreResult }): boolean {
  return result.type === 'range' && result.kvs.length > 0;
}

function age({ output }: StoreOperation) {
  const answer = must(output, 'an answer');
  const result = answer.result as RangeResult;
  return {
    ...answer,
    result: { ...result, kvs: result.kvs.map((it) => ({ ...it, value: 'old' })) },
  };
}
