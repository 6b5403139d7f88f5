/**
 * Puts a member together: data directory, log, engine, transport, member, services; and takes it
 * apart again.
 */
import { randomBytes } from 'node:crypto';
import { credentials, logVerbosity, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { createPrng, must, type Prng } from '../base/index.ts';
import { txnDepthMax } from '../kv/index.ts';
import { type Logger, Metrics } from '../observability/index.ts';
import { defaultRaftOptions } from '../raft/index.ts';
import {
  type ClusterMember,
  Member,
  type MemberConfig,
  type MemberOptions,
} from '../replica/index.ts';
import { HttpEndpoints, RpcServer } from '../rpc/index.ts';
import {
  type DataDirectory,
  type Engine,
  type LogStore,
  nodeFileSystem,
  openDataDirectory,
  openRocksdbEngine,
  openWal,
} from '../storage/index.ts';
import { GrpcTransport, type Peer } from '../transport/index.ts';
import { nodeEventLoop } from './event-loop.ts';
import { initialClusterId, initialMemberId } from './identity.ts';
import { addressOf, hostPortOf, type ServerConfig } from './server-config.ts';
import { version } from './version.ts';

/** Commands and bytes that may wait for their result on one member, and reads for permission. */
const limits = {
  proposalsMax: 20_000,
  proposalBytesMax: 64 * 1024 * 1024,
  readsMax: 50_000,
};
/** Current records kept in memory, bytes. */
const cacheBytesMax = 32 * 1024 * 1024;
/** What a command may be longer than the request it came in. */
const commandOverheadBytes = 4 * 1024;
/** How long a stopping member waits for calls under way, milliseconds. */
const stopGraceMs = 5000;

/** A running member. */
export interface RunningServer {
  readonly member: Member;
  stop(): Promise<void>;
}

/** Who this member is, and among whom. */
interface Cluster {
  readonly clusterId: number;
  readonly members: readonly ClusterMember[];
  readonly self: ClusterMember;
}

/** What a member keeps on disk, open. */
interface Stores {
  readonly directory: DataDirectory;
  readonly engine: Engine;
  readonly log: LogStore;
}

/**
 * Starts a member; `onFatal` is called once if it cannot go on later.
 *
 * Order: stores, member and its peers, then clients, then probes; stopping goes the other way. What
 * has been started is stopped again when a later part cannot start.
 *
 * @throws {KvError} whose message says what is wrong and what to do: data directory, damaged data,
 * ports.
 */
export async function startServer(
  config: ServerConfig,
  logger: Logger,
  onFatal: (error: unknown) => void,
): Promise<RunningServer> {
  // The library would write to stderr, in its own words, what it also reports as an error.
  setLogVerbosity(logVerbosity.NONE);
  const metrics = new Metrics();
  metrics.startProcessMetrics();
  const cluster = initialClusterOf(config);
  const stores = await openStores(config.dataDir, cluster);
  const member = await openMember(config, cluster, stores, { metrics, logger, onFatal });
  const rpc = createRpcServer(config, member, metrics, logger);
  const http = new HttpEndpoints({ member, metrics, version, listen: config.listenMetrics });
  const stop = async (): Promise<void> => {
    await http.stop();
    // Calls under way may need the member, and the member has to answer them: they stop together.
    await Promise.all([rpc.stop(stopGraceMs), member.stop()]);
    await stores.directory.close();
  };
  try {
    await member.start();
    await rpc.start();
    await http.start();
  } catch (error) {
    // What went wrong first is what is told; a part that never started may not stop either.
    await Promise.allSettled([stop()]);
    throw error;
  }
  logger.info({
    event: 'serving',
    clients: config.listenClient.map(addressOf).join(','),
    peers: config.listenPeer.map(addressOf).join(','),
    dataDir: stores.directory.path,
  });
  return { member, stop };
}

function initialClusterOf(config: ServerConfig): Cluster {
  const members = config.members.map((each): ClusterMember => {
    const isSelf = each.name === config.name;
    return {
      id: initialMemberId(each, config.token),
      name: each.name,
      peerUrls: each.peerUrls,
      clientUrls: isSelf ? config.advertiseClientUrls : [],
      isLearner: false,
    };
  });
  return {
    clusterId: initialClusterId(config.members, config.token),
    members,
    self: must(
      members.find((each) => each.name === config.name),
      'this member in its own cluster',
    ),
  };
}

/** Opens the engine before the log: its lock holds where that of the directory cannot be seen. */
async function openStores(path: string, { clusterId, self }: Cluster): Promise<Stores> {
  const directory = await openDataDirectory({
    path,
    identity: { clusterId, memberId: self.id, name: self.name },
    fileSystem: nodeFileSystem,
    randomUint32,
  });
  let engine: Engine | undefined;
  try {
    engine = await openRocksdbEngine(directory.engineFolder);
    const log = await openWal({
      folder: directory.walFolder,
      fileSystem: nodeFileSystem,
      randomUint32,
    });
    return { directory, engine, log };
  } catch (error) {
    await engine?.close();
    await directory.close();
    throw error;
  }
}

/** Builds the member over its stores: they are its own from then on, and closed if that fails. */
async function openMember(
  config: ServerConfig,
  cluster: Cluster,
  stores: Stores,
  host: Pick<MemberConfig, 'metrics' | 'onFatal'> & { readonly logger: Logger },
): Promise<Member> {
  const { directory, engine, log } = stores;
  const prng = createPrng(randomBytes(6).readUIntBE(0, 6));
  try {
    return await Member.open({
      clusterId: cluster.clusterId,
      id: cluster.self.id,
      members: cluster.members,
      log,
      engine,
      transport: createTransport(config, cluster, prng, host.logger),
      eventLoop: nodeEventLoop,
      prng,
      options: memberOptions(config),
      ...host,
    });
  } catch (error) {
    await log.close();
    await engine.close();
    await directory.close();
    throw error;
  }
}

function memberOptions(config: ServerConfig): MemberOptions {
  return {
    tickMs: config.heartbeatMs,
    raft: {
      ...defaultRaftOptions,
      electionTimeoutTicks: Math.ceil(config.electionMs / config.heartbeatMs),
    },
    limits,
    requestTimeoutMs: config.requestTimeoutMs,
    requestBytesMax: config.requestBytesMax + commandOverheadBytes,
    cacheBytesMax,
  };
}

function createTransport(
  config: ServerConfig,
  { clusterId, members, self }: Cluster,
  prng: Prng,
  logger: Logger,
): GrpcTransport {
  return new GrpcTransport({
    clusterId,
    memberId: self.id,
    // The same for every data directory, until a directory has a number of its own.
    incarnation: 0,
    clientUrls: config.advertiseClientUrls,
    peerUrls: self.peerUrls,
    peers: members.filter((each) => each !== self).map((each) => peerOf(each, config)),
    listen: config.listenPeer.map(addressOf),
    serverCredentials: ServerCredentials.createInsecure(),
    channelCredentials: credentials.createInsecure(),
    timers: nodeEventLoop,
    prng,
    onEvent: ({ type, ...fields }) => {
      const isNormal = type === 'peer-connected' || type === 'peer-unreachable';
      logger[isNormal ? 'info' : 'warn']({ event: type, ...fields });
    },
  });
}

function createRpcServer(
  config: ServerConfig,
  member: Member,
  metrics: Metrics,
  logger: Logger,
): RpcServer {
  return new RpcServer({
    member,
    metrics,
    txnOperationsMax: config.txnOperationsMax,
    txnDepthMax,
    requestBytesMax: config.requestBytesMax,
    version,
    epochMs: () => Date.now(),
    nowMs: () => performance.now(),
    onDefect: (error) => {
      metrics.internalErrors.inc();
      logger.error({ event: 'internal-error', err: error });
    },
    listen: config.listenClient.map(addressOf),
    credentials: ServerCredentials.createInsecure(),
    timers: nodeEventLoop,
  });
}

function peerOf(member: ClusterMember, config: ServerConfig): Peer {
  const [url = ''] = member.peerUrls;
  const dialled = config.peerDial.get(member.name) ?? hostPortOf(url);
  return {
    id: member.id,
    name: member.name,
    address: dialled === undefined ? url : addressOf(dialled),
  };
}

function randomUint32(): number {
  return randomBytes(4).readUInt32BE();
}
