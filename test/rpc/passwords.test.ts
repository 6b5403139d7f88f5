import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { defaultWork, Passwords } from '../../src/rpc/passwords.ts';

const work = { cost: 2, blockSize: 1, parallelization: 1 };

describe('passwords', () => {
  test('are recognised by what is kept of them, which is another thing each time', async () => {
    const passwords = new Passwords(nodeCryptography, work);
    const [first, second] = await Promise.all([passwords.hash('secret'), passwords.hash('secret')]);

    expect(Buffer.from(first).equals(second)).toBe(false);
    for (const passwordHash of [first, second]) {
      const ann = { name: 'ann', passwordHash };
      expect(await passwords.isRight('secret', ann)).toBe(true);
      // Known by now, and still no other one is right.
      expect(await passwords.isRight('secret', ann)).toBe(true);
      expect(await passwords.isRight('Secret', ann)).toBe(false);
      expect(await passwords.isRight('', ann)).toBe(false);
    }
  });

  test('nobody has any, and neither has a user without', async () => {
    const passwords = new Passwords(nodeCryptography, work);

    expect(await passwords.isRight('', undefined)).toBe(false);
    expect(await passwords.isRight('', { name: 'ann', passwordHash: new Uint8Array(0) })).toBe(
      false,
    );
  });

  test('that were right are so no more once there is another one', async () => {
    const passwords = new Passwords(nodeCryptography, work);
    const old = { name: 'ann', passwordHash: await passwords.hash('old') };
    expect(await passwords.isRight('old', old)).toBe(true);

    const changed = { name: 'ann', passwordHash: await passwords.hash('new') };

    expect(await passwords.isRight('old', changed)).toBe(false);
    expect(await passwords.isRight('new', changed)).toBe(true);
  });

  test('are hashed with work that is kept beside the hash', async () => {
    const weak = await new Passwords(nodeCryptography, work).hash('secret');
    const strong = new Passwords(nodeCryptography, { cost: 4, blockSize: 2, parallelization: 2 });

    expect([...weak.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
    expect(await strong.isRight('secret', { name: 'ann', passwordHash: weak })).toBe(true);
    expect([...(await new Passwords(nodeCryptography).hash('secret')).subarray(0, 4)]).toEqual([
      1, 14, 8, 5,
    ]);
    expect(defaultWork.cost).toBe(2 ** 14);
  });

  test('are looked at in bounded numbers: what is too much is turned away', async () => {
    const passwords = new Passwords(nodeCryptography, { ...work, cost: 1024 });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, i) => passwords.isRight(`guess ${i}`, undefined)),
    );

    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(200 - 2 - 128);
    expect(refused[0]).toMatchObject({ reason: { code: 'TOO_MANY_REQUESTS' } });
    expect(refused.every((each) => 'reason' in each && each.reason instanceof KvError)).toBe(true);
    // Their turn is over.
    expect(await passwords.isRight('guess', undefined)).toBe(false);
  });
});
