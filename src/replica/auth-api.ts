/**
 * Users and roles as a member offers them to the services in front of it: who may do what, by the
 * newest state that this member has applied. Changing them is a command like others.
 */
import type { ErrorCode } from '../base/index.ts';
import type { Access, Caller, KeySelector, Permission, RangeOperation, User } from '../kv/index.ts';

/** See the module comment. */
export interface AuthApi {
  /** Whether calls must say who calls. */
  readonly isEnabled: boolean;
  /** Changes of users and roles so far, from 1 on. */
  readonly revision: number;
  /** Signs tokens; equal on all members, another one each time authentication is enabled. */
  readonly secret: Uint8Array;
  /** The cluster's time, by which tokens end; milliseconds. */
  readonly timeMs: number;
  /** Names, ascending. */
  readonly users: readonly string[];
  readonly roles: readonly string[];
  user(name: string): User | undefined;
  /** A role's permissions by ascending keys; undefined when there is no such role. */
  role(name: string): readonly Permission[] | undefined;
  /** What a caller may do, or why it may do nothing. */
  accessOf(caller: Caller | undefined): Access | ErrorCode;
  /** @throws {KvError} PERMISSION_DENIED; USER_EMPTY, INVALID_AUTH_TOKEN — it is nobody. */
  checkRead(caller: Caller | undefined, keys: readonly KeySelector[]): void;
  /** As `checkRead`, of a range. @throws {KvError} */
  checkRange(caller: Caller | undefined, range: RangeOperation): void;
  /** As `checkRead`, of what only root may do. @throws {KvError} */
  checkRoot(caller: Caller | undefined): void;
}
