/** The bytes of users, roles and what else is known of them, as stored and in the log. */
import { assert } from '../base/index.ts';
import {
  accountNameBytesMax,
  type AuthChange,
  type Permission,
  type PermissionAccess,
} from './auth-command.ts';
import type { KeySelector } from './command.ts';
import { nameBytes, nameOf } from './named-records.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * Limit: bytes of what is made of a password.
 *
 * @internal for tests.
 */
export const passwordHashBytesMax = 512;
/** Limit: bytes of the secret that signs tokens. */
const authSecretBytesMax = 64;

/** What is known besides users and roles. */
export interface AuthSettings {
  /** Whether calls must say who calls. */
  readonly isEnabled: boolean;
  /** Changes so far, from 1 on, as etcd counts them. */
  readonly revision: number;
  /** Signs tokens; empty while nobody needs any. */
  readonly secret: Uint8Array;
}

/** Before the first change. */
export const initialSettings: AuthSettings = {
  isEnabled: false,
  revision: 1,
  secret: new Uint8Array(0),
};

/** A user as stored; the name is in the key. */
export interface StoredUser {
  /** The revision at which the password was set. */
  readonly credentials: number;
  readonly passwordHash: Uint8Array;
  /** Ascending, each once. */
  readonly roles: readonly string[];
}

const recordFormat = 1;

// A name's position is its number on disk and in the log: append only.
const accesses: readonly PermissionAccess[] = ['read', 'write', 'readwrite'];
const changeTypes: readonly AuthChange['type'][] = [
  'enable',
  'disable',
  'userAdd',
  'userDelete',
  'userChangePassword',
  'userGrantRole',
  'userRevokeRole',
  'roleAdd',
  'roleDelete',
  'roleGrantPermission',
  'roleRevokePermission',
];

/** Encodes what is known besides users and roles. */
export function encodeSettings({ isEnabled, revision, secret }: AuthSettings): Uint8Array {
  const writer = newRecord();
  writer.byte(isEnabled ? 1 : 0);
  writer.varint(revision);
  writer.lengthPrefixed(secret);
  return writer.finish();
}

/** @throws {InvariantViolation} when the record is damaged or of an unknown format. */
export function decodeSettings(bytes: Uint8Array): AuthSettings {
  const reader = openRecord(bytes, 'record of authentication');
  const isEnabled = reader.byte() === 1;
  const revision = reader.varint();
  const secret = reader.lengthPrefixed().slice();
  reader.end();
  return { isEnabled, revision, secret };
}

/** Encodes a user. */
export function encodeUser({ credentials, passwordHash, roles }: StoredUser): Uint8Array {
  const writer = newRecord();
  writer.varint(credentials);
  writer.lengthPrefixed(passwordHash);
  for (const role of roles) {
    writeName(writer, role);
  }
  return writer.finish();
}

/** @throws {InvariantViolation} when the record is damaged or of an unknown format. */
export function decodeUser(bytes: Uint8Array): StoredUser {
  const reader = openRecord(bytes, 'record of a user');
  const credentials = reader.varint();
  const passwordHash = reader.lengthPrefixed().slice();
  const roles: string[] = [];
  while (reader.remaining > 0) {
    roles.push(readName(reader));
  }
  return { credentials, passwordHash, roles };
}

/** Encodes a role. */
export function encodeRole(permissions: readonly Permission[]): Uint8Array {
  const writer = newRecord();
  for (const permission of permissions) {
    writePermission(writer, permission);
  }
  return writer.finish();
}

/** @throws {InvariantViolation} when the record is damaged or of an unknown format. */
export function decodeRole(bytes: Uint8Array): readonly Permission[] {
  const reader = openRecord(bytes, 'record of a role');
  const permissions: Permission[] = [];
  while (reader.remaining > 0) {
    permissions.push(readPermission(reader));
  }
  return permissions;
}

