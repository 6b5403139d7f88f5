/**
 * By which files and as whom a command reaches members: flags, variables, and a password that is
 * typed when only a name was given.
 */
import type { Command } from 'commander';
import type { NamedFile } from '../../tls/index.ts';
import { ExitError } from '../exit.ts';
import type { AccessFiles } from './access-files.ts';
import { readPassword } from './password-input.ts';
import type { Account } from './sign-in.ts';

/** As they come from the command line. */
export interface RawAccessOptions {
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly user?: string;
  readonly password?: string;
}

/** See the module comment. */
export interface AccessOptions {
  readonly files: AccessFiles;
  readonly account: Account | undefined;
}

/** Names of the values, as commander has them. */
export const accessNames = ['cacert', 'cert', 'key', 'user', 'password'] as const;

/**
 * Adds the options. A command that gets a name without a password asks for it at a terminal, before
 * it begins.
 */
export function addAccessOptions(command: Command): Command {
  return command
    .option('--cacert <file>', 'CAs of the members, PEM; asks for TLS (default $HOLDFAST_CACERT)')
    .option('--cert <file>', 'certificate to show to members, PEM (default $HOLDFAST_CERT)')
    .option('--key <file>', 'its private key, PEM (default $HOLDFAST_KEY)')
    .option('--user <name[:password]>', 'who asks (default $HOLDFAST_USER)')
    .option(
      '--password <password>',
      'of --user, which then is the name alone (default $HOLDFAST_PASSWORD, or asks for it)',
    )
    .hook('preAction', (_command, action) => askForPassword(action));
}

/**
 * The values of `raw` before those of the environment.
 *
 * @throws {ExitError} 2 — there is a name without a password, or a password without a name
 */
export function accessOf(raw: RawAccessOptions): AccessOptions {
  return {
    files: {
      ca: fileOf('--cacert', raw.cacert, 'HOLDFAST_CACERT'),
      cert: fileOf('--cert', raw.cert, 'HOLDFAST_CERT'),
      key: fileOf('--key', raw.key, 'HOLDFAST_KEY'),
    },
    account: accountOf(raw),
  };
}

/** The values that a command was given, its own before those in front of it. */
export function valuesOf(command: Command | null): RawAccessOptions {
  return command === null ? {} : { ...valuesOf(command.parent), ...command.opts() };
}

/**
 * Whom a command acts for, if it was told. What stands on a command line others may see; what
 * stands in a variable not.
 */
function accountOf(raw: RawAccessOptions): Account | undefined {
  const { name, password, where } = givenOf(raw);
  if (name === '') {
    if (raw.password !== undefined) {
      throw new ExitError(2, 'holdfast: --password: needs --user beside it');
    }
    return undefined;
  }
  if (password === undefined) {
    throw new ExitError(
      2,
      `holdfast: ${where}: needs a password: NAME:PASSWORD, or put it into HOLDFAST_PASSWORD; ` +
        'at a terminal it is asked for',
    );
  }
  return { name, password };
}

interface Given {
  readonly name: string;
  readonly password: string | undefined;
  /** Where the name stood. */
  readonly where: string;
}

function givenOf({ user, password }: RawAccessOptions): Given {
  const given = user ?? process.env['HOLDFAST_USER'] ?? '';
  const where = user === undefined ? 'HOLDFAST_USER' : '--user';
  const fromEnv = process.env['HOLDFAST_PASSWORD'] ?? '';
  const apart = password ?? (fromEnv === '' ? undefined : fromEnv);
  const colon = given.indexOf(':');
  return apart !== undefined || colon < 0
    ? { name: given, password: apart, where }
    : { name: given.slice(0, colon), password: given.slice(colon + 1), where };
}

/** Nothing is awaited unless somebody has to type. */
function askForPassword(command: Command): Promise<void> | undefined {
  const { name, password } = givenOf(valuesOf(command));
  if (name === '' || password !== undefined || !process.stdin.isTTY) {
    return undefined;
  }
  return readPassword('Password: ').then((typed) => {
    command.setOptionValue('password', typed);
  });
}

/** A file that a flag names, or else a variable. */
function fileOf(flag: string, given: string | undefined, variable: string): NamedFile | undefined {
  const fromEnv = process.env[variable];
  if (given !== undefined) {
    return { where: flag, path: given };
  }
  return fromEnv === undefined || fromEnv === '' ? undefined : { where: variable, path: fromEnv };
}
