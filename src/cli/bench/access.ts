/**
 * How the load generator reaches members and as whom: in plain text or by TLS, as nobody or with
 * the token of somebody who has signed in.
 */
import type { SecureContext } from 'node:tls';
import { type AccessPem, secureContextOf } from '../client/access-files.ts';
import type { Account } from '../client/sign-in.ts';

/** See the module comment. */
export class Access {
  /** What TLS is spoken with; undefined: plain text. */
  readonly pem: AccessPem | undefined;
  /** The same for connections. */
  readonly secureContext: SecureContext | undefined;
  readonly account: Account | undefined;
  /** What calls say of who makes them: nothing, until somebody has signed in. */
  token: string | undefined;

  constructor(pem?: AccessPem, account?: Account) {
    this.pem = pem;
    this.account = account;
    this.secureContext = pem === undefined ? undefined : secureContextOf(pem);
  }
}

/** Nobody, in plain text. */
export const plainAccess = new Access();
