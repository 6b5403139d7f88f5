/**
 * Name and password for members that ask for them: exchanged for a token, which goes with every
 * call until the members do not know it any more.
 */
import { ProtoReader, ProtoWriter } from '../wire/index.ts';
import type { MemberCaller } from './caller.ts';
import { HoldfastError } from './errors.ts';
import type { CallMetadata, Credentials, Method } from './ports.ts';

interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

/** `etcdserverpb.Auth/Authenticate`: name = 1, password = 2; the token is field 2 of the answer. */
const authenticate: Method<NameAndPassword, string> = {
  path: '/etcdserverpb.Auth/Authenticate',
  requestSerialize: ({ name, password }) => {
    const writer = new ProtoWriter();
    writer.text(1, name);
    writer.text(2, password);
    return writer.finish();
  },
  responseDeserialize: (bytes) => new ProtoReader(bytes).only(2, (it) => it.text(), ''),
};

/** What members say that let in everybody: as it was before, and is after, they ask. */
const notAsked = 'etcdserver: authentication is not enabled';

/** See the module comment. */
export class SignIn implements Credentials {
  readonly #caller: MemberCaller;
  readonly #account: NameAndPassword;
  #current: Promise<CallMetadata> | undefined;
  #token: string | undefined;
  #isSigningIn = false;

  /** `caller` is for this only, and must not ask for credentials itself. */
  constructor(caller: MemberCaller, account: NameAndPassword) {
    this.#caller = caller;
    this.#account = account;
  }

  async metadata(): Promise<CallMetadata> {
    this.#current ??= this.#signIn();
    return this.#current;
  }

  expired(metadata: CallMetadata): void {
    // Many calls learn of it one after the other: the first of them has a new one asked for.
    if (metadata['token'] === this.#token && !this.#isSigningIn) {
      this.#current = undefined;
    }
  }

  close(): void {
    this.#caller.close();
  }

  async #signIn(): Promise<CallMetadata> {
    this.#isSigningIn = true;
    try {
      this.#token = await this.#caller.call({
        what: 'signing in',
        method: authenticate,
        request: this.#account,
        purpose: 'idempotent',
      });
      return { token: this.#token };
    } catch (error) {
      if (error instanceof HoldfastError && error.message.includes(notAsked)) {
        this.#token = undefined;
        return {};
      }
      this.#current = undefined;
      throw error;
    } finally {
      this.#isSigningIn = false;
    }
  }
}
