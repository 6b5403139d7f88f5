import { describe, expect, test } from 'vitest';
import type { Operation } from '../../../chaos/checkers/history.ts';
import { checkLinearizability } from '../../../chaos/checkers/linearizability.ts';
import {
  appendModel,
  type RegisterInput,
  registerModel,
  type RegisterOutput,
  type VersionedInput,
  versionedModel,
  type VersionedOutput,
} from '../../../chaos/checkers/models.ts';
import { createPrng, type Prng } from '../../../src/base/index.ts';
import { choose } from '../../kv/generators.ts';
import { isExplainable } from './brute-force.ts';
import { lost, randomTimes, returned } from './recorded-runs.ts';

const clock = { nowMs: () => 0 };
const bounds = { clock, timeMsMax: 1, cachedStatesMax: 100_000 };
const written = { type: 'written' } as const;

function read(process: number, times: readonly [number, number], value: number | null, key = 'r') {
  return returned(process, times, { type: 'read', key } as const, { type: 'read', value } as const);
}

function write(process: number, times: readonly [number, number], value: number, key = 'r') {
  return returned(process, times, { type: 'write', key, value } as const, written);
}

describe('checkLinearizability', () => {
  const model = registerModel(null);

  test('accepts a read that is concurrent with a write, whether it sees it or not', () => {
    expect(checkLinearizability([write(0, [1, 4], 1), read(1, [2, 3], 1)], model, bounds)).toEqual({
      verdict: 'linearizable',
      cachedStates: 1,
      elapsedMs: 0,
    });
    expect(
      checkLinearizability([write(0, [1, 4], 1), read(1, [2, 3], null)], model, bounds).verdict,
    ).toBe('linearizable');
  });

  test('rejects a read that went back', () => {
    const history = [write(0, [1, 9], 1), read(1, [2, 3], 1), read(2, [4, 5], null)];

    const result = checkLinearizability(history, model, bounds);

    expect(result).toMatchObject({
      verdict: 'violation',
      violation: { modelName: 'register', partition: 'r' },
    });
  });

  test('an operation of unknown outcome takes effect late, or never', () => {
    const open = lost(0, 1, { type: 'write', key: 'r', value: 1 } as const);

    const late = [open, write(1, [2, 3], 2), read(1, [4, 5], 2), read(1, [6, 7], 1)];
    const twice = [...late, read(1, [8, 9], 2)];

    expect(checkLinearizability(late, model, bounds).verdict).toBe('linearizable');
    expect(checkLinearizability(late.slice(0, 3), model, bounds).verdict).toBe('linearizable');
    expect(checkLinearizability(twice, model, bounds).verdict).toBe('violation');
  });

  test('each key is checked on its own', () => {
    const history = [
      write(0, [1, 2], 1, 'a'),
      write(1, [1, 2], 1, 'b'),
      read(0, [3, 4], 1, 'a'),
      read(1, [3, 4], 2, 'b'),
    ];

    const result = checkLinearizability(history, model, bounds);

    expect(result).toMatchObject({ violation: { partition: 'b' } });
  });

  test('a history that is not well-formed is refused', () => {
    expect(() => checkLinearizability([read(0, [5, 4], 1)], model, bounds)).toThrow(
      'operation 0: field "return" must not be before the call 5, is 4',
    );
  });

  /** Many writes at once, and a read of what none of them wrote: all orders must be tried. */
  const hard = [
    ...Array.from({ length: 12 }, (_, i) => write(i, [1, 100], i)),
    read(20, [101, 102], 99),
  ];

  test('is undecided when it may not remember enough', () => {
    const result = checkLinearizability(hard, model, { ...bounds, cachedStatesMax: 100 });

    expect(result).toMatchObject({ verdict: 'undecided', bound: 'memory', cachedStates: 101 });
  });

  test('is undecided when its time is over', () => {
    let nowMs = 0;
    const slow = { nowMs: () => (nowMs += 1) };

    const result = checkLinearizability(hard, model, { ...bounds, clock: slow, timeMsMax: 3 });

    expect(result).toMatchObject({ verdict: 'undecided', bound: 'time', elapsedMs: 4 });
  });

  test('a violation of another key counts more than being undecided', () => {
    const history = [...hard, read(30, [1, 2], 1, 'other')];

    const result = checkLinearizability(history, model, { ...bounds, cachedStatesMax: 100 });

    expect(result).toMatchObject({ verdict: 'violation', violation: { partition: 'other' } });
  });

  test('many unknown outcomes of equal requests cost little', () => {
    const open = Array.from({ length: 30 }, (_, i) =>
      lost(i, 1, { type: 'write', key: 'r', value: i % 2 } as const),
    );
    const reads = Array.from({ length: 31 }, (_, i) => read(50, [2 + 2 * i, 3 + 2 * i], i % 2));

    const result = checkLinearizability([...open, ...reads], model, bounds);

    expect(result.verdict).toBe('violation');
    expect(result.cachedStates).toBeLessThan(1000);
  });
});

