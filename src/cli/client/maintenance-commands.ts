/** `alarm list`, `alarm disarm`, `defrag` and `move-leader`. */
import type { Command } from 'commander';
import { ExitError } from '../exit.ts';
import {
  addClusterOption,
  type ClusterOption,
  endpointsOf,
  reportFailures,
} from './cluster-commands.ts';
import { runClient } from './command.ts';
import { Connection } from './connection.ts';
import { exitCodes } from './failure.ts';
import { formatAlarms, formatDefrag, formatMoveLeader } from './member-output.ts';
import { addGroup, addSharedOptions, parseMemberId, timeoutMaxMs } from './options.ts';
import { type AnswerOf, methods } from './requests.ts';

type AlarmAnswer = AnswerOf<typeof methods.maintenance.Alarm>;

/** Adds the commands. */
export function registerMaintenanceCommands(program: Command): Command[] {
  const alarm = addGroup(program, 'alarm', 'list and lift alarms');
  registerAlarmList(alarm);
  registerAlarmDisarm(alarm);
  return [alarm, registerDefrag(program), registerMoveLeader(program)];
}

function registerAlarmList(alarm: Command): void {
  const command = alarm
    .command('list')
    .description('list the alarms')
    .addHelpText(
      'after',
      `
Example:
  holdfast alarm list -w table`,
    );
  addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = 'simple' }) =>
      formatAlarms(await listAlarms(connection, 'alarm list'), format),
    );
  });
}

function registerAlarmDisarm(alarm: Command): void {
  const command = alarm
    .command('disarm')
    .description('lift all alarms; those whose cause is still there come back')
    .addHelpText(
      'after',
      `
Prints the alarms that it has lifted.

Example:
  holdfast alarm disarm`,
    );
  addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const { header, alarms } = await listAlarms(connection, 'alarm disarm');
      let last: AlarmAnswer = { header, alarms: [] };
      const lifted: AlarmAnswer['alarms'] = [];
      for (const { memberID, alarm: type } of alarms) {
        last = await connection.call({
          command: 'alarm disarm',
          purpose: 'write',
          method: methods.maintenance.Alarm,
          request: { action: 'DEACTIVATE', memberID, alarm: type },
        });
        lifted.push(...last.alarms);
      }
      return formatAlarms({ header: last.header, alarms: lifted }, format);
    });
  });
}

async function listAlarms(connection: Connection, command: string): Promise<AlarmAnswer> {
  return connection.call({
    command,
    purpose: 'read',
    method: methods.maintenance.Alarm,
    request: { action: 'GET' },
  });
}

function registerDefrag(program: Command): Command {
  const command = program
    .command('defrag')
    .description('have each endpoint’s member give back the space of removed history')
    .addHelpText(
      'after',
      `
Members serve on meanwhile. Takes as long as it takes, unless --command-timeout is given.

Example:
  holdfast defrag --cluster`,
    );
  return addClusterOption(addSharedOptions(command)).action(async (options: ClusterOption) => {
    const work = async (
      connection: Connection,
      { format = 'simple' }: Parameters<Parameters<typeof runClient>[1]>[1],
    ): Promise<Uint8Array> => {
      const results = await connection.callEach(
        { command: 'defrag', purpose: 'read', method: methods.maintenance.Defragment, request: {} },
        await endpointsOf(connection, 'defrag', options),
      );
      reportFailures('defrag', results);
      return formatDefrag(results, format);
    };
    await runClient(command, work, timeoutMaxMs);
  });
}

function registerMoveLeader(program: Command): Command {
  const command = program
    .command('move-leader')
    .description('hand leadership to another voter')
    .argument('<id>', 'member that is to lead, in hexadecimal', parseMemberId)
    .addHelpText(
      'after',
      `
Any endpoint will do; the leader is found from there.

Example:
  holdfast move-leader 8e9e05c52164`,
    );
  return addSharedOptions(command).action(async (target: string) => {
    await runClient(command, async (connection, { format = 'simple', timeoutMs, dialler }) => {
      const leader = await findLeader(connection);
      const atLeader = new Connection([leader.endpoint], timeoutMs, dialler);
      try {
        const answer = await atLeader.call({
          command: 'move-leader',
          purpose: 'write',
          method: methods.maintenance.MoveLeader,
          request: { targetID: target },
        });
        return formatMoveLeader(answer, { from: leader.id, to: target }, format);
      } finally {
        atLeader.close();
      }
    });
  });
}

/** The leader among the endpoints, or among all members when it is not one of those. */
async function findLeader(
  connection: Connection,
): Promise<{ readonly endpoint: string; readonly id: string }> {
  const command = 'move-leader';
  for (const isCluster of [false, true]) {
    const results = await connection.callEach(
      { command, purpose: 'read', method: methods.maintenance.Status, request: {} },
      await endpointsOf(connection, command, isCluster ? { cluster: true } : {}),
    );
    for (const result of results) {
      const id = result.kind === 'ok' ? result.answer.header?.member_id : undefined;
      if (result.kind === 'ok' && id !== undefined && id === result.answer.leader) {
        return { endpoint: result.endpoint, id };
      }
    }
  }
  throw new ExitError(
    exitCodes.failed,
    'holdfast: move-leader failed: no leader found among the endpoints and the members they ' +
      'list; outcome: rejected: nothing was changed; hint: look at "holdfast status --cluster"',
  );
}
