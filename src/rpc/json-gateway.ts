/**
 * etcd's JSON gateway: HTTP/1 on the addresses of clients, a method of gRPC for each path under
 * `/v3/`, and the pages of probes.
 *
 * A call goes on as one of gRPC (`gateway-connection.ts`). What its client says besides the message
 * travels along: `Authorization`, `Grpc-Timeout`, `Idempotency-Key`, and anything as
 * `Grpc-Metadata-…`. What the server says comes back as `Grpc-Metadata-…`, with an error as
 * `Grpc-Trailer-…`: whether it may have happened is there.
 *
 * A request that a browser sends for a page of another site is refused, since such a page could
 * write to whatever its reader can reach; it has the header `Origin`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { type EventLoop, KvError, type TimerHandle } from '../base/index.ts';
import { messageFromJson, messageToJson } from '../wire/index.ts';
import { type CallEnd, type GatewayCall, GatewayConnection } from './gateway-connection.ts';
import { GatewayRoom, type RoomShare } from './gateway-room.ts';
import { type HttpPages, pathOf } from './http-pages.ts';
import { jsonRoutes, type Route } from './json-routes.ts';
import { JsonValues } from './json-values.ts';
import { toServiceError } from './status.ts';

/** A request's headers, and the whole of one that has one message, must be here by then. */
const requestMsMax = 30_000;
/** Base64 is a third longer; names and numbers come on top. */
const jsonOverheadBytes = 64 * 1024;

const json = { 'content-type': 'application/json' } as const;

const okCode: number = status.OK;

const httpStatuses: Readonly<Record<number, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 408,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.UNAUTHENTICATED]: 401,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 412,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.UNAVAILABLE]: 503,
};

/** What the gateway works with. */
export interface JsonGatewayOptions {
  readonly pages: HttpPages;
  /** Takes the server's end of a connection within the process. */
  readonly inject: (connection: Duplex) => void;
  /** What tells the server whose connection a call came by. */
  readonly identity: (socket: Socket) => OutgoingHttpHeaders;
  /** Bytes of the largest message. */
  readonly messageBytesMax: number;
  readonly timers: Pick<EventLoop, 'after' | 'endOfTurn'>;
  readonly onDefect: (error: unknown) => void;
}

/** See the module comment. */
export class JsonGateway {
  readonly #options: JsonGatewayOptions;
  readonly #routes = jsonRoutes();
  readonly #server: Server;
  /** Of each connection that has made a call. */
  readonly #connections = new Map<Socket, GatewayConnection>();
  readonly #room = new GatewayRoom();
  /** Of each connection. */
  readonly #shares = new Map<Socket, RoomShare>();
  /** Set while it stops: what has not ended by then is cut off. */
  #cutOff: TimerHandle | undefined;

