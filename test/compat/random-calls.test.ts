/**
 * Random calls are answered by Holdfast as by etcd, one after the other on the same history.
 *
 * `COMPAT_SEED` repeats a run; `COMPAT_CALLS` makes it longer.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { hasEtcd } from './etcd-server.ts';
import { RandomCalls } from './random-calls.ts';
import { RawSides } from './raw-sides.ts';

const seed = Number(process.env['COMPAT_SEED'] ?? 1);
const callCount = Number(process.env['COMPAT_CALLS'] ?? 500);
const callMsMax = 100;

describe.runIf(hasEtcd())('random calls', () => {
  let sides: RawSides;

  beforeAll(async () => {
    sides = await RawSides.start();
  });

  afterAll(async () => {
    await sides.stop();
  });

  test('are answered alike', { timeout: 30_000 + callCount * callMsMax }, async () => {
    const calls = new RandomCalls(createPrng(seed));
    let revision = 1;
    const codes = new Map<string, number>();
    for (let i = 0; i < callCount; i++) {
      const call = calls.next(revision);
      const member = sides.memberAt(i);

      const [expected, actual] = await Promise.all([sides.etcd.call(call), member.call(call)]);

      if (!isDeepStrictEqual(actual, expected)) {
        const shown = inspect(call, { depth: 12, breakLength: 100 });
        expect(actual, `COMPAT_SEED=${seed}, call ${i}: ${shown}`).toEqual(expected);
      }
      codes.set(expected.code, (codes.get(expected.code) ?? 0) + 1);
      revision = revisionOf(expected.response) ?? revision;
    }

    expect([...codes.keys()].sort()).toEqual(
      expect.arrayContaining(['INVALID_ARGUMENT', 'NOT_FOUND', 'OK', 'OUT_OF_RANGE']),
    );
    expect(codes.get('OK')).toBeGreaterThan(callCount / 3);
  });
});

function revisionOf(response: unknown): number | undefined {
  const header = (response as { header?: { revision: string } } | undefined)?.header;
  return header === undefined ? undefined : Number(header.revision);
}
