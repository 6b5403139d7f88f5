import { beforeEach, describe, expect, test } from 'vitest';
import { type StoredRecord, verifyState } from '../../src/kv/index.ts';
import { keysKey, revisionKey, stateMetaKey } from '../../src/kv/key-layout.ts';
import { encodeChange, type MvccRecord } from '../../src/kv/record.ts';
import { SlabAllocator } from '../../src/kv/slab.ts';
import {
  decodeMeta,
  encodeMeta,
  initialMeta,
  membershipWrite,
  type StateMeta,
} from '../../src/kv/state-meta.ts';
import { del, put } from './commands.ts';
import { bytes, Machine, type MapStore } from './map-store.ts';

let store: MapStore;

/** A sound store: key `a` at revisions 2, 3 and, deleted, 4; key `b` at 5. */
beforeEach(() => {
  const machine = new Machine();
  machine.run(put('a', '1'), put('a', '2'), del('a'), put('b', '1'));
  machine.settle();
  ({ store } = machine);
});

function verifyWith(...changes: readonly StoredRecord[]): () => void {
  store.write(changes.map((record) => ({ type: 'put', ...record })));
  store.flush();
  return () => {
    verifyState(store.records());
  };
}

function verifyWithout(key: Uint8Array): () => void {
  store.write([{ type: 'delete', key }]);
  store.flush();
  return () => {
    verifyState(store.records());
  };
}

/** Both records of a change of `b` that says something untrue. */
function changeOfB(untruth: Partial<MvccRecord>): readonly StoredRecord[] {
  const record = {
    ...{ main: 5, sub: 0, createRevision: 5, version: 1, lease: 0n, prevMain: 0, prevSub: 0 },
    ...{ isTombstone: false, isExpired: false, ttlMs: 0, refreshesTtl: false, value: bytes('1') },
    ...untruth,
  };
  const { event, current } = encodeChange(new SlabAllocator(), bytes('b'), record);
  return [
    { key: revisionKey(5, 0), value: event },
    { key: keysKey(bytes('b')), value: current },
  ];
}

function configuration(index: number): StoredRecord {
  const write = membershipWrite({ index, membership: bytes('members') });
  return { key: write.key, value: write.type === 'put' ? write.value : bytes('') };
}

describe('verifyState', () => {
  test('a sound store and an empty one pass', () => {
    expect(verifyWith(...changeOfB({}))).not.toThrow();
    const record = { key: bytes('mra'), value: bytes('\x011') };
    expect(verifyWith(configuration(4), record)).not.toThrow();
    expect(() => {
      verifyState([]);
    }).not.toThrow();
  });

  test('records without a meta record are unsound', () => {
    expect(verifyWithout(stateMetaKey)).toThrow('meta record');
  });

  test('a missing event is found', () => {
    expect(verifyWithout(revisionKey(3, 0))).toThrow('event 4.0 follows');
  });

  test('a missing newest event is found', () => {
    expect(verifyWithout(revisionKey(5, 0))).toThrow('events reach up to revision 5');
  });

  test('a missing current record is found', () => {
    expect(verifyWithout(keysKey(bytes('b')))).toThrow('event 5 has a current record');
  });

  describe('of compacted history', () => {
    const at = (main: number): StateMeta['compactCursor'] => ({ main, sub: 0 });

    function setMeta(fields: Partial<StateMeta>): void {
      const meta = decodeMeta(store.get(stateMetaKey) as Uint8Array);
      const value = encodeMeta({ ...meta, compactRevision: 5, ...fields });
      store.write([{ type: 'put', key: stateMetaKey, value }]);
    }

    test('what is left where removal has been is found', () => {
      setMeta({ compactedRevision: 5, compactCursor: at(5) });
      expect(verifyWith()).toThrow('what event 3 has superseded is gone');
      expect(verifyWithout(revisionKey(2, 0))).toThrow('what event 4 has superseded is gone');
      expect(verifyWithout(revisionKey(3, 0))).toThrow('the deletion 4 is gone');
      expect(verifyWithout(keysKey(bytes('a')))).toThrow('the deletion 4 is gone');
      expect(verifyWithout(revisionKey(4, 0))).not.toThrow();
    });

    test('a deletion may lack its current record until removal has come by', () => {
      setMeta({ compactCursor: at(4) });
      expect(verifyWithout(keysKey(bytes('a')))).not.toThrow();
      setMeta({ compactCursor: { main: 4, sub: 1 } });
      expect(verifyWith()).toThrow('removal has yet to come by the deletion 4');
      setMeta({ compactRevision: 4, compactCursor: at(4) });
      expect(verifyWith()).toThrow('event 4 has a current record');
    });
  });

  test('a current record that is not the newest event is found', () => {
    const [, current] = changeOfB({ value: bytes('other') });
    expect(verifyWith(current as StoredRecord)).toThrow('a current record is an event');
  });

  test('an event under a foreign revision is found', () => {
    const [event] = changeOfB({ main: 6 });
    expect(verifyWith(event as StoredRecord)).toThrow('stands under its own revision');
  });

  test.each<[string, Partial<MvccRecord>]>([
    ['versions begin at 1', { version: 0 }],
    ['created at or before', { createRevision: 6, version: 2 }],
    ['created by version 1', { createRevision: 4 }],
    ['a deletion counts nothing', { isTombstone: true }],
    ['missing though not compacted', { version: 2, createRevision: 4, prevMain: 4 }],
    ['only a creation has nothing before', { version: 2, createRevision: 4 }],
  ])('a record is found that breaks the rule: %s', (rule, untruth) => {
    expect(verifyWith(...changeOfB(untruth))).toThrow(rule);
  });

  test('a meta record that contradicts itself is found', () => {
    const meta = {
      ...initialMeta,
      ...{ appliedIndex: 4, appliedTerm: 1, revision: 5, compactRevision: 3 },
      ...{ compactedRevision: 4, compactCursor: { main: 0, sub: 0 } },
    };
    expect(verifyWith({ key: stateMetaKey, value: encodeMeta(meta) })).toThrow(
      'removal follows compaction',
    );
  });

  test.each<[string, StoredRecord]>([
    ['the configuration is of an applied entry', configuration(5)],
    ['every record of the meta table is known', { key: bytes('mx'), value: bytes('') }],
    ['the name of a record', { key: bytes('mr a'), value: bytes('\x011') }],
    ['an empty record does not exist', { key: bytes('mra'), value: bytes('\x01') }],
  ])('a record besides the keyspace is found that breaks the rule: %s', (rule, record) => {
    expect(verifyWith(record)).toThrow(rule);
  });

  test('a raised revision without its compaction is found', () => {
    const meta = { ...initialMeta, appliedIndex: 4, appliedTerm: 1, revision: 9, baseRevision: 9 };
    expect(verifyWith({ key: stateMetaKey, value: encodeMeta(meta) })).toThrow(
      'before a raised revision is compacted',
    );
    const compacted = { ...meta, compactRevision: 9 };
    expect(verifyWith({ key: stateMetaKey, value: encodeMeta(compacted) })).not.toThrow();
    const lost = { ...compacted, revision: 10 };
    expect(verifyWith({ key: stateMetaKey, value: encodeMeta(lost) })).toThrow('reach up to');
  });

  test('an unknown table is found', () => {
    expect(verifyWith({ key: bytes('?x'), value: bytes('') })).toThrow('table 63 is known');
  });
});
