/**
 * The other direction: gRPC channels that speak TLS, checked against the name that was meant.
 *
 * Beside grpc-js's own credentials: each connection uses the certificates of its moment, no IP
 * address is sent as a server's name (RFC 6066 §3 forbids it), and what fails is said in words.
 */
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type SecureContext } from 'node:tls';
import { type AllowedNames, nameProblem, tlsReason } from './peer-check.ts';

/** How to dial. */
export interface DialOptions {
  /** Host name or IP address that the other side's certificate must be for. */
  readonly host: string;
  /** Asked for at each connection. */
  readonly context: () => SecureContext;
  /** Names that its certificate must have besides. */
  readonly allowed?: AllowedNames | undefined;
  /** Takes any certificate, so anybody may listen in. For looking at things only. */
  readonly skipsVerification?: boolean | undefined;
}

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type SecureConnectResult = Awaited<ReturnType<SecureConnector['connect']>>;

/** Credentials of a channel to one host; see the module comment. */
export function tlsCredentials(options: DialOptions): ChannelCredentials {
  return new TlsCredentials(async (socket) => secure(socket, options));
}

/** Credentials of a channel that cannot be opened, with the reason. */
export function impossibleCredentials(reason: string): ChannelCredentials {
  return new TlsCredentials(async () => Promise.reject(new Error(reason)));
}

class TlsCredentials extends ChannelCredentials {
  readonly #secure: (socket: Socket) => Promise<SecureConnectResult>;

  constructor(secureSocket: (socket: Socket) => Promise<SecureConnectResult>) {
    super();
    this.#secure = secureSocket;
  }

  override compose(): never {
    throw new Error('members identify themselves in metadata of each call');
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
    const secureSocket = this.#secure;
    return {
      connect: async (socket) => secureSocket(socket),
      waitForReady: async () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}

async function secure(
  socket: Socket,
  { host, context, allowed, skipsVerification = false }: DialOptions,
): Promise<SecureConnectResult> {
  const options: ConnectionOptions = {
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: context(),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: !skipsVerification,
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new Error(`TLS: ${tlsReason(error)}`, { cause: error }));
    };
    const tlsSocket = connect(options, () => {
      tlsSocket.off('error', fail);
      tlsSocket.off('close', closed);
      const problem =
        allowed === undefined
          ? undefined
          : nameProblem(allowed, tlsSocket.getPeerX509Certificate());
      if (problem !== undefined) {
        reject(new Error(`TLS: ${problem}`));
        return;
      }
      resolve({ socket: tlsSocket, secure: true });
    });
    const closed = (): void => {
      fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    };
    tlsSocket.once('error', fail);
    tlsSocket.once('close', closed);
    // Over a connection that has been closed before, Node would wait for ever and say nothing.
    if (socket.destroyed) {
      closed();
    }
  });
}
