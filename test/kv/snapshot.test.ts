import { describe, expect, test } from 'vitest';
import { compareBytes, createPrng } from '../../src/base/index.ts';
import * as kv from '../../src/kv/index.ts';
import * as layout from '../../src/kv/key-layout.ts';
import { del, describeKvs, put, range } from './commands.ts';
import { bytes, MapStore, Machine, runReading, text } from './map-store.ts';
import { Member, randomLog, randomSplit } from './properties.ts';

const options: kv.RestoreOptions = {
  appliedIndex: 1,
  appliedTerm: 1,
  membership: bytes('new cluster'),
  bumpRevision: 1000,
};

function headOf(store: MapStore): kv.SnapshotHead | undefined {
  return kv.readSnapshotHead(kv.snapshotHeadKeys.map((key) => store.get(key)));
}

/** What a scan of all ranges of the state gives. */
function scanOf(store: MapStore): readonly kv.StoredRecord[] {
  return kv.stateRanges.flatMap(({ gte, lt }) => {
    const need = { type: 'scan', gte, lt, limit: 1e9, reverse: false, afterWrites: true } as const;
    const loaded = store.load(need);
    return loaded.type === 'scan' ? loaded.records : [];
  });
}

/** Makes the store of a new cluster. */
function restore(from: MapStore, how = options): MapStore {
  const store = new MapStore();
  for (const record of scanOf(from)) {
    const action = kv.restoreRecord(record, how);
    if (action.type !== 'dropped') {
      const value = action.type === 'kept' ? record.value : action.value;
      store.write([{ type: 'put', key: record.key, value }]);
    }
  }
  store.flush();
  return store;
}

/** A store with history, alarms, records and a configuration. */
function sample(): Member {
  const member = new Member(kv);
  const commands: readonly kv.Command[] = [
    ...[put('a', '1'), put('a', '2'), put('b', '1'), del('b'), put('c', '1')],
    { type: 'setRecord', name: 'attributes/1', value: bytes('member one') },
    { type: 'setRecord', name: 'feature', value: bytes('on') },
    { type: 'compact', revision: 3 },
    { type: 'alarm', action: 'activate', alarm: 'nospace', memberId: 1 },
  ];
  const membership = bytes('old cluster');
  member.apply([
    { index: 1, term: 1, command: new Uint8Array(0), membership },
    ...commands.map((command, at) => {
      return { index: 2 + at, term: 2, command: kv.encodeCommand(command) };
    }),
  ]);
  return member;
}

describe('the ranges of the state', () => {
  test('cover every record, in key order and without overlap', () => {
    const { store } = sample();
    expect(scanOf(store)).toEqual(store.records());
    for (const [at, { gte, lt }] of kv.stateRanges.entries()) {
      expect(compareBytes(gte, lt)).toBeLessThan(0);
      const next = kv.stateRanges[at + 1]?.gte;
      expect(next === undefined || compareBytes(lt, next) <= 0).toBe(true);
    }
  });

  test('leave out of a snapshot the events that its state does not know of', () => {
    const { store, machine } = sample();
    const ranges = kv.snapshotRanges(machine.revision - 1);
    const isTaken = (key: Uint8Array) => ranges.some((each) => layout.isIn(each, key));
    const left = store.records().filter(({ key }) => !isTaken(key));
    expect(left.map(({ key }) => key)).toEqual([layout.revisionKey(machine.revision, 0)]);
    expect(kv.snapshotRanges(machine.revision)).toHaveLength(kv.stateRanges.length);
  });

  test('include every table of the layout', () => {
    const tables = Object.entries(layout).filter(([name]) => name.endsWith('Table'));
    expect(tables.length).toBe(kv.stateRanges.length);
    const starts = kv.stateRanges.map(({ gte }) => gte[0]);
    expect(tables.map(([, table]) => starts.includes(table as number))).not.toContain(false);
  });
});

