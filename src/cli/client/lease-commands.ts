/** `lease grant|revoke|keep-alive|timetolive|list`. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { ExitError } from '../exit.ts';
import { print } from '../standard-output.ts';
import { runClient } from './command.ts';
import { Connection } from './connection.ts';
import { exitCodes } from './failure.ts';
import {
  formatGranted,
  formatLeases,
  formatRenewed,
  formatRevoked,
  formatTimeToLive,
  leaseName,
} from './lease-output.ts';
import { addGroup, addSharedOptions, clientOptionsOf } from './options.ts';
import { methods, parseLeaseId } from './requests.ts';
import { renew } from './session.ts';

/** Adds the commands. */
export function registerLeaseCommands(program: Command): Command[] {
  const group = addGroup(program, 'lease', 'grant, renew and revoke leases, and look at them');
  registerGrant(group);
  registerRevoke(group);
  registerKeepAlive(group);
  registerTimeToLive(group);
  registerList(group);
  return [group];
}

function registerGrant(group: Command): void {
  const command = group
    .command('grant')
    .description('begin a lease and print its id')
    .argument('<ttl>', 'seconds that it lasts from its last renewal on', parseTtl)
    .addHelpText(
      'after',
      `
Example:
  holdfast lease grant 60`,
    );
  addSharedOptions(command).action(async (ttl: string) => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        ...{ command: 'lease grant', purpose: 'write', method: methods.lease.LeaseGrant },
        request: { TTL: ttl },
      });
      return formatGranted(answer, format);
    });
  });
}

function registerRevoke(group: Command): void {
  const command = addId(group.command('revoke'))
    .description('end a lease, and delete the keys attached to it')
    .addHelpText(
      'after',
      `
Example:
  holdfast lease revoke 694d81417acd4754`,
    );
  addSharedOptions(command).action(async (id: string) => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        ...{ command: 'lease revoke', purpose: 'write', method: methods.lease.LeaseRevoke },
        request: { ID: id },
      });
      return formatRevoked(answer, id, format);
    });
  });
}

function registerKeepAlive(group: Command): void {
  const command = addId(group.command('keep-alive'))
    .description('renew a lease, again and again until it is stopped')
    .option('--once', 'renew it one time')
    .addHelpText(
      'after',
      `
It renews three times as often as needed, at whatever endpoint answers, and ends when the lease
has.

Example:
  holdfast lease keep-alive 694d81417acd4754`,
    );
  addSharedOptions(command).action(async (id: string, options: { readonly once?: true }) => {
    const { endpoints, dialler, timeoutMs, format = 'simple' } = clientOptionsOf(command);
    for (;;) {
      const connection = new Connection(endpoints, timeoutMs, dialler);
      const answer = await renew('lease keep-alive', connection, id).finally(() => {
        connection.close();
      });
      if (answer.TTL === '0') {
        throw new ExitError(
          exitCodes.failed,
          `holdfast: lease keep-alive: lease ${leaseName(id)} has expired or was revoked`,
        );
      }
      await print(formatRenewed(answer, format));
      if (options.once === true) {
        return;
      }
      await delay((Number(answer.TTL) * 1000) / 3);
    }
  });
}

function registerTimeToLive(group: Command): void {
  const command = addId(group.command('timetolive'))
    .description('print how long a lease still lasts')
    .option('--keys', 'also print the keys attached to it')
    .addHelpText(
      'after',
      `
Example:
  holdfast lease timetolive 694d81417acd4754 --keys`,
    );
  addSharedOptions(command).action(async (id: string, options: { readonly keys?: true }) => {
    const withKeys = options.keys === true;
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        ...{ command: 'lease timetolive', purpose: 'read', method: methods.lease.LeaseTimeToLive },
        request: { ID: id, keys: withKeys },
      });
      return formatTimeToLive(answer, withKeys, format);
    });
  });
}

function registerList(group: Command): void {
  const command = group
    .command('list')
    .description('list the leases, the first to end first')
    .addHelpText(
      'after',
      `
Example:
  holdfast lease list`,
    );
  addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        ...{ command: 'lease list', purpose: 'read', method: methods.lease.LeaseLeases },
        request: {},
      });
      return formatLeases(answer, format);
    });
  });
}

function addId(command: Command): Command {
  return command.argument('<id>', 'lease, in hexadecimal', parseLeaseId);
}

/** Seconds as the wire takes them; how few or many there may be, the member knows. */
function parseTtl(text: string): string {
  if (!/^\d{1,18}$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number of seconds.');
  }
  return text;
}
