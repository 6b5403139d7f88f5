/** Random choices of workloads. */
import { must, type Prng } from '../../src/base/index.ts';

/** One of `items`. */
export function choose<Item>(prng: Prng, items: readonly Item[]): Item {
  return must(items[prng.nextInt(0, items.length)], 'an item to choose');
}

/** `items` in random order. */
export function shuffle<Item>(prng: Prng, items: readonly Item[]): Item[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = prng.nextInt(0, i + 1);
    const [a, b] = [shuffled[i] as Item, shuffled[j] as Item];
    shuffled[i] = b;
    shuffled[j] = a;
  }
  return shuffled;
}