describe('the head of a snapshot', () => {
  test('tells position, revisions, configuration, hash and alarms', () => {
    const { store, machine } = sample();
    expect(headOf(store)).toEqual({
      ...{ appliedIndex: 10, appliedTerm: 2, revision: 6, compactRevision: 3 },
      membership: { index: 1, membership: bytes('old cluster') },
      stateHash: machine.stateHash.hash,
      alarms: [{ memberId: 1, alarm: 'nospace' }],
    });
  });

  test('of an empty store does not exist, and without a configuration there is none', () => {
    expect(headOf(new MapStore())).toBeUndefined();
    const member = new Member(kv);
    member.apply([{ index: 1, term: 1, command: new Uint8Array(0) }]);
    expect(headOf(member.store)).toMatchObject({ appliedIndex: 1, membership: undefined });
  });

  test('a configuration is stored with its index, and told of in the output', () => {
    const member = new Member(kv);
    const output = member.apply([
      { index: 1, term: 1, command: new Uint8Array(0), membership: bytes('one') },
      { index: 2, term: 1, command: new Uint8Array(0), membership: bytes('two') },
    ]);
    expect(output.results).toEqual([undefined, undefined]);
    expect(output.changes).toEqual([
      { type: 'membership', index: 1, membership: bytes('one') },
      { type: 'membership', index: 2, membership: bytes('two') },
    ]);
    expect(headOf(member.store)?.membership).toEqual({ index: 2, membership: bytes('two') });
    kv.verifyState(member.store.records());
  });

  test('an entry brings a command or a configuration, not both', () => {
    const command = kv.encodeCommand(put('a', '1'));
    const entry = { index: 1, term: 1, command, membership: bytes('m') };
    expect(() => new Member(kv).apply([entry])).toThrow('a command or a configuration');
  });
});

test('the live keys of a snapshot are those that a read finds', () => {
  const live = scanOf(sample().store).filter(kv.isLiveKey);
  expect(live.map(({ key }) => text(layout.userKeyOf(key)))).toEqual(['a', 'c']);
});

describe('a state restored as it is', () => {
  test('goes on as the one that the snapshot is of', () => {
    const log = randomLog(kv, createPrng(5), 200);
    const member = new Member(kv);
    member.apply(log.slice(0, 120));
    const copy = new MapStore();
    copy.write(scanOf(member.store).map((record) => ({ type: 'put', ...record })));
    copy.flush();
    const restored = new Member(kv, copy);
    expect(restored.machine.stateHash).toEqual(member.machine.stateHash);
    for (const either of [member, restored]) {
      either.apply(log.slice(120));
    }
    expect(restored.machine.stateHash).toEqual(member.machine.stateHash);
    expect(copy.records()).toEqual(member.store.records());
  });
});