  constructor(options: JsonGatewayOptions) {
    this.#options = options;
    // A stream of requests may go on for as long as it likes.
    const limits = { headersTimeout: requestMsMax, requestTimeout: 0 };
    this.#server = createServer(limits, (request, response) => {
      this.#handle(request, response);
    });
    // It does not listen itself, and begins to watch for headers that never end when it does.
    this.#server.emit('listening');
  }

  /** Takes a connection of HTTP/1. */
  take(socket: Socket): void {
    this.#shares.set(socket, this.#room.share());
    socket.once('close', () => {
      this.#shares.delete(socket);
      this.#connections.get(socket)?.close();
      this.#connections.delete(socket);
      if (this.#shares.size === 0) {
        this.#cutOff?.cancel();
      }
    });
    this.#server.emit('connection', socket);
  }

  /** Takes no more requests, and cuts off after `graceMs` what has not ended. */
  stop(graceMs: number): void {
    this.#cutOff = this.#options.timers.after(graceMs, () => {
      for (const socket of this.#shares.keys()) {
        socket.destroy();
      }
    });
    this.#server.close();
    this.#server.closeIdleConnections();
    if (this.#shares.size === 0) {
      this.#cutOff.cancel();
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const isStopping = this.#cutOff !== undefined;
    if (isStopping) {
      response.setHeader('connection', 'close');
    }
    // Those of a version that etcd 3.4 still has are the same.
    const path = pathOf(request).replace(/^\/v3beta\//, '/v3/');
    const route = this.#routes.get(path);
    if (route === undefined) {
      this.#options.pages.answer(request, response);
    } else if (isStopping) {
      const { code, message } = new KvError('STOPPED');
      const body = JSON.stringify({ error: message, message, code: status.UNAVAILABLE });
      const headers = { ...json, 'grpc-trailer-holdfast-code': code };
      respond(response, 503, { ...headers, 'grpc-trailer-holdfast-outcome': 'rejected' }, body);
    } else if (request.method !== 'POST') {
      respond(response, 405, { 'content-type': 'text/plain', allow: 'POST' }, 'use POST\n');
    } else if (request.headers.origin !== undefined) {
      const why = 'pages of a browser are not served here: the request has the header Origin\n';
      respond(response, 403, { 'content-type': 'text/plain' }, why);
    } else {
      this.#begin(route, request, response);
    }
  }

  #begin(route: Route, request: IncomingMessage, response: ServerResponse): void {
    const { method } = route;
    const share = this.#shares.get(request.socket) ?? this.#room.share();
    const { onDefect } = this.#options;
    const exchange = new Exchange(route, response, { share, onDefect });
    const connection = this.#connectionOf(request.socket);
    try {
      exchange.begin(connection.call(method.path, this.#metadataOf(request), exchange));
    } catch {
      const message = 'holdfast: a header of the request is none that gRPC takes as metadata';
      exchange.fail(new KvError('INVALID_ARGUMENT', { message }));
    }
    response.once('close', () => {
      exchange.over();
    });
    const { messageBytesMax, timers } = this.#options;
    const values = new JsonValues(Math.ceil((messageBytesMax * 4) / 3) + jsonOverheadBytes);
    let sent = 0;
    const late = timers.after(requestMsMax, () => {
      if (!method.requestStream) {
        exchange.fail(new KvError('TIMEOUT', { outcome: 'rejected' }));
      }
    });
    const take = (pieces: () => readonly unknown[]): void => {
      // What still comes when the answer is known is not kept.
      if (exchange.isOver) {
        return;
      }
      try {
        for (const value of pieces()) {
          if (sent++ === 0 || method.requestStream) {
            exchange.send(value);
          }
        }
      } catch (error) {
        exchange.fail(error);
      }
    };
    request.on('data', (chunk: Buffer) => {
      take(() => values.push(chunk));
      exchange.holdsRequest(values.bytes);
    });
    request.on('end', () => {
      late.cancel();
      take(() => {
        values.end();
        // No body is an empty message.
        return sent === 0 && !method.requestStream ? [{}] : [];
      });
      exchange.endRequests();
    });
    request.on('close', () => {
      late.cancel();
    });
  }

  #connectionOf(socket: Socket): GatewayConnection {
    let connection = this.#connections.get(socket);
    if (connection?.isOpen !== true) {
      connection = new GatewayConnection(this.#options.inject, this.#options.timers);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  #metadataOf({ headers, socket }: IncomingMessage): OutgoingHttpHeaders {
    const metadata: OutgoingHttpHeaders = {};
    for (const [name, value] of Object.entries(headers)) {
      if (name.startsWith('grpc-metadata-')) {
        metadata[name.slice('grpc-metadata-'.length)] = value;
      } else if (forwarded.has(name)) {
        metadata[name] = value;
      }
    }
    return { ...metadata, ...this.#options.identity(socket) };
  }
}

const forwarded: ReadonlySet<string> = new Set([
  'authorization',
  'grpc-timeout',
  'idempotency-key',
]);

/** What an exchange has of the gateway. */
interface ExchangeHost {
  readonly share: RoomShare;
  readonly onDefect: (error: unknown) => void;
}

/** A request and its response, or a stream of them. */
class Exchange {
  readonly #route: Route;
  readonly #response: ServerResponse;
  readonly #host: ExchangeHost;
  #call: GatewayCall | undefined;
  #heldBytes = 0;
  #requestBytes = 0;
  #headers: Record<string, string> = {};
  #answer: object | undefined;
  #isOver = false;

  constructor(route: Route, response: ServerResponse, host: ExchangeHost) {
    this.#route = route;
    this.#response = response;
    this.#host = host;
    response.on('drain', () => {
      this.#call?.resume();
    });
  }

  /** Whether the answer is known. */
  get isOver(): boolean {
    return this.#isOver;
  }

  begin(call: GatewayCall): void {
    this.#call = call;
  }

  /** @throws {KvError} INVALID_ARGUMENT — the value is no such request. */
  send(value: unknown): void {
    const message = messageFromJson(this.#route.request, value);
    if (this.#call?.send(this.#route.method.requestSerialize(message)) === false) {
      this.#response.req.pause();
    }
  }

  onDrain(): void {
    this.#response.req.resume();
  }

  /** So much is kept of a request that is not whole. */
  holdsRequest(bytes: number): void {
    const more = bytes - this.#requestBytes;
    if (this.#isOver) {
      return;
    }
    if (!this.#maybeHold(more)) {
      this.fail(new KvError('TOO_MANY_REQUESTS', { details: { reason: 'bytes' } }));
      return;
    }
    this.#requestBytes = bytes;
  }

  endRequests(): void {
    this.#call?.endRequests();
  }

  onMetadata(metadata: Readonly<Record<string, string>>): void {
    this.#headers = prefixed('grpc-metadata-', metadata);
  }

  onMessage(bytes: Buffer): void {
    const { method, response } = this.#route;
    if (this.#isOver) {
      return;
    }
    // It is here three times: as bytes, as an object, as text.
    if (!this.#maybeHold(3 * bytes.length)) {
      this.fail(noRoomFor(bytes.length));
      return;
    }
    const answer = messageToJson(response, method.responseDeserialize(bytes));
    if (!method.responseStream) {
      this.#answer = answer;
      return;
    }
    this.#beginStream(200);
    const hasRoom = this.#response.write(`${JSON.stringify({ result: answer })}\n`);
    this.#release(3 * bytes.length);
    if (!hasRoom) {
      this.#call?.pause();
    }
  }

  onEnd(end: CallEnd): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    if (end.code !== okCode) {
      this.#end(end);
    } else if (this.#route.method.responseStream) {
      this.#beginStream(200);
      this.#response.end();
    } else {
      const headers = { ...json, ...this.#headers };
      respond(this.#response, 200, headers, JSON.stringify(this.#answer ?? {}));
    }
  }

  /** It cannot go on, by what came from the client or for lack of room. */
  fail(error: unknown): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    const { code, details, metadata } = toServiceError(error, this.#host.onDefect);
    const told: Record<string, string> = {};
    for (const [name, value] of Object.entries(metadata.getMap())) {
      told[name] = String(value);
    }
    this.#end({ code, message: details, metadata: told });
    this.#call?.cancel();
  }

  /** The response has left, or nobody waits for it. */
  over(): void {
    this.#isOver = true;
    this.#call?.cancel();
    this.#release(this.#heldBytes);
  }

  #end({ code, message, metadata }: CallEnd): void {
    const http = httpStatuses[code] ?? 500;
    const headers = {
      ...json,
      ...this.#headers,
      ...prefixed('grpc-trailer-', metadata),
    };
    if (!this.#route.method.responseStream) {
      const body = JSON.stringify({ error: message, message, code });
      respond(this.#response, http, headers, body);
      return;
    }
    this.#beginStream(http, headers);
    const error = { grpc_code: code, http_code: http, message };
    this.#response.end(`${JSON.stringify({ error })}\n`);
  }

  #beginStream(
    http: number,
    headers: Readonly<Record<string, string>> = { ...json, ...this.#headers },
  ) {
    if (!this.#response.headersSent) {
      endUnread(this.#response);
      this.#response.writeHead(http, headers);
    }
  }

  #maybeHold(bytes: number): boolean {
    const hasRoom = this.#host.share.maybeHold(bytes);
    this.#heldBytes += hasRoom ? bytes : 0;
    return hasRoom;
  }

  #release(bytes: number): void {
    this.#host.share.release(bytes);
    this.#heldBytes -= bytes;
  }
}

/** The call has been carried out; what it may have changed is changed. */
function noRoomFor(bytes: number): KvError {
  return new KvError('TOO_MANY_REQUESTS', {
    message:
      `holdfast: there is no room to write an answer of ${bytes} bytes as JSON: ` +
      'read it in pages ("limit"), or by gRPC',
    outcome: 'unknown',
    details: { reason: 'bytes' },
  });
}

function prefixed(
  prefix: string,
  metadata: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [`${prefix}${name}`, value]),
  );
}

/** Who is answered before all has come ends the connection: the rest may have no end. */
function endUnread(response: ServerResponse): void {
  if (!response.req.complete) {
    response.setHeader('connection', 'close');
  }
}

function respond(
  response: ServerResponse,
  http: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  endUnread(response);
  response.writeHead(http, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
