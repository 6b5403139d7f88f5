/**
 * An address that this member listens on: takes connections, in plain text or by TLS, and hands
 * over those that may come in.
 *
 * What is handed over by TLS has finished its handshake in time, has shown a certificate of a
 * trusted CA where one is asked for, and has an allowed name. Everything else is cut off and told,
 * at most once in ten seconds for each reason, however many come. Whoever is half-way cannot take
 * the places of others for long: those who have not finished a handshake, or in plain text have not
 * said a word, are bounded in number and in time. All connections together can be bounded as well.
 */
import { lookup } from 'node:dns/promises';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { listenError, type TimerHandle, type Timers } from '../base/index.ts';
import type { Certificates } from './certificates.ts';
import type { ConnectionBound } from './connection-bound.ts';
import { nameProblem, tlsReason } from './peer-check.ts';
import { type RefusalKind, RefusalLog, type RefusedConnection } from './refusal-log.ts';

/**
 * A handshake takes a few round trips, a first word less; whoever is not done by then is cut off.
 * Milliseconds.
 *
 * @internal Exported for tests.
 */
export const handshakeMsMax = 10_000;
/** Limit: beginners on one address; more than clients that come back together. */
const defaultBeginnersMax = 4096;
/** Beyond the limit one that stalls makes room for a new one after so long, milliseconds. */
const stalledMs = 2000;

/**
 * A connection that is silent for so long is asked whether its other side is still there, by TCP:
 * one that has vanished without a word would else hold its place, and its streams, for ever.
 * Milliseconds.
 */
const keepAliveMs = 30_000;

/** What comes first in a TLS connection: a record with a handshake. */
const tlsHandshakeByte = 0x16;
/** To clients that begin TLS here, all of which say that this is no TLS, and some show the text. */
const plainTextAnswer =
  'HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n' +
  'This port does not speak TLS.\n';

const flagByPurpose = {
  clients: '--listen-client-urls',
  peers: '--listen-peer-urls',
  metrics: '--listen-metrics-urls',
} as const;

/** What is spoken there, by the names that TLS agrees on; the first that the other side knows. */
const alpnByPurpose = {
  clients: ['h2', 'http/1.1'],
  peers: ['h2'],
  metrics: ['http/1.1'],
} as const;

/** What a connection of HTTP/2 begins with, as no method of HTTP/1 does. */
const http2Preface = 'PRI';

/** Whom connections are taken for. */
export type ListenPurpose = 'clients' | 'peers' | 'metrics';

/** What a connection speaks: clients may speak HTTP/1 as well as gRPC, which is HTTP/2. */
export type Protocol = 'http/1' | 'http/2';

/** Takes a connection that may come in. */
type OnConnection = (socket: Socket, protocol: Protocol) => void;

/** How to listen. */
export interface ListenerOptions {
  readonly purpose: ListenPurpose;
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** By TLS with these; absent: in plain text. */
  readonly certificates?: Certificates | undefined;
  readonly timers: Timers;
  /** Connections that have not finished their handshake, or said a word. Default 4096. */
  readonly beginnersMax?: number | undefined;
  /** Connections, here and wherever else the same is given; absent: any number. */
  readonly bound?: ConnectionBound | undefined;
  readonly onRefused?: ((connection: RefusedConnection) => void) | undefined;
}

/** A connection whose handshake is under way, or that is to say its first word. */
interface Beginner {
  readonly socket: Socket;
  readonly sinceMs: number;
  readonly timer: TimerHandle;
}

