import { describe, expect, test } from 'vitest';
import type { CommandResult, KeyValue } from '../../src/kv/index.ts';
import { resultBytes } from '../../src/kv/result-size.ts';
import { bytes } from './map-store.ts';

const kv: KeyValue = {
  ...{ key: bytes('key'), value: new Uint8Array(1000), lease: 0n, ttlMs: 0 },
  ...{ createRevision: 2, modRevision: 2, version: 1 },
};
const ofOne = 300 + 3 + 1000;

function ok(result: Extract<CommandResult, { kind: 'ok' }>['result']): CommandResult {
  return { kind: 'ok', revision: 2, result };
}

describe('a result takes', () => {
  test('nothing when it tells of no key', () => {
    expect(resultBytes({ kind: 'refused', revision: 2, code: 'COMPACTED' })).toBe(0);
    expect(resultBytes(ok({ type: 'compact' }))).toBe(0);
    expect(resultBytes(ok({ type: 'put' }))).toBe(0);
    expect(resultBytes(ok({ type: 'deleteRange', deleted: 5, prevKvs: [] }))).toBe(0);
  });

  test('its keys and values, and what each costs besides, on every level', () => {
    const put = { type: 'put', prevKv: kv } as const;
    const deleted = { type: 'deleteRange', deleted: 2, prevKvs: [kv, kv] } as const;
    const read = { type: 'range', kvs: [kv, kv, kv], more: false, count: 3 } as const;
    const inner = { type: 'txn', succeeded: true, responses: [put, read] } as const;

    expect(resultBytes(ok(put))).toBe(ofOne);
    expect(resultBytes(ok(deleted))).toBe(2 * ofOne);
    expect(resultBytes(ok(read))).toBe(3 * ofOne);
    expect(resultBytes(ok({ ...inner, responses: [inner, deleted] }))).toBe(6 * ofOne);
  });
});
