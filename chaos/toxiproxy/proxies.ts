/**
 * All proxies of a server, and every change that its API allows: what is checked, in which order,
 * and with which error. Facts of Toxiproxy 2.12.
 */
import { BodyError, field, type Fields, objectOf } from './go-json.ts';
import { Proxy } from './proxy.ts';
import {
  attributeNames,
  directionOf,
  isToxicType,
  mergeAttributes,
  type Toxic,
  toxicToJson,
} from './toxic.ts';

/** Proxies at a time: a member needs a handful. */
const proxiesMax = 1000;

/** A refusal, with its HTTP status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** What populating did before it ended, well or not. */
export interface Populated {
  readonly proxies: readonly Proxy[];
  readonly error?: ApiError | undefined;
}

/** See the module comment. */
export class Proxies {
  readonly #byName = new Map<string, Proxy>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  all(): readonly Proxy[] {
    return Array.from(this.#byName.values());
  }

  /** @throws {ApiError} there is no such proxy. */
  find(name: string): Proxy {
    const proxy = this.#byName.get(name);
    if (proxy === undefined) {
      throw new ApiError(404, 'proxy not found');
    }
    return proxy;
  }

  async create(fields: Fields): Promise<Proxy> {
    const { name, listen, upstream, isEnabled } = proxyFields(fields);
    requireField('name', name);
    requireField('upstream', upstream);
    if (this.#byName.has(name)) {
      throw new ApiError(409, 'proxy already exists');
    }
    return this.#add({ name, listen, upstream }, isEnabled);
  }

  /** Makes all of these be there; one that is there already as asked for is kept as it is. */
  async populate(items: readonly Fields[]): Promise<Populated> {
    const wanted = items.map(proxyFields);
    for (const [index, { name, upstream }] of wanted.entries()) {
      requireField('name', name, ` at proxy ${index + 1}`);
      requireField('upstream', upstream, ` at proxy ${index + 1}`);
    }
    const proxies: Proxy[] = [];
    for (const { name, listen, upstream, isEnabled } of wanted) {
      try {
        const existing = this.#byName.get(name);
        if (existing?.listen === listen && existing.upstream === upstream) {
          proxies.push(existing);
          continue;
        }
        if (existing !== undefined) {
          await this.remove(existing);
        }
        proxies.push(await this.#add({ name, listen, upstream }, isEnabled));
      } catch (error) {
        return { proxies, error: toApiError(error) };
      }
    }
    return { proxies };
  }

  async update(proxy: Proxy, fields: Fields): Promise<void> {
    const listen = field(fields, 'listen', 'string') ?? proxy.listen;
    const upstream = field(fields, 'upstream', 'string') ?? proxy.upstream;
    const isEnabled = field(fields, 'enabled', 'bool') ?? proxy.isEnabled;
    if (listen !== proxy.listen || upstream !== proxy.upstream) {
      await proxy.disable();
      proxy.move(listen, upstream);
    }
    await setEnabled(proxy, isEnabled);
  }

  async remove(proxy: Proxy): Promise<void> {
    this.#byName.delete(proxy.name);
    await proxy.disable();
  }

  /** Enables every proxy and removes every toxic. */
  async reset(): Promise<void> {
    for (const proxy of this.#byName.values()) {
      await setEnabled(proxy, true);
      proxy.removeToxics();
    }
  }

  async close(): Promise<void> {
    for (const proxy of this.all()) {
      await this.remove(proxy);
    }
  }

  async #add(
    options: { readonly name: string; readonly listen: string; readonly upstream: string },
    isEnabled: boolean,
  ): Promise<Proxy> {
    if (this.#byName.size >= proxiesMax) {
      throw new ApiError(500, `no more than ${proxiesMax} proxies`);
    }
    const proxy = new Proxy(options, this.#random);
    // Reserved before anything is waited for, so that two requests cannot both create it.
    this.#byName.set(proxy.name, proxy);
    try {
      await setEnabled(proxy, isEnabled);
    } catch (error) {
      this.#byName.delete(proxy.name);
      throw error;
    }
    return proxy;
  }
}

/** @throws {ApiError} there is no such toxic. */
export function findToxic(proxy: Proxy, name: string): Toxic {
  const toxic = proxy.toxic(name);
  if (toxic === undefined) {
    throw new ApiError(404, 'toxic not found');
  }
  return toxic;
}

/** Adds what `fields` describe. */
export function addToxic(proxy: Proxy, fields: Fields): Toxic {
  const type = field(fields, 'type', 'string') ?? '';
  const stream = field(fields, 'stream', 'string') ?? 'downstream';
  const toxicity = field(fields, 'toxicity', 'float32') ?? 1;
  const given = field(fields, 'name', 'string') ?? '';
  const direction = directionOf(stream);
  if (direction === undefined) {
    throw new ApiError(400, 'stream was invalid, can be either upstream or downstream');
  }
  if (!isToxicType(type)) {
    throw new ApiError(400, 'invalid toxic type');
  }
  const name = given === '' ? `${type}_${stream}` : given;
  if (proxy.toxic(name) !== undefined) {
    throw new ApiError(409, 'toxic already exists');
  }
  const attributes = mergeAttributes(type, {}, attributeFields(type, fields));
  const toxic = { name, type, direction, stream, toxicity, attributes };
  proxy.addToxic(toxic);
  return toxic;
}

/** Changes attributes and toxicity; name, type and stream stay. */
export function updateToxic(proxy: Proxy, toxic: Toxic, fields: Fields): Toxic {
  const toxicity = field(fields, 'toxicity', 'float32') ?? toxic.toxicity;
  const given = attributeFields(toxic.type, fields);
  const attributes = mergeAttributes(toxic.type, toxic.attributes, given);
  const changed = { ...toxic, toxicity, attributes };
  proxy.updateToxic(changed);
  return changed;
}

/** A proxy as the API shows it; `Logger` is a stray field of the real one. */
export function proxyToJson(proxy: Proxy) {
  const { name, listen, upstream, isEnabled: enabled } = proxy;
  return { name, listen, upstream, enabled, Logger: {}, toxics: proxy.toxics.map(toxicToJson) };
}

/** Every failure as an answer: what the machine refuses is a 500 in Go's words. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) {
    return error;
  }
  if (error instanceof BodyError) {
    return new ApiError(400, `bad request body: ${error.message}`, { cause: error });
  }
  const { code, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  const known = code === 'EADDRINUSE' ? 'bind: address already in use' : undefined;
  const message =
    known === undefined ? String(error) : `listen tcp ${address ?? ''}:${port ?? 0}: ${known}`;
  return new ApiError(500, message, { cause: error });
}

async function setEnabled(proxy: Proxy, isEnabled: boolean): Promise<void> {
  await (isEnabled ? proxy.enable() : proxy.disable());
}

function proxyFields(fields: Fields) {
  return {
    name: field(fields, 'name', 'string') ?? '',
    listen: field(fields, 'listen', 'string') ?? '',
    upstream: field(fields, 'upstream', 'string') ?? '',
    isEnabled: field(fields, 'enabled', 'bool') ?? true,
  };
}

function requireField(name: string, value: string, place = ''): void {
  if (value === '') {
    throw new ApiError(400, `missing required field: ${name}${place}`);
  }
}

function attributeFields(type: Toxic['type'], fields: Fields): Fields {
  const attributes = objectOf(fields['attributes'] ?? null, `toxics.${type}`);
  for (const name of attributeNames(type)) {
    field(attributes, name, 'int64');
  }
  return attributes;
}