describe('a snapshot restored as a new cluster', () => {
  test('has the keys, another configuration, a higher revision, and no alarms', () => {
    const store = restore(sample().store);
    kv.verifyState(store.records());
    expect(headOf(store)).toMatchObject({
      ...{ appliedIndex: 1, appliedTerm: 1, revision: 1006, compactRevision: 1006 },
      membership: { index: 1, membership: bytes('new cluster') },
      alarms: [],
    });
    const machine = new Machine({ store });
    const outcome = machine.read(range('\0', '\0'));
    expect(outcome.kind === 'ok' && describeKvs(outcome.result.kvs)).toBe('a=2 c=1');
  });

  test('keeps named records but those that members published about themselves', () => {
    const store = restore(sample().store);
    const records = runReading(kv.readRecords(''), store);
    expect(records.map(({ name }) => name)).toEqual(['feature']);
  });

  test('tells readers of older revisions that they are compacted', () => {
    const machine = new Machine({ store: restore(sample().store) });
    for (const revision of [6, 7, 1005]) {
      const outcome = machine.read(range('a', undefined, { revision }));
      expect(outcome).toEqual({ kind: 'refused', code: 'COMPACTED' });
    }
    expect(machine.read(range('a', undefined, { revision: 1006 })).kind).toBe('ok');
  });

  test('goes on at the next revision, with the old history removed in time', () => {
    const machine = new Machine({ store: restore(sample().store) });
    const [result] = machine.run(put('a', '3', { prevKv: true }), put('b', '2'));
    expect(result).toMatchObject({ kind: 'ok', revision: 1007 });
    expect(result?.kind === 'ok' && result.result).toMatchObject({ prevKv: { modRevision: 3 } });
    while (machine.machine.hasCompactionWork) {
      machine.compactStep(2);
      machine.settle();
      kv.verifyState(machine.store.records());
    }
    const events = machine.store.records().filter(({ key }) => key[0] === layout.revisionsTable);
    const revisions = events.map(({ key }) => layout.revisionOf(key).main);
    expect(revisions).toEqual([3, 6, 1007, 1008]);
  });

  test('without a higher revision keeps its history', () => {
    const store = restore(sample().store, { ...options, bumpRevision: 0 });
    kv.verifyState(store.records());
    const machine = new Machine({ store });
    expect(machine.machine.revision).toBe(6);
    expect(machine.read(range('b', undefined, { revision: 4 }))).toMatchObject({
      result: { count: 1 },
    });
  });

  test('can be restored once more', () => {
    const store = restore(restore(sample().store));
    kv.verifyState(store.records());
    expect(headOf(store)?.revision).toBe(2006);
    const machine = new Machine({ store });
    expect(machine.run(put('a', '9'))[0]?.revision).toBe(2007);
    machine.settle();
    kv.verifyState(store.records());
  });

  test('has one hash if restored alike, and another if not', () => {
    const { store } = sample();
    const variants: readonly Partial<kv.RestoreOptions>[] = [
      {},
      { appliedIndex: 2 },
      { appliedTerm: 2 },
      { bumpRevision: 0 },
      { membership: bytes('newer cluster') },
    ];
    const hashes = variants.map((variant) => {
      return headOf(restore(store, { ...options, ...variant }))?.stateHash;
    });
    expect(new Set(hashes).size).toBe(variants.length);
    expect(headOf(restore(store))?.stateHash).toBe(hashes[0]);
    const other = sample();
    const command = kv.encodeCommand(del('a'));
    other.apply([{ index: 11, term: 2, command }]);
    expect(headOf(restore(other.store))?.stateHash).not.toBe(hashes[0]);
  });

  test('is sound whatever the snapshot, and stays so', () => {
    for (let seed = 0; seed < 25; seed++) {
      const prng = createPrng(seed);
      const member = new Member(kv);
      for (const piece of randomSplit(prng, randomLog(kv, prng, prng.nextInt(1, 120)))) {
        member.apply(piece);
        member.compactStep(prng.nextInt(1, 4));
      }
      const bumpRevision = prng.nextInt(0, 2) * prng.nextInt(1, 50);
      const restored = new Member(kv, restore(member.store, { ...options, bumpRevision }));
      kv.verifyState(restored.store.records());
      const twin = new Member(kv, restore(member.store, { ...options, bumpRevision }));
      for (const entry of randomLog(kv, prng, 120)) {
        restored.apply([{ ...entry, index: entry.index + 1 }]);
        twin.apply([{ ...entry, index: entry.index + 1 }]);
        twin.compactStep(5);
      }
      while (restored.machine.hasCompactionWork) {
        restored.compactStep(3);
      }
      kv.verifyState(restored.store.records());
      kv.verifyState(twin.store.records());
      expect(twin.machine.stateHash).toEqual(restored.machine.stateHash);
      expect(twin.hashKv(0)).toBe(restored.hashKv(0));
    }
  });

  test('is not made of records that are not known', () => {
    const record = { key: bytes('?x'), value: bytes('') };
    expect(() => kv.restoreRecord(record, options)).toThrow('table 63 of the snapshot is known');
  });

  test('gets its configuration even if the snapshot had none', () => {
    const write = kv.restoredMembership(options);
    expect(write.key).toEqual(kv.membershipMetaKey);
    expect(text(write.type === 'put' ? write.value : bytes(''))).toContain('new cluster');
  });
});
