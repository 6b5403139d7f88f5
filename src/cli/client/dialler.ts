/**
 * How a client command reaches an endpoint, and as whom: in plain text, or by TLS with the files it
 * was given.
 *
 * `https://` endpoints are dialled by TLS, and all others as well once a file is given; the
 * member's certificate must be for the endpoint's host.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import { dialReason, tlsCredentials } from '../../tls/index.ts';
import { type AccessFiles, readAccessFiles, secureContextOf } from './access-files.ts';
import { SignIn } from './sign-in.ts';

/** What TLS of a command is about, from its flags and variables. */
export interface ClientTls extends Partial<AccessFiles> {
  readonly skipsVerification: boolean;
}

const scheme = 'https://';

/** See the module comment. */
export class Dialler {
  /** Who calls. */
  readonly signIn: SignIn;
  readonly #tls: ClientTls;
  /** Dials by TLS also where an endpoint does not say so. */
  readonly #isSecure: boolean;
  readonly #context: SecureContext | undefined;

  /**
   * Reads the files.
   *
   * @throws {ExitError} 2 — one cannot be used, or is missing; names the setting and the file.
   */
  constructor(tls: ClientTls, endpoints: readonly string[], signIn = new SignIn()) {
    this.signIn = signIn;
    const { ca, cert, key, skipsVerification } = tls;
    this.#tls = tls;
    const given = [ca, cert, key].filter((file) => file !== undefined);
    this.#isSecure = given.length > 0 || skipsVerification;
    const isNeeded = this.#isSecure || endpoints.some((each) => each.startsWith(scheme));
    this.#context = isNeeded ? secureContextOf(readAccessFiles(tls)) : undefined;
  }

  /** A channel to `[https://]host:port`. */
  open(endpoint: string, options: ChannelOptions): Client {
    const address = endpoint.replace(scheme, '');
    if (!this.#speaksTls(endpoint)) {
      return new Client(address, credentials.createInsecure(), options);
    }
    const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
    // Members may name endpoints of TLS that the command was not given.
    const context = (): SecureContext => this.#context ?? createSecureContext();
    const { skipsVerification } = this.#tls;
    return new Client(address, tlsCredentials({ host, context, skipsVerification }), options);
  }

  /** Why there is no connection to an endpoint, from what gRPC says. */
  reasonOf(endpoint: string, text: string): string {
    const [, found = ''] = /Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(text) ?? [];
    const reason = found === '' ? text : found;
    if (this.#speaksTls(endpoint)) {
      return dialReason(reason);
    }
    const said = reason.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '');
    return /^Failed to connect$|ECONNRESET|Protocol error|NGHTTP2/.test(said)
      ? `${said}: it has closed the connection; if it speaks TLS, write https:// and --cacert`
      : said;
  }

  #speaksTls(endpoint: string): boolean {
    return this.#isSecure || endpoint.startsWith(scheme);
  }
}
