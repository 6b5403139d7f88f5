/**
 * Puts a member together: data directory, log, engine, transport, member, services; and takes it
 * apart again.
 */
import { randomBytes } from 'node:crypto';
import { createPrng, type Prng } from '../base/index.ts';
import {
  accountNameBytesMax,
  fingerprintOf,
  idempotencyKeyBytesMax,
  txnDepthMax,
} from '../kv/index.ts';
import { type Logger, Metrics } from '../observability/index.ts';
import { defaultRaftOptions } from '../raft/index.ts';
import {
  defaultLogCompaction,
  Member,
  type MemberConfig,
  type MemberOptions,
  type MemberRecord,
} from '../replica/index.ts';
import { HttpEndpoints, RpcServer, type SheddingEvent } from '../rpc/index.ts';
import { inspectDataDirectory, nodeFileSystem, snapshotFormat } from '../storage/index.ts';
import { describeCluster, GrpcTransport, type Peer } from '../transport/index.ts';
import { bulkMemory } from './bulk-memory.ts';
import { nodeEventLoop } from './event-loop.ts';
import { nodeCryptography } from './node-cryptography.ts';
import {
  type AskMember,
  findCluster,
  ownPeerUrls,
  type Place,
  placeInExistingCluster,
  placeInNewCluster,
} from './join.ts';
import { memoryBounds, memoryInUse } from './memory.ts';
import { urlOf } from './host-port.ts';
import { MemberTls } from './member-tls.ts';
import { openFilesMax } from './open-files.ts';
import type { ServerConfig } from './server-config.ts';
import { Stores } from './stores.ts';
import { version } from './version.ts';

/**
 * What may wait on one member beyond what its clients may ask for: commands of its own, renewals,
 * and what system work needs. So whatever clients do, these find room.
 */
const reserve = { commands: 8192, commandBytes: 32 * 1024 * 1024 };
/** Current records kept in memory, bytes. */
const cacheBytesMax = 32 * 1024 * 1024;
/** What a command may be longer than the request it came in, which `rpc` has measured. */
const commandOverheadBytes = 4 * 1024;
/** Milliseconds for one member of a cluster to describe it to a member that joins. */
const describeTimeoutMs = 3000;
/** How long a stopping member waits for calls under way, milliseconds. */
const stopGraceMs = 5000;

/** A running member. */
export interface RunningServer {
  readonly member: Member;
  /** Reads certificates again; undefined when there are none. */
  readonly reloadCertificates: (() => Promise<void>) | undefined;
  /** Lets calls under way end and hands leadership over; `abrupt`: cuts everything off. */
  stop(manner?: 'orderly' | 'abrupt'): Promise<void>;
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
  const metrics = new Metrics();
  if (config.listenMetrics.length > 0) {
    metrics.startProcessMetrics(nodeEventLoop);
  }
  const tls = await MemberTls.open(config, {
    ...{ logger, metrics, timers: nodeEventLoop },
    openFilesMax: openFilesMax(),
  });
  const place = await findPlace(config, tls);
  const stores = await Stores.open({
    path: config.dataDir,
    identity: place.identity,
    hasPeers: config.members.length > 1,
    leaseMs: leaseMsOf(config),
    logger,
  });
  const member = await openMember(config, place, stores, { metrics, logger, onFatal, tls });
  const rpc = createRpcServer(config, member, { metrics, logger, tls });
  const listen = tls.listeners('metrics', config.listenMetrics);
  const http = new HttpEndpoints({ member, metrics, version, listen });
  const stop = async (manner: 'orderly' | 'abrupt' = 'orderly'): Promise<void> => {
    await http.stop();
    // Calls under way may need the member, and the member has to answer them: they stop together.
    const graceMs = manner === 'abrupt' ? 0 : stopGraceMs;
    await Promise.all([rpc.stop(graceMs), member.stop(manner)]);
    tls.close();
    await stores.directory.close();
  };
  try {
    await member.start();
    await rpc.start();
    await http.start();
    tls.watch();
  } catch (error) {
    // What went wrong first is what is told; a part that never started may not stop either.
    await Promise.allSettled([stop()]);
    throw error;
  }
  logger.info({
    event: 'serving',
    clients: config.listenClient.map(urlOf).join(','),
    peers: config.listenPeer.map(urlOf).join(','),
    metrics: config.listenMetrics.map(urlOf).join(','),
    dataDir: stores.directory.path,
  });
  const reload = async (): Promise<void> => tls.reload();
  return { member, reloadCertificates: tls.isUsed ? reload : undefined, stop };
}

/**
 * A member of a new cluster is who the flags say, and its data directory must agree. One that
 * joins, or says "existing" because the membership has changed since, is who its data directory
 * says.
 */
async function findPlace(config: ServerConfig, tls: MemberTls): Promise<Place> {
  if (config.clusterState === 'new') {
    return placeInNewCluster(config);
  }
  const identity = await inspectDataDirectory(config.dataDir, nodeFileSystem);
  return identity === undefined
    ? placeInExistingCluster(config, asker(tls))
    : { identity: { ...identity, name: config.name }, initialMembers: [] };
}

function asker(tls: MemberTls): AskMember {
  return async (url) => {
    const place = tls.placeOf([url]);
    return describeCluster(place.address, {
      credentials: tls.credentialsOf(place),
      timers: nodeEventLoop,
      timeoutMs: describeTimeoutMs,
    });
  };
}

