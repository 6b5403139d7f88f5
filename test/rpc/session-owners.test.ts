/** Whose sessions are, at a real member over gRPC. */
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import { LiveMember } from './live-member.ts';

const { LeaseGrant, LeaseRevoke } = services['etcdserverpb.Lease'];
const { Put } = services['etcdserverpb.KV'];
const auth = services['etcdserverpb.Auth'];

let member: LiveMember;
let begun = '';

/** What a call says of who calls. */
async function as(user: string): Promise<Metadata> {
  const metadata = new Metadata();
  const { token } = await member.ask(auth.Authenticate, { name: user, password: 'secret' });
  metadata.set('authorization', token);
  return metadata;
}

async function put(user: string, session: string, sequence: number): Promise<string> {
  const metadata = await as(user);
  metadata.set('holdfast-session', session);
  metadata.set('holdfast-sequence', String(sequence));
  metadata.set('holdfast-lowest-unanswered', '1');
  const request = { key: Buffer.from('a'), value: Buffer.from('1') };
  return outcomeOf(member.ask(Put, request, metadata));
}

/** What a call comes to: status, code and outcome of a failure, as its trailers say. */
async function outcomeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'ok',
    (error: unknown) => {
      const { code, details, metadata } = error as ServiceError;
      const said = metadata.getMap();
      return [code, said['holdfast-code'], said['holdfast-outcome'], details].join(' ');
    },
  );
}

const denied =
  '7 SESSION_OF_ANOTHER rejected holdfast: permission denied: the session belongs to another user';

beforeAll(async () => {
  member = await LiveMember.start();
  const password = 'secret';
  for (const name of ['root', 'ann', 'bob']) {
    await member.ask(auth.UserAdd, { name, password });
  }
  await member.ask(auth.RoleAdd, { name: 'r' });
  const perm = { permType: 'READWRITE', key: Buffer.from('a') } as const;
  await member.ask(auth.RoleGrantPermission, { name: 'r', perm });
  for (const user of ['ann', 'bob']) {
    await member.ask(auth.UserGrantRole, { user, role: 'r' });
  }
  await member.ask(auth.UserGrantRole, { user: 'root', role: 'root' });
  begun = await member.grant();
  await member.ask(auth.AuthEnable, {});
});

afterAll(async () => {
  await member.stop();
});

describe('a session', () => {
  test('is written in and ended by its owner alone; by root it is ended', async () => {
    const { ID } = await member.ask(LeaseGrant, { TTL: 600 }, await as('ann'));
    expect(await put('ann', ID, 1)).toBe('ok');

    expect(await put('bob', ID, 2)).toBe(denied);
    expect(await put('root', ID, 2)).toBe(denied);
    const end = async (user: string): Promise<string> =>
      outcomeOf(member.ask(LeaseRevoke, { ID }, await as(user)));
    expect(await end('bob')).toBe(denied);
    expect(await put('ann', ID, 2)).toBe('ok');
    expect(await end('root')).toBe('ok');
    expect(await put('ann', ID, 3)).toMatch(/SESSION_EXPIRED/);
  });

  test('from before anybody was asked is the first user’s who goes on with it', async () => {
    expect(await put('bob', begun, 1)).toBe('ok');
    expect(await put('ann', begun, 2)).toBe(denied);
  });
});
