import { beforeEach, describe, expect, test } from 'vitest';
import { type Command, type CommandResult, verifyState } from '../../src/kv/index.ts';
import { del, describeKv, describeKvs, put, range, txn, when, whenValue } from './commands.ts';
import { bytes, Machine } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

/** Applies one command and describes its result in one line. */
function run(command: Command): string {
  const [result] = machine.run(command);
  return showResult(result);
}

function showResult(result: CommandResult | undefined): string {
  if (result === undefined) {
    return 'nothing';
  }
  if (result.kind === 'refused') {
    return `refused ${result.code} at ${result.revision}`;
  }
  const { result: operation, revision } = result;
  return `${show(operation)} at ${revision}`;
}

function show(result: Extract<CommandResult, { kind: 'ok' }>['result']): string {
  switch (result.type) {
    case 'put':
      return result.prevKv === undefined ? 'put' : `put over ${describeKv(result.prevKv)}`;
    case 'deleteRange':
      return `deleted ${result.deleted} ${describeKvs(result.prevKvs)}`.trim();
    case 'range':
      return `found ${describeKvs(result.kvs)}`.trim();
    case 'txn': {
      const responses = result.responses.map(show).join(', ');
      return result.succeeded ? `success(${responses})` : `failure(${responses})`;
    }
    default:
      return result.type;
  }
}

describe('put', () => {
  test('the first change of a store is revision 2', () => {
    expect(run(put('a', '1'))).toBe('put at 2');
    expect(run(put('a', '2'))).toBe('put at 3');
  });

  test('the state before is returned on request', () => {
    expect(run(put('a', '1', { prevKv: true }))).toBe('put at 2');
    expect(run(put('a', '2', { prevKv: true }))).toBe('put over a=1 create 2 mod 2 version 1 at 3');
  });

  test('a put that ignores its value keeps the old one, and counts as a change', () => {
    run(put('a', '1'));
    expect(run(put('a', '', { ignoreValue: true }))).toBe('put at 3');
    expect(run(txn([], [range('a')]))).toBe('success(found a=1) at 3');
    expect(run(put('a', 'x', { prevKv: true }))).toBe('put over a=1 create 2 mod 3 version 2 at 4');
  });

  test('a put that ignores something needs a live key', () => {
    expect(run(put('a', '', { ignoreValue: true }))).toBe('refused KEY_NOT_FOUND at 1');
    expect(run(put('a', '1', { ignoreLease: true }))).toBe('refused KEY_NOT_FOUND at 1');
    run(put('a', '1'));
    run(del('a'));
    expect(run(put('a', '', { ignoreValue: true }))).toBe('refused KEY_NOT_FOUND at 3');
  });

  test('a lease that was not granted is refused, before a missing key is', () => {
    const options = { lease: 5n, ignoreValue: true };
    expect(run(put('a', '', options))).toBe('refused LEASE_NOT_FOUND at 1');
  });
});

describe('deleteRange', () => {
  test('deleting nothing is no change', () => {
    run(put('a', '1'));
    expect(run(del('b'))).toBe('deleted 0 at 2');
    expect(run(del('b', 'z'))).toBe('deleted 0 at 2');
    expect(run(put('b', '1'))).toBe('put at 3');
  });

  test('all keys of a range go in one revision', () => {
    machine.run(put('a', '1'), put('b', '2'), put('c', '3'), put('d', '4'));
    expect(run(del('b', 'd', true))).toBe('deleted 2 b=2 c=3 at 6');
    expect(run(txn([], [range('a', '\0')]))).toBe('success(found a=1 d=4) at 6');
    expect(run(del('b', 'd', true))).toBe('deleted 0 at 6');
  });

  test('a great many keys go in one revision too, not in one turn', () => {
    const names = Array.from({ length: 1100 }, (_, at) => `k${String(at).padStart(4, '0')}`);
    machine.run(...names.map((name) => put(name, '1', { ttlMs: name.endsWith('7') ? 5000 : 0 })));
    machine.settle();
    machine.store.needs.length = 0;

    expect(run(txn([], [del('k', 'l'), put('k', '2'), range('k', 'l')]))).toBe(
      'success(deleted 1100, put, found k=2) at 1102',
    );
    machine.settle();
    verifyState(machine.store.records());
    const pauses = machine.store.needs.filter((need) => need.type === 'get' && !need.keys.length);
    expect(pauses.length).toBe(2);
  });

  test('a key begins anew after its deletion', () => {
    machine.run(put('a', '1'), put('a', '2'), del('a'), put('a', '3'));
    expect(run(put('a', '4', { prevKv: true }))).toBe('put over a=3 create 5 mod 5 version 1 at 6');
  });

  test('changes of the same batch are seen', () => {
    const results = machine.run(put('a', '1'), put('b', '2'), del('a', 'c', true), del('a', 'c'));
    expect(results.map(showResult)).toEqual([
      'put at 2',
      'put at 3',
      'deleted 2 a=1 b=2 at 4',
      'deleted 0 at 4',
    ]);
  });
});