/** See the module comment. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #refusals: RefusalLog;
  /** One for each address that the host name stands for. */
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** By the addresses and ports of both sides, in the order of their beginnings. */
  readonly #beginners = new Map<string, Beginner>();
  readonly #beginnersMax: number;
  #tls: TlsServer | undefined;
  #forget: () => void = () => undefined;
  #isStopped = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#beginnersMax = options.beginnersMax ?? defaultBeginnersMax;
    this.#refusals = new RefusalLog(options.timers, (refused) => options.onRefused?.(refused));
  }

  /** `host:port` as it was asked for. */
  get address(): string {
    const { host, port } = this.#options;
    return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /**
   * Listens; returns the port.
   *
   * @throws {KvError} CONFIG_INVALID — it cannot; names the address.
   */
  async open(onConnection: OnConnection): Promise<number> {
    const { purpose, host, certificates } = this.#options;
    if (certificates !== undefined) {
      this.#tls = this.#createTls(certificates, onConnection);
    }
    let { port } = this.#options;
    const failures: Error[] = [];
    try {
      for (const address of await addressesOf(host)) {
        // A machine may have no IPv6, though its names say otherwise.
        const bound = await this.#listen(address, port, onConnection).catch((error: unknown) => {
          failures.push(error as Error);
        });
        port = bound ?? port;
      }
    } catch (error) {
      failures.push(error as Error);
    }
    const [failure] = failures;
    if (this.#servers.length === 0 || (failure !== undefined && isTaken(failure))) {
      throw listenError(purpose, this.address, failure ?? new Error(`${host} has no address`));
    }
    return port;
  }

  /** Takes no more connections, and drops those that are not handed over yet. */
  stop(): void {
    this.#isStopped = true;
    this.#forget();
    for (const server of this.#servers) {
      if (server.listening) {
        server.close();
      }
    }
    for (const { socket } of [...this.#beginners.values()]) {
      socket.destroy();
    }
  }

  /** Waits until the connections that came in here have ended. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#sockets].map(
        async (socket) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => {
              resolve();
            });
          }),
      ),
    );
  }

  /** Stops, and ends all connections that came in here. */
  async close(): Promise<void> {
    this.stop();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await this.ended();
  }

  async #listen(host: string, port: number, onConnection: OnConnection): Promise<number> {
    // A client of HTTP/1 may end its side once it has asked.
    const allowHalfOpen = this.#options.purpose === 'metrics';
    const server = createServer({ allowHalfOpen }, (socket) => {
      this.#take(socket, onConnection);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        this.#servers.push(server);
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  #take(socket: Socket, onConnection: OnConnection): void {
    this.#sockets.add(socket);
    // Without a listener an error of the connection, which is the other side's, would end the
    // process.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#sockets.delete(socket);
    });
    if (this.#isStopped) {
      socket.destroy();
      return;
    }
    const problem = this.#makeRoom();
    if (problem !== undefined) {
      this.#refuse(socket, ...problem);
      return;
    }
    socket.setKeepAlive(true, keepAliveMs);
    const leave = this.#options.bound?.enter();
    socket.once('close', () => leave?.());
    this.#begin(socket);
    if (this.#tls === undefined) {
      this.#takePlain(socket, onConnection);
    } else {
      this.#tls.emit('connection', socket);
    }
  }

  #begin(socket: Socket): void {
    const { timers } = this.#options;
    const key = keyOf(socket);
    const timer = timers.after(handshakeMsMax, () => {
      const what = this.#tls === undefined ? 'it has said nothing for' : 'its TLS handshake took';
      this.#refuse(socket, 'slow', `${what} more than ${handshakeMsMax} ms`);
    });
    this.#beginners.set(key, { socket, sinceMs: timers.nowMs(), timer });
    socket.once('close', () => this.#settle(key));
  }

  /** Looks at the first byte, since TLS here would only be an unreadable request. */
  #takePlain(socket: Socket, onConnection: OnConnection): void {
    const { purpose } = this.#options;
    const key = keyOf(socket);
    this.#listenTo(socket, (protocol) => {
      this.#settle(key);
      if (protocol === 'tls') {
        socket.end(plainTextAnswer);
        this.#refuse(
          socket,
          'tls-on-plain-port',
          `it speaks TLS, and this port does not: say https:// in ` +
            `${flagByPurpose[purpose]} or http:// there`,
          'soft',
        );
      } else if (protocol === 'nothing') {
        // It has gone without a word.
        socket.destroy();
      } else {
        onConnection(socket, protocol);
      }
    });
  }

  /** Tells what a connection speaks, once it has said enough; nothing of that is lost. */
  #listenTo(socket: Socket, tell: (protocol: Protocol | 'tls' | 'nothing') => void): void {
    let said = Buffer.alloc(0);
    const listen = (): void => {
      const piece = socket.read() as Buffer | null;
      if (piece === null) {
        tell('nothing');
        return;
      }
      said = Buffer.concat([said, piece]);
      const protocol = protocolOf(this.#options.purpose, said);
      if (protocol === undefined) {
        socket.once('readable', listen);
        return;
      }
      socket.unshift(said);
      tell(protocol);
    };
    socket.once('readable', listen);
  }

  /** Sees to it that one more may begin; returns why it may not. */
  #makeRoom(): readonly [kind: RefusalKind, reason: string] | undefined {
    const { bound } = this.#options;
    const isFull = bound?.isFull === true;
    if (!isFull && this.#beginners.size < this.#beginnersMax) {
      return undefined;
    }
    const [[key, oldest] = []] = this.#beginners;
    if (
      key !== undefined &&
      oldest !== undefined &&
      this.#options.timers.nowMs() - oldest.sinceMs >= stalledMs
    ) {
      this.#refuse(
        oldest.socket,
        'slow',
        'it stalled at the beginning, and others wait for a place',
      );
      // At once, so that the next one makes room of another.
      this.#settle(key);
      return undefined;
    }
    return isFull
      ? ['connections', `${bound.max} connections are open: ${bound.remedy}`]
      : ['full', `${this.#beginnersMax} connections have not finished their beginning`];
  }

  #createTls(certificates: Certificates, onConnection: OnConnection): TlsServer {
    const { settings } = certificates;
    const isAsked = settings.ca !== undefined;
    const tls = createTlsServer({
      ...certificates.material.options,
      requestCert: isAsked,
      rejectUnauthorized: isAsked,
      ALPNProtocols: [...alpnByPurpose[this.#options.purpose]],
    });
    this.#forget = certificates.onChange(() => {
      tls.setSecureContext(certificates.material.options);
    });
    tls.on('secureConnection', (socket) => {
      const key = keyOf(socket);
      const isKnown = this.#beginners.has(key);
      this.#settle(key);
      const problem = isAsked ? certificateProblem(socket, certificates) : undefined;
      if (problem !== undefined) {
        this.#refuse(socket, 'certificate', problem);
      } else if (!isKnown || this.#isStopped) {
        socket.destroy();
      } else {
        socket.on('error', () => undefined);
        this.#takeSecured(socket, onConnection);
      }
    });
    tls.on('tlsClientError', (error, socket) => {
      this.#refuseTls(error, socket);
    });
    return tls;
  }

  /** What it speaks was agreed on in the handshake, but by clients that know of no such thing. */
  #takeSecured(socket: TLSSocket, onConnection: OnConnection): void {
    const { alpnProtocol } = socket;
    if (alpnProtocol === 'h2') {
      onConnection(socket, 'http/2');
    } else if (alpnProtocol === 'http/1.1') {
      onConnection(socket, 'http/1');
    } else {
      this.#listenTo(socket, (protocol) => {
        if (protocol === 'http/1' || protocol === 'http/2') {
          onConnection(socket, protocol);
        } else {
          socket.destroy();
        }
      });
    }
  }

  #refuseTls(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    // What Node has against a certificate: it closes then, which is the error. The types say that
    // this is always an error; it is a code, or nothing.
    const verdict = socket.authorizationError as unknown as string | null | undefined;
    if (verdict !== undefined && verdict !== null) {
      this.#refuse(socket, 'certificate', tlsReason(verdict));
    } else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
      // It went away by itself, as probes do that only look whether the port is open.
      socket.destroy();
    } else {
      this.#refuse(socket, 'handshake', tlsReason(error));
    }
  }

  #refuse(socket: Socket, kind: RefusalKind, reason: string, how: 'hard' | 'soft' = 'hard'): void {
    const { purpose } = this.#options;
    const client = addressOf(socket) ?? 'unknown';
    this.#refusals.tell({ listener: purpose, kind, reason, client });
    if (how === 'hard') {
      socket.destroy();
    } else {
      socket.destroySoon();
    }
  }

  #settle(key: string): void {
    this.#beginners.get(key)?.timer.cancel();
    this.#beginners.delete(key);
  }
}

