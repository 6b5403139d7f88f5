import { describe, expect, test } from 'vitest';
import { createPrng, InvariantViolation } from '../../src/base/index.ts';
import { keysKey, revisionKey } from '../../src/kv/key-layout.ts';
import {
  decodeCurrent,
  decodeEvent,
  encodeChange,
  type MvccRecord,
  peekRecord,
} from '../../src/kv/record.ts';
import { SlabAllocator } from '../../src/kv/slab.ts';
import { bytes } from './map-store.ts';

const slabs = new SlabAllocator();

const live: MvccRecord = {
  main: 300,
  sub: 2,
  createRevision: 7,
  version: 4,
  lease: -5n,
  prevMain: 299,
  prevSub: 1,
  isTombstone: false,
  isExpired: false,
  ttlMs: 0,
  refreshesTtl: false,
  value: bytes('value'),
};
const first: MvccRecord = { ...live, prevMain: 0, prevSub: 0, lease: 0n, value: bytes('') };
const large: MvccRecord = { ...live, main: 2 ** 53 - 1, sub: 2 ** 32 - 1, prevMain: 2 ** 40 };
const tombstone: MvccRecord = {
  ...live,
  isTombstone: true,
  createRevision: 0,
  version: 0,
  lease: 0n,
  value: bytes(''),
};

describe('records', () => {
  test.each([live, first, large, tombstone])('a change survives the round trip %#', (record) => {
    const change = encodeChange(slabs, bytes('key'), record);

    expect(decodeCurrent(change.current)).toEqual(record);
    expect(decodeEvent(change.event)).toEqual({ key: bytes('key'), record });
    expect(peekRecord(change.event)).toEqual({
      main: record.main,
      isTombstone: record.isTombstone,
    });
    expect(change.keysKey).toEqual(keysKey(bytes('key')));
    expect(change.revisionKey).toEqual(revisionKey(record.main, record.sub));
    expect(change.value).toEqual(record.value);
  });

  test('both records of a change share one allocation', () => {
    const change = encodeChange(slabs, bytes('key'), live);
    expect(change.current.buffer).toBe(change.event.buffer);
    expect(change.event.subarray(0, change.current.length)).toEqual(change.current);
  });

  test('the bytes of a record are as documented', () => {
    const { event } = encodeChange(slabs, bytes('k'), { ...first, value: bytes('v') });
    expect([...event]).toEqual([1, 0, 0xac, 2, 2, 7, 4, 1, ...bytes('v'), ...bytes('kk')]);
  });

  test('every cut and every tail of a current record is refused', () => {
    const { current } = encodeChange(slabs, bytes('key'), live);
    for (let length = 0; length < current.length; length++) {
      expect(() => decodeCurrent(current.subarray(0, length))).toThrow(InvariantViolation);
    }
    const longer = new Uint8Array(current.length + 1);
    longer.set(current);
    expect(() => decodeCurrent(longer)).toThrow('left over');
  });

  test('an event without its key is refused', () => {
    const { current } = encodeChange(slabs, bytes('key'), live);
    expect(() => decodeEvent(current)).toThrow('not a key of the keys table');
  });

  test('damaged records give a record or an InvariantViolation, and nothing else', () => {
    const prng = createPrng(3);
    for (let run = 0; run < 3000; run++) {
      const event = encodeChange(slabs, bytes('key'), live).event.slice();
      event[prng.nextInt(0, event.length)] = prng.nextInt(0, 256);
      try {
        decodeEvent(event);
      } catch (error) {
        expect(error).toBeInstanceOf(InvariantViolation);
      }
    }
  });

  test('unknown formats and flags are refused', () => {
    expect(() => decodeCurrent(Uint8Array.of(9, 0))).toThrow('unknown format 9');
    expect(() => decodeCurrent(Uint8Array.of(1, 64))).toThrow('unknown flags 64');
  });
});
