/** `member add remove update list promote demote replace`: who belongs to the cluster. */
import { type Command, InvalidArgumentError } from 'commander';
import { registerMembers } from './cluster-commands.ts';
import { runClient } from './command.ts';
import type { Method } from './connection.ts';
import { formatAdded, formatChanged } from './member-output.ts';
import { addGroup, addSharedOptions, parseMemberId, parsePeerUrls, usageError } from './options.ts';
import { type AnswerOf, methods } from './requests.ts';

interface NewMemberOptions {
  readonly peerUrls: readonly string[];
  readonly learner?: true;
  readonly autoPromote?: true;
}

/** Adds the commands. */
export function registerMemberCommands(program: Command): Command[] {
  const member = addGroup(program, 'member', 'list and change the members of the cluster');
  registerAdd(member);
  registerRemove(member);
  registerUpdate(member);
  registerMembers(member, 'list');
  registerPromote(member);
  registerDemote(member);
  registerReplace(member);
  return [member];
}

function registerAdd(member: Command): void {
  const command = describeNewMember(
    member
      .command('add')
      .description('add a member; start it afterwards, with an empty data directory')
      .argument('<name>', 'name that the new member will be started with', parseName),
  ).addHelpText(
    'after',
    `
Prints the settings that the new member is to be started with. Add it as a learner first: a voter
that is not up counts against the majority.

Example:
  holdfast member add n4 --peer-urls http://10.0.0.4:2380 --learner --auto-promote`,
  );
  addSharedOptions(command).action(async (name: string, options: NewMemberOptions) => {
    const isLearner = isLearnerOf('member add', options);
    const { peerUrls } = options;
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        command: 'member add',
        purpose: 'write',
        method: methods.cluster.MemberAdd,
        request: {
          peerURLs: [...peerUrls],
          isLearner,
          holdfastAutoPromote: options.autoPromote === true,
        },
      });
      return formatAdded(answer, { name, peerUrls }, format);
    });
  });
}

function registerReplace(member: Command): void {
  const command = describeNewMember(
    member
      .command('replace')
      .description('remove a member and add another in its place, as one change')
      .argument('<id>', 'member that goes, in hexadecimal', parseMemberId)
      .argument('<name>', 'name that the new member will be started with', parseName),
  ).addHelpText(
    'after',
    `
Prints the settings that the new member is to be started with. etcd has no such call.

Example:
  holdfast member replace 8e9e05c52164 n4 --peer-urls http://10.0.0.4:2380`,
  );
  addSharedOptions(command).action(async (id: string, name: string, options: NewMemberOptions) => {
    const isLearner = isLearnerOf('member replace', options);
    const { peerUrls } = options;
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        command: 'member replace',
        purpose: 'write',
        method: methods.admin.MemberReplace,
        request: {
          id,
          peer_urls: [...peerUrls],
          is_learner: isLearner,
          auto_promote: options.autoPromote === true,
        },
      });
      return formatAdded(answer, { name, peerUrls, replaced: id }, format);
    });
  });
}

function registerRemove(member: Command): void {
  registerChange(member, {
    name: 'remove',
    description: 'remove a member; it cannot come back under this id',
    method: methods.cluster.MemberRemove,
    requestOf: (id) => ({ ID: id }),
    done: 'removed from',
  });
}

function registerPromote(member: Command): void {
  registerChange(member, {
    name: 'promote',
    description: 'make a learner that has caught up a voter',
    method: methods.cluster.MemberPromote,
    requestOf: (id) => ({ ID: id }),
    done: 'promoted in',
  });
}

function registerDemote(member: Command): void {
  registerChange(member, {
    name: 'demote',
    description: 'make a voter a learner: it keeps its data and stops counting (not in etcd)',
    method: methods.admin.MemberDemote,
    requestOf: (id) => ({ id }),
    done: 'demoted in',
  });
}

function registerUpdate(member: Command): void {
  const command = member
    .command('update')
    .description('change where the other members reach one')
    .argument('<id>', 'member, in hexadecimal', parseMemberId)
    .requiredOption('--peer-urls <list>', 'where, http[s]://HOST:PORT,…', parsePeerUrls)
    .addHelpText(
      'after',
      `
Example:
  holdfast member update 8e9e05c52164 --peer-urls http://10.0.0.5:2380`,
    );
  addSharedOptions(command).action(
    async (id: string, options: { readonly peerUrls: readonly string[] }) => {
      await runClient(command, async (connection, { format = 'simple' }) => {
        const answer = await connection.call({
          command: 'member update',
          purpose: 'write',
          method: methods.cluster.MemberUpdate,
          request: { ID: id, peerURLs: [...options.peerUrls] },
        });
        return formatChanged(answer, id, 'updated in', format);
      });
    },
  );
}

/** A command that takes an id and nothing else. */
interface Change<Request> {
  readonly name: string;
  readonly description: string;
  readonly method: Method<Request, AnswerOf<typeof methods.cluster.MemberRemove>>;
  readonly requestOf: (id: string) => Request;
  readonly done: string;
}

function registerChange<Request>(member: Command, change: Change<Request>): void {
  const command = member
    .command(change.name)
    .description(change.description)
    .argument('<id>', 'member, in hexadecimal', parseMemberId)
    .addHelpText(
      'after',
      `
Example:
  holdfast member ${change.name} 8e9e05c52164`,
    );
  addSharedOptions(command).action(async (id: string) => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const answer = await connection.call({
        command: `member ${change.name}`,
        purpose: 'write',
        method: change.method,
        request: change.requestOf(id),
      });
      return formatChanged(answer, id, change.done, format);
    });
  });
}

function describeNewMember(command: Command): Command {
  return command
    .requiredOption(
      '--peer-urls <list>',
      'where it is reached, http[s]://HOST:PORT,…',
      parsePeerUrls,
    )
    .option('--learner', 'add it as a learner, which does not vote')
    .option('--auto-promote', 'with --learner: make it a voter as soon as it has caught up');
}

function isLearnerOf(command: string, { learner, autoPromote }: NewMemberOptions): boolean {
  if (autoPromote === true && learner !== true) {
    throw usageError(command, '--auto-promote is for a learner: say --learner too');
  }
  return learner === true;
}

function parseName(text: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(text)) {
    const hint = /^https?:/.test(text) ? ' Did you mean --peer-urls?' : '';
    throw new InvalidArgumentError(`It must be letters, digits, ".", "_" or "-".${hint}`);
  }
  return text;
}
