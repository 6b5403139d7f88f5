import { describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/index.ts';
import { Calls } from '../../src/replica/calls.ts';
import { waited } from './waited.ts';

function created(): Calls {
  return new Calls(new Metrics(), () => 0);
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'done',
    (error: unknown) => error,
  );
}

describe('Calls', () => {
  test('a proposal is answered once, with its result', async () => {
    const calls = created();
    const call = waited((waiter) => {
      calls.addProposal(1, 2, waiter);
    });
    expect(calls.count).toBe(1);

    calls.resolveProposal(1, { kind: 'refused', revision: 4, code: 'NO_SPACE' });
    calls.failProposal({ id: 1, reason: 'timeout', outcome: 'unknown' }, 2);

    expect(await call).toEqual({ kind: 'refused', revision: 4, code: 'NO_SPACE' });
    expect(calls.count).toBe(0);
  });

  test.each([
    ['timeout', 2, 'TIMEOUT'],
    ['timeout', 3, 'TIMEOUT_LEADER_FAILURE'],
    ['overtaken', 2, 'TIMEOUT_LEADER_FAILURE'],
    ['cancelled', 2, 'CANCELLED'],
    ['stopped', 2, 'STOPPED'],
  ] as const)(
    'a proposal under leader 2 that ends by %s under %i fails with %s',
    async (...row) => {
      const [reason, leader, code] = row;
      const calls = created();
      const call = waited((waiter) => {
        calls.addProposal(1, 2, waiter);
      });

      calls.failProposal({ id: 1, reason, outcome: 'unknown' }, leader);

      await expect(call).rejects.toMatchObject({ code, outcome: 'unknown' });
    },
  );

  test('reads end confirmed, with an error, or with the member', async () => {
    const calls = created();
    const [confirmed, late, left] = [1, 2, 3].map((id) => errorOf(calls.addRead(id)));

    calls.resolveReads([1, 99]);
    calls.failReads([2, 99], 'TIMEOUT');
    expect([1, 2, 3].map((id) => calls.hasRead(id))).toEqual([false, false, true]);
    calls.endReads();

    expect(await confirmed).toBe('done');
    expect(await late).toMatchObject({ code: 'TIMEOUT' });
    expect(await left).toMatchObject({ code: 'STOPPED' });
    expect(calls.count).toBe(0);
  });

  test('a change of membership ends as its result says', async () => {
    const calls = created();
    const done = errorOf(calls.addChange(1));
    const failed = errorOf(calls.addChange(2));

    calls.endChange({ id: 1, kind: 'done' });
    calls.endChange({ id: 2, kind: 'failed', code: 'LEARNER_NOT_READY', outcome: 'rejected' });

    expect(await done).toBe('done');
    expect(await failed).toMatchObject({ code: 'LEARNER_NOT_READY', outcome: 'rejected' });
  });

  test('a call that is refused before it begins is counted as failed', async () => {
    const { KvError } = await import('../../src/base/index.ts');
    const calls = created();

    const call = waited((waiter) => {
      calls.rejectProposal(new KvError('STOPPED'), waiter);
    });

    await expect(call).rejects.toMatchObject({ code: 'STOPPED' });
    expect(calls.count).toBe(0);
  });
});