/** Builds a small history of answers that are random, and so mostly wrong. */
function randomHistory<Input, Output>(
  prng: Prng,
  randomOperation: (prng: Prng) => readonly [Input, Output],
): readonly Operation<Input, Output>[] {
  return randomTimes(prng, prng.nextInt(2, 8)).map(({ process, call, return: end }) => {
    const [input, output] = randomOperation(prng);
    return end === undefined
      ? lost(process, call, input)
      : returned(process, [call, end], input, output);
  });
}

function randomRegisterOperation(prng: Prng): readonly [RegisterInput, RegisterOutput] {
  const key = choose(prng, ['r', 'r', 's']);
  const value = choose(prng, [1, 2]);
  switch (prng.nextInt(0, 5)) {
    case 0:
    case 1:
      return [{ type: 'write', key, value }, written];
    case 2:
      return [
        { type: 'cas', key, expected: value, value: 3 - value },
        { type: 'cas', succeeded: prng.nextInt(0, 2) === 0 },
      ];
    default:
      return [
        { type: 'read', key },
        { type: 'read', value: choose(prng, [null, 1, 2]) },
      ];
  }
}

function randomTextOperation(prng: Prng): readonly [RegisterInput, RegisterOutput] {
  const value = choose(prng, ['a', 'b']);
  switch (prng.nextInt(0, 5)) {
    case 0:
      return [{ type: 'write', key: 'r', value }, written];
    case 1:
    case 2:
      return [{ type: 'append', key: 'r', value }, written];
    default:
      return [
        { type: 'read', key: 'r' },
        { type: 'read', value: choose(prng, ['', 'a', 'b', 'ab', 'ba', 'aa']) },
      ];
  }
}

function randomVersionedOperation(prng: Prng): readonly [VersionedInput, VersionedOutput] {
  const value = choose(prng, ['x', 'y']);
  const version = prng.nextInt(0, 3);
  switch (prng.nextInt(0, 6)) {
    case 0:
      return [{ type: 'put', key: 'k', value }, { type: 'put' }];
    case 1:
      return [
        { type: 'delete', key: 'k' },
        { type: 'delete', deleted: version > 0 },
      ];
    case 2:
      return [
        { type: 'putIfVersion', key: 'k', version, value },
        { type: 'putIfVersion', succeeded: prng.nextInt(0, 2) === 0 },
      ];
    default:
      return [
        { type: 'get', key: 'k' },
        { type: 'get', found: version === 0 ? null : { value, version } },
      ];
  }
}

describe('against all orders', () => {
  const cases = [
    {
      name: 'registers',
      verdictsOf: (prng: Prng) => verdictsOf(prng, registerModel(null), randomRegisterOperation),
    },
    {
      name: 'texts',
      verdictsOf: (prng: Prng) => verdictsOf(prng, appendModel(''), randomTextOperation),
    },
    {
      name: 'versioned keys',
      verdictsOf: (prng: Prng) => verdictsOf(prng, versionedModel, randomVersionedOperation),
    },
  ];

  test.each(cases)('gives the same verdicts on 4000 small histories of $name', ({ verdictsOf }) => {
    const counts = { linearizable: 0, violation: 0, undecided: 0 };
    for (let seed = 1; seed <= 4000; seed++) {
      const { verdict, isRight, isProof } = verdictsOf(createPrng(seed));
      counts[verdict] += 1;

      expect({ seed, isRight, isProof }).toEqual({ seed, isRight: true, isProof: true });
    }

    expect(counts.linearizable).toBeGreaterThan(500);
    expect(counts.violation).toBeGreaterThan(500);
  });
});

/** Checks a random history in both ways. What is told of a violation must be one itself. */
function verdictsOf<State, Input, Output>(
  prng: Prng,
  model: Parameters<typeof checkLinearizability<State, Input, Output>>[1],
  randomOperation: (prng: Prng) => readonly [Input, Output],
) {
  const history = randomHistory(prng, randomOperation);
  const result = checkLinearizability(history, model, bounds);
  const isLinearizable = byPartition(history, model).every((part) => isExplainable(part, model));
  return {
    verdict: result.verdict,
    isRight: result.verdict === (isLinearizable ? 'linearizable' : 'violation'),
    isProof: result.verdict !== 'violation' || !isExplainable(result.violation.operations, model),
  };
}

function byPartition<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Parameters<typeof checkLinearizability<State, Input, Output>>[1],
) {
  const keys = new Set(history.map(({ input }) => model.partitionKey?.(input)));
  return Array.from(keys, (key) =>
    history.filter(({ input }) => model.partitionKey?.(input) === key),
  );
}
