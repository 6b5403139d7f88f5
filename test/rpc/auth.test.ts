/** The Auth service before a member of which nothing is real but its users and roles. */
import { type Client, credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuthChange } from '../../src/kv/index.ts';
import { type AuthClient, services } from '../../src/wire/index.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

let member: FakeMember;
let serving: Serving;
let auth: AuthClient;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async (command) => {
    const asked = command.type === 'as' ? command.command : command;
    const outcome =
      asked.type === 'auth'
        ? member.authTable.change(asked.change)
        : { kind: 'unchanged' as const };
    return Promise.resolve(
      outcome.kind === 'refused'
        ? { ...outcome, revision: 7 }
        : { kind: 'ok', revision: 7, result: { type: 'auth' } },
    );
  };
  serving = await serve(member);
  const Constructor = makeClientConstructor(services['etcdserverpb.Auth'], 'Auth');
  const client: Client = new Constructor(`127.0.0.1:${serving.port}`, credentials.createInsecure());
  auth = client as AuthClient;
});

afterEach(async () => {
  auth.close();
  await serving.close();
});

/** The changes that were proposed. */
function changes(): readonly AuthChange[] {
  return member.asked.flatMap((each) =>
    each.method === 'propose' && each.command.type === 'auth' ? [each.command.change] : [],
  );
}

describe('etcdserverpb.Auth', () => {
  test('passes on what is made of a password, and never the password', async () => {
    await answerTo((done) => auth.UserAdd({ name: 'ann', password: 'sesame' }, done));
    await answerTo((done) => auth.UserChangePassword({ name: 'ann', password: 'other' }, done));

    for (const change of changes()) {
      expect(change).toMatchObject({ user: 'ann', passwordHash: expect.any(Uint8Array) as object });
      expect(JSON.stringify(change)).not.toMatch(/sesame|other/);
      expect('passwordHash' in change && change.passwordHash.length).toBe(52);
    }
    expect(changes()).toHaveLength(2);
  });

  test('a user without a password has no hash either', async () => {
    await answerTo((done) => auth.UserAdd({ name: 'ann', options: { no_password: true } }, done));

    expect(changes()).toEqual([{ type: 'userAdd', user: 'ann', passwordHash: new Uint8Array(0) }]);
  });

  test('grants and revokes permissions for keys and ranges', async () => {
    const key = Buffer.from('a');
    await answerTo((done) => auth.RoleAdd({ name: 'r' }, done));
    await answerTo((done) =>
      auth.RoleGrantPermission(
        { name: 'r', perm: { permType: 'READWRITE', key, range_end: Buffer.from('b') } },
        done,
      ),
    );
    const role = await answerTo((done) => auth.RoleGet({ role: 'r' }, done));
    expect(role).toMatchObject({
      perm: [{ permType: 'READWRITE', key, range_end: Buffer.from('b') }],
    });
    await answerTo((done) =>
      auth.RoleRevokePermission({ role: 'r', key, range_end: Buffer.from('b') }, done),
    );

    expect(await answerTo((done) => auth.RoleGet({ role: 'r' }, done))).toMatchObject({ perm: [] });
  });

  test.each([
    ['a permission that is not given', {}, 'etcdserver: permission not given'],
    ['one of an unknown kind', { perm: { permType: 9 as 0, key: Buffer.from('a') } }, 'invalid'],
  ])('refuses %s', async (_, request, text) => {
    const error = await refusalOf((done) =>
      auth.RoleGrantPermission({ name: 'r', ...request }, done),
    );

    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain(text);
    expect(changes()).toEqual([]);
  });

  test('refuses hashes, and passwords and names that are too long', async () => {
    for (const request of [
      { name: 'ann', hashedPassword: 'JDJh' },
      { name: 'ann', password: 'x'.repeat(1025) },
      { name: 'x'.repeat(257), password: 'x' },
    ]) {
      const error = await refusalOf((done) => auth.UserAdd(request, done));
      expect(error.code).toBe(status.INVALID_ARGUMENT);
    }
    expect(changes()).toEqual([]);
  });

  test('tells whether everybody is asked, and how many changes there were', async () => {
    await answerTo((done) => auth.UserAdd({ name: 'root', password: 'x' }, done));
    await answerTo((done) => auth.UserGrantRole({ user: 'root', role: 'root' }, done));
    expect(await answerTo((done) => auth.AuthStatus({}, done))).toMatchObject({
      ...{ enabled: false, authRevision: '3' },
    });

    await answerTo((done) => auth.AuthEnable({}, done));

    expect(await answerTo((done) => auth.AuthStatus({}, done))).toMatchObject({ enabled: true });
    const error = await refusalOf((done) => auth.UserList({}, done));
    expect(error.details).toBe('etcdserver: user name is empty');
  });
});
