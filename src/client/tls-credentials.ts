/**
 * Connections to members by TLS, and what is wrong with a certificate in words.
 *
 * Beside grpc-js's own credentials: no IP address is sent as a server's name (RFC 6066 §3 forbids
 * it, and Node warns of it), and a certificate that is refused, here or by the member, is told from
 * what may pass by itself.
 */
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type SecureConnectResult = Awaited<ReturnType<SecureConnector['connect']>>;

/** Credentials of a channel to one host; see the module comment. */
export class TlsCredentials extends ChannelCredentials {
  readonly #host: string;
  readonly #context: SecureContext;
  #refusal: string | undefined;

  /** `host` is what the member's certificate must be for. */
  constructor(host: string, context: SecureContext) {
    super();
    this.#host = host;
    this.#context = context;
  }

  /** What was wrong with a certificate at the last connection; undefined when nothing was. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  override compose(): never {
    throw new Error('callers identify themselves in metadata of each call');
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...[, , callCredentials]: Parameters<ChannelCredentials['_createSecureConnector']>
  ): SecureConnector {
    return {
      connect: async (socket) => this.#secure(socket),
      waitForReady: async () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }

  async #secure(socket: Socket): Promise<SecureConnectResult> {
    this.#refusal = undefined;
    const host = this.#host;
    const tls = connect({
      ...{ socket, host, secureContext: this.#context, ALPNProtocols: ['h2'] },
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    return new Promise((resolve, reject) => {
      tls.once('secureConnect', () => {
        resolve({ socket: tls, secure: true });
      });
      // It stays: a member refuses a certificate after the handshake (TLS 1.3).
      tls.on('error', (error: NodeJS.ErrnoException) => {
        this.#refusal ??= refusalOf(tls, error);
        reject(error);
      });
      const closed = (): void => {
        reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
      };
      tls.once('close', closed);
      // Over a connection that has been closed before, Node would wait for ever and say nothing.
      if (socket.destroyed) {
        closed();
      }
    });
  }
}

/** What the other side says of a certificate, in OpenSSL's words. */
const certificateAlert = /alert (?:bad certificate|certificate|unknown ca|unsupported certificate)/;
const untrusted = 'it is of a CA that is not trusted here';

/** What Node finds wrong with a member's certificate. */
const verdicts: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not good yet',
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is its own, of no CA that is trusted here',
};

/** Why it is a certificate that a connection has failed by; undefined when it is not. */
function refusalOf(tls: TLSSocket, error: NodeJS.ErrnoException): string | undefined {
  // The types say that this is an error; it is a code, or nothing.
  const verdict = tls.authorizationError as unknown as string | null | undefined;
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `TLS: the member's certificate: ${error.message.replace(/^.*?altnames: /s, '')}`;
  }
  if (verdict !== undefined && verdict !== null) {
    return `TLS: the member's certificate: ${verdicts[verdict] ?? verdict}`;
  }
  const alert = /alert [a-z ]+/.exec(error.message)?.[0].trim();
  return alert !== undefined && certificateAlert.test(alert)
    ? `TLS: the member refuses this client's certificate, or wants one: ${alert}`
    : undefined;
}
