/**
 * From flags, environment and file to one checked configuration.
 *
 * The configuration is checked as a whole and all that is wrong is told at once: what, where it was
 * set, and what to do about it.
 */
import { featureLevels, type LevelRange } from '../kv/index.ts';
import type { HistoryRetention } from '../replica/index.ts';
import type { RequestLimits } from '../rpc/index.ts';
import { commandBytesLimit } from '../transport/index.ts';
import { ConfigReader, type ConfigSources } from './config-sources.ts';
import { parseRetention } from './history-retention.ts';
import {
  addressOf,
  type HostPort,
  isLoopback,
  type ServerUrl,
  serverUrlOf,
  urlForm,
  urlOf,
} from './host-port.ts';
import type { InitialMember } from './identity.ts';
import { connectionsMax, memoryLimitBytes, requestLimits, watchBytesMax } from './limit-flags.ts';
import type { ServerFlagName } from './server-flags.ts';
import { type SecureUrls, type TlsConfig, tlsConfig } from './tls-flags.ts';

/** A checked configuration. */
export interface ServerConfig {
  readonly name: string;
  readonly dataDir: string;
  readonly listenClient: readonly ServerUrl[];
  readonly advertiseClientUrls: readonly string[];
  readonly listenPeer: readonly ServerUrl[];
  readonly listenMetrics: readonly ServerUrl[];
  readonly tls: TlsConfig;
  /** Plain text may leave this machine. */
  readonly isInsecure: boolean;
  readonly members: readonly InitialMember[];
  readonly token: string;
  /** Whether this member begins a cluster with the others, or joins one that has added it. */
  readonly clusterState: (typeof clusterStates)[number];
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** How a leader makes sure that it still leads when a linearizable read comes. */
  readonly readMode: (typeof readModes)[number];
  /** Seconds that a token of a user who has signed in lasts. */
  readonly authTokenTtlSeconds: number;
  /** Feature levels that this member reads. */
  readonly levels: LevelRange;
  readonly requestBytesMax: number;
  readonly txnOperationsMax: number;
  readonly requestTimeoutMs: number;
  /** What clients may use at once. */
  readonly requestLimits: RequestLimits;
  /** Bytes of events that wait for, or are on their way to, clients that watch. */
  readonly watchBytesMax: number;
  /** Connections of clients at a time; undefined: as many as the process may well have. */
  readonly connectionsMax: number | undefined;
  /** Bytes of memory near which requests are refused; undefined: what the process may have. */
  readonly memoryLimitBytes: number | undefined;
  /** When the log is compacted, and how much of it stays. */
  readonly logCompaction: { readonly entriesMax: number; readonly marginEntries: number };
  readonly snapshotRateBytes: number;
  /** Bytes of stored data from which on only deletes and compactions are taken. */
  readonly quotaBytes: number;
  /** What of history is kept; all of it when undefined. */
  readonly retention: HistoryRetention | undefined;
  readonly strictReconfigCheck: boolean;
  /** Where to dial a member, by name, instead of where it says. */
  readonly peerDial: ReadonlyMap<string, HostPort>;
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat: (typeof logFormats)[number];
}

const compactionModes = ['periodic', 'revision'] as const;
const clusterStates = ['new', 'existing'] as const;
const readModes = ['read-index', 'lease'] as const;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const logFormats = ['auto', 'json', 'pretty'] as const;

/** An election must outlast a few lost heartbeats, or a busy moment deposes a healthy leader. */
const heartbeatsPerElectionMin = 5;

/** Either a configuration, or everything that is wrong with it. */
export type ServerConfigResult =
  | { readonly kind: 'ok'; readonly config: ServerConfig }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Reads and checks a configuration. */
export function readServerConfig(sources: ConfigSources): ServerConfigResult {
  const reader = new ConfigReader(sources);
  const config = buildConfig(reader);
  return reader.problems.length === 0
    ? { kind: 'ok', config }
    : { kind: 'invalid', problems: reader.problems };
}

