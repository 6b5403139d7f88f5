/**
 * Users, roles and what they may do, in memory; changed as commands about them are applied.
 *
 * The rules and their order are etcd's. Who may do what is worked out once after each change that
 * concerns a user, at the first question: two sets of keys, see `permitted-keys.ts`.
 *
 * Limits: {@link usersMax}, {@link rolesMax}, {@link rolesOfUserMax}, {@link permissionsMax}: what
 * is held here does not grow with the keyspace, and is not in the hands of those who may only
 * write keys.
 */
import { assert, compareBytes, emptyBytes, equalBytes, type ErrorCode } from '../base/index.ts';
import type { AuthChange, Caller, Permission } from './auth-command.ts';
import {
  type AuthSettings,
  decodeRole,
  decodeSettings,
  decodeUser,
  encodeRole,
  encodeSettings,
  encodeUser,
  initialSettings,
  type StoredUser,
} from './auth-records.ts';
import type { KeySelector } from './command.ts';
import { authNameOf, authRange, authSettingsKey, roleKey, userKey } from './key-layout.ts';
import type { Reading, StateWrite, StoredRecord } from './need.ts';
import { isPermittable, PermittedKeys } from './permitted-keys.ts';
import { ChunkedScan } from './scan.ts';

/** Limit: users of a cluster. */
const usersMax = 65_536;
/** Limit: roles of a cluster. */
const rolesMax = 65_536;
/** Limit: roles of one user. */
const rolesOfUserMax = 1024;
/** Limit: permissions of one role. */
const permissionsMax = 1024;

/** The user, and the role, that may do everything. */
export const rootName = 'root';

/** A user. */
export interface User extends StoredUser {
  readonly name: string;
}

/** What somebody may do. */
export class Access {
  /** May do everything. */
  readonly isRoot: boolean;
  readonly #readable: PermittedKeys;
  readonly #writable: PermittedKeys;

  constructor(isRoot: boolean, permissions: readonly Permission[]) {
    this.isRoot = isRoot;
    this.#readable = new PermittedKeys(permissions.filter(({ access }) => access !== 'write'));
    this.#writable = new PermittedKeys(permissions.filter(({ access }) => access !== 'read'));
  }

  mayRead(keys: KeySelector): boolean {
    return this.isRoot || this.#readable.covers(keys);
  }

  mayWrite(keys: KeySelector): boolean {
    return this.isRoot || this.#writable.covers(keys);
  }
}

/** Of everybody while nobody is asked. */
const fullAccess = new Access(true, []);

/** What a change comes to. */
export type AuthOutcome =
  | { readonly kind: 'changed'; readonly writes: readonly StateWrite[] }
  /** It is as asked for already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const unchanged: AuthOutcome = { kind: 'unchanged' };

/** See the module comment. */
export class AuthTable {
  #settings: AuthSettings = initialSettings;
  readonly #users = new Map<string, User>();
  readonly #roles = new Map<string, readonly Permission[]>();
  /** By user; what has not been asked since a change is not there. */
  readonly #accesses = new Map<string, Access>();

  /** Reads what the engine holds. */
  static *open(): Reading<AuthTable> {
    const table = new AuthTable();
    const scan = new ChunkedScan(authRange);
    while (!scan.isDone) {
      for (const record of scan.take(yield scan.need)) {
        table.load(record);
      }
    }
    return table;
  }

  /** Takes a stored record. */
  load({ key, value }: StoredRecord): void {
    const { kind, name } = authNameOf(key);
    switch (kind) {
      case 'settings':
        this.#settings = decodeSettings(value);
        break;
      case 'user':
        this.#users.set(name, { name, ...decodeUser(value) });
        break;
      case 'role':
        this.#roles.set(name, decodeRole(value));
        break;
    }
  }

  get isEnabled(): boolean {
    return this.#settings.isEnabled;
  }

  /** Changes so far, from 1 on. */
  get revision(): number {
    return this.#settings.revision;
  }

