import { beforeEach, describe, expect, test } from 'vitest';
import {
  type RangeGauge,
  type RangeOperation,
  type RangeOutcome,
  rangeQuery,
} from '../../src/kv/index.ts';
import { del, describeKv, describeKvs, put, range } from './commands.ts';
import { Machine, runReading } from './map-store.ts';

/** `a=1 b=2 more count 5`, or the code of the refusal. */
function show(outcome: RangeOutcome): string {
  if (outcome.kind === 'refused') {
    return outcome.code;
  }
  const { kvs, more, count } = outcome.result;
  return `${describeKvs(kvs)}${more ? ' more' : ''} count ${count}`.trim();
}

let machine: Machine;

function read(operation: RangeOperation, revision?: number): string {
  return show(machine.read(operation, revision));
}

beforeEach(() => {
  machine = new Machine();
});

describe('rangeQuery', () => {
  test('a fresh store is at revision 1 and empty', () => {
    expect(machine.machine.revision).toBe(1);
    expect(read(range('a', '\0'))).toBe('count 0');
    expect(read(range('a', undefined, { revision: 1 }))).toBe('count 0');
  });

  test('points, half-open ranges and all keys from one on', () => {
    machine.run(put('a', '1'), put('ab', '2'), put('b', '3'), put('c', '4'));
    expect(read(range('a'))).toBe('a=1 count 1');
    expect(read(range('x'))).toBe('count 0');
    expect(read(range('a', 'b'))).toBe('a=1 ab=2 count 2');
    expect(read(range('ab', '\0'))).toBe('ab=2 b=3 c=4 count 3');
    expect(read(range('\0', '\0'))).toBe('a=1 ab=2 b=3 c=4 count 4');
    expect(read(range('b', 'a'))).toBe('count 0');
    expect(read(range('b', 'b'))).toBe('count 0');
  });

  test('a read at an old revision sees what was there then', () => {
    machine.run(put('a', '1'), put('b', '1'), put('a', '2'), del('b'), put('b', '2'));
    expect(read(range('a', '\0', { revision: 2 }))).toBe('a=1 count 1');
    expect(read(range('a', '\0', { revision: 3 }))).toBe('a=1 b=1 count 2');
    expect(read(range('a', '\0', { revision: 4 }))).toBe('a=2 b=1 count 2');
    expect(read(range('a', '\0', { revision: 5 }))).toBe('a=2 count 1');
    expect(read(range('b', undefined, { revision: 5 }))).toBe('count 0');
    expect(read(range('b', undefined, { revision: 4 }))).toBe('b=1 count 1');
    expect(read(range('a', '\0'), 4)).toBe('a=2 b=1 count 2');
  });

  test('keys carry their creation, last change and number of changes', () => {
    machine.run(put('a', '1'), put('a', '2'), del('a'), put('a', '3'), put('a', '4'));
    const outcome = machine.read(range('a'));
    expect(outcome.kind === 'ok' && outcome.result.kvs.map(describeKv)).toEqual([
      'a=4 create 5 mod 6 version 2',
    ]);
  });

  test('a future revision is refused, before a compacted one is', () => {
    machine.run(put('a', '1'), put('a', '2'), put('a', '3'), { type: 'compact', revision: 3 });
    expect(read(range('a', undefined, { revision: 5 }))).toBe('FUTURE_REVISION');
    expect(read(range('a', undefined, { revision: 2 }))).toBe('COMPACTED');
    expect(read(range('a', undefined, { revision: 3 }))).toBe('a=2 count 1');
    expect(read(range('a', undefined, { revision: -1 }))).toBe('a=3 count 1');
  });

  test('the count is of all keys, whatever the limit and the filters', () => {
    machine.run(put('a', '1'), put('b', '2'), put('c', '3'));
    expect(read(range('a', '\0', { limit: 2 }))).toBe('a=1 b=2 more count 3');
    expect(read(range('a', '\0', { limit: 3 }))).toBe('a=1 b=2 c=3 count 3');
    expect(read(range('a', '\0', { minModRevision: 4 }))).toBe('c=3 count 3');
    expect(read(range('a', '\0', { maxModRevision: 3, limit: 1 }))).toBe('a=1 more count 3');
    expect(read(range('a', '\0', { countOnly: true, limit: 1 }))).toBe('count 3');
  });

  test('filters on creation look at the creation', () => {
    machine.run(put('a', '1'), put('b', '2'), put('a', '3'));
    expect(read(range('a', '\0', { minCreateRevision: 3 }))).toBe('b=2 count 2');
    expect(read(range('a', '\0', { maxCreateRevision: 2 }))).toBe('a=3 count 2');
  });

  test('every target sorts both ways, equal keys staying in key order', () => {
    machine.run(put('c', 'x'), put('a', 'z'), put('b', 'y'), put('a', 'z'));
    const sorted = (options: Partial<RangeOperation>): string => {
      const outcome = machine.read(range('a', '\0', options));
      return outcome.kind === 'ok' ? describeKvs(outcome.result.kvs) : outcome.code;
    };
    expect(sorted({ sortOrder: 'descend', sortTarget: 'key' })).toBe('c=x b=y a=z');
    expect(sorted({ sortOrder: 'ascend', sortTarget: 'create' })).toBe('c=x a=z b=y');
    expect(sorted({ sortOrder: 'descend', sortTarget: 'mod' })).toBe('a=z b=y c=x');
    expect(sorted({ sortOrder: 'ascend', sortTarget: 'value' })).toBe('c=x b=y a=z');
    expect(sorted({ sortOrder: 'descend', sortTarget: 'version' })).toBe('a=z b=y c=x');
    expect(sorted({ sortOrder: 'ascend', sortTarget: 'version' })).toBe('b=y c=x a=z');
  });

  test('a target without an order sorts the page that the limit has cut', () => {
    machine.run(put('c', '1'), put('b', '2'), put('a', '3'));
    const options = { limit: 1, sortTarget: 'mod' } as const;
    // The limit fetches a and b (one more than asked for); of these, b is the older.
    expect(read(range('a', '\0', options))).toBe('b=2 more count 3');
    expect(read(range('a', '\0', { ...options, sortOrder: 'ascend' }))).toBe('c=1 more count 3');
  });

  test('values are left out on request, but still sort', () => {
    machine.run(put('a', '2'), put('b', '1'));
    const options = { keysOnly: true, sortTarget: 'value', sortOrder: 'ascend' } as const;
    expect(read(range('a', '\0', options))).toBe('b= a= count 2');
  });

  test('long ranges are read in chunks that grow, in one sweep', () => {
    const names = Array.from({ length: 3000 }, (_, at) => `k${String(at).padStart(5, '0')}`);
    machine.run(...names.map((name) => put(name, 'v')));
    machine.settle();
    machine.store.needs.length = 0;

    expect(read(range('k', 'l', { limit: 1 }))).toBe('k00000=v more count 3000');

    const limits = machine.store.needs.map((need) => need.type === 'scan' && need.limit);
    expect(limits).toEqual([64, 512, 2048, 2048]);
  });

  test('without a count, reading ends with the key behind the limit', () => {
    const names = Array.from({ length: 3000 }, (_, at) => `k${String(at).padStart(5, '0')}`);
    machine.run(...names.map((name) => put(name, 'v')));
    machine.settle();
    machine.store.needs.length = 0;

    const page = machine.read(range('k', 'l', { limit: 1000, noCount: true }));

    expect(page).toMatchObject({ kind: 'ok', result: { more: true, count: 0 } });
    expect(page.kind === 'ok' && page.result.kvs).toHaveLength(1000);
    const limits = machine.store.needs.map((need) => need.type === 'scan' && need.limit);
    expect(limits).toEqual([64, 512, 425]);
  });

  test('without a count, a few keys behind many tombstones are found in chunks that grow', () => {
    const names = Array.from({ length: 3000 }, (_, at) => `k${String(at).padStart(5, '0')}`);
    machine.run(...names.map((name) => put(name, 'v')));
    machine.run(del('k', 'k02999'));
    machine.settle();
    machine.store.needs.length = 0;

    expect(read(range('k', 'l', { limit: 1, noCount: true }))).toBe('k02999=v count 0');

    const limits = machine.store.needs.map((need) => need.type === 'scan' && need.limit);
    expect(limits).toEqual([2, 16, 128, 1024, 2048]);
  });

  test('without a count, all else is as with it', () => {
    machine.run(put('a', '1'), put('b', '2'), put('c', '3'), del('b'));
    expect(read(range('a', '\0', { limit: 2, noCount: true }))).toBe('a=1 c=3 count 0');
    expect(read(range('a', '\0', { limit: 1, noCount: true }))).toBe('a=1 more count 0');
    expect(read(range('a', '\0', { noCount: true }))).toBe('a=1 c=3 count 0');
    expect(read(range('a', '\0', { minModRevision: 3, limit: 1, noCount: true }))).toBe(
      'c=3 count 0',
    );
    expect(read(range('a', '\0', { limit: 1, sortOrder: 'descend', noCount: true }))).toBe(
      'c=3 more count 0',
    );
    expect(read(range('a', undefined, { noCount: true }))).toBe('a=1 count 0');
    expect(read(range('a', '\0', { countOnly: true, noCount: true }))).toBe('count 2');
  });

  test('chunks stay small when records are large', () => {
    const value = 'v'.repeat(100_000);
    machine.run(...Array.from({ length: 100 }, (_, at) => put(`k${at}`, value)));
    machine.settle();
    machine.store.needs.length = 0;

    const outcome = machine.read(range('k', 'l', { keysOnly: true }));

    expect(outcome.kind === 'ok' && outcome.result.count).toBe(100);
    const limits = machine.store.needs.map((need) => need.type === 'scan' && need.limit);
    expect(Math.max(...limits.slice(1).map(Number))).toBeLessThanOrEqual(10);
  });

  test('a point read of the newest state is one get, however long the history', () => {
    machine.run(...Array.from({ length: 500 }, (_, at) => put('a', String(at))));
    machine.settle();
    machine.store.needs.length = 0;

    expect(read(range('a'))).toBe('a=499 count 1');

    expect(machine.store.needs).toHaveLength(1);
  });

  test('chains of many keys are walked together, one step a need', () => {
    const names = Array.from({ length: 20 }, (_, at) => `k${at}`);
    for (let round = 0; round < 4; round++) {
      machine.run(...names.map((name) => put(name, String(round))));
    }
    machine.settle();
    machine.store.needs.length = 0;

    const outcome = machine.read(range('k', 'l', { revision: 21 }));

    expect(outcome.kind === 'ok' && outcome.result.kvs.every((kv) => kv.version === 1)).toBe(true);
    const kinds = machine.store.needs.map((need) => need.type);
    expect(kinds).toEqual(['scan', 'get', 'get', 'get']);
  });

  test('a sorted range with a limit keeps what can be in the answer', () => {
    const names = Array.from({ length: 2500 }, (_, at) => `k${String(at).padStart(4, '0')}`);
    machine.run(...names.map((name) => put(name, name)));
    const options = { sortOrder: 'descend', sortTarget: 'value', limit: 2 } as const;
    expect(read(range('k', 'l', options))).toBe('k2499=k2499 k2498=k2498 more count 2500');
  });
});

