import { beforeEach, describe, expect, test } from 'vitest';
import { encodeCommand, StateMachine, verifyState } from '../../src/kv/index.ts';
import { stateMetaKey } from '../../src/kv/key-layout.ts';
import { decodeMeta } from '../../src/kv/state-meta.ts';
import { del, describeKvs, put, range, txn, when } from './commands.ts';
import { bytes, Machine, MapStore, runReading } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

function encode(...values: readonly string[]): Uint8Array[] {
  return values.map((value) => encodeCommand(put('a', value)));
}

describe('apply', () => {
  test('an empty command only moves the applied position', () => {
    const output = machine.apply([new Uint8Array(0)]);
    expect(output.results).toEqual([undefined]);
    expect(output.lastApplied).toEqual({ index: 1, term: 1 });
    expect(output.revision).toBe(1);
    expect(output.events).toEqual([]);
    machine.settle();
    expect(machine.store.records().map(({ key }) => key)).toEqual([stateMetaKey]);
    expect(machine.machine.lastApplied).toEqual({ index: 1, term: 1 });
  });

  test('the position and the revisions are part of every checkpoint', () => {
    machine.apply(encode('1', '2'));
    machine.settle();
    const meta = decodeMeta(machine.store.get(stateMetaKey) as Uint8Array);
    expect(meta).toMatchObject({ appliedIndex: 2, appliedTerm: 1, revision: 3 });
    const reopened = runReading(StateMachine.open({ cacheBytesMax: 0 }), machine.store);
    expect(reopened.lastApplied).toEqual({ index: 2, term: 1 });
    expect(reopened.revision).toBe(3);
  });

  test('a key that changes many times in a batch has one current record written', () => {
    const { events } = machine.apply(encode('1', '2', '3'));
    machine.settle();
    expect(events).toHaveLength(3);
    // Three events, one current record, one meta record.
    expect(machine.store.records()).toHaveLength(5);
  });

  test('all records of a batch are asked for at once, and those of later batches are known', () => {
    const commands = [
      put('a', '1'),
      del('b'),
      txn([when('c', 'mod', 'equal', 0)], [put('d', '1')]),
    ];
    machine.run(...commands);
    expect(machine.store.needs).toHaveLength(1);
    expect(machine.store.needs[0]).toMatchObject({ type: 'get', afterWrites: false });
    machine.run(...commands);
    expect(machine.store.needs).toHaveLength(1);
  });

  test('records not settled are seen without reading, even with no room in the cache', () => {
    machine = new Machine({ cacheBytesMax: 0 });
    machine.run(put('a', '1'));
    machine.run(put('a', '2'));
    const [result] = machine.run(put('a', '3', { prevKv: true }));
    expect(result).toMatchObject({ kind: 'ok', result: { prevKv: { version: 2 } } });
    expect(machine.store.needs).toHaveLength(1);
    machine.settle();
    verifyState(machine.store.records());
    expect(machine.machine.cacheBytes).toBe(0);
  });

  test('a malformed command stops the member before anything has changed', () => {
    const entries = [
      { index: 1, term: 1, command: encodeCommand(put('a', '1')) },
      { index: 2, term: 1, command: bytes('garbage') },
    ];
    expect(() => runReading(machine.machine.apply(entries), machine.store)).toThrow(
      'command has the unknown format',
    );
    expect(machine.machine.revision).toBe(1);
  });

  test('an entry that does not follow the last one is refused, before anything is changed', () => {
    const at = (index: number, term: number) => [{ index, term, command: new Uint8Array(0) }];
    const afterFirst = (index: number, term: number) => () => {
      const fresh = runReading(StateMachine.open({ cacheBytesMax: 0 }), new MapStore());
      runReading(fresh.apply(at(1, 2)), machine.store);
      return runReading(fresh.apply(at(index, term)), machine.store);
    };

    expect(afterFirst(1, 2)).toThrow('does not follow 1');
    expect(afterFirst(3, 2)).toThrow('does not follow 1');
    expect(afterFirst(2, 1)).toThrow('terms never decrease');
    expect(afterFirst(2, 2)).not.toThrow();
  });

  test('apply and removeCompacted do not overlap', () => {
    const plan = machine.planCompaction(1);
    const apply = machine.machine.apply([
      { index: 1, term: 1, command: encode('1')[0] as Uint8Array },
    ]);
    expect(apply.next().done).toBe(false);
    const removal = machine.machine.removeCompacted(plan);
    expect(() => removal.next()).toThrow('one after the other');
  });

  test('what was applied can be applied again after a crash, with the same results', () => {
    const commands = [put('a', '1'), put('a', '2'), del('a'), put('a', '3')].map(encodeCommand);
    const store = new MapStore();
    const first = new Machine({ store });
    first.apply(commands.slice(0, 1));
    first.settle();
    const { results } = first.apply(commands.slice(1));
    store.crash();
    const second = new Machine({ store });
    expect(second.machine.lastApplied.index).toBe(1);
    expect(second.apply(commands.slice(1)).results).toEqual(results);
  });
});

describe('cachedPoint', () => {
  const at = (revision: number) => ({ revision, compactRevision: -1 });

  function read(key: string, revision: number): string | undefined {
    const outcome = machine.machine.cachedPoint(range(key), at(revision));
    return outcome?.kind === 'ok' ? describeKvs(outcome.result.kvs) : undefined;
  }

  test('a cached record answers reads at its revision and later', () => {
    machine.run(put('a', '1'), put('b', '1'), put('a', '2'));
    expect(read('a', 4)).toBe('a=2');
    expect(read('b', 4)).toBe('b=1');
    expect(read('b', 3)).toBe('b=1');
    expect(read('a', 3)).toBeUndefined();
  });

  test('a known absence and a deletion answer too', () => {
    machine.run(del('x'), put('a', '1'), del('a'));
    expect(read('x', 3)).toBe('');
    expect(read('a', 3)).toBe('');
    expect(read('a', 2)).toBeUndefined();
  });

  test('unknown keys and ranges are left to rangeQuery', () => {
    machine.run(put('a', '1'));
    expect(read('b', 2)).toBeUndefined();
    expect(machine.machine.cachedPoint(range('a', 'b'), at(2))).toBeUndefined();
  });

  test('revisions that cannot be read are refused', () => {
    machine.run(put('a', '1'), put('a', '2'));
    const refused = (revision: number) =>
      machine.machine.cachedPoint(range('a', undefined, { revision }), {
        revision: 3,
        compactRevision: 3,
      });
    expect(refused(4)).toEqual({ kind: 'refused', code: 'FUTURE_REVISION' });
    expect(refused(2)).toEqual({ kind: 'refused', code: 'COMPACTED' });
  });
});
