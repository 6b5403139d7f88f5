/** The Election service of a real member, over gRPC. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LeaderKey } from '../../src/wire/generated/v3electionpb/LeaderKey.ts';
import { services } from '../../src/wire/index.ts';
import { failureOf, LiveMember } from './live-member.ts';

const { Campaign, Leader, Observe, Proclaim, Resign } = services['v3electionpb.Election'];
const { LeaseRevoke, LeaseTimeToLive } = services['etcdserverpb.Lease'];
const { Put } = services['etcdserverpb.KV'];

let member: LiveMember;

beforeAll(async () => {
  member = await LiveMember.start();
});

afterAll(async () => {
  await member.stop();
});

const bytes = (text: string): Buffer => Buffer.from(text);

/** Campaigns until it leads. */
async function lead(name: Buffer, lease: string, value: string): Promise<LeaderKey> {
  const { leader } = await member.ask(Campaign, { name, lease, value: bytes(value) });
  expect(leader).not.toBeNull();
  return leader as unknown as LeaderKey;
}

async function leaderOf(name: Buffer): Promise<string> {
  const { kv } = await member.ask(Leader, { name });
  return String(kv?.value);
}

describe('an election', () => {
  test('has no leader before somebody campaigns, and after all have resigned', async () => {
    const name = member.nextName();
    expect(await failureOf(member.ask(Leader, { name }))).toBe('election: no leader');
    const leader = await lead(name, await member.grant(), 'first');
    expect(await leaderOf(name)).toBe('first');
    await member.ask(Resign, { leader });
    expect(await failureOf(member.ask(Leader, { name }))).toBe('election: no leader');
  });

  test('goes to candidates in the order of their coming, with ascending revisions', async () => {
    const name = member.nextName();
    const first = await lead(name, await member.grant(), 'first');
    const second = lead(name, await member.grant(), 'second');
    await member.queued(name, 2);
    const third = lead(name, await member.grant(), 'third');
    await member.queued(name, 3);
    expect(await leaderOf(name)).toBe('first');
    await member.ask(Resign, { leader: first });
    const next = await second;
    expect(Number(next.rev)).toBeGreaterThan(Number(first.rev));
    expect(await leaderOf(name)).toBe('second');
    await member.ask(LeaseRevoke, { ID: next.lease });
    expect(Number((await third).rev)).toBeGreaterThan(Number(next.rev));
    expect(await leaderOf(name)).toBe('third');
  });

  test('lets its leader campaign again and proclaim, with another value each', async () => {
    const name = member.nextName();
    const lease = await member.grant();
    const leader = await lead(name, lease, 'one');
    expect(leader.key.toString()).toBe(`${name.toString()}/${BigInt(lease).toString(16)}`);
    expect(await lead(name, lease, 'two')).toEqual(leader);
    expect(await leaderOf(name)).toBe('two');
    await member.ask(Proclaim, { leader, value: bytes('three') });
    expect(await leaderOf(name)).toBe('three');
  });

  test('takes no word from whoever does not lead', async () => {
    const name = member.nextName();
    const leader = await lead(name, await member.grant(), 'mine');
    const stale = { ...leader, rev: '1' };
    const value = bytes('theirs');
    const proclaim = (as: LeaderKey): Promise<string> =>
      failureOf(member.ask(Proclaim, { leader: as, value }));
    expect(await proclaim(stale)).toBe('election: not leader');
    expect(await proclaim({ ...leader, lease: '77' })).toBe(
      'etcdserver: requested lease not found',
    );
    await member.ask(Resign, { leader: stale });
    expect(await leaderOf(name)).toBe('mine');
    await member.ask(Resign, { leader });
    expect(await proclaim(leader)).toBe('election: not leader');
    await member.ask(Resign, { leader });
  });

  test('needs a leader key and a lease that there is', async () => {
    const missing = '"leader" field must be provided';
    expect(await failureOf(member.ask(Proclaim, {}))).toBe(missing);
    expect(await failureOf(member.ask(Resign, {}))).toBe(missing);
    expect(await failureOf(member.ask(Resign, { leader: {} }))).toBe(
      'etcdserver: key is not provided',
    );
    expect(await failureOf(member.ask(Campaign, { name: bytes('x'), lease: '99' }))).toBe(
      'etcdserver: requested lease not found',
    );
  });

  test('gives a candidate that brings none a lease of a minute', async () => {
    const leader = await lead(member.nextName(), '0', 'own');
    const { grantedTTL } = await member.ask(LeaseTimeToLive, { ID: leader.lease });
    expect(grantedTTL).toBe('60');
  });

  test('is refused at once to a candidate whose lease ends while it waits', async () => {
    const name = member.nextName();
    const leader = await lead(name, await member.grant(), 'first');
    const lease = await member.grant();
    const waiting = member.start(Campaign, { name, lease, value: bytes('late') });
    await member.queued(name, 2);
    await member.ask(LeaseRevoke, { ID: lease });
    expect(await failureOf(waiting.answer)).toBe('etcdserver: requested lease not found');
    expect(await member.queueOf(name)).toEqual([leader.key.toString()]);
  });

  test('is not waited for any more by a client that has gone', async () => {
    const name = member.nextName();
    await lead(name, await member.grant(), 'first');
    const waiting = member.start(Campaign, { name, lease: await member.grant() });
    await member.queued(name, 2);
    waiting.call.cancel();
    await member.queued(name, 1);
    expect(await leaderOf(name)).toBe('first');
  });

  test('can be observed: who leads, what they proclaim, and who leads next', async () => {
    const name = member.nextName();
    const stream = member.stream(Observe, { name });
    const seen: string[] = [];
    stream.on('data', ({ kv }: { kv: { value: Buffer } }) => seen.push(kv.value.toString()));
    const saw = async (count: number): Promise<void> => {
      while (seen.length < count) {
        await once(stream, 'data');
      }
    };
    const first = await lead(name, await member.grant(), 'first');
    await saw(1);
    await member.ask(Proclaim, { leader: first, value: bytes('first again') });
    await saw(2);
    const second = lead(name, await member.grant(), 'second');
    await member.queued(name, 2);
    await member.ask(Put, { key: bytes('unrelated'), value: bytes('x') });
    await member.ask(Resign, { leader: first });
    await second;
    await saw(3);
    expect(seen).toEqual(['first', 'first again', 'second']);
    const ended = once(stream, 'error');
    stream.cancel();
    await ended;
  });

  test('tells observers of a leader older than the last word of the one before', async () => {
    const name = member.nextName();
    const first = await lead(name, await member.grant(), 'first');
    const second = lead(name, await member.grant(), 'second');
    await member.queued(name, 2);
    await member.ask(Proclaim, { leader: first, value: bytes('last word') });
    const stream = member.stream(Observe, { name });
    const seen: string[] = [];
    stream.on('data', ({ kv }: { kv: { value: Buffer } }) => seen.push(kv.value.toString()));
    await once(stream, 'data');
    await member.ask(Resign, { leader: first });
    await second;
    while (seen.length < 2) {
      await once(stream, 'data');
    }
    expect(seen).toEqual(['last word', 'second']);
    const ended = once(stream, 'error');
    stream.cancel();
    await ended;
  });

  test('has observers that end with the server', async () => {
    const other = await LiveMember.start();
    const name = other.nextName();
    const stream = other.stream(Observe, { name });
    const ended = once(stream, 'error');
    stream.resume();
    const { leader } = await other.ask(Campaign, { name, value: bytes('only') });
    expect(leader).not.toBeNull();
    await other.stop();
    const error: unknown = (await ended)[0];
    expect(String(error)).toContain('stopp');
  });
});
