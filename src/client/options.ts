/** What a client is made from: checked at once, every mistake named. */
import { type Check, type Checks, flag, key, mistakeIn, text, timeoutMaxMs } from './arguments.ts';
import { type Codec, codecCheck } from './codec.ts';
import { HoldfastError } from './errors.ts';
import type { TlsOptions } from './grpc-transport.ts';
import type { Key } from './keys.ts';

/** Options of a client. */
export interface HoldfastOptions<V = string> {
  /** Where members listen for clients: `host:port`, or a URL; all of them, so that one may fail. */
  readonly endpoints: string | readonly string[];
  /**
   * Secures the connections; `true` trusts what Node trusts. Needed for members elsewhere than on
   * this machine, and implied by `https://`.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Allows plain text to other machines: whoever is in between reads and changes everything. */
  readonly insecure?: boolean | undefined;
  readonly auth?: { readonly name: string; readonly password: string } | undefined;
  /** Put before every key; no call reaches beyond it. */
  readonly namespace?: Key | undefined;
  /** How values are written; text when absent. */
  readonly codec?: Codec<V> | undefined;
  /** Milliseconds a call may take, with all its attempts; 30,000 when absent. */
  readonly timeoutMs?: number | undefined;
}

/** What a client of values `V` is made from: with their codec, unless they are text. */
export type OptionsFor<V> = HoldfastOptions<V> &
  ([V, string] extends [string, V] ? unknown : { readonly codec: Codec<V> });

/** Options that have been checked, but for the codec. */
export interface ClientSettings {
  /** `host:port` of each */
  readonly addresses: readonly string[];
  readonly tls: TlsOptions | undefined;
  readonly auth: { readonly name: string; readonly password: string } | undefined;
  readonly timeoutMs: number;
}

const pem: Check = {
  // Node takes anything for certificates to trust, and then trusts none.
  fits: (value) =>
    (typeof value === 'string' || value instanceof Uint8Array) &&
    Buffer.from(value as string).includes('-----BEGIN '),
  wanted: 'PEM, as text or bytes; not the name of a file',
};
const tlsChecks: Checks = { ca: pem, cert: pem, key: pem, serverName: text };
const anyText: Check = { fits: (value) => typeof value === 'string', wanted: 'text' };
const authChecks: Checks = { name: text, password: anyText };
/** What they have in them is told with all other mistakes. */
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const clientChecks: Checks = {
  endpoints: {
    fits: (value) => [value].flat().every((each) => typeof each === 'string'),
    wanted: 'host:port, or a list of them',
  },
  tls: {
    fits: (value) => typeof value === 'boolean' || isObject(value),
    wanted: 'true, or { ca, cert, key, serverName }',
  },
  insecure: flag,
  auth: { fits: isObject, wanted: '{ name, password }' },
  namespace: key,
  codec: codecCheck,
  // Its bounds are told with all other mistakes.
  timeoutMs: { fits: (value) => typeof value === 'number', wanted: 'milliseconds' },
};
const timeoutDefaultMs = 30_000;
/** A name or an IPv4 address; an IPv6 address in brackets. */
const endpoint = /^(?:(https?):\/\/)?([^\s,:/@[\]]+|\[[\d.:a-fA-F]+\]):(\d+)\/?$/;
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks options.
 *
 * @throws {HoldfastError} CONFIG_INVALID — with every mistake.
 */
export function readOptions<V>(options: HoldfastOptions<V>): ClientSettings {
  const mistake = mistakeIn('options of the client', options, clientChecks);
  if (mistake !== undefined) {
    throw new HoldfastError('CONFIG_INVALID', mistake);
  }
  const mistakes: string[] = [];
  const { endpoints = [] } = options as Partial<HoldfastOptions<V>>;
  const given = typeof endpoints === 'string' ? [endpoints] : endpoints;
  const urls = given.map((text) => ({
    text,
    match: endpoint.exec(text),
  }));
  const addresses = urls.flatMap(({ text, match }) => {
    const [, , host = '', port = ''] = match ?? [];
    if (host === '' || Number(port) < 1 || Number(port) > 65535) {
      const hint = text.includes(',') ? ': give several as a list' : '';
      mistakes.push(`endpoint "${text}" is not host:port${hint}`);
      return [];
    }
    return [`${host}:${port}`];
  });
  if (given.length === 0) {
    mistakes.push('endpoints: name one at least');
  }
  const schemes = new Set(urls.map(({ match }) => match?.[1]).filter((it) => it !== undefined));
  const tls = readTls(options.tls ?? schemes.has('https'), mistakes);
  if (schemes.has(tls === undefined ? 'https' : 'http')) {
    mistakes.push('tls and the schemes of the endpoints say different things');
  }
  const exposed = addresses.filter((address) => !loopback.test(address.replace(/:\d+$/, '')));
  if (tls === undefined && exposed.length > 0 && options.insecure !== true) {
    mistakes.push(
      `${exposed.join(', ')}: plain text is for this machine only; give tls, or insecure: true`,
    );
  }
  const auth = readAuth(options.auth, mistakes);
  const timeoutMs = options.timeoutMs ?? timeoutDefaultMs;
  if (!(timeoutMs > 0 && timeoutMs <= timeoutMaxMs)) {
    mistakes.push(`timeoutMs is ${timeoutMs}: give 1 to ${timeoutMaxMs}`);
  }
  if (mistakes.length > 0) {
    throw new HoldfastError('CONFIG_INVALID', `options of the client: ${mistakes.join('; ')}`);
  }
  return { addresses: [...new Set(addresses)], tls, auth, timeoutMs };
}

function readTls(tls: boolean | TlsOptions, mistakes: string[]): TlsOptions | undefined {
  if (tls === false) {
    return undefined;
  }
  if (tls === true) {
    return {};
  }
  const mistake = mistakeIn('tls', tls, tlsChecks);
  if (mistake !== undefined) {
    mistakes.push(mistake);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    mistakes.push('tls: cert and key go together');
  }
  return tls;
}

function readAuth(auth: ClientSettings['auth'], mistakes: string[]): ClientSettings['auth'] {
  if (auth === undefined) {
    return undefined;
  }
  const { name, password } = auth as Partial<typeof auth>;
  const mistake = mistakeIn('auth', auth, authChecks);
  if (mistake !== undefined) {
    mistakes.push(mistake);
  } else if (name === undefined || password === undefined) {
    mistakes.push('auth: name and password go together');
  }
  return auth;
}