  /** Signs tokens. */
  get secret(): Uint8Array {
    return this.#settings.secret;
  }

  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  /** Names, ascending. */
  get users(): readonly string[] {
    return [...this.#users.keys()].sort();
  }

  /** A role's permissions by ascending keys; undefined when there is no such role. */
  role(name: string): readonly Permission[] | undefined {
    return this.#roles.get(name);
  }

  /** Names, ascending. */
  get roles(): readonly string[] {
    return [...this.#roles.keys()].sort();
  }

  /** What a caller may do, or the code of the refusal when it is nobody (any more). */
  accessOf(caller: Caller | undefined): Access | ErrorCode {
    if (!this.isEnabled) {
      return fullAccess;
    }
    if (caller === undefined) {
      return 'USER_EMPTY';
    }
    const user = this.#users.get(caller.user);
    if (user?.credentials !== caller.credentials) {
      return 'INVALID_AUTH_TOKEN';
    }
    let access = this.#accesses.get(user.name);
    if (access === undefined) {
      const permissions = user.roles.flatMap((role) => this.#roles.get(role) ?? []);
      access = new Access(user.roles.includes(rootName), permissions);
      this.#accesses.set(user.name, access);
    }
    return access;
  }

  /** Changes users and roles, unless etcd's rules refuse it. */
  change(change: AuthChange): AuthOutcome {
    switch (change.type) {
      case 'enable':
        return this.#enable(change.secret);
      case 'disable':
        return this.#disable();
      case 'userAdd':
        return this.#addUser(change.user, change.passwordHash);
      case 'userDelete':
        return this.#deleteUser(change.user);
      case 'userChangePassword':
        return this.#changePassword(change.user, change.passwordHash);
      case 'userGrantRole':
        return this.#grantRole(change.user, change.role);
      case 'userRevokeRole':
        return this.#revokeRole(change.user, change.role);
      case 'roleAdd':
        return this.#addRole(change.role);
      case 'roleDelete':
        return this.#deleteRole(change.role);
      case 'roleGrantPermission':
        return this.#grantPermission(change.role, change.permission);
      case 'roleRevokePermission':
        return this.#revokePermission(change.role, change.keys);
    }
  }

  #enable(secret: Uint8Array): AuthOutcome {
    if (this.isEnabled) {
      return unchanged;
    }
    const root = this.#users.get(rootName);
    if (root === undefined) {
      return refused('ROOT_USER_NOT_EXIST');
    }
    if (!root.roles.includes(rootName)) {
      return refused('ROOT_ROLE_NOT_EXIST');
    }
    assert(secret.length > 0, 'tokens are signed with a secret');
    // As in etcd, this is no change of users: the revision stays.
    this.#settings = { isEnabled: true, revision: this.revision, secret };
    return { kind: 'changed', writes: [this.#settingsWrite()] };
  }

  #disable(): AuthOutcome {
    if (!this.isEnabled) {
      return unchanged;
    }
    this.#settings = { ...this.#settings, isEnabled: false, secret: emptyBytes };
    return this.#commit([]);
  }

  #addUser(name: string, passwordHash: Uint8Array): AuthOutcome {
    if (name.length === 0) {
      return refused('USER_EMPTY');
    }
    if (this.#users.has(name)) {
      return refused('USER_EXISTS');
    }
    if (this.#users.size >= usersMax) {
      return refused('TOO_MANY_ACCOUNTS');
    }
    return this.#commit([
      this.#setUser({ name, passwordHash, roles: [], credentials: this.revision + 1 }),
    ]);
  }

