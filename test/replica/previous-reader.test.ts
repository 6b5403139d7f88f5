import { expect, test } from 'vitest';
import { PreviousReader } from '../../src/replica/previous-reader.ts';
import type { NextNotice, Waiting } from '../../src/replica/watch-notices.ts';

const notice = { type: 'progress', revision: 1 } as const;
const waiting: Waiting = { type: 'notice', notice };
const next: NextNotice = { type: 'notice', notice, previousBytes: 0 };

test('a few readings are under way at a time, and all have their turn in order', async () => {
  const underWay: ((next: NextNotice | Error) => void)[] = [];
  const begun: number[] = [];
  const reader = new PreviousReader(
    async () =>
      new Promise((resolve, reject) => {
        underWay.push((each) => {
          if (each instanceof Error) {
            reject(each);
          } else {
            resolve(each);
          }
        });
      }),
  );
  const all = Array.from({ length: 50 }, async (_, at) =>
    reader.complete(waiting, () => begun.push(at)).catch((error: unknown) => error),
  );

  let most = 0;
  for (let done = 0; done < all.length; done++) {
    while (underWay.length === 0) {
      await Promise.resolve();
    }
    most = Math.max(most, underWay.length);
    underWay.shift()?.(done % 7 === 0 ? new Error('damaged') : next);
  }
  await Promise.all(all);

  expect(most).toBe(16);
  expect(begun).toEqual(all.map((_, at) => at));
});