function buildConfig(reader: ConfigReader): ServerConfig {
  const name = reader.string('name', /^[A-Za-z0-9._-]+$/, 'letters, digits, ".", "_" or "-"');
  const listen = listenAddresses(reader);
  const advertiseClientUrls = urls(reader, 'advertise-client-urls', 'listen-client-urls');
  const peerUrls = urls(reader, 'initial-advertise-peer-urls', 'listen-peer-urls');
  const members = initialCluster(reader, name, peerUrls);
  const clusterState = reader.choice('initial-cluster-state', clusterStates);
  const token = reader.string('initial-cluster-token', /\S/, 'a word of your choice');
  const timing = timings(reader);
  const requestBytesMax = reader.integer('max-request-bytes', 1024, commandBytesLimit);
  return {
    name,
    dataDir: dataDir(reader, name),
    ...listen,
    tls: tlsConfig(reader, secureUrls(reader)),
    advertiseClientUrls,
    members,
    token,
    clusterState,
    ...timing,
    readMode: reader.choice('read-mode', readModes),
    authTokenTtlSeconds: reader.integer('auth-token-ttl', 1, 30 * 24 * 3600),
    levels: levels(reader),
    ...storage(reader),
    requestBytesMax,
    requestLimits: requestLimits(reader, requestBytesMax),
    watchBytesMax: watchBytesMax(reader),
    connectionsMax: connectionsMax(reader),
    memoryLimitBytes: memoryLimitBytes(reader),
    txnOperationsMax: reader.integer('max-txn-ops', 1, 100_000),
    strictReconfigCheck: reader.boolean('strict-reconfig-check'),
    peerDial: peerDial(reader),
    logLevel: reader.choice('log-level', logLevels),
    logFormat: reader.choice('log-format', logFormats),
  };
}

function levels(reader: ConfigReader): LevelRange {
  const { oldest, newest } = featureLevels;
  return { oldest, newest: reader.integer('feature-level-max', oldest, newest) };
}

function dataDir(reader: ConfigReader, name: string): string {
  const isSet = reader.get('data-dir').text !== undefined;
  return isSet ? reader.string('data-dir', /\S/, 'a path') : `${name}.holdfast`;
}

function storage(
  reader: ConfigReader,
): Pick<ServerConfig, 'logCompaction' | 'snapshotRateBytes' | 'quotaBytes' | 'retention'> {
  return {
    logCompaction: {
      entriesMax: reader.integer('snapshot-count', 10, 100_000_000),
      marginEntries: reader.integer('snapshot-catchup-entries', 1, 100_000_000),
    },
    snapshotRateBytes: reader.integer('snapshot-rate-bytes', 1024 * 1024, 2 ** 40),
    quotaBytes: reader.integer('quota-backend-bytes', 16 * 1024 * 1024, 2 ** 50),
    retention: retention(reader),
  };
}

function retention(reader: ConfigReader): HistoryRetention | undefined {
  const mode = reader.choice('auto-compaction-mode', compactionModes);
  const { text = '', where } = reader.get('auto-compaction-retention');
  const result = parseRetention(mode, text);
  if (result.kind === 'ok') {
    return result.retention;
  }
  reader.problem(`${where}: "${text}" must be ${result.mustBe}`);
  return undefined;
}

function timings(
  reader: ConfigReader,
): Pick<ServerConfig, 'heartbeatMs' | 'electionMs' | 'requestTimeoutMs'> {
  const heartbeatMs = reader.integer('heartbeat-interval', 10, 10_000);
  const electionMs = reader.integer('election-timeout', 50, 60_000);
  if (electionMs < heartbeatsPerElectionMin * heartbeatMs) {
    const heartbeat = reader.get('heartbeat-interval').where;
    reader.problem(
      `${reader.get('election-timeout').where}: ${electionMs} must be at least ` +
        `${heartbeatsPerElectionMin} times the heartbeat interval, which is ${heartbeatMs} ` +
        `(${heartbeat}); raise the one or lower the other`,
    );
  }
  const isLimited = reader.get('request-timeout').text !== undefined;
  const requestTimeoutMs = isLimited
    ? reader.integer('request-timeout', 100, 600_000)
    : 5000 + 2 * electionMs;
  return { heartbeatMs, electionMs, requestTimeoutMs };
}

function listenAddresses(
  reader: ConfigReader,
): Pick<ServerConfig, 'listenClient' | 'listenPeer' | 'listenMetrics' | 'isInsecure'> {
  const isInsecure = reader.boolean('insecure');
  const usedBy = new Map<string, string>();
  const listenOn = (name: ServerFlagName): readonly ServerUrl[] => {
    const { where } = reader.get(name);
    const addresses = reader.list(name).flatMap((url) => parseUrl(reader, url, where) ?? []);
    for (const address of addresses) {
      const url = urlOf(address);
      if (!isInsecure && !address.isSecure && !isLoopback(address.host)) {
        reader.problem(
          `${where}: ${url} is plain text beyond this machine, where anyone can read and write; ` +
            'use https://, listen on 127.0.0.1, or say --insecure if the network is trusted',
        );
      }
      const other = usedBy.get(addressOf(address));
      if (other !== undefined) {
        reader.problem(`${where}: ${url} is taken by ${other}; give each a port of its own`);
      }
      usedBy.set(addressOf(address), where);
    }
    return addresses;
  };
  requireSome(reader, 'listen-client-urls');
  requireSome(reader, 'listen-peer-urls');
  return {
    listenClient: listenOn('listen-client-urls'),
    listenPeer: listenOn('listen-peer-urls'),
    listenMetrics: listenOn('listen-metrics-urls'),
    isInsecure,
  };
}