describe('what a read keeps', () => {
  const gauged = (
    operation: RangeOperation,
    keptBytesMax?: number,
  ): { readonly shown: string; readonly keptBytes: number } => {
    const { revision, compactRevision } = machine.machine;
    const gauge: RangeGauge = { keptBytes: 0, keptBytesMax };
    const query = rangeQuery(operation, { revision, compactRevision }, undefined, gauge);
    return { shown: show(runReading(query, machine.store)), keptBytes: gauge.keptBytes };
  };

  beforeEach(() => {
    machine.run(put('a', '11'), put('b', '2222'), put('c', '3'), put('d', '4'));
  });

  test('is told, of the past as of the present', () => {
    machine.run(del('a', '\0'));

    expect(gauged(range('a', '\0')).keptBytes).toBe(0);
    expect(gauged(range('a', '\0', { revision: 5 })).keptBytes).toBe(12);
    expect(gauged(range('a', '\0', { revision: 5, limit: 1 })).keptBytes).toBe(3);
    expect(gauged(range('a', '\0', { revision: 5, countOnly: true })).keptBytes).toBe(0);
  });

  test('has no values when none are asked for, unless keys are sorted by them', () => {
    expect(gauged(range('a', '\0', { keysOnly: true }))).toEqual({
      ...{ shown: 'a= b= c= d= count 4', keptBytes: 4 },
    });
    const byValue = { keysOnly: true, sortTarget: 'value', sortOrder: 'descend' } as const;
    expect(gauged(range('a', '\0', byValue)).shown).toBe('d= c= b= a= count 4');
  });

  test.each<[number, Partial<RangeOperation>, string]>([
    [1, {}, 'a=11 more count 4'],
    [3, {}, 'a=11 more count 4'],
    [4, {}, 'a=11 b=2222 more count 4'],
    [4, { noCount: true }, 'a=11 b=2222 more count 0'],
    [10, {}, 'a=11 b=2222 c=3 more count 4'],
    [11, {}, 'a=11 b=2222 c=3 d=4 count 4'],
    [100, {}, 'a=11 b=2222 c=3 d=4 count 4'],
    [4, { limit: 1 }, 'a=11 more count 4'],
    [4, { limit: 2 }, 'a=11 b=2222 more count 4'],
    [4, { limit: 3 }, 'a=11 b=2222 more count 4'],
    [11, { limit: 4 }, 'a=11 b=2222 c=3 d=4 count 4'],
    [1, { countOnly: true }, 'count 4'],
  ])('ends with %i bytes, as at a limit, with %j', (keptBytesMax, options, shown) => {
    expect(gauged(range('a', '\0', options), keptBytesMax).shown).toBe(shown);
  });
});
