/**
 * What all client commands take: which endpoints, how long, in which form to print; and the checks
 * of arguments.
 *
 * Everything is checked before anything is sent; what is wrong ends the command with exit code 2.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ExitError } from '../exit.ts';
import { serverUrlOf, urlForm } from '../host-port.ts';
import {
  accessNames,
  accessOf,
  addAccessOptions,
  type RawAccessOptions,
  valuesOf,
} from './access.ts';
import { Dialler } from './dialler.ts';
import { SignIn } from './sign-in.ts';

/** Forms of output, see `docs/cli.md`. */
const formats = ['simple', 'json', 'table', 'fields', 'plain'] as const;

/** A form of output. */
export type Format = (typeof formats)[number];

/** The settings of a client command, checked. */
export interface ClientOptions {
  /** `[https://]host:port` of each, without repetition, in the order given. */
  readonly endpoints: readonly string[];
  /** How they are reached. */
  readonly dialler: Dialler;
  /** How long the command may take once it has its input, milliseconds. */
  readonly timeoutMs: number;
  /** Undefined when none was asked for: each command has its default. */
  readonly format: Format | undefined;
}

/** As they come from the command line. */
interface RawClientOptions extends RawAccessOptions {
  readonly endpoints?: string;
  readonly commandTimeout?: number;
  readonly writeOut?: Format;
  readonly insecureSkipTlsVerify?: true;
}

const defaultEndpoints = '127.0.0.1:2379';
const defaultTimeoutMs = 5000;
/** The longest that a command may be told to wait; in effect no limit. */
export const timeoutMaxMs = 24 * 60 * 60 * 1000;
const msByUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const sharedNames = [
  ...['endpoints', 'commandTimeout', 'writeOut'],
  ...['insecureSkipTlsVerify', ...accessNames],
];

/**
 * Adds the options that all client commands share; given before the command's name they count as
 * well.
 */
export function addSharedOptions(command: Command): Command {
  return addAccessOptions(command)
    .addOption(
      new Option(
        '--endpoints <list>',
        `members to ask, HOST:PORT,… (default $HOLDFAST_ENDPOINTS or ${defaultEndpoints})`,
      ),
    )
    .addOption(
      new Option(
        '--command-timeout <duration>',
        'give up after, as in 500ms, 5s, 1m (default 5s)',
      ).argParser(parseDuration),
    )
    .option(
      '-w, --write-out <format>',
      'form of the output: simple, json, table, fields or plain',
      // As with etcdctl, `-w=json` is `-w json`.
      (text) => parseOneOf(formats)(text.replace(/^=/, '')),
    )
    .option(
      '--insecure-skip-tls-verify',
      'take any certificate of a member: anybody may listen in',
    );
}

/**
 * Lets `holdfast --endpoints=… get key` mean `holdfast get --endpoints=… key`, as with etcdctl, and
 * refuses it for commands that are no clients.
 */
export function addSharedOptionsInFront(program: Command, clients: readonly Command[]): void {
  addSharedOptions(program).enablePositionalOptions();
  program.hook('preSubcommand', (_program, command) => {
    const given = sharedNames.find((name) => program.getOptionValueSource(name) === 'cli');
    if (given !== undefined && !clients.includes(command)) {
      throw usageError(
        command.name(),
        'takes none of the options of client commands, as --endpoints',
      );
    }
  });
}

/**
 * Adds a command that only holds others, as `member` holds `member add`. The shared options may
 * stand after its name too.
 */
export function addGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(description).enablePositionalOptions();
  return addSharedOptions(group);
}

/**
 * The shared settings of `command`: its own before those in front of it before the environment;
 * `timeoutMs` is for a command that is not given any.
 *
 * @throws {ExitError} an endpoint is none
 */
