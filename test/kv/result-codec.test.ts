import { describe, expect, test } from 'vitest';
import type { CommandResult, KeyValue } from '../../src/kv/index.ts';
import { type Answer, decodeAnswer, encodeAnswer } from '../../src/kv/result-codec.ts';
import { bytes } from './map-store.ts';

const kv: KeyValue = {
  ...{ key: bytes('a'), value: bytes('1'), createRevision: 2, modRevision: 2 ** 40, version: 3 },
  ...{ lease: -7n, ttlMs: 500 },
};
const range = { type: 'range', kvs: [kv, kv], more: true, count: 9 } as const;
const results: readonly Extract<CommandResult, { kind: 'ok' }>['result'][] = [
  { type: 'put' },
  { type: 'put', prevKv: kv },
  { type: 'deleteRange', deleted: 2, prevKvs: [kv, kv] },
  { type: 'deleteRange', deleted: 0, prevKvs: [] },
  { type: 'leaseGrant', id: -1n, ttlMs: 60_000 },
  {
    ...{ type: 'txn', succeeded: true },
    responses: [range, { type: 'put' }, { type: 'txn', succeeded: false, responses: [range] }],
  },
];
const answers: readonly Answer[] = [
  ...results.map((result) => ({
    fingerprint: -5n,
    result: { kind: 'ok', revision: 12, result } as const,
  })),
  { fingerprint: 2n ** 63n - 1n, result: { kind: 'refused', revision: 1, code: 'KEY_NOT_FOUND' } },
  { fingerprint: 0n, result: undefined },
];

describe('an answer that is kept', () => {
  test.each(answers)('survives the round trip, and no cut of it does %#', (answer) => {
    const encoded = encodeAnswer(answer);
    expect(decodeAnswer(encoded)).toEqual(answer);
    for (let length = 0; length < encoded.length; length++) {
      expect(() => decodeAnswer(encoded.subarray(0, length))).toThrow();
    }
  });

  test('that is too long is kept as one that is not known', () => {
    const long = { ...kv, value: new Uint8Array(70_000) };
    const result = { kind: 'ok', revision: 3, result: { type: 'put', prevKv: long } } as const;
    expect(decodeAnswer(encodeAnswer({ fingerprint: 4n, result }))).toEqual({
      ...{ fingerprint: 4n, result: undefined },
    });
  });

  test.each([
    ['an unknown format', [9], 'unknown format 9'],
    ['an unknown kind', [1, 0, 0, 0, 0, 0, 0, 0, 0, 7], 'unknown kind'],
    ['an unknown code', [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 65], 'unknown code A'],
    ['something unknown', [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 99], 'gives something unknown'],
  ])('with %s is refused', (_what, encoded, message) => {
    expect(() => decodeAnswer(Uint8Array.from(encoded))).toThrow(message);
  });
});
