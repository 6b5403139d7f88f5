/** A server of HTTP for operators and probes, on addresses of its own (`http-pages.ts`). */
import { createServer, type Server } from 'node:http';
import type { Listener } from '../tls/index.ts';
import { HttpPages, type HttpPagesOptions } from './http-pages.ts';

/** What the endpoints show, and where. */
export interface HttpEndpointsOptions extends HttpPagesOptions {
  /** Where connections come in. */
  readonly listen: readonly Listener[];
}

/** See the module comment. */
export class HttpEndpoints {
  readonly #listen: readonly Listener[];
  readonly #server: Server;

  constructor(options: HttpEndpointsOptions) {
    this.#listen = options.listen;
    const pages = new HttpPages(options);
    this.#server = createServer((request, response) => {
      pages.answer(request, response);
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
    for (const listener of this.#listen) {
      ports.push(await listener.open((socket) => server.emit('connection', socket)));
    }
    return ports;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listen.map(async (listener) => listener.close()));
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}
