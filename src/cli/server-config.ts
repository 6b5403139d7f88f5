/**
 * From flags, environment and file to one checked configuration: flag before variable before file before default.
 *
 * The configuration is checked as a whole and all that is wrong is told at once: what, where it was set, and what
 * to do about it.
 */
import { parse as parseYaml } from 'yaml';
import { type ServerFlag, type ServerFlagName, serverFlags } from './server-flags.ts';

/** `host` and `port` of an URL that is listened on or dialled. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A member as `--initial-cluster` names it. */
export interface ConfiguredMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** A checked configuration. */
export interface ServerConfig {
  readonly name: string;
  readonly dataDir: string;
  readonly listenClient: readonly HostPort[];
  readonly advertiseClientUrls: readonly string[];
  readonly listenPeer: readonly HostPort[];
  readonly listenMetrics: readonly HostPort[];
  readonly members: readonly ConfiguredMember[];
  readonly token: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly requestBytesMax: number;
  readonly txnOperationsMax: number;
  readonly requestTimeoutMs: number;
  /** Where to dial a member, by name, instead of where it says. */
  readonly peerDial: ReadonlyMap<string, HostPort>;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'pretty';
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

/** Either a configuration, or everything that is wrong with it. */
export type ServerConfigResult =
  | { readonly kind: 'ok'; readonly config: ServerConfig }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Where settings come from. */
export interface ConfigSources {
  /** Flags as given, by name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content and name of the YAML file, when there is one. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
}

/** Variables that are read elsewhere. */
const otherVariables: readonly string[] = [
  'HOLDFAST_CONFIG_FILE',
  'HOLDFAST_ENDPOINTS',
  'HOLDFAST_VERIFY',
  'HOLDFAST_HISTORIES',
];

/** The environment variable of a setting. */
export function variableOf(name: string): string {
  return `HOLDFAST_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Reads and checks a configuration. */
export function readServerConfig(sources: ConfigSources): ServerConfigResult {
  const reader = new ConfigReader(sources);
  const config = buildConfig(reader);
  return reader.problems.length === 0
    ? { kind: 'ok', config }
    : { kind: 'invalid', problems: reader.problems };
}

/** Looks settings up and collects what is wrong with them. */
class ConfigReader {
  readonly problems: string[] = [];
  readonly #sources: ConfigSources;
  readonly #file: Readonly<Record<string, unknown>>;

  constructor(sources: ConfigSources) {
    this.#sources = sources;
    this.#file = this.#parseFile();
    const names: readonly string[] = serverFlags.map((flag) => flag.name);
    for (const key of Object.keys(this.#file)) {
      if (!names.includes(key)) {
        this.problem(
          `${sources.file?.path ?? ''}: unknown key "${key}"; keys are flag names without dashes in front`,
        );
      }
    }
    const variables = [...names.map(variableOf), ...otherVariables];
    for (const variable of Object.keys(sources.env)) {
      if (variable.startsWith('HOLDFAST_') && !variables.includes(variable)) {
        this.problem(`${variable}: there is no such setting; see "holdfast server --help"`);
      }
    }
  }

  problem(text: string): void {
    this.problems.push(text);
  }

  /** The text of a setting, and where it was set; the text is undefined when it was not and has no default. */
  get(name: ServerFlagName): { readonly text: string | undefined; readonly where: string } {
    const variable = variableOf(name);
    const flag = this.#sources.flags[name];
    if (flag !== undefined) {
      return { text: flag, where: `--${name}` };
    }
    const fromEnv = this.#sources.env[variable];
    if (fromEnv !== undefined) {
      return { text: fromEnv, where: variable };
    }
    const fromFile = this.#file[name];
    if (fromFile !== undefined) {
      const text = Array.isArray(fromFile) ? fromFile.join(',') : String(fromFile);
      return { text, where: `${this.#sources.file?.path ?? ''}: ${name}` };
    }
    const known: ServerFlag | undefined = serverFlags.find((each) => each.name === name);
    return { text: known?.default, where: `--${name}` };
  }