function requireSome(reader: ConfigReader, name: ServerFlagName): void {
  if (reader.list(name).length === 0) {
    reader.problem(`${reader.get(name).where}: must name at least one URL`);
  }
}

/** URLs told to others; by default those listened on. */
function urls(
  reader: ConfigReader,
  name: ServerFlagName,
  fallback: ServerFlagName,
): readonly string[] {
  const { text, where } = reader.get(name);
  if (text === undefined) {
    // What is wrong with these is said where they are listened on.
    return reader.list(fallback).filter((url) => serverUrlOf(url) !== undefined);
  }
  requireSome(reader, name);
  return reader.list(name).filter((url) => parseUrl(reader, url, where) !== undefined);
}

/** The first members; this one alone when they are not named. */
function initialCluster(
  reader: ConfigReader,
  name: string,
  ownUrls: readonly string[],
): readonly InitialMember[] {
  const { text = '', where } = reader.get('initial-cluster');
  if (text === '') {
    return [{ name, peerUrls: ownUrls }];
  }
  const problemsBefore = reader.problems.length;
  const urlByName = new Map<string, string>();
  for (const part of reader.list('initial-cluster')) {
    const [, member, url = ''] = /^([^=]+)=(.*)$/.exec(part) ?? [];
    if (member === undefined) {
      reader.problem(`${where}: "${part}" must be NAME=URL, as in n1=http://127.0.0.1:2380`);
    } else if (urlByName.has(member)) {
      reader.problem(`${where}: "${member}" is named twice; a member has one name and one URL`);
    } else if ([...urlByName.values()].includes(url)) {
      reader.problem(`${where}: ${url} is named twice; each member needs an address of its own`);
    } else if (parseUrl(reader, url, where) !== undefined) {
      urlByName.set(member, url);
    }
  }
  // Whoever is missing among malformed parts is probably one of them.
  if (reader.problems.length === problemsBefore) {
    checkOwnEntry(reader, { name, ownUrls, urlByName });
  }
  return [...urlByName].map(([member, url]) => ({ name: member, peerUrls: [url] }));
}

function checkOwnEntry(
  reader: ConfigReader,
  own: {
    readonly name: string;
    readonly ownUrls: readonly string[];
    readonly urlByName: ReadonlyMap<string, string>;
  },
): void {
  const { where } = reader.get('initial-cluster');
  const { name, ownUrls, urlByName } = own;
  const url = urlByName.get(name);
  if (url === undefined) {
    const names = [...urlByName.keys()].join(', ');
    reader.problem(
      `${where}: does not name this member, "${name}" (it has: ${names}); ` +
        `add ${name}=URL or change --name`,
    );
  } else if (ownUrls.length > 0 && ownUrls.join(',') !== url) {
    const isSet = reader.get('initial-advertise-peer-urls').text !== undefined;
    const other = reader.get(isSet ? 'initial-advertise-peer-urls' : 'listen-peer-urls').where;
    reader.problem(
      `${where}: says ${name} is at ${url}, but ${other} says ${ownUrls.join(',')}; ` +
        `make them the same${isSet ? '' : ', or set --initial-advertise-peer-urls'}`,
    );
  }
}

/** Names of members that join later are as good as those of the first ones. */
function peerDial(reader: ConfigReader): ReadonlyMap<string, HostPort> {
  const { where } = reader.get('peer-dial');
  const addresses = new Map<string, HostPort>();
  for (const part of reader.list('peer-dial')) {
    const [, name = '', address = ''] = /^([^=]+)=(.+)$/.exec(part) ?? [];
    const place = serverUrlOf(`http://${address}`);
    if (place === undefined) {
      reader.problem(`${where}: "${part}" must be NAME=HOST:PORT, as in n2=127.0.0.1:2380`);
    } else if (addresses.has(name)) {
      reader.problem(`${where}: "${name}" is named twice; a member is dialled in one place`);
    } else {
      addresses.set(name, { host: place.host, port: place.port });
    }
  }
  return addresses;
}

function parseUrl(reader: ConfigReader, url: string, where: string): ServerUrl | undefined {
  const parsed = serverUrlOf(url);
  if (parsed === undefined) {
    reader.problem(`${where}: "${url}" must be ${urlForm}`);
  }
  return parsed;
}

/** The settings that have an URL of TLS. */
function secureUrls(reader: ConfigReader): SecureUrls {
  const isSecure = (name: ServerFlagName): boolean =>
    reader.list(name).some((part) => /^([^=]+=)?https:\/\//.test(part));
  const client: readonly ServerFlagName[] = ['listen-client-urls', 'listen-metrics-urls'];
  const peer: readonly ServerFlagName[] = [
    'listen-peer-urls',
    'initial-advertise-peer-urls',
    'initial-cluster',
  ];
  return { client: client.filter(isSecure), peer: peer.filter(isSecure) };
}