/** Builds the member over its stores: they are its own from then on, and closed if that fails. */
async function openMember(
  config: ServerConfig,
  { identity, initialMembers }: Place,
  stores: Stores,
  {
    tls,
    ...host
  }: Pick<MemberConfig, 'metrics' | 'onFatal'> & {
    readonly logger: Logger;
    readonly tls: MemberTls;
  },
): Promise<Member> {
  const { directory, log, incarnations, isAlone } = stores;
  const { clusterId, memberId } = identity;
  const prng = createPrng(randomBytes(6).readUIntBE(0, 6));
  const { incarnation } = directory;
  const open = async (): Promise<Member> =>
    Member.open({
      clusterId,
      id: memberId,
      name: config.name,
      initialMembers,
      findCluster: async () => findCluster(config, identity, asker(tls)),
      isAlone,
      clientUrls: config.advertiseClientUrls,
      levels: config.levels,
      log,
      state: stores.state,
      incarnations,
      snapshots: {
        ...{ format: snapshotFormat, version, epochMs: () => Date.now() },
        onMoving: (isMoving) => {
          bulkMemory.count(isMoving ? 1 : -1);
        },
      },
      transport: createTransport(
        config,
        { clusterId, memberId, incarnation },
        {
          ...{ prng, tls },
          logger: host.logger,
        },
      ),
      peerOf: (member) => peerOf(member, config, tls),
      eventLoop: nodeEventLoop,
      prng,
      options: memberOptions(config, stores.earlierLeaseMs),
      ...host,
    });
  try {
    return await stores.withSoundState(open);
  } catch (error) {
    await stores.close();
    throw error;
  }
}

function electionTicksOf({ electionMs, heartbeatMs }: ServerConfig): number {
  return Math.ceil(electionMs / heartbeatMs);
}

/** Promises end before an election that is due without them: only those in a hurry wait. */
function leaseMsOf(config: ServerConfig): number {
  return config.readMode === 'lease' ? (electionTicksOf(config) - 1) * config.heartbeatMs : 0;
}

/** Commands and bytes that may wait for their result, and reads for permission. */
function waitLimits({ requestLimits }: ServerConfig): MemberOptions['limits'] {
  const { inflightRequests, inflightBytes, streams } = requestLimits;
  const callsMax = inflightRequests.member + streams.member + reserve.commands;
  return {
    proposalsMax: callsMax,
    proposalBytesMax: inflightBytes.member + reserve.commandBytes,
    readsMax: callsMax,
  };
}

function memberOptions(config: ServerConfig, earlierLeaseMs: number): MemberOptions {
  return {
    tickMs: config.heartbeatMs,
    raft: {
      ...defaultRaftOptions,
      electionTimeoutTicks: electionTicksOf(config),
      leaseMs: leaseMsOf(config),
      earlierLeaseMs,
      strictReconfigCheck: config.strictReconfigCheck,
    },
    limits: waitLimits(config),
    logCompaction: { ...defaultLogCompaction, ...config.logCompaction },
    retention: config.retention,
    requestTimeoutMs: config.requestTimeoutMs,
    requestBytesMax: config.requestBytesMax + commandOverheadBytes,
    cacheBytesMax,
    quotaBytes: config.quotaBytes,
    watchBytesMax: config.watchBytesMax,
  };
}

function createTransport(
  config: ServerConfig,
  identity: { readonly clusterId: number; readonly memberId: number; readonly incarnation: number },
  host: { readonly prng: Prng; readonly logger: Logger; readonly tls: MemberTls },
): GrpcTransport {
  const { prng, logger, tls } = host;
  return new GrpcTransport({
    ...identity,
    clientUrls: config.advertiseClientUrls,
    peerUrls: ownPeerUrls(config),
    build: version,
    levels: config.levels,
    // The member sets them once it knows the membership.
    peers: [],
    snapshotBytesPerSecondMax: config.snapshotRateBytes,
    listen: tls.listeners('peers', config.listenPeer),
    credentialsOf: (peer) => tls.credentialsOf(peer),
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
  host: { readonly metrics: Metrics; readonly logger: Logger; readonly tls: MemberTls },
): RpcServer {
  const { metrics, logger, tls } = host;
  return new RpcServer({
    member,
    metrics,
    txnOperationsMax: config.txnOperationsMax,
    txnDepthMax,
    idempotencyKeyBytesMax,
    accountNameBytesMax,
    fingerprintOf,
    cryptography: nodeCryptography,
    tokenLifeMs: config.authTokenTtlSeconds * 1000,
    onDenied: (event) => {
      logger.warn({ event: 'call-denied', ...event });
    },
    quotaBytes: config.quotaBytes,
    requestBytesMax: config.requestBytesMax,
    limits: config.requestLimits,
    memory: { bounds: memoryBounds(config.memoryLimitBytes), sample: memoryInUse },
    onShedding: (event) => {
      logShedding(logger, event);
    },
    version,
    epochMs: () => Date.now(),
    nowMs: () => performance.now(),
    onDefect: (error) => {
      metrics.internalErrors.inc();
      logger.error({ event: 'internal-error', err: error });
    },
    listen: tls.listeners('clients', config.listenClient),
    timers: nodeEventLoop,
  });
}

function logShedding(logger: Logger, { type, ...fields }: SheddingEvent): void {
  if (type === 'shedding-started') {
    logger.warn({ event: 'shedding-started', ...fields });
  } else {
    logger.info({ event: 'shedding-ended', ...fields });
  }
}

function peerOf(member: MemberRecord, config: ServerConfig, tls: MemberTls): Peer {
  const place = tls.placeOf(member.peerUrls, config.peerDial.get(member.name));
  return { id: member.id, name: member.name, ...place };
}
