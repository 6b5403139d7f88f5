import { describe, expect, test } from 'vitest';
import { initialConfiguration } from '../../src/replica/membership.ts';
import { StateHashes } from '../../src/replica/state-hashes.ts';

function votersUpTo(size: number): ReturnType<typeof initialConfiguration> {
  return initialConfiguration(
    Array.from({ length: size }, (_, i) => ({
      ...{ id: i + 1, name: '', peerUrls: [], autoPromote: false },
    })),
  );
}

/** Member 1 with its own hash, and what others have told at the same index. */
function judged(size: number, own: bigint, told: Readonly<Record<number, bigint>>): unknown {
  const hashes = new StateHashes(1);
  hashes.answer({ index: 5, hash: own });
  for (const [id, hash] of Object.entries(told)) {
    hashes.heard(Number(id), { index: 5, hash });
  }
  return hashes.judge(votersUpTo(size)).kind;
}

describe('StateHashes', () => {
  test.each<[string, number, bigint, Readonly<Record<number, bigint>>, string]>([
    ['all agree', 3, 1n, { 2: 1n, 3: 1n }, 'agree'],
    ['nobody else has told yet', 3, 1n, {}, 'agree'],
    ['one contradicts, one is silent', 3, 1n, { 2: 2n }, 'agree'],
    ['a majority contradicts', 3, 1n, { 2: 2n, 3: 2n }, 'diverged'],
    ['another one is contradicted', 3, 1n, { 2: 1n, 3: 2n }, 'agree'],
    ['all contradict each other', 3, 1n, { 2: 2n, 3: 3n }, 'no-majority'],
    ['two contradict each other', 2, 1n, { 2: 2n }, 'no-majority'],
    ['two and two', 4, 1n, { 2: 1n, 3: 2n, 4: 2n }, 'no-majority'],
    ['two, two, and one silent', 5, 1n, { 2: 1n, 3: 2n, 4: 2n }, 'agree'],
    ['a learner contradicts', 3, 1n, { 2: 1n, 9: 2n }, 'agree'],
  ])('when %s, the verdict is right', (_, size, own, told, verdict) => {
    expect(judged(size, own, told)).toBe(verdict);
  });

  test('a learner that a majority of the voters contradicts is damaged', () => {
    const hashes = new StateHashes(9);
    hashes.answer({ index: 5, hash: 1n });
    hashes.heard(1, { index: 5, hash: 2n });
    hashes.heard(2, { index: 5, hash: 2n });

    expect(hashes.judge(votersUpTo(3))).toEqual({ kind: 'diverged', index: 5 });
  });

  test('hashes of different indexes are never compared', () => {
    const hashes = new StateHashes(1);
    hashes.answer({ index: 5, hash: 1n });
    hashes.heard(2, { index: 6, hash: 2n });
    hashes.heard(3, { index: 6, hash: 2n });

    expect(hashes.judge(votersUpTo(3))).toEqual({ kind: 'agree' });
    expect(hashes.unanswered).toEqual([6]);
  });

  test('the leader begins anew only once something has been applied', () => {
    const hashes = new StateHashes(1);

    expect(hashes.maybeStart({ index: 5, hash: 1n })).toEqual({ index: 5, hash: 1n });
    expect(hashes.maybeStart({ index: 5, hash: 1n })).toBeUndefined();
    expect(hashes.maybeStart({ index: 6, hash: 2n })).toBeDefined();
  });

  test('a few indexes are remembered, the oldest go; none once the state is replaced', () => {
    const hashes = new StateHashes(1);
    for (let index = 1; index <= 20; index++) {
      hashes.heard(2, { index, hash: 1n });
    }
    expect(hashes.unanswered).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);

    hashes.reset();

    expect(hashes.unanswered).toEqual([]);
  });
});
