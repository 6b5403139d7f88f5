import { describe, expect, test } from 'vitest';
import { KeyFacts } from '../../../chaos/checkers/key-facts.ts';
import type { AnsweredOperation } from '../../../chaos/checkers/revision-index.ts';
import type { KeyValue } from '../../../chaos/checkers/store.ts';

function writer(revision: number): AnsweredOperation {
  return {
    index: revision,
    call: 0,
    return: 1,
    request: { type: 'put', key: 'k', value: `v${revision}` },
    answer: { revision, result: { type: 'put' } },
    isWrite: true,
    isSerializable: false,
  };
}

/** Facts of puts at `puts`, and of states seen as `[create, mod, version]`, at a revision. */
function factsOf(
  puts: readonly number[],
  seen: readonly (readonly [state: readonly [number, number, number], revision: number])[],
): KeyFacts {
  const facts = new KeyFacts();
  for (const revision of puts) {
    facts.notePut(writer(revision), `v${revision}`);
  }
  for (const [[createRevision, modRevision, version], revision] of seen) {
    const value = `v${modRevision}`;
    const record: KeyValue = { key: 'k', value, createRevision, modRevision, version };
    facts.noteSighting({ record, revision, by: { ...writer(revision), index: 100 } });
  }
  facts.seal();
  return facts;
}

function closedOf(facts: KeyFacts, last: number): readonly number[] {
  return Array.from({ length: last }, (_, i) => i + 1).filter((it) => facts.isClosed(it));
}

describe('KeyFacts', () => {
  test('a key is closed from the change that was seen to the last time that it was', () => {
    expect(closedOf(factsOf([], [[[4, 4, 1], 7]]), 10)).toEqual([5, 6, 7]);
  });

  test('a key is closed between puts that are as many as its version says', () => {
    // Created by the put at 2, then changed at 5 and 9: nothing else in between.
    expect(closedOf(factsOf([2, 5, 9], [[[2, 9, 3], 9]]), 10)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    // One more change than known, somewhere in between.
    expect(closedOf(factsOf([2, 5, 9], [[[2, 9, 4], 9]]), 10)).toEqual([]);
  });

  test('two states of one life narrow down where the unknown change was', () => {
    const facts = factsOf(
      [2, 5, 9],
      [
        [[2, 5, 2], 5],
        [[2, 9, 4], 9],
      ],
    );

    expect(closedOf(facts, 10)).toEqual([2, 3, 4]);
  });

  test('a key that was there before the history is closed as its first state says', () => {
    const facts = new KeyFacts();
    const record = { key: 'k', value: 'x', createRevision: 1, modRevision: 1, version: 6 };
    facts.noteInitial(record, 1);
    facts.noteSighting({
      record: { ...record, modRevision: 5, version: 7 },
      revision: 5,
      by: writer(5),
    });
    facts.seal();

    expect(closedOf(facts, 6)).toEqual([2, 3, 4]);
  });

  test('a state that was seen after it had been changed is a contradiction', () => {
    const contradiction = factsOf([2, 5], [[[2, 2, 1], 7]]).findContradiction();

    expect(contradiction?.writer.index).toBe(5);
    expect(contradiction?.sighting.revision).toBe(7);
  });

  test('so is one that was seen after it had been deleted', () => {
    const facts = new KeyFacts();
    facts.noteDeletion(writer(6));
    facts.noteSighting({
      record: { key: 'k', value: 'v2', createRevision: 2, modRevision: 2, version: 1 },
      revision: 7,
      by: { ...writer(7), index: 100 },
    });
    facts.seal();

    expect(facts.findContradiction()?.writer.index).toBe(6);
  });

  test('so is another value than the one put', () => {
    const facts = new KeyFacts();
    facts.notePut(writer(2), 'other');
    facts.noteSighting({
      record: { key: 'k', value: 'v2', createRevision: 2, modRevision: 2, version: 1 },
      revision: 3,
      by: { ...writer(3), index: 100 },
    });
    facts.seal();

    expect(facts.findContradiction()?.writer.index).toBe(2);
  });

  test('states that fit are none', () => {
    const facts = factsOf(
      [2, 5],
      [
        [[2, 2, 1], 4],
        [[2, 5, 2], 9],
      ],
    );

    expect(facts.findContradiction()).toBeUndefined();
  });
});
