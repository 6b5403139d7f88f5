import { beforeEach, describe, expect, test } from 'vitest';
import { encodeCommand, readRecord, readRecords, verifyState } from '../../src/kv/index.ts';
import {
  checkRecordName,
  decodeNamedRecord,
  recordNameBytesMax,
  recordValueBytesMax,
} from '../../src/kv/named-records.ts';
import { put } from './commands.ts';
import { bytes, Machine, runReading, text } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

function set(name: string, value: string): { type: 'setRecord'; name: string; value: Uint8Array } {
  return { type: 'setRecord', name, value: bytes(value) };
}

function read(name: string): string | undefined {
  const value = runReading(readRecord(name), machine.store);
  return value === undefined ? undefined : text(value);
}

function list(prefix: string): string {
  const records = runReading(readRecords(prefix), machine.store);
  return records.map(({ name, value }) => `${name}=${text(value)}`).join(' ');
}

describe('named records', () => {
  test('are set, replaced, read and removed, without a revision', () => {
    const results = machine.run(set('a', '1'), put('k', 'v'), set('a', '2'), set('b', '3'));
    expect(results[0]).toEqual({ kind: 'ok', result: { type: 'setRecord' }, revision: 1 });
    expect(machine.machine.revision).toBe(2);
    expect(read('a')).toBe('2');
    machine.run(set('a', ''));
    expect(read('a')).toBeUndefined();
    expect(list('')).toBe('b=3');
    machine.settle();
    verifyState(machine.store.records());
  });

  test('are listed by what their names begin with, in order', () => {
    machine.run(set('n/2', 'b'), set('n/10', 'a'), set('n', 'x'), set('o', 'y'), set('n~', 'z'));
    expect(list('n/')).toBe('n/10=a n/2=b');
    expect(list('')).toBe('n=x n/10=a n/2=b n~=z o=y');
    expect(list('none')).toBe('');
  });

  test('tell of themselves in the output, removals with an empty value', () => {
    const output = machine.apply([set('a', '1'), put('k', 'v'), set('a', '')].map(encodeCommand));
    expect(output.changes).toEqual([
      { type: 'record', name: 'a', value: bytes('1') },
      { type: 'record', name: 'a', value: bytes('') },
    ]);
    expect(machine.apply([]).changes).toEqual([]);
  });

  test('have names and values within bounds', () => {
    const longest = 'n'.repeat(recordNameBytesMax);
    machine.run({ type: 'setRecord', name: longest, value: new Uint8Array(recordValueBytesMax) });
    expect(read(longest)).toHaveLength(recordValueBytesMax);
    for (const name of ['', 'a b', 'ü', '\0', `${longest}n`]) {
      expect(() => {
        checkRecordName(name);
      }).toThrow('name of a record');
      expect(() => encodeCommand(set(name, '1'))).toThrow('name of a record');
    }
    const large = { ...set('a', ''), value: new Uint8Array(recordValueBytesMax + 1) };
    expect(() => encodeCommand(large)).toThrow('bounded');
  });

  test('of an unknown format are refused', () => {
    expect(() => decodeNamedRecord(Uint8Array.of(7))).toThrow('unknown format 7');
  });
});