/** Writes a change into a command. */
export function writeAuthChange(writer: ByteWriter, change: AuthChange): void {
  writer.byte(changeTypes.indexOf(change.type));
  switch (change.type) {
    case 'enable':
      writer.lengthPrefixed(change.secret);
      break;
    case 'disable':
      break;
    case 'userAdd':
    case 'userChangePassword':
      writeName(writer, change.user);
      writer.lengthPrefixed(change.passwordHash);
      break;
    case 'userDelete':
      writeName(writer, change.user);
      break;
    case 'userGrantRole':
    case 'userRevokeRole':
      writeName(writer, change.user);
      writeName(writer, change.role);
      break;
    case 'roleAdd':
    case 'roleDelete':
      writeName(writer, change.role);
      break;
    case 'roleGrantPermission':
      writeName(writer, change.role);
      writePermission(writer, change.permission);
      break;
    case 'roleRevokePermission':
      writeName(writer, change.role);
      writeKeys(writer, change.keys);
      break;
  }
}

/** Reads what `writeAuthChange` wrote; byte strings are copies, since some are kept. */
export function readAuthChange(reader: ByteReader): AuthChange {
  const number = reader.byte();
  const type = changeTypes[number] ?? reader.fail(`changes users in the unknown way ${number}`);
  switch (type) {
    case 'enable':
      return { type, secret: readBounded(reader, authSecretBytesMax) };
    case 'disable':
      return { type };
    case 'userAdd':
    case 'userChangePassword':
      return {
        type,
        user: readName(reader),
        passwordHash: readBounded(reader, passwordHashBytesMax),
      };
    case 'userDelete':
      return { type, user: readName(reader) };
    case 'userGrantRole':
    case 'userRevokeRole':
      return { type, user: readName(reader), role: readName(reader) };
    case 'roleAdd':
    case 'roleDelete':
      return { type, role: readName(reader) };
    case 'roleGrantPermission':
      return { type, role: readName(reader), permission: readPermission(reader) };
    case 'roleRevokePermission':
      return { type, role: readName(reader), keys: readKeys(reader) };
  }
}

/** Writes a name, see `auth-command.ts`. */
export function writeName(writer: ByteWriter, name: string): void {
  assert(name.length <= accountNameBytesMax, 'the names of users and roles are bounded');
  writer.lengthPrefixed(nameBytes(name));
}

/** Reads a name. */
export function readName(reader: ByteReader): string {
  return nameOf(readBounded(reader, accountNameBytesMax));
}

function readBounded(reader: ByteReader, bytesMax: number): Uint8Array {
  const bytes = reader.lengthPrefixed();
  return bytes.length <= bytesMax ? bytes.slice() : reader.fail(`holds ${bytes.length} bytes`);
}

function writePermission(writer: ByteWriter, permission: Permission): void {
  writer.byte(accesses.indexOf(permission.access));
  writeKeys(writer, permission);
}

function readPermission(reader: ByteReader): Permission {
  const number = reader.byte();
  const access = accesses[number] ?? reader.fail(`permits the unknown access ${number}`);
  return { access, ...readKeys(reader) };
}

function writeKeys(writer: ByteWriter, { key, rangeEnd }: KeySelector): void {
  writer.lengthPrefixed(key);
  writer.lengthPrefixed(rangeEnd ?? new Uint8Array(0));
}

function readKeys(reader: ByteReader): KeySelector {
  const key = reader.lengthPrefixed().slice();
  const rangeEnd = reader.lengthPrefixed().slice();
  return rangeEnd.length === 0 ? { key } : { key, rangeEnd };
}

function newRecord(): ByteWriter {
  const writer = new ByteWriter();
  writer.byte(recordFormat);
  return writer;
}

function openRecord(bytes: Uint8Array, what: string): ByteReader {
  const reader = new ByteReader(bytes, what);
  const format = reader.byte();
  return format === recordFormat ? reader : reader.fail(`has the unknown format ${format}`);
}
