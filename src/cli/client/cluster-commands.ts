/**
 * `status`, `health`, `hashkv` and `members`: what the members say about themselves, each endpoint
 * for itself. Also under etcdctl's names: `endpoint status`, `member list` and so on.
 */
import type { Command } from 'commander';
import { runClient } from './command.ts';
import type { CallResult, Connection } from './connection.ts';
import { type CallFailure, exitCodes, exitOf } from './failure.ts';
import { formatHashKv } from './member-output.ts';
import {
  addGroup,
  addSharedOptions,
  type Format,
  parseCount,
  parseOneOf,
  timeoutMaxMs,
} from './options.ts';
import { formatHealth, formatMembers, formatStatus } from './output.ts';
import { methods } from './requests.ts';
import { addressOf, serverUrlOf } from '../host-port.ts';

/** An option of commands that ask every endpoint for itself. */
export interface ClusterOption {
  readonly cluster?: true;
}

/** Adds the commands. */
export function registerClusterCommands(program: Command): Command[] {
  const endpoint = addGroup(program, 'endpoint', 'what each endpoint’s member says, as etcdctl');
  for (const parent of [endpoint, program]) {
    registerStatus(parent);
    registerHealth(parent);
    registerHashKv(parent);
  }
  registerMembers(program, 'members');
  const names = ['endpoint', 'status', 'health', 'hashkv', 'members'];
  return program.commands.filter((command) => names.includes(command.name()));
}

/** Adds `--cluster`. */
export function addClusterOption(command: Command): Command {
  return command.option('--cluster', 'ask all members of the cluster, as an endpoint lists them');
}

/** The endpoints given, or those of all members. */
export async function endpointsOf(
  connection: Connection,
  command: string,
  { cluster: isCluster }: ClusterOption,
): Promise<readonly string[]> {
  if (isCluster !== true) {
    return connection.endpoints;
  }
  const { members } = await connection.call({
    command,
    purpose: 'read',
    method: methods.cluster.MemberList,
    request: {},
  });
  return members.flatMap(({ clientURLs }) =>
    clientURLs.map((url) => {
      const place = serverUrlOf(url);
      return place === undefined || place.isSecure ? url : addressOf(place);
    }),
  );
}

function registerStatus(parent: Command): void {
  const command = parent
    .command('status')
    .description('what each endpoint’s member says of itself')
    .addHelpText(
      'after',
      `
Example:
  holdfast status --endpoints 127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 -w table`,
    );
  addClusterOption(addSharedOptions(command)).action(async (options: ClusterOption) => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const endpoints = await endpointsOf(connection, 'status', options);
      const results = await connection.callEach(
        { command: 'status', purpose: 'read', method: methods.maintenance.Status, request: {} },
        endpoints,
      );
      reportFailures('status', results);
      return formatStatus(results, format);
    });
  });
}

function registerHealth(parent: Command): void {
  const command = parent
    .command('health')
    .description('whether each endpoint answers a linearizable read, and how fast')
    .addHelpText(
      'after',
      `
The exit code is 0 when all are healthy.

Example:
  holdfast health --command-timeout 2s`,
    );
  addClusterOption(addSharedOptions(command)).action(async (options: ClusterOption) => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const request = { key: Buffer.from('health') };
      const results = await connection.callEach(
        { command: 'health', purpose: 'read', method: methods.kv.Range, request },
        await endpointsOf(connection, 'health', options),
      );
      if (results.some((each) => each.kind === 'failed')) {
        process.exitCode = exitCodes.failed;
      }
      return formatHealth(results, format);
    });
  });
}

function registerHashKv(parent: Command): void {
  const command = parent
    .command('hashkv')
    .description('a hash of each endpoint’s keys and values, equal on equal members')
    .option('--rev <revision>', 'of the keyspace as it was at this revision; 0 is now', parseCount)
    .addHelpText(
      'after',
      `
Takes as long as it takes, unless --command-timeout is given.

Example:
  holdfast hashkv --cluster --rev 1234 -w table`,
    );
  addClusterOption(addSharedOptions(command)).action(
    async (options: ClusterOption & { readonly rev?: number }) => {
      const work = async (
        connection: Connection,
        { format = defaultFormat() }: { readonly format: Format | undefined },
      ): Promise<Uint8Array> => {
        const request = { revision: options.rev ?? 0 };
        const results = await connection.callEach(
          { command: 'hashkv', purpose: 'read', method: methods.maintenance.HashKV, request },
          await endpointsOf(connection, 'hashkv', options),
        );
        reportFailures('hashkv', results);
        return formatHashKv(results, format);
      };
      await runClient(command, work, timeoutMaxMs);
    },
  );
}

/** Adds a command that lists the members, under this name. */
export function registerMembers(parent: Command, name: string): void {
  const command = parent
    .command(name)
    .description('the members of the cluster')
    .option(
      '--consistency <level>',
      'l: as the cluster agrees, or s: as the member asked knows them (default l)',
      parseOneOf(['l', 's']),
    )
    .addHelpText(
      'after',
      `
Example:
  holdfast members -w table`,
    );
  addSharedOptions(command).action(async (options: { readonly consistency?: 'l' | 's' }) => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const answer = await connection.call({
        command: 'members',
        purpose: 'read',
        method: methods.cluster.MemberList,
        request: { linearizable: options.consistency !== 's' },
      });
      return formatMembers(answer, format);
    });
  });
}

/** One line for each endpoint that has not answered; the others are printed all the same. */
export function reportFailures(command: string, results: readonly CallResult<unknown>[]): void {
  const failures = results.flatMap((each): CallFailure[] =>
    each.kind === 'failed' ? [each.failure] : [],
  );
  for (const failure of failures) {
    const { message, exitCode } = exitOf(command, 'read', [failure]);
    process.stderr.write(`${message}\n`);
    process.exitCode = failures.length === results.length ? exitCode : exitCodes.failed;
  }
}

/** People get a table. */
function defaultFormat(): Format {
  return process.stdout.isTTY ? 'table' : 'simple';
}
