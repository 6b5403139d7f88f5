/**
 * `status`, `health` and `members`: what the members say about themselves, each endpoint for
 * itself.
 */
import type { Command } from 'commander';
import { services } from '../../wire/index.ts';
import { runClient } from './command.ts';
import { type CallFailure, exitCodes, exitOf } from './failure.ts';
import { addSharedOptions, type Format, parseOneOf } from './options.ts';
import { formatHealth, formatMembers, formatStatus } from './output.ts';
import { kv } from './requests.ts';

const maintenance = services['etcdserverpb.Maintenance'];
const cluster = services['etcdserverpb.Cluster'];

/** Adds the commands. */
export function registerClusterCommands(program: Command): Command[] {
  return [registerStatus(program), registerHealth(program), registerMembers(program)];
}

function registerStatus(program: Command): Command {
  const command = program
    .command('status')
    .description('what each endpoint’s member says of itself')
    .addHelpText(
      'after',
      `
Example:
  holdfast status --endpoints 127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 -w table`,
    );
  return addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const results = await connection.callEach({
        command: 'status',
        purpose: 'read',
        method: maintenance.Status,
        request: {},
      });
      const failures = results.flatMap((each) => (each.kind === 'failed' ? [each.failure] : []));
      reportFailures('status', results.length, failures);
      return formatStatus(results, format);
    });
  });
}

function registerHealth(program: Command): Command {
  const command = program
    .command('health')
    .description('whether each endpoint answers a linearizable read, and how fast')
    .addHelpText(
      'after',
      `
The exit code is 0 when all are healthy.

Example:
  holdfast health --command-timeout 2s`,
    );
  return addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const results = await connection.callEach({
        command: 'health',
        purpose: 'read',
        method: kv.Range,
        request: { key: Buffer.from('health') },
      });
      if (results.some((each) => each.kind === 'failed')) {
        process.exitCode = exitCodes.failed;
      }
      return formatHealth(results, format);
    });
  });
}

function registerMembers(program: Command): Command {
  const command = program
    .command('members')
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
  return addSharedOptions(command).action(async (options: { readonly consistency?: 'l' | 's' }) => {
    await runClient(command, async (connection, { format = defaultFormat() }) => {
      const answer = await connection.call({
        command: 'members',
        purpose: 'read',
        method: cluster.MemberList,
        request: { linearizable: options.consistency !== 's' },
      });
      return formatMembers(answer, format);
    });
  });
}

/** One line for each endpoint that has not answered; the others are printed all the same. */
function reportFailures(command: string, asked: number, failures: readonly CallFailure[]): void {
  for (const failure of failures) {
    const { message, exitCode } = exitOf(command, 'read', [failure]);
    process.stderr.write(`${message}\n`);
    process.exitCode = failures.length === asked ? exitCode : exitCodes.failed;
  }
}

/** People get a table. */
function defaultFormat(): Format {
  return process.stdout.isTTY ? 'table' : 'simple';
}
