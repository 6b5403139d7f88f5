/**
 * Short ways to write commands and reads in tests; keys and values are texts of single-byte
 * characters.
 */
import type {
  Compare,
  DeleteRangeOperation,
  KeyValue,
  Operation,
  PutOperation,
  RangeOperation,
  TxnOperation,
} from '../../src/kv/index.ts';
import { bytes, text } from './map-store.ts';

export function put(
  key: string,
  value: string,
  options: Partial<Omit<PutOperation, 'type' | 'key' | 'value'>> = {},
): PutOperation {
  return {
    type: 'put',
    key: bytes(key),
    value: bytes(value),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ttlMs: 0,
    ttlRefreshOnWrite: false,
    ...options,
  };
}

export function del(key: string, rangeEnd?: string, prevKv = false): DeleteRangeOperation {
  return { type: 'deleteRange', ...selector(key, rangeEnd), prevKv };
}

export function range(
  key: string,
  rangeEnd?: string,
  options: Partial<Omit<RangeOperation, 'type' | 'key' | 'rangeEnd'>> = {},
): RangeOperation {
  return {
    type: 'range',
    ...selector(key, rangeEnd),
    limit: 0,
    revision: 0,
    sortOrder: 'none',
    sortTarget: 'key',
    keysOnly: false,
    countOnly: false,
    noCount: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...options,
  };
}

export function txn(
  compare: readonly Compare[],
  success: readonly Operation[],
  failure: readonly Operation[] = [],
): TxnOperation {
  return { type: 'txn', compare, success, failure };
}

type NumberTarget = 'version' | 'create' | 'mod';

/** A condition on a number of the key: `when('a', 'version', 'equal', 0)`. */
export function when(
  key: string,
  target: NumberTarget,
  result: Compare['result'],
  operand: number,
  rangeEnd?: string,
): Compare {
  return { ...selector(key, rangeEnd), target, result, operand };
}

/** A condition on the key's value. */
export function whenValue(
  key: string,
  result: Compare['result'],
  operand: string,
  rangeEnd?: string,
): Compare {
  return { ...selector(key, rangeEnd), target: 'value', result, operand: bytes(operand) };
}

/** A key's state in one line: `a=1 create 2 mod 3 version 2`. */
export function describeKv(kv: KeyValue): string {
  const { key, value, createRevision, modRevision, version } = kv;
  const numbers = `create ${createRevision} mod ${modRevision} version ${version}`;
  return `${text(key)}=${text(value)} ${numbers}`;
}

/** Keys and values: `a=1 b=2`. */
export function describeKvs(kvs: readonly KeyValue[]): string {
  return kvs.map((kv) => `${text(kv.key)}=${text(kv.value)}`).join(' ');
}

function selector(
  key: string,
  rangeEnd: string | undefined,
): { key: Uint8Array; rangeEnd?: Uint8Array } {
  return rangeEnd === undefined
    ? { key: bytes(key) }
    : { key: bytes(key), rangeEnd: bytes(rangeEnd) };
}
