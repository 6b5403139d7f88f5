/**
 * Users and roles on one member, and the checks of what is read: those of what is written are made
 * where it is applied (`kv/authorise.ts`).
 *
 * A read is checked once it may be served, and again once it has been: what it was answered from is
 * no newer than the users and roles it was checked by. So nothing that was written after a
 * revocation is read without leave.
 */
import { type ErrorCode, KvError } from '../base/index.ts';
import type {
  Access,
  AuthTable,
  Caller,
  KeySelector,
  Permission,
  RangeOperation,
  User,
} from '../kv/index.ts';
import type { AuthApi } from './auth-api.ts';

/** What the member lends it. */
export interface AuthOptions {
  /** As applied; another one once the state has been replaced. */
  readonly table: () => AuthTable;
  /** The cluster's time. */
  readonly timeMs: () => number;
}

/** See the module comment. */
export class Auth implements AuthApi {
  readonly #options: AuthOptions;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  get isEnabled(): boolean {
    return this.#table.isEnabled;
  }

  get revision(): number {
    return this.#table.revision;
  }

  get secret(): Uint8Array {
    return this.#table.secret;
  }

  get timeMs(): number {
    return this.#options.timeMs();
  }

  get users(): readonly string[] {
    return this.#table.users;
  }

  get roles(): readonly string[] {
    return this.#table.roles;
  }

  user(name: string): User | undefined {
    return this.#table.user(name);
  }

  role(name: string): readonly Permission[] | undefined {
    return this.#table.role(name);
  }

  accessOf(caller: Caller | undefined): Access | ErrorCode {
    return this.#table.accessOf(caller);
  }

  checkRead(caller: Caller | undefined, keys: readonly KeySelector[]): void {
    if (this.isEnabled) {
      const access = this.#access(caller);
      denyUnless(keys.every((each) => access.mayRead(each)));
    }
  }

  checkRange(caller: Caller | undefined, range: RangeOperation): void {
    if (this.isEnabled) {
      denyUnless(this.#access(caller).mayRead(range));
    }
  }

  checkRoot(caller: Caller | undefined): void {
    if (this.isEnabled) {
      denyUnless(this.#access(caller).isRoot);
    }
  }

  get #table(): AuthTable {
    return this.#options.table();
  }

  #access(caller: Caller | undefined): Access {
    const access = this.accessOf(caller);
    if (typeof access === 'string') {
      throw new KvError(access);
    }
    return access;
  }
}

function denyUnless(isPermitted: boolean): void {
  if (!isPermitted) {
    throw new KvError('PERMISSION_DENIED');
  }
}
