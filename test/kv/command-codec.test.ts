import { describe, expect, test } from 'vitest';
import { createPrng, InvariantViolation } from '../../src/base/index.ts';
import {
  type Command,
  decodeCommand,
  encodeCommand,
  encodeCommandBehind,
  type TxnOperation,
  txnDepthMax,
} from '../../src/kv/index.ts';
import { randomCommand } from './generators.ts';
import { bytes } from './map-store.ts';

const put: Command = {
  type: 'put',
  key: bytes('key'),
  value: bytes('value'),
  lease: 0n,
  prevKv: true,
  ignoreValue: false,
  ignoreLease: false,
  ttlMs: 0,
  ttlRefreshOnWrite: false,
};

function nest(depth: number): TxnOperation {
  const success = depth > 1 ? [nest(depth - 1)] : [];
  return { type: 'txn', compare: [], success, failure: [] };
}

describe('command codec', () => {
  test('random commands survive the round trip', () => {
    const prng = createPrng(7);
    for (let run = 0; run < 3000; run++) {
      const command = randomCommand({ prng, revision: prng.nextInt(1, 1_000_000) });
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }
  });

  test('leases keep all 64 bits', () => {
    for (const lease of [1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(decodeCommand(encodeCommand({ ...put, lease }))).toEqual({ ...put, lease });
    }
  });

  test('an empty range end is the same as none', () => {
    const encoded = encodeCommand({
      type: 'deleteRange',
      key: bytes('a'),
      rangeEnd: bytes(''),
      prevKv: false,
    });
    expect(decodeCommand(encoded)).toMatchObject({ rangeEnd: undefined });
  });

  test('the bytes of a put are as documented', () => {
    const encoded = [1, 1, 1, 3, ...bytes('key'), 5, ...bytes('value')];
    expect([...encodeCommand(put)]).toEqual(encoded);
    expect([...encodeCommandBehind(2, put)]).toEqual([0, 0, ...encoded]);
  });

  test('the bytes of commands besides the keyspace are as documented', () => {
    const record: Command = { type: 'setRecord', name: 'n/1', value: bytes('on') };
    expect([...encodeCommand(record)]).toEqual([1, 6, 3, ...bytes('n/1'), 2, ...bytes('on')]);
    const alarm = { type: 'alarm', action: 'deactivate', alarm: 'corrupt', memberId: 300 } as const;
    expect([...encodeCommand(alarm)]).toEqual([1, 7, 1, 1, 0xac, 2]);
    expect(decodeCommand(encodeCommand({ ...alarm, memberId: 2 ** 53 - 1 }))).toEqual({
      ...alarm,
      memberId: 2 ** 53 - 1,
    });
  });

  test('a decoded put refers to the bytes it came from', () => {
    const encoded = encodeCommand(put);
    const decoded = decodeCommand(encoded);
    expect(decoded.type === 'put' && decoded.value.buffer).toBe(encoded.buffer);
  });

  test('every cut of a command is refused', () => {
    const prng = createPrng(8);
    for (let run = 0; run < 200; run++) {
      const encoded = encodeCommand(randomCommand({ prng, revision: 100 }));
      for (let length = 0; length < encoded.length; length++) {
        expect(() => decodeCommand(encoded.subarray(0, length))).toThrow(InvariantViolation);
      }
    }
  });

  test('damaged bytes give a command or an InvariantViolation, and nothing else', () => {
    const prng = createPrng(9);
    for (let run = 0; run < 5000; run++) {
      const encoded = encodeCommand(randomCommand({ prng, revision: 100 }));
      for (let damages = prng.nextInt(1, 4); damages > 0; damages--) {
        encoded[prng.nextInt(0, encoded.length)] = prng.nextInt(0, 256);
      }
      try {
        const command = decodeCommand(encoded);
        expect(decodeCommand(encodeCommand(command))).toEqual(command);
      } catch (error) {
        expect(error).toBeInstanceOf(InvariantViolation);
      }
    }
  });

  test.each([
    ['an unknown format', [9, 1], 'command has the unknown format 9'],
    ['an unknown operation', [1, 99], 'unknown operation type 99'],
    ['unknown flags', [1, 1, 64, 1, 97, 0], 'unknown flags 64'],
    ['an empty key', [1, 1, 0, 0, 0], 'empty key'],
    ['a bare range', [1, 5, 0, 0, 0, 1, 97, 0, 0, 0, 0, 0, 0, 0], 'bare range'],
    ['bytes left over', [1, 4, 7, 0], 'bytes left over'],
    ['more items than bytes', [1, 3, 100], 'promises 100 more items'],
    ['an unknown compare target', [1, 3, 1, 9, 0, 1, 97, 0, 0], 'unknown name number 9'],
    ['a record without a name', [1, 6, 0, 0], 'name of a record'],
    ['a record with a name that is no text', [1, 6, 1, 200, 0], 'name of a record'],
    ['a record that is too large', [1, 6, 1, 97, 129, 128, 4, ...new Uint8Array(65_537)], '65537'],
    ['an unknown alarm', [1, 7, 0, 2, 1], 'unknown name number 2'],
  ])('%s is refused', (_what, encoded, message) => {
    expect(() => decodeCommand(Uint8Array.from(encoded))).toThrow(message);
  });

  test('transactions nest as deep as the limit and no deeper', () => {
    const deepest = nest(txnDepthMax);
    expect(decodeCommand(encodeCommand(deepest))).toEqual(deepest);
    expect(() => encodeCommand(nest(txnDepthMax + 1))).toThrow('nest');
    const level = [3, 0, 1];
    const tooDeep = [1, ...Array.from({ length: txnDepthMax + 1 }, () => level).flat(), 0, 0];
    expect(() => decodeCommand(Uint8Array.from([...tooDeep, ...new Uint8Array(80)]))).toThrow(
      'nests transactions more than',
    );
  });
});