  string(name: ServerFlagName): string {
    return this.get(name).text ?? '';
  }

  integer(name: ServerFlagName, min: number, max: number): number {
    const { text = '', where } = this.get(name);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      this.problem(`${where}: "${text}" must be a whole number from ${min} to ${max}`);
      return min;
    }
    return value;
  }

  choice<T extends string>(name: ServerFlagName, choices: readonly T[]): T {
    const { text, where } = this.get(name);
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      this.problem(`${where}: "${text ?? ''}" must be one of ${choices.join(', ')}`);
    }
    return found ?? (choices[0] as T);
  }

  boolean(name: ServerFlagName): boolean {
    return this.choice(name, ['true', 'false']) === 'true';
  }

  /** Parts of a comma-separated list; none when it is empty. */
  list(name: ServerFlagName): readonly string[] {
    return splitList(this.get(name).text ?? '');
  }

  #parseFile(): Readonly<Record<string, unknown>> {
    const { file } = this.#sources;
    if (file === undefined) {
      return {};
    }
    try {
      const content: unknown = parseYaml(file.text) ?? {};
      if (typeof content === 'object' && !Array.isArray(content)) {
        return content as Readonly<Record<string, unknown>>;
      }
      this.problem(`${file.path}: must be a YAML mapping of flag names to values`);
    } catch (error) {
      this.problem(`${file.path}: is not valid YAML: ${(error as Error).message}`);
    }
    return {};
  }
}

function buildConfig(reader: ConfigReader): ServerConfig {
  const name = reader.string('name');
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    reader.problem(`--name: "${name}" must be letters, digits, ".", "_" or "-"`);
  }
  const listenClient = listenOn(reader, 'listen-client-urls');
  const listenPeer = listenOn(reader, 'listen-peer-urls');
  const listenMetrics = listenOn(reader, 'listen-metrics-urls');
  requireSome(reader, 'listen-client-urls');
  requireSome(reader, 'listen-peer-urls');
  const peerUrls = urls(reader, 'initial-advertise-peer-urls', 'listen-peer-urls');
  const members = initialCluster(reader, name, peerUrls);
  const heartbeatMs = reader.integer('heartbeat-interval', 10, 10_000);
  const electionMs = reader.integer('election-timeout', 50, 60_000);
  if (electionMs < 5 * heartbeatMs) {
    reader.problem(
      `--election-timeout: ${electionMs} must be at least 5 times --heartbeat-interval (${heartbeatMs}); ` +
        'raise the one or lower the other',
    );
  }
  if (reader.string('initial-cluster-state') !== 'new') {
    const { text, where } = reader.get('initial-cluster-state');
    reader.problem(`${where}: "${text ?? ''}" is not possible; only "new" is, so far`);
  }
  const timeout = reader.get('request-timeout').text;
  return {
    name,
    dataDir: reader.get('data-dir').text ?? `${name}.holdfast`,
    listenClient,
    advertiseClientUrls: urls(reader, 'advertise-client-urls', 'listen-client-urls'),
    listenPeer,
    listenMetrics,
    members,
    token: reader.string('initial-cluster-token'),
    heartbeatMs,
    electionMs,
    requestBytesMax: reader.integer('max-request-bytes', 1024, 512 * 1024 * 1024),
    txnOperationsMax: reader.integer('max-txn-ops', 1, 100_000),
    requestTimeoutMs:
      timeout === undefined
        ? 5000 + 2 * electionMs
        : reader.integer('request-timeout', 100, 600_000),
    peerDial: peerDial(reader, members),
    logLevel: reader.choice('log-level', logLevels),
    logFormat: reader.choice('log-format', ['auto', 'json', 'pretty']),
  };
}

function requireSome(reader: ConfigReader, name: ServerFlagName): void {
  if (reader.list(name).length === 0) {
    reader.problem(`${reader.get(name).where}: must name at least one URL`);
  }
}

