import { beforeEach, describe, expect, test } from 'vitest';
import { AuthTable } from '../../src/kv/auth-table.ts';
import { ApplyBatch } from '../../src/kv/apply-batch.ts';
import { keysRange, revisionKey, userKeyOf } from '../../src/kv/key-layout.ts';
import { decodeCurrent, decodeEvent } from '../../src/kv/record.ts';
import { AnswerTable } from '../../src/kv/answer-table.ts';
import { ExpiryTable } from '../../src/kv/expiry-table.ts';
import { KeyLoader } from '../../src/kv/key-loader.ts';
import { LeaseTable } from '../../src/kv/leases.ts';
import { RecordCache } from '../../src/kv/record-cache.ts';
import { initialHash } from '../../src/kv/state-hash.ts';
import { bytes, text } from './map-store.ts';

let cache: RecordCache;
let batch: ApplyBatch;

beforeEach(() => {
  cache = new RecordCache(1_000_000);
  cache.hold();
  batch = new ApplyBatch(cache, new KeyLoader(cache), {
    ...{ sequence: 1, revision: 10, compactRevision: 5 },
    ...{ stateHash: initialHash, alarms: [], timeMs: 0, leases: new LeaseTable() },
    expiries: new ExpiryTable(),
    level: 1,
    answers: new AnswerTable({ count: 0, hasNew: false }),
    auth: new AuthTable(),
  });
});

function put(key: string, value: string): void {
  const entry = cache.acquire(bytes(key));
  if (!entry.isLoaded) {
    cache.load(entry, undefined);
  }
  batch.put(entry, bytes(key), {
    value: bytes(value),
    lease: 0n,
    ttlMs: 0,
    refreshesTtl: false,
  });
}

function changedIn(key: string, rangeEnd: string): string {
  const range = keysRange({ key: bytes(key), rangeEnd: bytes(rangeEnd) });
  return batch
    .changedIn(range)
    .map((record) => `${text(userKeyOf(record.key))}=${text(decodeCurrent(record.value).value)}`)
    .join(' ');
}

describe('ApplyBatch', () => {
  test('changes of one command share a revision, those of the next have another', () => {
    put('a', '1');
    put('b', '1');
    expect(batch.revision).toBe(10);
    expect(batch.readRevision).toBe(11);
    expect(batch.finishCommand()).toBe(11);
    put('a', '2');
    expect(batch.finishCommand()).toBe(12);
    expect(batch.finishCommand()).toBe(12);
    const revisions = batch.events.map(({ key }) => key);
    expect(revisions).toEqual([revisionKey(11, 0), revisionKey(11, 1), revisionKey(12, 0)]);
  });

  test('changed keys are listed by range, each once and with its newest record', () => {
    put('c', '1');
    put('a', '1');
    put('c', '2');
    expect(changedIn('a', '\0')).toBe('a=1 c=2');
    put('b', '1');
    put('a', '2');
    put('\0', '1');
    expect(changedIn('\0', '\0')).toBe('\0=1 a=2 b=1 c=2');
    expect(changedIn('a', 'c')).toBe('a=2 b=1');
    expect(changedIn('x', 'z')).toBe('');
  });

  test('its events can be looked up, and no others', () => {
    put('a', '1');
    put('b', '2');
    batch.finishCommand();
    put('a', '3');
    const event = batch.eventAt(revisionKey(11, 1));
    expect(event === undefined ? '' : text(decodeEvent(event).record.value)).toBe('2');
    expect(batch.eventAt(revisionKey(12, 0))).toBeDefined();
    expect(batch.eventAt(revisionKey(11, 2))).toBeUndefined();
    expect(batch.eventAt(revisionKey(10, 0))).toBeUndefined();
    expect(batch.eventAt(revisionKey(13, 0))).toBeUndefined();
  });

  test('each record names the change before it', () => {
    put('a', '1');
    put('a', '2');
    const { record } = batch.entryOf(bytes('a'));
    expect(record).toMatchObject({ main: 11, sub: 1, prevMain: 11, prevSub: 0, version: 2 });
  });

  test('only live keys are deleted', () => {
    const entry = cache.acquire(bytes('a'));
    cache.load(entry, undefined);
    expect(() => {
      batch.delete(entry, bytes('a'));
    }).toThrow('has a record');
    put('a', '1');
    batch.delete(entry, bytes('a'));
    expect(() => {
      batch.delete(entry, bytes('a'));
    }).toThrow('only a live key');
    expect(batch.liveRecord(bytes('a'))).toBeUndefined();
  });

  test('a key that was not asked for beforehand is an error', () => {
    expect(() => batch.entryOf(bytes('a'))).toThrow('must be present');
  });

  test('the compact revision only grows', () => {
    batch.compact(7);
    expect(batch.compactRevision).toBe(7);
    expect(() => {
      batch.compact(7);
    }).toThrow('only grows');
  });
});
