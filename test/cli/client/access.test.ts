/** By which files and as whom: flags before variables, and a password that is typed. */
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type AccessOptions,
  accessOf,
  addAccessOptions,
  valuesOf,
} from '../../../src/cli/client/access.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What a command sees on its command line. */
async function accessFor(...argv: string[]): Promise<AccessOptions> {
  let seen: AccessOptions | undefined;
  const program = new Command().exitOverride();
  const command = addAccessOptions(program.command('ask')).action(() => {
    seen = accessOf(valuesOf(command));
  });
  await program.parseAsync(['ask', ...argv], { from: 'user' });
  if (seen === undefined) {
    throw new Error('the command was not run');
  }
  return seen;
}

/** Standard input in a terminal, into which the text is typed; returns what the terminal shows. */
function typeAtTerminal(text: string): () => string {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const before = Object.getOwnPropertyDescriptor(process, 'stdin') ?? {};
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  onTestFinished(() => void Object.defineProperty(process, 'stdin', before));
  let shown = '';
  const show = (shownText: Uint8Array | string): boolean => {
    shown += Buffer.from(shownText as string).toString();
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(show);
  vi.spyOn(process.stdout, 'write').mockImplementation(show);
  stdin.write(text);
  return () => shown;
}

describe('files', () => {
  test('come from flags, or else from variables, and say where they stood', async () => {
    vi.stubEnv('HOLDFAST_CACERT', 'env-ca.pem');
    vi.stubEnv('HOLDFAST_KEY', '');

    expect((await accessFor('--cert', 'me.pem')).files).toEqual({
      ca: { where: 'HOLDFAST_CACERT', path: 'env-ca.pem' },
      cert: { where: '--cert', path: 'me.pem' },
      key: undefined,
    });
    expect((await accessFor('--cacert', 'own.pem')).files.ca?.path).toBe('own.pem');
  });
});

describe('a password', () => {
  test('is asked for at a terminal when there is a name alone, and is not shown', async () => {
    const shown = typeAtTerminal('it is: secret\r');

    expect((await accessFor('--user', 'ann')).account).toEqual({
      name: 'ann',
      password: 'it is: secret',
    });
    expect(shown()).toBe('Password: \n');
  });

  test('is not asked for when it was given, or nobody was named', async () => {
    const shown = typeAtTerminal('');

    expect((await accessFor('--user', 'ann:secret')).account?.password).toBe('secret');
    expect((await accessFor('--user', 'a:b', '--password', 'c')).account?.name).toBe('a:b');
    vi.stubEnv('HOLDFAST_PASSWORD', 'hidden');
    expect((await accessFor('--user', 'ann')).account?.password).toBe('hidden');
    expect((await accessFor()).account).toBeUndefined();
    expect(shown()).toBe('');
  });

  test('that is not typed ends the command with 2', async () => {
    typeAtTerminal('\u0003');

    await expect(accessFor('--user', 'ann')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('no password was given') as unknown,
    });
  });

  test('is wanted from elsewhere where nobody can type it', async () => {
    await expect(accessFor('--user', 'ann')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('put it into HOLDFAST_PASSWORD') as unknown,
    });
    vi.stubEnv('HOLDFAST_USER', 'ann');
    await expect(accessFor()).rejects.toThrow('HOLDFAST_USER: needs a password');
  });

  test('without a name is a mistake', async () => {
    await expect(accessFor('--password', 'x')).rejects.toThrow('needs --user beside it');
  });
});
