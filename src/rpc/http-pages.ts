/**
 * What operators and probes ask over HTTP: `/metrics`, `/health`, `/livez`, `/readyz`, `/version`.
 *
 * Alive: the process answers. Ready: a leader is known and a linearizable read goes through in
 * time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { MemberApi } from '../replica/index.ts';

/** A probe's patience, milliseconds. */
const probeDeadlineMs = 1000;

const pages: ReadonlySet<string> = new Set([
  '/metrics',
  '/health',
  '/livez',
  '/readyz',
  '/version',
]);

/** What the pages show. */
export interface HttpPagesOptions {
  readonly member: MemberApi;
  readonly metrics: Metrics;
  readonly version: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** See the module comment. */
export class HttpPages {
  readonly #options: HttpPagesOptions;

  constructor(options: HttpPagesOptions) {
    this.#options = options;
  }

  /** Answers a request. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request.method ?? 'GET', pathOf(request)).then(
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
    if (!pages.has(path)) {
      return text(404, `not found; there are ${[...pages].join(' ')}\n`);
    }
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
      default: {
        const reason = await this.#trouble();
        return reason === undefined
          ? json(200, { health: 'true', reason: '' })
          : json(503, { health: 'false', reason });
      }
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

/** The path that a request asks for. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?')[0] ?? '/';
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
