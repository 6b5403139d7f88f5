/**
 * A naive model of users, roles and permissions, with etcd's rules written down once more, and
 * random changes and operations to try both with. It looks at single keys; nothing is merged.
 */
import { compareBytes, equalBytes, type ErrorCode, type Prng } from '../../src/base/index.ts';
import type {
  AsCommand,
  AuthChange,
  Caller,
  Command,
  Compare,
  KeySelector,
  LeaseId,
  Operation,
  Permission,
} from '../../src/kv/index.ts';
import { choose } from './generators.ts';
import { bytes, text } from './map-store.ts';

interface ModelUser {
  readonly roles: Set<string>;
  credentials: number;
  passwordHash: string;
}

/** A command without its caller. */
export type BareCommand = Exclude<Command, AsCommand>;

/** The keys of a lease. */
export type KeysOfLease = (lease: LeaseId) => readonly Uint8Array[];

const keyNames = ['a', 'b', 'c', 'd'];

/** A key in each range that can be made of names, so that a range is what it has of them. */
export function universeOf(names: readonly string[]): readonly Uint8Array[] {
  return names.flatMap((name) => [name, `${name}\0`, `${name}\0\0`]).map(bytes);
}

/** See the module comment. */
export class AuthModel {
  isEnabled = false;
  revision = 1;
  secret = '';
  readonly users = new Map<string, ModelUser>();
  readonly roles = new Map<string, Permission[]>();
  readonly #universe: readonly Uint8Array[];

  constructor(universe: readonly Uint8Array[] = universeOf(keyNames)) {
    this.#universe = universe;
  }

