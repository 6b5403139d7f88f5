/** `auth`, `user` and `role`: who may do what, as with etcdctl. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { prefixEnd } from '../../base/index.ts';
import {
  formatAuthStatus,
  formatDone,
  formatNames,
  formatRole,
  formatUser,
} from './auth-output.ts';
import { runClient } from './command.ts';
import type { Connection, Method } from './connection.ts';
import { CallError, type CallFailure } from './failure.ts';
import { addGroup, addSharedOptions, type Format, usageError } from './options.ts';
import { readPassword } from './password-input.ts';
import { type AnswerOf, methods } from './requests.ts';

type DoneAnswer = AnswerOf<typeof methods.auth.AuthEnable>;

/** Adds the commands. */
export function registerAuthCommands(program: Command): Command[] {
  return [registerAuth(program), registerUser(program), registerRole(program)];
}

function registerAuth(program: Command): Command {
  const auth = addGroup(program, 'auth', 'ask everybody who they are, or nobody');
  registerChange(auth, {
    usage: 'enable',
    description: 'ask everybody from now on; a user "root" with the role "root" must be there',
    call: enable,
  });
  registerChange(auth, {
    usage: 'disable',
    description: 'ask nobody any more',
    call: async (ask) => ask(methods.auth.AuthDisable, {}, 'Authentication Disabled'),
  });
  registerLook(auth, 'status', 'whether everybody is asked', async (ask, _name, format) =>
    formatAuthStatus(await ask(methods.auth.AuthStatus, {}), format),
  );
  return auth;
}

/** As with etcdctl, the user `root` is given its role where it has not got it. */
async function enable(ask: Change): Promise<Uint8Array> {
  const attempt = async (): Promise<Uint8Array> =>
    ask(methods.auth.AuthEnable, {}, 'Authentication Enabled');
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof CallError) || !error.failures.some(isWithoutRole)) {
      throw error;
    }
    await ask(methods.auth.UserGrantRole, { user: 'root', role: 'root' }, '');
    return attempt();
  }
}

function isWithoutRole({ message }: CallFailure): boolean {
  return message.includes('root user does not have root role');
}

interface PasswordOptions {
  readonly newUserPassword?: string;
  readonly hasPassword: boolean;
}

function registerUser(program: Command): Command {
  const user = addGroup(program, 'user', 'list and change users');
  registerUserAdd(user);
  registerChange(user, {
    usage: 'delete <user>',
    description: 'delete a user; its tokens end at once',
    call: async (ask, [name = '']) =>
      ask(methods.auth.UserDelete, { name }, `User ${name} deleted`),
  });
  registerChange(user, {
    usage: 'passwd <user>',
    description: 'change a password, which is asked for, or read from standard input',
    call: async (ask, [name = '']) => {
      const password = await readPassword(`New password of ${name}: `);
      return ask(methods.auth.UserChangePassword, { name, password }, 'Password updated');
    },
  });
  registerChange(user, {
    usage: 'grant-role <user> <role>',
    description: 'give a user a role',
    call: async (ask, [name = '', role = '']) =>
      ask(
        methods.auth.UserGrantRole,
        { user: name, role },
        `Role ${role} is granted to user ${name}`,
      ),
  });
  registerChange(user, {
    usage: 'revoke-role <user> <role>',
    description: 'take a role from a user',
    call: async (ask, [name = '', role = '']) =>
      ask(methods.auth.UserRevokeRole, { name, role }, `Role ${role} is revoked from user ${name}`),
  });
  registerLook(user, 'get <user>', 'the roles of a user', async (ask, name, format) =>
    formatUser(await ask(methods.auth.UserGet, { name }), name, format),
  );
  registerLook(user, 'list', 'the names of all users', async (ask, _name, format) => {
    const answer = await ask(methods.auth.UserList, {});
    return formatNames(answer, 'users', answer.users, format);
  });
  return user;
}

function registerUserAdd(user: Command): void {
  const command = user
    .command('add')
    .description('add a user; its password is asked for, or read from standard input')
    .argument('<user>', 'name, or NAME:PASSWORD, which others may see on the command line')
    .addOption(withoutPassword())
    .option('--new-user-password <password>', 'others may see it on the command line')
    .addHelpText(
      'after',
      `
Example:
  holdfast user add ann < password-file`,
    );
  addSharedOptions(command).action(async (given: string, options: PasswordOptions) => {
    const colon = given.indexOf(':');
    const name = colon < 0 ? given : given.slice(0, colon);
    const { hasPassword, newUserPassword } = options;
    const inName = colon < 0 ? undefined : given.slice(colon + 1);
    if (!hasPassword && (inName ?? newUserPassword) !== undefined) {
      throw usageError('user add', 'a password and --no-password exclude each other');
    }
    const password = hasPassword
      ? (inName ?? newUserPassword ?? (await readPassword(`Password of ${name}: `)))
      : '';
    await runClient(command, async (connection, { format = 'simple' }) => {
      const ask = asker(connection, 'user add', 'write');
      const request = { name, password, options: { no_password: !hasPassword } };
      return formatDone(await ask(methods.auth.UserAdd, request), `User ${name} created`, format);
    });
  });
}

/** `--no-password`, which is not the opposite of the `--password` of whoever asks. */
function withoutPassword(): Option {
  const option = new Option('--no-password', 'one that cannot sign in');
  option.attributeName = () => 'hasPassword';
  return option;
}