/** Why a connection that Node has let in is refused all the same. */
function certificateProblem(socket: TLSSocket, certificates: Certificates): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  // Invariant: whoever is asked for a certificate has shown one in this very handshake.
  if (!socket.authorized || socket.isSessionReused() || certificate === undefined) {
    return 'it has shown no certificate in this handshake';
  }
  return nameProblem(certificates.settings, certificate);
}

/** What somebody speaks who has begun with `said`; undefined when that does not tell yet. */
function protocolOf(purpose: ListenPurpose, said: Buffer): Protocol | 'tls' | undefined {
  if (said[0] === tlsHandshakeByte) {
    return 'tls';
  }
  if (purpose !== 'clients') {
    return purpose === 'metrics' ? 'http/1' : 'http/2';
  }
  const beginning = said.toString('latin1', 0, http2Preface.length);
  if (!http2Preface.startsWith(beginning)) {
    return 'http/1';
  }
  return beginning.length === http2Preface.length ? 'http/2' : undefined;
}

/** For the log only: a TLS socket that Node has ended has no address; the one beneath it has. */
function addressOf(socket: Socket & { readonly _parent?: Socket }): string | undefined {
  const { remoteAddress, remotePort } =
    socket.remoteAddress === undefined ? (socket._parent ?? socket) : socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort ?? 0}`;
}

/** A name for several addresses has several here, and one port may have dialled each of them. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress ?? ''}|${remotePort ?? 0}|${localAddress ?? ''}|${localPort ?? 0}`;
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) {
    return [host];
  }
  const found = await lookup(host, { all: true });
  return [...new Set(found.map(({ address }) => address))];
}

/** A port that is taken on one of a name's addresses is a mistake; a missing address is not. */
function isTaken(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}
