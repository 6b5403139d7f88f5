/**
 * Who a client command acts for: signs in with name and password before the first call, and again
 * once the token is old, since a command may wait for hours.
 *
 * Members whose authentication is off are asked without a token, as `etcdctl` asks them.
 */
import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { services } from '../../wire/index.ts';

/** A name and its password. */
export interface Account {
  readonly name: string;
  readonly password: string;
}

/** Milliseconds for which a token is used: well below what members let one live. */
const freshMs = 60_000;

/** See the module comment. */
export class SignIn {
  readonly #account: Account | undefined;
  #token: { readonly text: string | undefined; readonly sinceMs: number } | undefined;

  /** Without an account, calls are nobody's. */
  constructor(account?: Account) {
    this.#account = account;
  }

  /**
   * What a call has to say of who makes it; asks the member behind `client` when there is no fresh
   * token.
   *
   * @throws {ServiceError} what signing in failed with; nothing else was sent.
   */
  async metadata(client: Client, deadlineMs: number): Promise<Metadata> {
    const metadata = new Metadata();
    if (this.#account !== undefined) {
      const nowMs = performance.now();
      if (this.#token === undefined || nowMs - this.#token.sinceMs >= freshMs) {
        const text = await tokenFor(client, this.#account, deadlineMs);
        this.#token = { text, sinceMs: nowMs };
      }
      if (this.#token.text !== undefined) {
        metadata.set('token', this.#token.text);
      }
    }
    return metadata;
  }
}

/** A token, all members take it; undefined when nobody is asked who calls. */
async function tokenFor(
  client: Client,
  account: Account,
  deadlineMs: number,
): Promise<string | undefined> {
  const { path, requestSerialize, responseDeserialize } =
    services['etcdserverpb.Auth'].Authenticate;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      account,
      { deadline: deadlineMs },
      (error, answer) => {
        if (error === null) {
          resolve(answer?.token);
        } else if (isOff(error)) {
          resolve(undefined);
        } else {
          reject(error);
        }
      },
    );
  });
}

/** etcd says so in words alone. */
function isOff({ details }: ServiceError): boolean {
  return details === 'etcdserver: authentication is not enabled';
}