function registerRole(program: Command): Command {
  const role = addGroup(program, 'role', 'list and change roles');
  registerChange(role, {
    usage: 'add <role>',
    description: 'add a role; it permits nothing yet',
    call: async (ask, [name = '']) => ask(methods.auth.RoleAdd, { name }, `Role ${name} created`),
  });
  registerChange(role, {
    usage: 'delete <role>',
    description: 'delete a role; whoever has it loses it',
    call: async (ask, [name = '']) =>
      ask(methods.auth.RoleDelete, { role: name }, `Role ${name} deleted`),
  });
  registerKeys(role, {
    name: 'grant-permission',
    description: 'let a role read, write or readwrite a key or a range',
    types: true,
    call: async (ask, { role: name, type, key, rangeEnd }) => {
      const perm = { permType: type, key: Buffer.from(key), range_end: rangeEnd };
      return ask(methods.auth.RoleGrantPermission, { name, perm }, `Role ${name} updated`);
    },
  });
  registerKeys(role, {
    name: 'revoke-permission',
    description: 'take such a permission back; keys are named as when it was granted',
    types: false,
    call: async (ask, { role: name, key, rangeEnd }) =>
      ask(
        methods.auth.RoleRevokePermission,
        { role: name, key: Buffer.from(key), range_end: rangeEnd },
        `Permission of key ${key} is revoked from role ${name}`,
      ),
  });
  registerLook(role, 'get <role>', 'what a role permits', async (ask, name, format) =>
    formatRole(await ask(methods.auth.RoleGet, { role: name }), name, format),
  );
  registerLook(role, 'list', 'the names of all roles', async (ask, _name, format) => {
    const answer = await ask(methods.auth.RoleList, {});
    return formatNames(answer, 'roles', answer.roles, format);
  });
  return role;
}

/** Asks for a change; the answer in words is `done`. */
type Change = <Request>(
  method: Method<Request, DoneAnswer>,
  request: Request,
  done: string,
) => Promise<Uint8Array>;

/** Asks for something. */
type Ask = <Request, Answer>(method: Method<Request, Answer>, request: Request) => Promise<Answer>;

function asker(connection: Connection, command: string, purpose: 'read' | 'write'): Ask {
  return async (method, request) => connection.call({ command, purpose, method, request });
}

function changer(connection: Connection, command: string, format: Format): Change {
  const ask = asker(connection, command, 'write');
  return async (method, request, done) => formatDone(await ask(method, request), done, format);
}

interface ChangeCommand {
  /** Its name and arguments, as commander reads them. */
  readonly usage: string;
  readonly description: string;
  readonly call: (ask: Change, args: readonly string[]) => Promise<Uint8Array>;
}

function registerChange(group: Command, { usage, description, call }: ChangeCommand): void {
  const command = group.command(usage).description(description);
  addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const name = `${group.name()} ${command.name()}`;
      return call(changer(connection, name, format), command.args);
    });
  });
}

function registerLook(
  group: Command,
  usage: string,
  description: string,
  call: (ask: Ask, name: string, format: Format) => Promise<Uint8Array>,
): void {
  const command = group.command(usage).description(description);
  addSharedOptions(command).action(async () => {
    await runClient(command, async (connection, { format = 'simple' }) => {
      const ask = asker(connection, `${group.name()} ${command.name()}`, 'read');
      return call(ask, command.args[0] ?? '', format);
    });
  });
}

const permissionTypes = { read: 'READ', write: 'WRITE', readwrite: 'READWRITE' } as const;
type PermissionType = (typeof permissionTypes)[keyof typeof permissionTypes];

interface KeysCommand {
  readonly name: string;
  readonly description: string;
  /** Whether it says what may be done with the keys. */
  readonly types: boolean;
  readonly call: (
    ask: Change,
    asked: {
      readonly role: string;
      readonly type: PermissionType;
      readonly key: string;
      readonly rangeEnd: Uint8Array;
    },
  ) => Promise<Uint8Array>;
}

interface KeysOptions {
  readonly prefix?: true;
  readonly fromKey?: true;
}

function registerKeys(role: Command, { name, description, types, call }: KeysCommand): void {
  const command = role.command(name).description(description).argument('<role>', 'the role');
  if (types) {
    command.argument('<type>', 'read, write or readwrite', parsePermissionType);
  }
  command
    .argument('<key>', 'a key, or where a range begins')
    .argument('[end]', 'where the range ends; that key is not in it')
    .option('--prefix', 'all keys that begin with the key')
    .option('--from-key', 'all keys from the key on');
  addSharedOptions(command).action(async () => {
    const [roleName = '', ...others] = command.processedArgs as readonly (string | undefined)[];
    const type = (types ? others.shift() : 'READ') as PermissionType;
    const [key = '', end] = others;
    const rangeEnd = rangeEndOf(`role ${name}`, key, end, command.opts<KeysOptions>());
    await runClient(command, async (connection, { format = 'simple' }) =>
      call(changer(connection, `role ${name}`, format), { role: roleName, type, key, rangeEnd }),
    );
  });
}

/** Where a range ends, as on the wire: empty of a single key, a zero byte of one without end. */
function rangeEndOf(
  command: string,
  key: string,
  end: string | undefined,
  { prefix, fromKey }: KeysOptions,
): Uint8Array {
  if ([end, prefix, fromKey].filter((each) => each !== undefined).length > 1) {
    throw usageError(command, 'an end, --prefix and --from-key exclude each other');
  }
  if (fromKey !== true && prefix !== true) {
    return Buffer.from(end ?? '');
  }
  return (fromKey === true ? undefined : prefixEnd(Buffer.from(key))) ?? Uint8Array.of(0);
}

function parsePermissionType(text: string): PermissionType {
  const type = (permissionTypes as Readonly<Partial<Record<string, PermissionType>>>)[text];
  if (type === undefined) {
    throw new InvalidArgumentError('It must be read, write or readwrite.');
  }
  return type;
}
