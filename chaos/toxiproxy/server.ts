/**
 * Our own Toxiproxy server: the HTTP API of Toxiproxy 2.12, with its routes, bodies, codes and
 * errors, so that clients made for it cannot tell the difference.
 *
 * Without its metrics and its redirects of unclean paths; bodies are bounded. For loopback: it has
 * no authentication, as the real one has none by default.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { arrayOf, encode, type Fields, objectOf, parseBody } from './go-json.ts';
import type { Json } from './json-scanner.ts';
import {
  addToxic,
  ApiError,
  findToxic,
  Proxies,
  proxyToJson,
  toApiError,
  updateToxic,
} from './proxies.ts';
import type { Proxy } from './proxy.ts';
import { toxicToJson } from './toxic.ts';

/** The version that this server behaves like, and tells. */
export const toxiproxyVersion = '2.12.0';

/** Bytes of a request body. */
const bodyBytesMax = 1024 * 1024;

const plainType = 'text/plain; charset=utf-8';

/** Where it listens, and its chance. */
export interface ToxiproxyServerOptions {
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  /** Uniform in `[0, 1)`. */
  readonly random: () => number;
}

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly type?: string;
  /** What no route took is not counted as a request. */
  readonly isRouted?: boolean;
}

type Handler = (parts: readonly string[], body: string) => Answer | Promise<Answer>;

/** A running server. */
export class ToxiproxyServer {
  readonly #proxies: Proxies;
  readonly #http: Server;
  readonly #routes: readonly Route[];

