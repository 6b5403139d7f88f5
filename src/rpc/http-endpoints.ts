/**
 * What operators and probes ask over HTTP: `/metrics`, `/health`, `/livez`, `/readyz`, `/version`.
 *
 * Alive: the process answers. Ready: a leader is known and a linearizable read goes through in
 * time.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { MemberApi } from '../replica/index.ts';
import type { Listener } from '../tls/index.ts';

/** A probe's patience, milliseconds. */
const probeDeadlineMs = 1000;

/** What the endpoints show. */
export interface HttpEndpointsOptions {
  readonly member: MemberApi;
  readonly metrics: Metrics;
  readonly version: string;
  /** Where connections come in. */
  readonly listen: readonly Listener[];
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** See the module comment. */
export class HttpEndpoints {
  readonly #options: HttpEndpointsOptions;
  readonly #server: Server;

  constructor(options: HttpEndpointsOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response);
    });
  }

  /**
   * Starts listening; returns the ports, in the order of `listen`.
   *
   * @throws {KvError} CONFIG_INVALID — an address cannot be listened on; names it.
   */
  async start(): Promise<readonly number[]> {
    const server = this.#server;
    // It does not listen itself, and begins to watch for requests that never end when it does.
    server.emit('listening');
    const ports: number[] = [];
    for (const listener of this.#options.listen) {
      ports.push(await listener.open((socket) => server.emit('connection', socket)));
    }
    return ports;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#options.listen.map(async (listener) => listener.close()));
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    this.#answer(request.method ?? 'GET', path).then(
      ({ status, type, body }) => {
        const allow = status === 405 ? { allow: 'GET, HEAD' } : {};
        response.writeHead(status, { 'content-type': type, ...allow });
        response.end(body);
      },
      (error: unknown) => {
        this.#options.metrics.internalErrors.inc();
        response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(`${String(error)}\n`);
      },
    );
  }

  async #answer(method: string, path: string): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') {
      return text(405, 'method not allowed\n');
    }
    switch (path) {
      case '/metrics': {
        const { metrics } = this.#options;
        return { status: 200, type: metrics.contentType, body: await metrics.render() };
      }
      case '/version':
        return json(200, {
          etcdserver: this.#options.version,
          etcdcluster: this.#options.version,
        });
      case '/livez':
        return text(200, 'ok\n');
      case '/readyz': {
        const trouble = await this.#trouble();
        return trouble === undefined ? text(200, 'ok\n') : text(503, `not ready: ${trouble}\n`);
      }
      case '/health': {
        const reason = await this.#trouble();
        return reason === undefined
          ? json(200, { health: 'true', reason: '' })
          : json(503, { health: 'false', reason });
      }
      default:
        return text(404, 'not found; there are /metrics /health /livez /readyz /version\n');
    }
  }

  /** Why this member cannot serve; undefined when it can. */
  async #trouble(): Promise<string | undefined> {
    const { member } = this.#options;
    const [error] = member.status().errors;
    if (error !== undefined) {
      return error;
    }
    try {
      await member.confirmRead({ deadlineMs: probeDeadlineMs });
      return undefined;
    } catch (failure) {
      if (failure instanceof KvError) {
        return failure.message;
      }
      throw failure;
    }
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
