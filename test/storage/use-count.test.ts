import { describe, expect, test } from 'vitest';
import { UseCount } from '../../src/storage/use-count.ts';

/** Whether the promise has settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const marker = Symbol('pending');
  const winner = await Promise.race([promise, Promise.resolve(marker)]);
  return winner !== marker;
}

describe('UseCount', () => {
  test('tells when the last use has ended, also of those that began meanwhile', async () => {
    const uses = new UseCount();
    await uses.unused();
    uses.begin();
    const unused = uses.unused();
    uses.begin();
    uses.end();
    expect(await isSettled(unused)).toBe(false);

    uses.end();
    await unused;
  });

  test('a use ends with its work, whether that succeeds or fails', async () => {
    const uses = new UseCount();
    expect(await uses.during(async () => Promise.resolve(5))).toBe(5);
    await expect(uses.during(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');

    await uses.unused();
  });

  test('an abandoned wait ends although there are uses', async () => {
    const uses = new UseCount();
    uses.begin();
    const unused = uses.unused();
    uses.abandon();

    await unused;
    await uses.unused();
  });
});