  private constructor(proxies: Proxies) {
    this.#proxies = proxies;
    this.#routes = createRoutes(proxies);
    this.#http = createServer((request, response) => {
      this.#handle(request).then(
        (answer) => {
          send(response, answer);
        },
        (error: unknown) => {
          send(response, errorAnswer(toApiError(error)));
        },
      );
    });
  }

  /** @throws the error of `listen`. */
  static async start({ host, port, random }: ToxiproxyServerOptions): Promise<ToxiproxyServer> {
    const server = new ToxiproxyServer(new Proxies(random));
    server.#http.listen(port, host === 'localhost' ? '127.0.0.1' : host);
    await once(server.#http, 'listening');
    return server;
  }

  /** Where clients reach it. */
  get url(): string {
    const bound = this.#http.address();
    if (bound === null || typeof bound === 'string') {
      throw new Error('the server must be listening');
    }
    return `http://${bound.address}:${bound.port}`;
  }

  /** Creates the proxies of a configuration, as a populating call does. */
  async populate(configuration: string): Promise<void> {
    const { error } = await this.#proxies.populate(listOf(parseBody(configuration)));
    if (error !== undefined) {
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
    await this.#proxies.close();
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const parts = partsOf(request.url ?? '/');
    if (parts === undefined) {
      return { status: 400, body: '400 Bad Request', type: plainType, isRouted: false };
    }
    const route = this.#routes.find((each) => matches(each.path, parts));
    if (route === undefined) {
      return { status: 404, body: '404 page not found\n', type: plainType, isRouted: false };
    }
    const handler = route.methods[request.method ?? 'GET'];
    if (handler === undefined) {
      return { status: 405, isRouted: false };
    }
    if (request.headers['user-agent']?.startsWith('Mozilla/') === true) {
      return { status: 403, body: 'User agent not allowed\n', type: plainType };
    }
    return handler(parts, await readBody(request));
  }
}

/** The parts of the path; undefined if it is not encoded rightly. */
function partsOf(url: string): readonly string[] | undefined {
  try {
    // Decoded first: an encoded slash divides, too.
    return decodeURIComponent(url.split('?')[0] ?? '/')
      .split('/')
      .slice(1);
  } catch {
    return undefined;
  }
}

interface Route {
  /** Parts of the path; `*` is any name. */
  readonly path: readonly string[];
  readonly methods: Readonly<Record<string, Handler>>;
}

function createRoutes(proxies: Proxies): readonly Route[] {
  const version: Answer = {
    status: 200,
    body: `{"version": "${toxiproxyVersion}"}\n`,
    type: 'application/json;charset=utf-8',
  };
  return [
    { path: ['version'], methods: { GET: () => version } },
    { path: ['reset'], methods: { POST: async () => resetAll(proxies) } },
    { path: ['populate'], methods: { POST: async (_, body) => populateAll(proxies, body) } },
    { path: ['proxies'], methods: allProxies(proxies) },
    { path: ['proxies', '*'], methods: oneProxy(proxies) },
    { path: ['proxies', '*', 'toxics'], methods: allToxics(proxies) },
    { path: ['proxies', '*', 'toxics', '*'], methods: oneToxic(proxies) },
  ];
}

function allProxies(proxies: Proxies): Route['methods'] {
  return {
    GET: () => {
      const byName = proxies.all().map((proxy) => [proxy.name, proxyToJson(proxy)] as const);
      return json(200, Object.fromEntries(byName));
    },
    POST: async (_, body) =>
      json(201, proxyToJson(await proxies.create(fieldsOf(body, 'toxiproxy.Proxy')))),
  };
}

function oneProxy(proxies: Proxies): Route['methods'] {
  const update: Handler = async (parts, body) => {
    const proxy = proxyAt(proxies, parts);
    await proxies.update(proxy, fieldsOf(body, 'toxiproxy.Proxy'));
    return json(200, proxyToJson(proxy));
  };
  return {
    GET: (parts) => json(200, proxyToJson(proxyAt(proxies, parts))),
    POST: update,
    PATCH: update,
    DELETE: async (parts) => {
      await proxies.remove(proxyAt(proxies, parts));
      return { status: 204 };
    },
  };
}

function allToxics(proxies: Proxies): Route['methods'] {
  return {
    GET: (parts) => json(200, proxyAt(proxies, parts).toxics.map(toxicToJson)),
    POST: (parts, body) => {
      const proxy = proxyAt(proxies, parts);
      return json(200, toxicToJson(addToxic(proxy, fieldsOf(body, 'toxics.ToxicWrapper'))));
    },
  };
}

function oneToxic(proxies: Proxies): Route['methods'] {
  const find = (parts: readonly string[]) => {
    const proxy = proxyAt(proxies, parts);
    return { proxy, toxic: findToxic(proxy, parts[3] ?? '') };
  };
  const update: Handler = (parts, body) => {
    const { proxy, toxic } = find(parts);
    const changed = updateToxic(proxy, toxic, fieldsOf(body, updateType));
    return json(200, toxicToJson(changed));
  };
  return {
    GET: (parts) => json(200, toxicToJson(find(parts).toxic)),
    POST: update,
    PATCH: update,
    DELETE: (parts) => {
      const { proxy, toxic } = find(parts);
      proxy.removeToxic(toxic);
      return { status: 204 };
    },
  };
}

function proxyAt(proxies: Proxies, parts: readonly string[]): Proxy {
  return proxies.find(parts[1] ?? '');
}

function fieldsOf(body: string, type: string): Fields {
  return objectOf(parseBody(body), type);
}

async function resetAll(proxies: Proxies): Promise<Answer> {
  await proxies.reset();
  return { status: 204 };
}

/** Even its errors are JSON, and tell which proxies were made before. */
async function populateAll(proxies: Proxies, body: string): Promise<Answer> {
  try {
    const { proxies: made, error } = await proxies.populate(listOf(parseBody(body)));
    const shown = made.length === 0 ? null : made.map(proxyToJson);
    return error === undefined
      ? json(201, { proxies: shown })
      : json(error.status, { error: error.message, status: error.status, proxies: shown });
  } catch (error) {
    const { status, message } = toApiError(error);
    return json(status, { error: message, status, proxies: null });
  }
}

/** How Go names what a body is read into that has no name of its own. */
const populatedType = 'struct { toxiproxy.Proxy; Enabled *bool "json:\\"enabled\\"" }';
const updateType =
  'struct { Attributes interface {} "json:\\"attributes\\""; ' +
  'Toxicity float32 "json:\\"toxicity\\"" }';

function listOf(value: Json): readonly Fields[] {
  return arrayOf(value, `[]${populatedType}`).map((each) => objectOf(each, populatedType));
}

function matches(path: readonly string[], parts: readonly string[]): boolean {
  return (
    path.length === parts.length &&
    path.every((each, i) => (each === '*' ? parts[i] !== '' : each === parts[i]))
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) {
      throw new ApiError(400, `bad request body: more than ${bodyBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function json(status: number, value: object): Answer {
  return { status, body: encode(value), type: 'application/json' };
}

function errorAnswer({ status, message: error }: ApiError): Answer {
  return { status, body: `${encode({ error, status })}\n`, type: plainType };
}

function send(response: ServerResponse, { status, body, type, isRouted = true }: Answer): void {
  if (isRouted) {
    response.setHeader('X-Toxiproxy-Request-Id', randomBytes(10).toString('hex'));
  }
  if (type !== undefined) {
    response.setHeader('Content-Type', type);
  }
  if (type === plainType) {
    response.setHeader('X-Content-Type-Options', 'nosniff');
  }
  if (status !== 204) {
    response.setHeader('Content-Length', Buffer.byteLength(body ?? ''));
  }
  response.writeHead(status);
  response.end(body);
}
