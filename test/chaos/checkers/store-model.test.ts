import { describe, expect, test } from 'vitest';
import type { StoreRequest } from '../../../chaos/checkers/store.ts';
import { storeModel } from '../../../chaos/checkers/store-model.ts';

const empty = { revision: 1, records: new Map() };
const model = storeModel(empty);
const putA: StoreRequest = { type: 'put', key: 'a', value: '1' };
const deleteA: StoreRequest = { type: 'deleteRange', key: 'a' };
const wrote = { revision: 2, result: { type: 'put' } } as const;

describe('storeModel', () => {
  test('a change makes the next revision, and must be answered with it', () => {
    const next = model.step(empty, putA, wrote);

    expect(next?.revision).toBe(2);
    expect(next?.records.get('a')).toMatchObject({ value: '1', modRevision: 2 });
    expect(model.step(empty, putA, { ...wrote, revision: 3 })).toBeUndefined();
    expect(empty.records.size).toBe(0);
  });

  test('what changes nothing leaves the state as it is', () => {
    const nothing = { revision: 1, result: { type: 'deleteRange', deleted: 0 } } as const;

    expect(model.step(empty, deleteA, nothing)).toBe(empty);
    expect(model.step(empty, deleteA, undefined)).toBe(empty);
    expect(model.isPure(deleteA, nothing)).toBe(true);
    expect(model.isPure(deleteA, undefined)).toBe(false);
  });

  test('equal states have equal keys, in whatever order they were made', () => {
    const putB: StoreRequest = { type: 'put', key: 'b', value: '1' };
    const a = { key: 'a', value: '1', createRevision: 2, modRevision: 2, version: 1 };
    const b = { ...a, key: 'b' };
    const ab = new Map([a, b].map((it) => [it.key, it]));
    const ba = new Map([b, a].map((it) => [it.key, it]));

    expect(model.stateKey({ revision: 2, records: ab })).toBe(
      model.stateKey({ revision: 2, records: ba }),
    );
    expect(model.stateKey({ revision: 3, records: ab })).not.toBe(
      model.stateKey({ revision: 2, records: ab }),
    );
    expect(model.describe(putB, undefined)).toBe('put "b" "1": ?');
  });

  test('refuses reads of the past', () => {
    expect(() => model.step(empty, { type: 'range', key: 'a', revision: 1 }, undefined)).toThrow(
      'a read of a past revision must not be checked with this model',
    );
  });
});
