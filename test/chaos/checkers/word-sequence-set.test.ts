import { expect, test } from 'vitest';
import { WordSequenceSet } from '../../../chaos/checkers/word-sequence-set.ts';
import { createPrng } from '../../../src/base/index.ts';

test('holds what a set of texts holds', () => {
  const prng = createPrng(1);
  const twin = new Set<string>();
  const set = new WordSequenceSet();

  for (let i = 0; i < 20_000; i++) {
    const length = prng.nextInt(0, 4);
    const words = Array.from({ length }, () => prng.nextInt(0, 12) * 0x1000_0001);
    const isNew = !twin.has(words.join());
    twin.add(words.join());

    if (set.add(Uint32Array.from([...words, 99]), length) !== isNew) {
      expect.fail(`add(${words.join()}) must return ${isNew}`);
    }
  }

  expect(set.size).toBe(twin.size);
  expect(set.size).toBeGreaterThan(1000);
});
