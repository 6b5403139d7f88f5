import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Readable } from 'node:stream';
import type { Command } from '../../../src/kv/index.ts';
import { type Run, run, type Server, startServer } from './in-process.ts';

let server: Server;

beforeEach(async () => {
  server = await startServer();
  const { member } = server;
  member.onPropose = async (command: Command) => {
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
});

afterEach(async () => {
  vi.restoreAllMocks();
  await server.serving.close();
});

async function holdfast(...argv: readonly string[]): Promise<Run> {
  return run(server.endpoint, ...argv);
}

async function succeed(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await holdfast(...argv);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

function type(text: string): void {
  const stdin: unknown = Readable.from([text]);
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as typeof process.stdin);
}

describe('user', () => {
  test('add takes the password from its argument, an option or standard input', async () => {
    expect(await succeed('user', 'add', 'ann:secret')).toBe('User ann created\n');
    await succeed('user', 'add', 'bob', '--new-user-password', 'hush');
    type('typed\n');
    await succeed('user', 'add', 'eve');
    await succeed('user', 'add', 'mute', '--no-password');

    expect(await succeed('user', 'list')).toBe('ann\nbob\neve\nmute\n');
    const hashOf = (name: string): number | undefined =>
      server.member.authTable.user(name)?.passwordHash.length;
    expect(['ann', 'bob', 'eve', 'mute'].map(hashOf)).toEqual([52, 52, 52, 0]);
  });

  test('add without any password changes nothing', async () => {
    type('');
    expect(await holdfast('user', 'add', 'eve')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await holdfast('user', 'add', 'a:b', '--no-password')).toMatchObject({ exitCode: 2 });
    expect(server.member.authTable.users).toEqual([]);
  });

  test('is given roles, and loses them', async () => {
    await succeed('user', 'add', 'ann:secret');
    await succeed('role', 'add', 'app');

    expect(await succeed('user', 'grant-role', 'ann', 'app')).toBe(
      'Role app is granted to user ann\n',
    );
    expect(await succeed('user', 'get', 'ann')).toBe('User: ann\nRoles: app\n');
    expect(await succeed('user', 'revoke-role', 'ann', 'app')).toBe(
      'Role app is revoked from user ann\n',
    );
    type('other\n');
    expect(await succeed('user', 'passwd', 'ann')).toBe('Password updated\n');
    expect(await succeed('user', 'delete', 'ann')).toBe('User ann deleted\n');
    const { exitCode, stderr } = await holdfast('user', 'get', 'ann');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('etcdserver: user name not found') as string,
    });
  });
});

describe('role', () => {
  test('permits keys and ranges, as etcdctl names them', async () => {
    expect(await succeed('role', 'add', 'app')).toBe('Role app created\n');
    expect(await succeed('role', 'grant-permission', 'app', 'readwrite', 'app/', '--prefix')).toBe(
      'Role app updated\n',
    );
    await succeed('role', 'grant-permission', 'app', 'read', 'a', 'c');
    await succeed('role', 'grant-permission', 'app', 'write', 'z', '--from-key');
    await succeed('role', 'grant-permission', 'app', 'read', 'one');

    expect(await succeed('role', 'get', 'app')).toBe(
      'Role app\nKV Read:\n\t[a, c)\n\t[app/, app0)\n\tone\n' +
        'KV Write:\n\t[app/, app0)\n\t[z, <open ended>\n',
    );
    expect(await succeed('role', 'get', 'app', '-w', 'plain')).toBe(
      'READ\t[a, c)\nREADWRITE\t[app/, app0)\nREAD\tone\nWRITE\t[z, <open ended>\n',
    );

    await succeed('role', 'revoke-permission', 'app', 'z', '--from-key');
    expect(server.member.authTable.role('app')).toHaveLength(3);
    expect(await succeed('role', 'delete', 'app')).toBe('Role app deleted\n');
    expect(await succeed('role', 'list')).toBe('');
  });

  test.each([
    ['grant-permission', 'app', 'all', 'a'],
    ['grant-permission', 'app', 'read', 'a', 'b', '--prefix'],
    ['revoke-permission', 'app', 'a', '--prefix', '--from-key'],
  ])('%s %s %s %s %s %s is refused before anything is sent', async (...argv) => {
    expect(await holdfast('role', ...argv)).toMatchObject({ exitCode: 2, stdout: '' });
    expect(server.member.asked).toEqual([]);
  });
});

describe('auth', () => {
  beforeEach(async () => {
    // Switching it on gives root its role.
    await succeed('user', 'add', 'root:pw');
  });

  test('is switched on, and then every command says who asks', async () => {
    expect(await succeed('auth', 'enable')).toBe('Authentication Enabled\n');
    expect(await succeed('auth', 'status', '-w', 'plain')).toBe('true\n');

    expect(await holdfast('user', 'list')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('user name is empty') as string,
    });
    expect(await succeed('--user', 'root:pw', 'user', 'list')).toBe('root\n');
    expect(await succeed('user', 'list', '--user', 'root', '--password', 'pw')).toBe('root\n');
    expect(await succeed('auth', 'disable', '--user=root:pw')).toBe('Authentication Disabled\n');
  });

  test('a wrong password is told, and not repeated', async () => {
    await succeed('auth', 'enable');

    const { exitCode, stderr } = await holdfast('--user', 'root:hush', 'user', 'list');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('authentication failed, invalid user ID or password');
    expect(stderr).not.toContain('hush');
  });

  test('while it is off, a name does no harm', async () => {
    expect(await succeed('--user', 'root:pw', 'user', 'list')).toBe('root\n');
  });

  test.each([
    [['--user', 'root'], /--user: needs a password/],
    [['--password', 'pw'], /--password: needs --user/],
  ])('%j is refused', async (argv, problem) => {
    const { exitCode, stderr } = await holdfast(...argv, 'user', 'list');

    expect(exitCode).toBe(2);
    expect(stderr).toMatch(problem);
  });
});
