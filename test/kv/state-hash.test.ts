import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import * as kv from '../../src/kv/index.ts';
import {
  HashHistory,
  hashHistoryMax,
  HashSum,
  hashToBigint,
  initialHash,
  StateHasher,
} from '../../src/kv/state-hash.ts';
import { put } from './commands.ts';
import { bytes } from './map-store.ts';
import { hashFollowsFromTheLogAlone, hashShowsEveryDifference, Member } from './properties.ts';

const seeds = Array.from({ length: 25 }, (_, seed) => seed);

function hashOf(input: Uint8Array, kind = 1): bigint {
  const hasher = new StateHasher();
  hasher.bytes(kind, input);
  return hashToBigint(hasher.words);
}

describe('StateHasher', () => {
  test('every single bit of a byte string counts, at any length and place in memory', () => {
    const prng = createPrng(1);
    for (let length = 0; length < 40; length++) {
      const source = Uint8Array.from({ length: length + 3 }, () => prng.nextInt(0, 256));
      const input = source.subarray(3);
      const hashes = new Set([hashOf(input)]);
      for (let bit = 0; bit < 8 * length; bit++) {
        const changed = input.slice();
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        hashes.add(hashOf(changed));
      }
      expect(hashes.size).toBe(1 + 8 * length);
      expect(hashOf(input.slice())).toBe(hashOf(input));
    }
  });

  test('zeros at the end, kinds and lengths count', () => {
    const inputs = [0, 1, 4, 7, 8, 9, 16].map((length) => hashOf(new Uint8Array(length)));
    expect(new Set([...inputs, hashOf(new Uint8Array(8), 2)]).size).toBe(8);
  });

  test('short and long byte strings are read as the same words', () => {
    const prng = createPrng(4);
    for (const length of [8, 504, 511, 512, 520, 4096, 4099]) {
      const source = Uint8Array.from({ length: length + 1 }, () => prng.nextInt(0, 256));
      const input = source.subarray(1);
      const expected = new StateHasher();
      expected.mix(1, length);
      const padded = new DataView(new ArrayBuffer(Math.ceil(length / 8) * 8));
      for (const [at, byte] of input.entries()) {
        padded.setUint8(at, byte);
      }
      for (let at = 0; at < padded.byteLength; at += 8) {
        expected.mix(padded.getInt32(at, true), padded.getInt32(at + 4, true));
      }
      expect(hashOf(input)).toBe(hashToBigint(expected.words));
    }
  });

  test('numbers count in full', () => {
    const values = [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
    const hashes = values.map((value) => {
      const hasher = new StateHasher();
      hasher.number(value);
      return hashToBigint(hasher.words);
    });
    expect(new Set(hashes).size).toBe(values.length);
  });

  test('hashes that differ stay different under equal input', () => {
    const prng = createPrng(2);
    const one = new StateHasher({ high: 5, low: 7 });
    const other = new StateHasher({ high: 5, low: 6 });
    for (let step = 0; step < 10_000; step++) {
      const [first, second] = [prng.nextUint32(), prng.nextUint32()];
      one.mix(first, second);
      other.mix(first, second);
      expect(hashToBigint(one.words)).not.toBe(hashToBigint(other.words));
    }
  });

  test('goes on from where it was read', () => {
    const whole = new StateHasher();
    whole.bytes(1, bytes('abc'));
    const rest = new StateHasher(whole.words);
    for (const hasher of [whole, rest]) {
      hasher.bytes(2, bytes('defghijklmnop'));
    }
    expect(rest.words).toEqual(whole.words);
    expect(rest.finish()).toEqual(whole.finish());
  });

  test('is the same in every version: members of different versions compare hashes', () => {
    expect(hashOf(bytes('the quick brown fox')).toString(16)).toBe('8d54cfe0f2faa67e');
    const member = new Member(kv);
    const command = kv.encodeCommand(put('key', 'value'));
    member.apply([{ index: 1, term: 1, command }]);
    expect(member.machine.hashAt(1)?.toString(16)).toBe('25eada4712af386a');
    expect(member.hashKv(0)).toBe('2: 1592053748');
  });
});

describe('HashSum', () => {
  test('does not depend on the order, and carries', () => {
    const parts = [
      { high: 0xffff_ffff, low: 0xffff_ffff },
      { high: 1, low: 2 },
      { high: 3, low: 0xffff_fff0 },
    ];
    const sumOf = (list: typeof parts): bigint => {
      const sum = new HashSum();
      for (const part of list) {
        sum.add(part);
      }
      return hashToBigint(sum.words);
    };
    const plain = parts.map(hashToBigint).reduce((a, b) => BigInt.asUintN(64, a + b));
    expect(sumOf(parts)).toBe(plain);
    expect(sumOf([...parts].reverse())).toBe(plain);
  });
});

describe('HashHistory', () => {
  test('remembers the last indexes and no others', () => {
    const history = new HashHistory();
    expect(history.at(0)).toBeUndefined();
    for (let index = 0; index < hashHistoryMax + 10; index++) {
      history.record(index, { high: index, low: 1 });
    }
    expect(history.at(9)).toBeUndefined();
    expect(history.at(10)).toBe((10n << 32n) + 1n);
    expect(history.at(hashHistoryMax + 9)).toBe((BigInt(hashHistoryMax + 9) << 32n) + 1n);
    expect(history.at(hashHistoryMax + 10)).toBeUndefined();
  });
});

describe("a state machine's hash", () => {
  test('begins with that of an empty store', () => {
    const { machine } = new Member(kv);
    expect(machine.stateHash).toEqual({ index: 0, hash: hashToBigint(initialHash) });
    expect(machine.hashAt(0)).toBe(hashToBigint(initialHash));
    expect(machine.hashAt(1)).toBeUndefined();
  });

  test.each(seeds)('follows from the log alone, not from batches or restarts: seed %d', (seed) => {
    hashFollowsFromTheLogAlone(kv, seed);
  });

  test.each(seeds)('shows every difference from there on: seed %d', (seed) => {
    hashShowsEveryDifference(kv, seed);
  });

  test('is not known of a batch that is still being applied', () => {
    const { machine } = new Member(kv);
    const entry = (index: number, key: string): kv.AppliedEntry => {
      return { index, term: 1, command: kv.encodeCommand(put(key, '1')) };
    };
    const del = kv.encodeCommand({
      ...{ type: 'deleteRange', key: bytes('a'), rangeEnd: bytes('b'), prevKv: false },
    });
    const apply = machine.apply([entry(1, 'x'), { index: 2, term: 1, command: del }]);
    apply.next();
    // The put is executed; the deletion waits for its scan.
    expect(apply.next({ type: 'get', values: [undefined] }).value).toMatchObject({ type: 'scan' });
    expect(machine.stateHash.index).toBe(0);
    expect(machine.hashAt(1)).toBeUndefined();
    apply.next({ type: 'scan', records: [] });
    expect(machine.hashAt(1)).toBeDefined();
    expect(machine.stateHash).toEqual({ index: 2, hash: machine.hashAt(2) });
  });
});