  #deleteUser(name: string): AuthOutcome {
    if (this.isEnabled && name === rootName) {
      return refused('INVALID_AUTH_MANAGEMENT');
    }
    if (!this.#users.delete(name)) {
      return refused('USER_NOT_FOUND');
    }
    this.#accesses.delete(name);
    return this.#commit([{ type: 'delete', key: userKey(name) }]);
  }

  #changePassword(name: string, passwordHash: Uint8Array): AuthOutcome {
    const user = this.#users.get(name);
    return user === undefined
      ? refused('USER_NOT_FOUND')
      : this.#commit([this.#setUser({ ...user, passwordHash, credentials: this.revision + 1 })]);
  }

  #grantRole(name: string, role: string): AuthOutcome {
    const user = this.#users.get(name);
    if (user === undefined) {
      return refused('USER_NOT_FOUND');
    }
    if (role !== rootName && !this.#roles.has(role)) {
      return refused('ROLE_NOT_FOUND');
    }
    if (user.roles.includes(role)) {
      return unchanged;
    }
    if (user.roles.length >= rolesOfUserMax) {
      return refused('TOO_MANY_ACCOUNTS');
    }
    return this.#commit([this.#setUser({ ...user, roles: [...user.roles, role].sort() })]);
  }

  #revokeRole(name: string, role: string): AuthOutcome {
    if (this.isEnabled && name === rootName && role === rootName) {
      return refused('INVALID_AUTH_MANAGEMENT');
    }
    const user = this.#users.get(name);
    if (user === undefined) {
      return refused('USER_NOT_FOUND');
    }
    return user.roles.includes(role)
      ? this.#commit([this.#setUser(without(user, role))])
      : refused('ROLE_NOT_GRANTED');
  }

  #addRole(name: string): AuthOutcome {
    if (name.length === 0) {
      return refused('ROLE_EMPTY');
    }
    if (this.#roles.has(name)) {
      return refused('ROLE_EXISTS');
    }
    if (this.#roles.size >= rolesMax) {
      return refused('TOO_MANY_ACCOUNTS');
    }
    return this.#commit([this.#setRole(name, [])]);
  }

  #deleteRole(name: string): AuthOutcome {
    if (this.isEnabled && name === rootName) {
      return refused('INVALID_AUTH_MANAGEMENT');
    }
    if (!this.#roles.delete(name)) {
      return refused('ROLE_NOT_FOUND');
    }
    // In the order of names: the writes, and with them the hash, are the same on all members.
    const users = this.users.flatMap((user) => this.#users.get(user) ?? []);
    const holders = users.filter(({ roles }) => roles.includes(name));
    return this.#commit([
      { type: 'delete', key: roleKey(name) },
      ...holders.map((user) => this.#setUser(without(user, name))),
    ]);
  }

  #grantPermission(name: string, permission: Permission): AuthOutcome {
    const permissions = this.#roles.get(name);
    if (permissions === undefined) {
      return refused('ROLE_NOT_FOUND');
    }
    if (!isPermittable(permission)) {
      return refused('INVALID_AUTH_MANAGEMENT');
    }
    const others = permissions.filter((each) => !isOfSameKeys(each, permission));
    if (others.length >= permissionsMax) {
      return refused('TOO_MANY_ACCOUNTS');
    }
    return this.#commit([this.#setRole(name, [...others, permission].sort(comparePermissions))]);
  }

  #revokePermission(name: string, keys: KeySelector): AuthOutcome {
    const permissions = this.#roles.get(name);
    if (permissions === undefined) {
      return refused('ROLE_NOT_FOUND');
    }
    const others = permissions.filter((each) => !isOfSameKeys(each, keys));
    return others.length < permissions.length
      ? this.#commit([this.#setRole(name, others)])
      : refused('PERMISSION_NOT_GRANTED');
  }

  #setUser(user: User): StateWrite {
    this.#users.set(user.name, user);
    this.#accesses.delete(user.name);
    return { type: 'put', key: userKey(user.name), value: encodeUser(user) };
  }

  #setRole(name: string, permissions: readonly Permission[]): StateWrite {
    this.#roles.set(name, permissions);
    for (const user of this.#users.values()) {
      if (user.roles.includes(name)) {
        this.#accesses.delete(user.name);
      }
    }
    return { type: 'put', key: roleKey(name), value: encodeRole(permissions) };
  }

  /** A change has been made: it counts. */
  #commit(writes: readonly StateWrite[]): AuthOutcome {
    this.#settings = { ...this.#settings, revision: this.revision + 1 };
    return { kind: 'changed', writes: [...writes, this.#settingsWrite()] };
  }

  #settingsWrite(): StateWrite {
    return { type: 'put', key: authSettingsKey, value: encodeSettings(this.#settings) };
  }
}

function refused(code: ErrorCode): AuthOutcome {
  return { kind: 'refused', code };
}

function without(user: User, role: string): User {
  return { ...user, roles: user.roles.filter((each) => each !== role) };
}

function endOf({ rangeEnd }: KeySelector): Uint8Array {
  return rangeEnd ?? emptyBytes;
}

function isOfSameKeys(a: KeySelector, b: KeySelector): boolean {
  return equalBytes(a.key, b.key) && equalBytes(endOf(a), endOf(b));
}

function comparePermissions(a: Permission, b: Permission): number {
  return compareBytes(a.key, b.key) || compareBytes(endOf(a), endOf(b));
}