  /** As it is now, whatever becomes of this one. */
  copy(): AuthModel {
    const copy = new AuthModel(this.#universe);
    copy.isEnabled = this.isEnabled;
    copy.revision = this.revision;
    copy.secret = this.secret;
    for (const [name, { roles, ...user }] of this.users) {
      copy.users.set(name, { ...user, roles: new Set(roles) });
    }
    for (const [name, permissions] of this.roles) {
      copy.roles.set(name, [...permissions]);
    }
    return copy;
  }

  /** Why a command may not be carried out on somebody's behalf, if so. */
  refusal(
    caller: Caller | undefined,
    command: BareCommand,
    keysOf: KeysOfLease,
  ): ErrorCode | undefined {
    if (!this.isEnabled || (caller === undefined && membersOwn.includes(command.type))) {
      return undefined;
    }
    return (
      this.#nobody(caller) ??
      (this.#maySend(caller as Caller, command, keysOf) ? undefined : 'PERMISSION_DENIED')
    );
  }

  /** Why somebody may not read keys and ranges, if so. */
  readRefusal(caller: Caller | undefined, ...keys: readonly KeySelector[]): ErrorCode | undefined {
    const code = this.#nobody(caller);
    if (code !== undefined || !this.isEnabled) {
      return code;
    }
    const mayRead = keys.every((each) => this.#mayOn(caller as Caller, each, 'read'));
    return mayRead ? undefined : 'PERMISSION_DENIED';
  }

  /** Why a caller is nobody, if so. */
  #nobody(caller: Caller | undefined): ErrorCode | undefined {
    if (!this.isEnabled) {
      return undefined;
    }
    if (caller === undefined) {
      return 'USER_EMPTY';
    }
    const isKnown = this.users.get(caller.user)?.credentials === caller.credentials;
    return isKnown ? undefined : 'INVALID_AUTH_TOKEN';
  }

  /** Returns the refusal, if so. */
  change(change: AuthChange): ErrorCode | undefined {
    const problem = this.#problem(change);
    if (problem === undefined && this.#isNews(change)) {
      this.revision += change.type === 'enable' ? 0 : 1;
      this.#carryOut(change);
    }
    return problem;
  }

  callerOf(name: string): Caller {
    return { user: name, credentials: this.users.get(name)?.credentials ?? 0 };
  }

  /** Whether somebody may do something, judged key by key. */
  may(caller: Caller, operation: Operation): boolean {
    switch (operation.type) {
      case 'range':
        return this.#mayOn(caller, operation, 'read');
      case 'put':
        return (
          this.#mayOn(caller, { key: operation.key }, 'write') &&
          (!operation.prevKv || this.#mayOn(caller, { key: operation.key }, 'read'))
        );
      case 'deleteRange':
        return (
          this.#mayOn(caller, operation, 'write') &&
          (!operation.prevKv || this.#mayOn(caller, operation, 'read'))
        );
      case 'txn': {
        const parts = [...operation.success, ...operation.failure];
        return (
          operation.compare.every((each) => this.#mayOn(caller, each, 'read')) &&
          parts.every((each) => this.may(caller, each))
        );
      }
    }
  }

  #maySend(caller: Caller, command: BareCommand, keysOf: KeysOfLease): boolean {
    const mayEnd = (lease: LeaseId): boolean =>
      keysOf(lease).every((key) => this.#mayOn(caller, { key }, 'write'));
    switch (command.type) {
      case 'put':
      case 'deleteRange':
      case 'txn':
        return this.may(caller, command) && leasesOf(command).every(mayEnd);
      case 'once':
        return this.#maySend(caller, command.command, keysOf);
      case 'leaseRevoke':
        return mayEnd(command.id);
      case 'leaseGrant':
      case 'leaseKeepAlive':
        return true;
      default:
        return this.users.get(caller.user)?.roles.has('root') === true;
    }
  }

  #mayOn({ user, credentials }: Caller, keys: KeySelector, what: 'read' | 'write'): boolean {
    const account = this.users.get(user);
    if (account?.credentials !== credentials) {
      return false;
    }
    const roles = [...account.roles];
    const permissions = roles.flatMap((role) => this.roles.get(role) ?? []);
    const useful = permissions.filter(({ access }) => access === what || access === 'readwrite');
    const wanted = [keys.key, ...this.#universe].filter((key) => isIn(keys, key));
    const isAll = wanted.every((key) => useful.some((each) => isIn(each, key)));
    return roles.includes('root') || (wanted.length > 0 && isAll);
  }

  #problem(change: AuthChange): ErrorCode | undefined {
    const user = 'user' in change ? this.users.get(change.user) : undefined;
    const role = 'role' in change ? this.roles.get(change.role) : undefined;
    switch (change.type) {
      case 'enable':
        if (this.isEnabled) {
          return undefined;
        }
        if (!this.users.has('root')) {
          return 'ROOT_USER_NOT_EXIST';
        }
        return this.users.get('root')?.roles.has('root') === true
          ? undefined
          : 'ROOT_ROLE_NOT_EXIST';
      case 'disable':
        return undefined;
      case 'userAdd':
        if (change.user === '') {
          return 'USER_EMPTY';
        }
        return user === undefined ? undefined : 'USER_EXISTS';
      case 'userDelete':
        if (this.isEnabled && change.user === 'root') {
          return 'INVALID_AUTH_MANAGEMENT';
        }
        return user === undefined ? 'USER_NOT_FOUND' : undefined;
      case 'userChangePassword':
        return user === undefined ? 'USER_NOT_FOUND' : undefined;
      case 'userGrantRole':
        if (user === undefined) {
          return 'USER_NOT_FOUND';
        }
        return role === undefined && change.role !== 'root' ? 'ROLE_NOT_FOUND' : undefined;
      case 'userRevokeRole':
        if (this.isEnabled && change.user === 'root' && change.role === 'root') {
          return 'INVALID_AUTH_MANAGEMENT';
        }
        if (user === undefined) {
          return 'USER_NOT_FOUND';
        }
        return user.roles.has(change.role) ? undefined : 'ROLE_NOT_GRANTED';
      case 'roleAdd':
        if (change.role === '') {
          return 'ROLE_EMPTY';
        }
        return role === undefined ? undefined : 'ROLE_EXISTS';
      case 'roleDelete':
        if (this.isEnabled && change.role === 'root') {
          return 'INVALID_AUTH_MANAGEMENT';
        }
        return role === undefined ? 'ROLE_NOT_FOUND' : undefined;
      case 'roleGrantPermission':
        if (role === undefined) {
          return 'ROLE_NOT_FOUND';
        }
        return this.#universe.some((key) => isIn(change.permission, key))
          ? undefined
          : 'INVALID_AUTH_MANAGEMENT';
      case 'roleRevokePermission':
        if (role === undefined) {
          return 'ROLE_NOT_FOUND';
        }
        return role.some((each) => isSame(each, change.keys))
          ? undefined
          : 'PERMISSION_NOT_GRANTED';
    }
  }

  #isNews(change: AuthChange): boolean {
    switch (change.type) {
      case 'enable':
        return !this.isEnabled;
      case 'disable':
        return this.isEnabled;
      case 'userGrantRole':
        return this.users.get(change.user)?.roles.has(change.role) === false;
      default:
        return true;
    }
  }

  #carryOut(change: AuthChange): void {
    const { revision: credentials } = this;
    switch (change.type) {
      case 'enable':
        this.isEnabled = true;
        this.secret = text(change.secret);
        break;
      case 'disable':
        this.isEnabled = false;
        this.secret = '';
        break;
      case 'userAdd': {
        const passwordHash = text(change.passwordHash);
        this.users.set(change.user, { roles: new Set(), credentials, passwordHash });
        break;
      }
      case 'userDelete':
        this.users.delete(change.user);
        break;
      case 'userChangePassword': {
        const { roles = new Set<string>() } = this.users.get(change.user) ?? {};
        const passwordHash = text(change.passwordHash);
        this.users.set(change.user, { roles, credentials, passwordHash });
        break;
      }
      case 'userGrantRole':
        this.users.get(change.user)?.roles.add(change.role);
        break;
      case 'userRevokeRole':
        this.users.get(change.user)?.roles.delete(change.role);
        break;
      case 'roleAdd':
        this.roles.set(change.role, []);
        break;
      case 'roleDelete':
        this.roles.delete(change.role);
        for (const { roles } of this.users.values()) {
          roles.delete(change.role);
        }
        break;
      case 'roleGrantPermission':
      case 'roleRevokePermission': {
        const keys = change.type === 'roleRevokePermission' ? change.keys : change.permission;
        const others = (this.roles.get(change.role) ?? []).filter((each) => !isSame(each, keys));
        const granted = change.type === 'roleGrantPermission' ? [change.permission] : [];
        this.roles.set(change.role, [...others, ...granted]);
        break;
      }
    }
  }
}

/** What members do by themselves. */
const membersOwn: readonly Command['type'][] = [
  ...(['advanceTime', 'raiseLevel', 'setRecord', 'alarm', 'leaseKeepAlive', 'compact'] as const),
];

/** The leases that an operation may put keys under. */
export function leasesOf(operation: Operation): readonly LeaseId[] {
  switch (operation.type) {
    case 'put':
      return operation.lease === 0n ? [] : [operation.lease];
    case 'txn':
      return [...operation.success, ...operation.failure].flatMap(leasesOf);
    default:
      return [];
  }
}

function isSame(a: KeySelector, b: KeySelector): boolean {
  const none = new Uint8Array(0);
  return equalBytes(a.key, b.key) && equalBytes(a.rangeEnd ?? none, b.rangeEnd ?? none);
}

function isIn({ key, rangeEnd }: KeySelector, candidate: Uint8Array): boolean {
  if (rangeEnd === undefined) {
    return equalBytes(key, candidate);
  }
  const isEndless = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return compareBytes(key, candidate) <= 0 && (isEndless || compareBytes(candidate, rangeEnd) < 0);
}

/** Names of users and roles that are used. */
export const accountNames = ['root', 'ann', 'bob', 'eve'];
const roleNames = ['root', 'r1', 'r2', 'r3'];

/** A key, or a range of some. */
function randomKeys(prng: Prng): KeySelector {
  const key = bytes(choose(prng, keyNames));
  const end = choose(prng, ['', '', ...keyNames, 'e', '\0']);
  return end === '' ? { key } : { key, rangeEnd: bytes(end) };
}

/** A change of users and roles. */
export function randomChange(prng: Prng): AuthChange {
  const user = choose(prng, accountNames);
  const role = choose(prng, roleNames);
  const access = choose(prng, ['read', 'write', 'readwrite'] as const);
  const permission = { access, ...randomKeys(prng) };
  return choose<AuthChange>(prng, [
    { type: 'enable', secret: bytes('secret') },
    ...[{ type: 'disable' } as const],
    { type: 'userAdd', user: choose(prng, [...accountNames, '']), passwordHash: bytes('h') },
    { type: 'userAdd', user, passwordHash: bytes('') },
    { type: 'userDelete', user },
    { type: 'userChangePassword', user, passwordHash: bytes('other') },
    { type: 'userGrantRole', user, role },
    { type: 'userGrantRole', user, role },
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'userRevokeRole', user, role },
    { type: 'roleAdd', role: choose(prng, [...roleNames, '']) },
    { type: 'roleAdd', role },
    { type: 'roleDelete', role },
    { type: 'roleGrantPermission', role, permission },
    { type: 'roleGrantPermission', role, permission },
    { type: 'roleGrantPermission', role, permission },
    { type: 'roleRevokePermission', role, keys: randomKeys(prng) },
  ]);
}

/** An operation, transactions in transactions included. */
export function randomOperation(prng: Prng, depth = 0): Operation {
  const key = bytes(choose(prng, keyNames));
  const prevKv = choose(prng, [true, false]);
  const none = { lease: 0n, ignoreValue: false, ignoreLease: false, ttlMs: 0 } as const;
  const part = (): readonly Operation[] =>
    Array.from({ length: prng.nextInt(0, 3) }, () => randomOperation(prng, depth + 1));
  const compare = (): Compare => ({
    ...{ target: 'version', result: 'equal', operand: prng.nextInt(0, 2) },
    ...randomKeys(prng),
  });
  switch (prng.nextInt(0, depth < 2 ? 4 : 3)) {
    case 0:
      return { type: 'put', key, value: bytes('v'), prevKv, ...none, ttlRefreshOnWrite: false };
    case 1:
      return { type: 'deleteRange', prevKv, ...randomKeys(prng) };
    case 2:
      return {
        ...{ type: 'range', limit: prng.nextInt(0, 2), revision: 0, sortOrder: 'none' },
        ...{
          sortTarget: 'key',
          keysOnly: prevKv,
          countOnly: !prevKv,
          noCount: false,
          minModRevision: 0,
        },
        ...{ maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0, ...randomKeys(prng) },
      };
    default:
      return {
        type: 'txn',
        compare: Array.from({ length: prng.nextInt(0, 3) }, compare),
        success: part(),
        failure: part(),
      };
  }
}