describe('txn', () => {
  test('operations run in order, see each other, and share one revision', () => {
    const operations = [put('a', '1'), range('a', '\0'), put('b', '2'), range('a', '\0'), del('a')];
    expect(run(txn([], operations))).toBe(
      'success(put, found a=1, put, found a=1 b=2, deleted 1) at 2',
    );
    expect(run(txn([], [range('a', '\0')]))).toBe('success(found b=2) at 2');
    expect(run(put('b', '3', { prevKv: true }))).toBe('put over b=2 create 2 mod 2 version 1 at 3');
  });

  test('a transaction that changes nothing keeps the revision', () => {
    run(put('a', '1'));
    expect(run(txn([], []))).toBe('success() at 2');
    expect(run(txn([], [range('a'), del('x')]))).toBe('success(found a=1, deleted 0) at 2');
  });

  test('an explicit revision reads the state before the transaction', () => {
    run(put('a', '1'));
    expect(run(txn([], [put('a', '2'), range('a', undefined, { revision: 2 }), range('a')]))).toBe(
      'success(put, found a=1, found a=2) at 3',
    );
  });

  test('all conditions must hold for success', () => {
    run(put('a', '1'));
    const holds = when('a', 'version', 'equal', 1);
    const fails = when('a', 'mod', 'greater', 2);
    expect(run(txn([holds], [range('a')], []))).toBe('success(found a=1) at 2');
    expect(run(txn([holds, fails], [], [put('b', '2')]))).toBe('failure(put) at 3');
    expect(run(txn([], [], []))).toBe('success() at 3');
  });

  test.each([
    ['equal', [false, true, false]],
    ['notEqual', [true, false, true]],
    ['greater', [true, false, false]],
    ['less', [false, false, true]],
  ] as const)('%s compares the key with the operand', (result, expected) => {
    machine.run(put('a', 'm'), put('a', 'm'), put('a', 'm'));
    const holds = (...compare: Parameters<typeof txn>[0]): boolean => {
      return run(txn(compare, [])).startsWith('success');
    };
    // Version 3, created at 2, changed at 4; operands below, at and above.
    expect([2, 3, 4].map((n) => holds(when('a', 'version', result, n)))).toEqual(expected);
    expect([1, 2, 3].map((n) => holds(when('a', 'create', result, n)))).toEqual(expected);
    expect([3, 4, 5].map((n) => holds(when('a', 'mod', result, n)))).toEqual(expected);
    expect(['l', 'm', 'n'].map((v) => holds(whenValue('a', result, v)))).toEqual(expected);
    const lease = (operand: bigint) =>
      ({ key: bytes('a'), target: 'lease', result, operand }) as const;
    expect([-1n, 0n, 1n].map((id) => holds(lease(id)))).toEqual(expected);
  });

  test('a missing key has zeros, and no value that could be compared', () => {
    expect(run(txn([when('x', 'version', 'equal', 0)], []))).toBe('success() at 1');
    expect(run(txn([when('x', 'create', 'less', 1)], []))).toBe('success() at 1');
    expect(run(txn([when('x', 'mod', 'greater', 0)], []))).toBe('failure() at 1');
    for (const result of ['equal', 'notEqual', 'less', 'greater'] as const) {
      expect(run(txn([whenValue('x', result, '')], []))).toBe('failure() at 1');
    }
  });

  test('a condition on a range must hold for every key of it', () => {
    machine.run(put('a', '1'), put('b', '1'), put('c', '2'));
    expect(run(txn([whenValue('a', 'equal', '1', 'c')], []))).toBe('success() at 4');
    expect(run(txn([whenValue('a', 'equal', '1', '\0')], []))).toBe('failure() at 4');
    expect(run(txn([when('a', 'create', 'less', 4, 'c')], []))).toBe('success() at 4');
  });

  test('a condition on a range without keys is that on a missing key', () => {
    expect(run(txn([when('a', 'version', 'equal', 0, 'z')], []))).toBe('success() at 1');
    expect(run(txn([when('a', 'version', 'greater', 0, 'z')], []))).toBe('failure() at 1');
    expect(run(txn([whenValue('a', 'notEqual', 'q', 'z')], []))).toBe('failure() at 1');
  });

  test('conditions of nested transactions are decided before anything is executed', () => {
    const nested = txn([when('a', 'version', 'equal', 0)], [put('b', 'was missing')]);
    expect(run(txn([], [put('a', '1'), nested]))).toBe('success(put, success(put)) at 2');
    expect(run(txn([], [put('c', '1'), nested, put('d', '1')]))).toBe(
      'success(put, failure(), put) at 3',
    );
  });

  test('a refused transaction has changed nothing', () => {
    run(put('a', '1'));
    const operations = [
      [put('b', '1'), put('missing', '', { ignoreValue: true })],
      [put('b', '1'), put('c', '1', { lease: 9n })],
      [put('b', '1'), range('a', undefined, { revision: 3 })],
      [put('b', '1'), txn([], [range('a', undefined, { revision: 3 })])],
      [put('b', '1'), txn([], [put('x', '', { ignoreLease: true })])],
    ];
    expect(operations.map((list) => run(txn([], list)))).toEqual([
      'refused KEY_NOT_FOUND at 2',
      'refused LEASE_NOT_FOUND at 2',
      'refused FUTURE_REVISION at 2',
      'refused FUTURE_REVISION at 2',
      'refused KEY_NOT_FOUND at 2',
    ]);
    expect(run(txn([], [range('a', '\0')]))).toBe('success(found a=1) at 2');
  });

  test('a put that ignores the value of a key deleted before it is empty', () => {
    run(put('a', '1'));
    const operations = [txn([], [del('a')]), txn([], [put('a', '', { ignoreValue: true })])];
    expect(run(txn([], operations))).toBe('success(success(deleted 1), success(put)) at 3');
    expect(run(txn([], [range('a')]))).toBe('success(found a=) at 3');
  });

  test('only the branch that is taken can refuse', () => {
    run(put('a', '1'));
    const bad = put('missing', '', { ignoreValue: true });
    expect(run(txn([when('a', 'version', 'equal', 1)], [range('a')], [bad]))).toBe(
      'success(found a=1) at 2',
    );
  });

  test('puts are checked before ranges, and a missing key before a lease', () => {
    const future = range('a', undefined, { revision: 99 });
    const bad = put('missing', '', { ignoreValue: true, lease: 9n });
    expect(run(txn([], [future, bad]))).toBe('refused KEY_NOT_FOUND at 1');
  });

  test('a compacted revision is refused in a transaction too', () => {
    machine.run(put('a', '1'), put('a', '2'), put('a', '3'), { type: 'compact', revision: 3 });
    expect(run(txn([], [range('a', undefined, { revision: 2 })]))).toBe('refused COMPACTED at 4');
    expect(run(txn([], [range('a', undefined, { revision: 3 })]))).toBe('success(found a=2) at 4');
    expect(run(txn([], [range('a', undefined, { revision: -1 })]))).toBe('refused COMPACTED at 4');
  });
});

describe('compact', () => {
  test('revisions at or below the last one and in the future are refused', () => {
    machine.run(put('a', '1'), put('a', '2'));
    expect(run({ type: 'compact', revision: 4 })).toBe('refused FUTURE_REVISION at 3');
    expect(run({ type: 'compact', revision: 2 })).toBe('compact at 3');
    expect(run({ type: 'compact', revision: 2 })).toBe('refused COMPACTED at 3');
    expect(run({ type: 'compact', revision: 1 })).toBe('refused COMPACTED at 3');
    expect(run({ type: 'compact', revision: 3 })).toBe('compact at 3');
  });

  test('a first compaction may be to revision 0, once', () => {
    expect(run({ type: 'compact', revision: 0 })).toBe('compact at 1');
    expect(run({ type: 'compact', revision: 0 })).toBe('refused COMPACTED at 1');
  });
});