/** Addresses to listen on; beyond loopback only when plain text is asked for. */
function listenOn(reader: ConfigReader, name: ServerFlagName): readonly HostPort[] {
  const { where } = reader.get(name);
  const isInsecure = reader.string('insecure') === 'true';
  return reader.list(name).flatMap((url) => {
    const address = parseUrl(reader, url, where);
    if (address !== undefined && !isInsecure && !isLoopback(address.host)) {
      reader.problem(
        `${where}: ${url} is plain text beyond this machine, where anyone can read and write; ` +
          'listen on 127.0.0.1, or say --insecure if the network is trusted',
      );
    }
    return address === undefined ? [] : [address];
  });
}

/** URLs told to others; by default those listened on. */
function urls(
  reader: ConfigReader,
  name: ServerFlagName,
  fallback: ServerFlagName,
): readonly string[] {
  const { text, where } = reader.get(name);
  if (text === undefined) {
    return reader.list(fallback);
  }
  const list = splitList(text);
  for (const url of list) {
    parseUrl(reader, url, where);
  }
  return list;
}

function initialCluster(
  reader: ConfigReader,
  name: string,
  ownUrls: readonly string[],
): readonly ConfiguredMember[] {
  const { text, where } = reader.get('initial-cluster');
  if (text === undefined || text === '') {
    return [{ name, peerUrls: ownUrls }];
  }
  const urlsByName = new Map<string, string[]>();
  for (const part of splitList(text)) {
    const at = part.indexOf('=');
    if (at <= 0) {
      reader.problem(`${where}: "${part}" must be NAME=URL, as in n1=http://127.0.0.1:2380`);
      continue;
    }
    const url = part.slice(at + 1);
    if (parseUrl(reader, url, where) !== undefined) {
      urlsByName.set(part.slice(0, at), [...(urlsByName.get(part.slice(0, at)) ?? []), url]);
    }
  }
  const members = [...urlsByName].map(([each, peerUrls]) => ({ name: each, peerUrls }));
  const all = members.flatMap((member) => member.peerUrls);
  const repeated = all.find((url, i) => all.indexOf(url) !== i);
  if (repeated !== undefined) {
    reader.problem(`${where}: ${repeated} is named twice; each member needs an address of its own`);
  }
  const own = urlsByName.get(name);
  if (own === undefined) {
    const names = [...urlsByName.keys()].join(', ');
    reader.problem(
      `${where}: does not name this member, "${name}" (it has: ${names}); add ${name}=URL or change --name`,
    );
  } else if ([...own].sort().join() !== [...ownUrls].sort().join()) {
    reader.problem(
      `${where}: says ${name} is at ${own.join(',')}, but --initial-advertise-peer-urls says ${ownUrls.join(',')}; ` +
        'make them the same',
    );
  }
  return members;
}

function peerDial(
  reader: ConfigReader,
  members: readonly ConfiguredMember[],
): ReadonlyMap<string, HostPort> {
  const { where } = reader.get('peer-dial');
  const addresses = new Map<string, HostPort>();
  for (const part of reader.list('peer-dial')) {
    const [, name = '', host = '', port = ''] = /^([^=]+)=(.+):(\d+)$/.exec(part) ?? [];
    if (name === '' || Number(port) < 1 || Number(port) > 65_535) {
      reader.problem(`${where}: "${part}" must be NAME=HOST:PORT`);
    } else if (members.every((member) => member.name !== name)) {
      reader.problem(`${where}: "${name}" is not a member of --initial-cluster`);
    } else {
      addresses.set(name, { host, port: Number(port) });
    }
  }
  return addresses;
}

function parseUrl(reader: ConfigReader, url: string, where: string): HostPort | undefined {
  const parsed = hostPortOf(url);
  if (parsed === undefined) {
    reader.problem(`${where}: "${url}" must be http://HOST:PORT`);
  }
  return parsed;
}

/** Host and port of `http://HOST:PORT`; undefined when it is anything else. */
export function hostPortOf(url: string): HostPort | undefined {
  const [, bracketed, plain, port = ''] =
    /^http:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^/:[\]]+)):(\d{1,5})\/?$/.exec(url) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** `host:port` as gRPC takes it. */
export function addressOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
