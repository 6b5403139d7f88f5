import { describe, expect, test } from 'vitest';
import {
  appendModel,
  type RegisterInput,
  registerModel,
  versionedModel,
} from '../../../chaos/checkers/models.ts';
import { lost, returned } from './recorded-runs.ts';

const written = { type: 'written' } as const;
const read = { type: 'read', key: 'r' } as const;
const write1 = { type: 'write', key: 'r', value: 1 } as const;
const cas12 = { type: 'cas', key: 'r', expected: 1, value: 2 } as const;

describe('registerModel', () => {
  const model = registerModel(null);

  test('a read gives what was written', () => {
    expect(model.step(1, read, { type: 'read', value: 1 })).toBe(1);
    expect(model.step(1, read, { type: 'read', value: 2 })).toBeUndefined();
    expect(model.step(null, read, { type: 'read', value: null })).toBeNull();
  });

  test('a compare-and-set succeeds exactly where it finds what it expects', () => {
    expect(model.step(1, cas12, { type: 'cas', succeeded: true })).toBe(2);
    expect(model.step(3, cas12, { type: 'cas', succeeded: true })).toBeUndefined();
    expect(model.step(3, cas12, { type: 'cas', succeeded: false })).toBe(3);
    expect(model.step(1, cas12, { type: 'cas', succeeded: false })).toBeUndefined();
    expect(model.step(3, cas12, undefined)).toBe(3);
  });

  test('only what cannot have changed anything is pure', () => {
    expect(model.isPure(read, undefined)).toBe(true);
    expect(model.isPure(cas12, { type: 'cas', succeeded: false })).toBe(true);
    expect(model.isPure(cas12, undefined)).toBe(false);
    expect(model.isPure(write1, written)).toBe(false);
  });

  test.each<[string, RegisterInput, Parameters<typeof returned>[3], boolean]>([
    ['a read of its value', read, { type: 'read', value: 1 }, false],
    ['a read of another value', read, { type: 'read', value: 2 }, true],
    ['a compare-and-set from its value', cas12, { type: 'cas', succeeded: true }, false],
    [
      'a failed compare-and-set, which any value may have caused',
      { ...cas12, expected: 3 },
      { type: 'cas', succeeded: false },
      false,
    ],
    ['another key', { ...read, key: 's' }, { type: 'read', value: 1 }, true],
  ])('whether a write goes unnoticed by %s', (_name, input, output, isUnnoticed) => {
    const other = returned(1, [3, 4], input, output as { type: 'read'; value: number });

    expect(model.isUnnoticed?.(lost(0, 1, write1), [other])).toBe(isUnnoticed);
  });

  test('it is not appended to', () => {
    expect(() => model.step('a', { type: 'append', key: 'r', value: 'b' }, written)).toThrow(
      'a plain register must not be appended to',
    );
  });

  test('input and output are told in a line', () => {
    expect(model.describe(cas12, { type: 'cas', succeeded: false })).toBe(
      'cas r from 1 to 2: failed',
    );
    expect(model.describe(read, undefined)).toBe('read r: ?');
  });
});

describe('appendModel', () => {
  const model = appendModel('');
  const append = { type: 'append', key: 'r', value: 'b' } as const;

  test('what is appended stands behind what was there', () => {
    expect(model.step('a', append, written)).toBe('ab');
  });

  test('an append is noticed by whoever reads a text with it in', () => {
    const other = (value: string) => [returned(1, [3, 4], read, { type: 'read', value } as const)];

    expect(model.isUnnoticed?.(lost(0, 1, append), other('abc'))).toBe(false);
    expect(model.isUnnoticed?.(lost(0, 1, append), other('ac'))).toBe(true);
  });
});

describe('versionedModel', () => {
  const put = { type: 'put', key: 'k', value: 'x' } as const;
  const guarded = { type: 'putIfVersion', key: 'k', version: 1, value: 'y' } as const;
  const x1 = { value: 'x', version: 1 };

  test('each put counts, and a deletion starts over', () => {
    const first = versionedModel.step(null, put, { type: 'put' });

    expect(first).toEqual(x1);
    expect(versionedModel.step(x1, put, undefined)).toEqual({ value: 'x', version: 2 });
    expect(
      versionedModel.step(x1, { type: 'delete', key: 'k' }, { type: 'delete', deleted: true }),
    ).toBeNull();
  });

  test('a get tells value and version', () => {
    const get = { type: 'get', key: 'k' } as const;

    expect(versionedModel.step(x1, get, { type: 'get', found: { ...x1 } })).toBe(x1);
    expect(versionedModel.step(x1, get, { type: 'get', found: null })).toBeUndefined();
    expect(
      versionedModel.step(x1, get, { type: 'get', found: { value: 'x', version: 2 } }),
    ).toBeUndefined();
  });

  test('a guarded put succeeds exactly at its version', () => {
    const ok = { type: 'putIfVersion', succeeded: true } as const;

    expect(versionedModel.step(x1, guarded, ok)).toEqual({ value: 'y', version: 2 });
    expect(versionedModel.step(null, guarded, ok)).toBeUndefined();
    expect(versionedModel.step(null, guarded, { ...ok, succeeded: false })).toBeNull();
  });

  test('input and output are told in a line', () => {
    expect(versionedModel.describe(guarded, undefined)).toBe('put k "y" if version 1: ?');
    expect(versionedModel.describe({ type: 'get', key: 'k' }, { type: 'get', found: x1 })).toBe(
      'get k: "x" version 1',
    );
  });
});
