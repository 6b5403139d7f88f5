/**
 * `etcdserverpb.Auth`: users, roles, permissions, signing in. Changes go through the log, and
 * whether they may be made is decided there; what is looked up is linearizable.
 *
 * A password ends here: what goes on is its hash.
 */
import { KvError } from '../base/index.ts';
import type { AuthChange, KeySelector, Permission } from '../kv/index.ts';
import type { CallOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { fromName, toName } from './account-names.ts';
import { toRangeEnd } from './convert.ts';
import { headerOf, type ServiceContext, unary } from './service.ts';

/** Limit: bytes of a password; more is a mistake, and hashing takes it all. */
const passwordBytesMax = 1024;

/** The handlers of the service. */
export function createAuthService(context: ServiceContext): wire.AuthHandlers {
  return {
    ...ofTheSwitch(context),
    ...ofUsers(context),
    ...ofRoles(context),
    ...looks(context),
  };
}

/** A method that changes something and answers with a header alone. */
function changing<Request>(
  context: ServiceContext,
  method: string,
  changeOf: (request: Request) => AuthChange | Promise<AuthChange>,
) {
  return unary(context, method, async (request: Request, options) => {
    const change = await changeOf(request);
    const answer = await context.member.propose({ type: 'auth', change }, options);
    if (answer.kind === 'refused') {
      throw new KvError(answer.code);
    }
    return { header: headerOf(context, answer.revision) };
  });
}

function ofTheSwitch(
  context: ServiceContext,
): Pick<wire.AuthHandlers, 'AuthEnable' | 'AuthDisable' | 'AuthStatus' | 'Authenticate'> {
  const { callers, member } = context;
  return {
    AuthEnable: changing(context, 'AuthEnable', () => ({
      type: 'enable',
      secret: callers.newSecret(),
    })),
    AuthDisable: changing(context, 'AuthDisable', () => ({ type: 'disable' })),
    AuthStatus: unary(
      context,
      'AuthStatus',
      async (_request: wire.AuthStatusRequest, options): Promise<wire.AuthStatusResponse> => {
        await member.confirmRead(options);
        const { isEnabled, revision } = member.auth;
        const header = headerOf(context, member.revision);
        return { header, enabled: isEnabled, authRevision: revision };
      },
    ),
    Authenticate: unary(
      context,
      'Authenticate',
      async (
        { name, password }: wire.AuthenticateRequest,
        options,
      ): Promise<wire.AuthenticateResponse> => {
        const user = toName(name, context.accountNameBytesMax);
        checkPassword(password);
        const token = await callers.signIn(user, password, options);
        return { header: headerOf(context, member.revision), token };
      },
    ),
  };
}

function ofUsers(
  context: ServiceContext,
): Pick<
  wire.AuthHandlers,
  'UserAdd' | 'UserDelete' | 'UserChangePassword' | 'UserGrantRole' | 'UserRevokeRole'
> {
  const name = (text: string): string => toName(text, context.accountNameBytesMax);
  const hashOf = async (password: string, hashedPassword: string): Promise<Uint8Array> => {
    if (hashedPassword.length > 0) {
      // etcd's own members put it there, and only there is it ever set.
      const message = 'holdfast: hashedPassword is not taken: send the password itself';
      throw new KvError('INVALID_ARGUMENT', { message });
    }
    checkPassword(password);
    return context.callers.passwords.hash(password);
  };
  return {
    UserAdd: changing(context, 'UserAdd', async (request: wire.AuthUserAddRequest) => ({
      type: 'userAdd',
      user: name(request.name),
      passwordHash:
        request.options?.no_password === true
          ? new Uint8Array(0)
          : await hashOf(request.password, request.hashedPassword),
    })),
    UserDelete: changing(context, 'UserDelete', (request: wire.AuthUserDeleteRequest) => ({
      type: 'userDelete',
      user: name(request.name),
    })),
    UserChangePassword: changing(
      context,
      'UserChangePassword',
      async (request: wire.AuthUserChangePasswordRequest) => ({
        type: 'userChangePassword',
        user: name(request.name),
        passwordHash: await hashOf(request.password, request.hashedPassword),
      }),
    ),
    UserGrantRole: changing(context, 'UserGrantRole', (request: wire.AuthUserGrantRoleRequest) => ({
      type: 'userGrantRole',
      user: name(request.user),
      role: name(request.role),
    })),
    UserRevokeRole: changing(
      context,
      'UserRevokeRole',
      (request: wire.AuthUserRevokeRoleRequest) => ({
        type: 'userRevokeRole',
        user: name(request.name),
        role: name(request.role),
      }),
    ),
  };
}

function ofRoles(
  context: ServiceContext,
): Pick<
  wire.AuthHandlers,
  'RoleAdd' | 'RoleDelete' | 'RoleGrantPermission' | 'RoleRevokePermission'
> {
  const name = (text: string): string => toName(text, context.accountNameBytesMax);
  return {
    RoleAdd: changing(context, 'RoleAdd', (request: wire.AuthRoleAddRequest) => ({
      type: 'roleAdd',
      role: name(request.name),
    })),
    RoleDelete: changing(context, 'RoleDelete', (request: wire.AuthRoleDeleteRequest) => ({
      type: 'roleDelete',
      role: name(request.role),
    })),
    RoleGrantPermission: changing(
      context,
      'RoleGrantPermission',
      ({ name: role, perm }: wire.AuthRoleGrantPermissionRequest) => {
        if (!perm) {
          throw new KvError('PERMISSION_NOT_GIVEN');
        }
        return {
          type: 'roleGrantPermission',
          role: name(role),
          permission: { access: toAccess(perm.permType), ...toKeys(perm) },
        };
      },
    ),
    RoleRevokePermission: changing(
      context,
      'RoleRevokePermission',
      (request: wire.AuthRoleRevokePermissionRequest) => ({
        type: 'roleRevokePermission',
        role: name(request.role),
        keys: toKeys(request),
      }),
    ),
  };
}

function looks(
  context: ServiceContext,
): Pick<wire.AuthHandlers, 'UserGet' | 'UserList' | 'RoleGet' | 'RoleList'> {
  const { member } = context;
  const { auth } = member;
  const header = (): wire.ResponseHeader => headerOf(context, member.revision);
  return {
    UserGet: unary(
      context,
      'UserGet',
      async (request: wire.AuthUserGetRequest, options): Promise<wire.AuthUserGetResponse> => {
        const name = toName(request.name, context.accountNameBytesMax);
        await member.confirmRead(options);
        checkRootUnless(context, options, name === options.caller?.user);
        const user = auth.user(name);
        if (user === undefined) {
          throw new KvError('USER_NOT_FOUND');
        }
        return { header: header(), roles: user.roles.map(fromName) };
      },
    ),
    UserList: unary(
      context,
      'UserList',
      async (_request: wire.AuthUserListRequest, options): Promise<wire.AuthUserListResponse> => {
        await member.confirmRead(options);
        auth.checkRoot(options.caller);
        return { header: header(), users: auth.users.map(fromName) };
      },
    ),
    RoleGet: unary(
      context,
      'RoleGet',
      async (request: wire.AuthRoleGetRequest, options): Promise<wire.AuthRoleGetResponse> => {
        const name = toName(request.role, context.accountNameBytesMax);
        await member.confirmRead(options);
        const own = options.caller && auth.user(options.caller.user);
        checkRootUnless(context, options, own?.roles.includes(name) === true);
        const permissions = auth.role(name);
        if (permissions === undefined) {
          throw new KvError('ROLE_NOT_FOUND');
        }
        return { header: header(), perm: permissions.map(fromPermission) };
      },
    ),
    RoleList: unary(
      context,
      'RoleList',
      async (_request: wire.AuthRoleListRequest, options): Promise<wire.AuthRoleListResponse> => {
        await member.confirmRead(options);
        auth.checkRoot(options.caller);
        return { header: header(), roles: auth.roles.map(fromName) };
      },
    ),
  };
}

function checkRootUnless(
  { member }: ServiceContext,
  { caller }: CallOptions,
  isOwn: boolean,
): void {
  if (isOwn) {
    member.auth.checkRead(caller, []);
  } else {
    member.auth.checkRoot(caller);
  }
}

function checkPassword(password: string): void {
  if (Buffer.byteLength(password) > passwordBytesMax) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `holdfast: a password has at most ${passwordBytesMax} bytes`,
    });
  }
}

const accessByType: Readonly<Record<string, Permission['access']>> = {
  READ: 'read',
  WRITE: 'write',
  READWRITE: 'readwrite',
};
const typeByAccess = { read: 'READ', write: 'WRITE', readwrite: 'READWRITE' } as const;

/** @throws {KvError} INVALID_AUTH_MANAGEMENT — nobody knows what it permits. */
function toAccess(type: string): Permission['access'] {
  const access = accessByType[type];
  if (access === undefined) {
    throw new KvError('INVALID_AUTH_MANAGEMENT');
  }
  return access;
}

function toKeys({ key, range_end: end }: { key: Buffer; range_end: Buffer }): KeySelector {
  return { key, rangeEnd: toRangeEnd(end) };
}

function fromPermission({ access, key, rangeEnd }: Permission): wire.Permission {
  return { permType: typeByAccess[access], key, range_end: rangeEnd ?? new Uint8Array(0) };
}
