/** Puts a member together: data directory, log, engine, transport, member, services; and takes it apart again. */
import { randomBytes } from 'node:crypto';
import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { createPrng } from '../base/index.ts';
import { txnDepthMax } from '../kv/index.ts';
import type { Logger } from '../observability/index.ts';
import { Metrics } from '../observability/index.ts';
import { defaultRaftOptions } from '../raft/index.ts';
import { type ClusterMember, Member } from '../replica/index.ts';
import { HttpEndpoints, RpcServer } from '../rpc/index.ts';
import { nodeFileSystem, openDataDirectory, openRocksdbEngine, openWal } from '../storage/index.ts';
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
const cacheBytesMax = 48 * 1024 * 1024;
/** What a command may be longer than the request it came in. */
const commandOverheadBytes = 4 * 1024;
/** How long a stopping member waits for calls under way, milliseconds. */
const stopGraceMs = 5000;

/** A running member. */
export interface RunningServer {
  readonly member: Member;
  stop(): Promise<void>;
}

/**
 * Starts a member; `onFatal` is called once if it cannot go on later.
 *
 * @throws {KvError} whose message says what is wrong and what to do: data directory, damaged data, ports.
 */
export async function startServer(
  config: ServerConfig,
  logger: Logger,
  onFatal: (error: unknown) => void,
): Promise<RunningServer> {
  const metrics = new Metrics();
  metrics.startProcessMetrics();
  const clusterId = initialClusterId(config.members, config.token);
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
  const self = members.find((each) => each.name === config.name) as ClusterMember;
  const randomUint32 = (): number => randomBytes(4).readUInt32BE();
  const prng = createPrng(randomBytes(6).readUIntBE(0, 6));

  const directory = await openDataDirectory({
    path: config.dataDir,
    identity: { clusterId, memberId: self.id, name: self.name },
    fileSystem: nodeFileSystem,
    randomUint32,
  });
  const engine = await openRocksdbEngine(directory.engineFolder);
  const log = await openWal({
    folder: directory.walFolder,
    fileSystem: nodeFileSystem,
    randomUint32,
  });
  const transport = new GrpcTransport({
    clusterId,
    memberId: self.id,
    clientUrls: config.advertiseClientUrls,
    peers: members.filter((each) => each !== self).map((each) => peerOf(each, config)),
    listen: config.listenPeer.map(addressOf),
    serverCredentials: ServerCredentials.createInsecure(),
    channelCredentials: credentials.createInsecure(),
    timers: nodeEventLoop,
    prng,
    onEvent: ({ type, ...fields }) => {
      logger[type === 'peer-connected' ? 'info' : 'warn']({ event: type, ...fields });
    },
  });
  const member = await Member.open({
    clusterId,
    id: self.id,
    members,
    log,
    engine,
    transport,
    eventLoop: nodeEventLoop,
    prng,
    metrics,
    logger,
    options: {
      tickMs: config.heartbeatMs,
      raft: {
        ...defaultRaftOptions,
        electionTimeoutTicks: Math.ceil(config.electionMs / config.heartbeatMs),
      },
      limits,
      requestTimeoutMs: config.requestTimeoutMs,
      requestBytesMax: config.requestBytesMax + commandOverheadBytes,
      cacheBytesMax,
    },
    onFatal,
  });
  const rpc = new RpcServer({
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
  const http = new HttpEndpoints({ member, metrics, version, listen: config.listenMetrics });
  await member.start();
  await rpc.start();
  await http.start();
  logger.info({
    event: 'serving',
    clients: config.listenClient.map(addressOf).join(','),
    peers: config.listenPeer.map(addressOf).join(','),
    dataDir: directory.path,
  });
  return {
    member,
    stop: async () => {
      await http.stop();
      // Calls under way may need the member, and the member may need to answer them: both stop side by side.
      await Promise.all([rpc.stop(stopGraceMs), member.stop()]);
      await directory.close();
    },
  };
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
