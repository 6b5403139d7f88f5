/**
 * What the log says about users, roles and permissions, and on whose behalf a command is, as data.
 *
 * A name is a string with one character for each byte of its UTF-8, so that strings order as etcd
 * orders names. A command never carries a password, only what was made of it.
 */
import type { KeySelector } from './key-selector.ts';

/**
 * Limit: bytes of a user's or role's name.
 *
 * A name is written into log lines and tokens; etcd has no limit but the request's.
 */
export const accountNameBytesMax = 256;

/** What a permission is for. */
export type PermissionAccess = 'read' | 'write' | 'readwrite';

/** Leave to read or write some keys. */
export interface Permission extends KeySelector {
  readonly access: PermissionAccess;
}

/**
 * Who asks for something. `credentials` is the revision of users and roles at which the user's
 * password was set: who signed in before it was changed, or as an earlier user of the same name, is
 * nobody any more.
 */
export interface Caller {
  readonly user: string;
  readonly credentials: number;
}

/** One change of users, roles, or of whether they count. */
export type AuthChange =
  /** `secret` signs tokens from here on. */
  | { readonly type: 'enable'; readonly secret: Uint8Array }
  | { readonly type: 'disable' }
  /** `passwordHash` empty: the user cannot sign in. */
  | { readonly type: 'userAdd'; readonly user: string; readonly passwordHash: Uint8Array }
  | { readonly type: 'userDelete'; readonly user: string }
  | {
      readonly type: 'userChangePassword';
      readonly user: string;
      readonly passwordHash: Uint8Array;
    }
  | { readonly type: 'userGrantRole'; readonly user: string; readonly role: string }
  | { readonly type: 'userRevokeRole'; readonly user: string; readonly role: string }
  | { readonly type: 'roleAdd'; readonly role: string }
  | { readonly type: 'roleDelete'; readonly role: string }
  | {
      readonly type: 'roleGrantPermission';
      readonly role: string;
      readonly permission: Permission;
    }
  | { readonly type: 'roleRevokePermission'; readonly role: string; readonly keys: KeySelector };

/** Changes users and roles. */
export interface AuthCommand {
  readonly type: 'auth';
  readonly change: AuthChange;
}

/** A change gives nothing back. */
export interface AuthResult {
  readonly type: 'auth';
}
