/** The Lock service of a real member, over gRPC. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import { failureOf, LiveMember } from './live-member.ts';

const { Lock, Unlock } = services['v3lockpb.Lock'];
const { LeaseRevoke } = services['etcdserverpb.Lease'];
const { Txn } = services['etcdserverpb.KV'];

let member: LiveMember;

beforeAll(async () => {
  member = await LiveMember.start();
});

afterAll(async () => {
  await member.stop();
});

function lock(name: Buffer, lease: string) {
  return member.start(Lock, { name, lease });
}

describe('a lock', () => {
  test('has one owner at a time, in the order of their coming, with ascending tokens', async () => {
    const name = member.nextName();
    const leases = [await member.grant(), await member.grant(), await member.grant()];
    const calls: ReturnType<typeof lock>[] = [];
    for (const [at, lease] of leases.entries()) {
      calls.push(lock(name, lease));
      await member.queued(name, at + 1);
    }
    const tokens: number[] = [];
    for (const [at, { answer }] of calls.entries()) {
      const { key, fencing_token: token } = await answer;
      expect(await member.queueOf(name)).toHaveLength(leases.length - at);
      tokens.push(Number(token));
      await member.ask(Unlock, { key });
    }
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(3);
  });

  test('is given at once to the lease that owns it already', async () => {
    const name = member.nextName();
    const lease = await member.grant();
    const first = await member.ask(Lock, { name, lease });
    const again = await member.ask(Lock, { name, lease });
    expect(again.fencing_token).toBe(first.fencing_token);
    expect(first.key.toString()).toBe(`${name.toString()}/${BigInt(lease).toString(16)}`);
  });

  test('goes on to the next when the lease of its owner ends', async () => {
    const name = member.nextName();
    const lease = await member.grant();
    await member.ask(Lock, { name, lease });
    const next = member.start(Lock, { name, lease: await member.grant() });
    await member.queued(name, 2);
    await member.ask(LeaseRevoke, { ID: lease });
    expect((await next.answer).key.length).toBeGreaterThan(0);
  });

  test('is refused at once to one whose lease ends while it waits', async () => {
    const name = member.nextName();
    const owner = await member.ask(Lock, { name, lease: await member.grant() });
    const lease = await member.grant();
    const waiting = member.start(Lock, { name, lease });
    await member.queued(name, 2);
    await member.ask(LeaseRevoke, { ID: lease });
    expect(await failureOf(waiting.answer)).toBe('etcdserver: requested lease not found');
    expect(await member.queueOf(name)).toEqual([owner.key.toString()]);
  });

  test('that is only tried, or waited for so long, leaves nothing behind', async () => {
    const name = member.nextName();
    const { key } = await member.ask(Lock, { name });
    const held = 'holdfast: the lock is held by somebody else';
    expect(await failureOf(member.ask(Lock, { name, try_lock: true }))).toBe(held);
    expect(
      await failureOf(member.ask(Lock, { name, wait_ms: 20, lease: await member.grant() })),
    ).toBe(held);
    expect(await member.queueOf(name)).toEqual([key.toString()]);
    await member.ask(Unlock, { key });
    expect((await member.ask(Lock, { name, try_lock: true })).key.length).toBeGreaterThan(0);
    expect(await failureOf(member.ask(Lock, { name, wait_ms: -1 }))).toContain(
      'wait_ms -1 is not from 0',
    );
  });

  test('is not waited for any more by a client that has gone', async () => {
    const name = member.nextName();
    const owner = await member.ask(Lock, { name, lease: await member.grant() });
    const waiting = member.start(Lock, { name, lease: await member.grant() });
    await member.queued(name, 2);
    waiting.call.cancel();
    await member.queued(name, 1);
    expect(await member.queueOf(name)).toEqual([owner.key.toString()]);
  });

  test('needs a lease that there is', async () => {
    const failure = await failureOf(member.ask(Lock, { name: member.nextName(), lease: '99' }));
    expect(failure).toBe('etcdserver: requested lease not found');
  });

  test('fences: a write that rests on its token fails once somebody else owns it', async () => {
    const name = member.nextName();
    const lease = await member.grant();
    const owner = await member.ask(Lock, { name, lease });
    const fenced = (): Promise<{ succeeded: boolean }> =>
      member.ask(Txn, {
        compare: [
          {
            ...{ target: 'CREATE', result: 'EQUAL', key: owner.key },
            create_revision: owner.fencing_token,
          },
        ],
        success: [{ request_put: { key: Buffer.from('fenced'), value: Buffer.from('1') } }],
      });
    expect((await fenced()).succeeded).toBe(true);
    await member.ask(LeaseRevoke, { ID: lease });
    expect((await fenced()).succeeded).toBe(false);
  });
});