export function clientOptionsOf(command: Command, timeoutMs = defaultTimeoutMs): ClientOptions {
  const raw: RawClientOptions = valuesOf(command);
  const fromEnv = process.env['HOLDFAST_ENDPOINTS'];
  const isFromEnv = raw.endpoints === undefined && fromEnv !== undefined && fromEnv !== '';
  const endpoints = parseEndpoints(
    raw.endpoints ?? (isFromEnv ? fromEnv : defaultEndpoints),
    isFromEnv ? 'HOLDFAST_ENDPOINTS' : '--endpoints',
  );
  const { files, account } = accessOf(raw);
  return {
    endpoints,
    dialler: new Dialler(
      { ...files, skipsVerification: raw.insecureSkipTlsVerify === true },
      endpoints,
      new SignIn(account),
    ),
    timeoutMs: raw.commandTimeout ?? timeoutMs,
    format: raw.writeOut,
  };
}

/** Wrong usage of a command: nothing was sent. */
export function usageError(command: string, problem: string): ExitError {
  return new ExitError(2, `holdfast: ${command}: ${problem}`);
}

/**
 * Endpoints of a comma-separated list, as gRPC takes them; `where` names the list in messages.
 *
 * @throws {ExitError} one is not `[http[s]://]HOST:PORT`, or none is there
 */
function parseEndpoints(text: string, where: string): readonly string[] {
  const endpoints = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseEndpoint(part, where));
  if (endpoints.length === 0) {
    throw new ExitError(2, `holdfast: ${where}: must name at least one endpoint, HOST:PORT`);
  }
  return [...new Set(endpoints)];
}

function parseEndpoint(text: string, where: string): string {
  const [, scheme = '', host = '', port = ''] =
    /^(https?:\/\/)?(\[[0-9a-f:.]+\]|[^/:[\]\s@?#]+):(\d{1,5})\/?$/i.exec(text) ?? [];
  if (host === '' || Number(port) < 1 || Number(port) > 65_535) {
    throw new ExitError(
      2,
      `holdfast: ${where}: "${text}" must be HOST:PORT, as in ${defaultEndpoints}`,
    );
  }
  const prefix = scheme.toLowerCase() === 'https://' ? 'https://' : '';
  return `${prefix}${host}:${Number(port)}`;
}

/**
 * Milliseconds of a duration as Go writes it: `500ms`, `5s`, `1m30s`.
 *
 * @throws {InvalidArgumentError} it is none, or not between 1 ms and 24 h
 */
export function parseDuration(text: string): number {
  const hint = 'It must be a duration with its unit, from 1ms to 24h, as in 500ms, 5s, 1m.';
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    throw new InvalidArgumentError(hint);
  }
  let sumMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    sumMs += Number(amount) * (msByUnit[unit] ?? 0);
  }
  if (sumMs < 1 || sumMs > timeoutMaxMs) {
    throw new InvalidArgumentError(hint);
  }
  return Math.round(sumMs);
}

/**
 * A whole number that is not negative.
 *
 * @throws {InvalidArgumentError}
 */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  }
  return count;
}

/**
 * Seconds that a lease lasts.
 *
 * @throws {InvalidArgumentError}
 */
export function parseTtlSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,9}$/.test(text) || seconds < 1) {
    throw new InvalidArgumentError('It must be a whole number of seconds, 1 or more.');
  }
  return seconds;
}

/**
 * The id of a member in decimal, as the wire takes it, from hexadecimal.
 *
 * @throws {InvalidArgumentError}
 */
export function parseMemberId(text: string): string {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) {
    throw new InvalidArgumentError('It must be the id of a member, in hexadecimal.');
  }
  return BigInt(`0x${text}`).toString();
}

/**
 * Peer URLs of a comma-separated list.
 *
 * @throws {InvalidArgumentError} one is not of the form, or none is there
 */
export function parsePeerUrls(text: string): readonly string[] {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (urls.length === 0 || urls.some((url) => serverUrlOf(url) === undefined)) {
    throw new InvalidArgumentError(`It must be ${urlForm}, several with commas between.`);
  }
  return urls;
}

/** Parser of an option that takes one of `values`, in capitals or not. */
export function parseOneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value.toUpperCase() === text.toUpperCase());
    if (found === undefined) {
      throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.`);
    }
    return found;
  };
}
