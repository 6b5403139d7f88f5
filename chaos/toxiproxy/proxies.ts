/**
 * All proxies of a server, and every change that its API allows: what is checked, in which order,
 * and with which error. Facts of Toxiproxy 2.12; but a toxic whose update is refused stays as it
 * is, as it does there since 2.13.
 */
import { AddressError, isSameListen } from './address.ts';
import { BodyError, decode, fieldOf, type Fields, kindOf } from './go-json.ts';
import { Proxy, type ProxyOptions } from './proxy.ts';
import {
  type Attributes,
  directionOf,
  goTypeOf,
  isToxicType,
  mergeAttributes,
  shapeOf,
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

  /** By name. */
  all(): readonly Proxy[] {
    return Array.from(this.#byName.values()).sort((a, b) => (a.name < b.name ? -1 : 1));
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
    const { name, listen, upstream, isEnabled } = proxyFields(fields, 'Proxy');
    requireField('name', name);
    requireField('upstream', upstream);
    if (this.#byName.has(name)) {
      throw new ApiError(409, 'proxy already exists');
    }
    return this.#add({ name, listen, upstream }, isEnabled);
  }

  /** Makes all of these be there; one that is there already as asked for is kept as it is. */
  async populate(items: readonly Fields[]): Promise<Populated> {
    const wanted = items.map((item) => proxyFields(item, ''));
    for (const [index, { name, upstream }] of wanted.entries()) {
      requireField('name', name, ` at proxy ${index + 1}`);
      requireField('upstream', upstream, ` at proxy ${index + 1}`);
    }
    const proxies: Proxy[] = [];
    for (const { name, listen, upstream, isEnabled } of wanted) {
      try {
        const existing = this.#byName.get(name);
        if (existing === undefined) {
          proxies.push(await this.#add({ name, listen, upstream }, isEnabled));
        } else if (isSameListen(existing.listen, listen) && existing.upstream === upstream) {
          proxies.push(existing);
        } else {
          proxies.push(await this.#replace(existing, { name, listen, upstream }, isEnabled));
        }
      } catch (error) {
        return { proxies, error: toApiError(error) };
      }
    }
    return { proxies };
  }

  async update(proxy: Proxy, fields: Fields): Promise<void> {
    const given = decode(fields, proxyShape, 'Proxy');
    const { listen = proxy.listen, upstream = proxy.upstream, enabled = proxy.isEnabled } = given;
    if (!isSameListen(proxy.listen, listen) || upstream !== proxy.upstream) {
      await proxy.disable();
      proxy.move(listen, upstream);
    }
    await setEnabled(proxy, enabled);
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

  /** If that fails, the existing one stays, disabled. */
  async #replace(existing: Proxy, options: ProxyOptions, isEnabled: boolean): Promise<Proxy> {
    await existing.disable();
    const proxy = new Proxy(options, this.#random);
    await setEnabled(proxy, isEnabled);
    this.#byName.set(proxy.name, proxy);
    return proxy;
  }

  async #add(options: ProxyOptions, isEnabled: boolean): Promise<Proxy> {
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
  const wrapper = decode(fields, toxicShape, 'ToxicWrapper');
  // Toxiproxy looks for attributes once before it knows the type, as if there were none.
  requireObject(fields, 'ToxicWrapper.attributes of type toxics.NoopToxic');
  const { type = '', stream = 'downstream', toxicity = 1, name: given = '' } = wrapper;
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
  const attributes = mergeAttributes(type, {}, attributesIn(type, fields));
  const toxic = { name, type, direction, stream, toxicity, attributes };
  proxy.addToxic(toxic);
  return toxic;
}

/** Changes attributes and toxicity; name, type and stream stay. */
export function updateToxic(proxy: Proxy, toxic: Toxic, fields: Fields): Toxic {
  const { toxicity = toxic.toxicity } = decode(fields, { toxicity: 'float32' }, '');
  requireObject(fields, `.attributes of type toxics.${goTypeOf(toxic.type)}`);
  const given = attributesIn(toxic.type, fields);
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
  if (error instanceof AddressError) {
    return new ApiError(500, `listen tcp: ${error.message}`, { cause: error });
  }
  const { code, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  const known = bindErrors[code ?? ''];
  const message =
    known === undefined
      ? String(error)
      : `listen tcp ${address ?? ''}:${port ?? 0}: bind: ${known}`;
  return new ApiError(500, message, { cause: error });
}

const bindErrors: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

async function setEnabled(proxy: Proxy, isEnabled: boolean): Promise<void> {
  await (isEnabled ? proxy.enable() : proxy.disable());
}

const proxyShape = {
  name: 'string',
  listen: 'string',
  upstream: 'string',
  enabled: 'bool',
} as const;

const toxicShape = {
  name: 'string',
  type: 'string',
  stream: 'string',
  toxicity: 'float32',
} as const;

function proxyFields(fields: Fields, path: string) {
  const given = decode(fields, proxyShape, path);
  const { name = '', listen = '', upstream = '', enabled: isEnabled = true } = given;
  return { name, listen, upstream, isEnabled };
}

function requireField(name: string, value: string, place = ''): void {
  if (value === '') {
    throw new ApiError(400, `missing required field: ${name}${place}`);
  }
}

/** @throws {BodyError} attributes are given, and are no object; `what` is Go's name for them. */
function requireObject(fields: Fields, what: string): void {
  const value = fieldOf(fields, 'attributes');
  if (value !== null && !(value instanceof Map)) {
    const kind = kindOf(value);
    throw new BodyError(`json: cannot unmarshal ${kind} into Go struct field ${what}`);
  }
}

function attributesIn(type: Toxic['type'], fields: Fields): Partial<Attributes> {
  const value = fieldOf(fields, 'attributes');
  const given: Fields = value instanceof Map ? value : new Map();
  return decode(given, shapeOf(type), `${goTypeOf(type)}.attributes`);
}
