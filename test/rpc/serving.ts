/**
 * The services over real gRPC on loopback, in front of a fake member; and shorthands for calling
 * them.
 */
import { type Client, credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { Metrics } from '../../src/observability/index.ts';
import { fingerprintOf } from '../../src/kv/index.ts';
import { RpcServer, type RpcServerOptions } from '../../src/rpc/index.ts';
import {
  type AdminClient,
  type ClusterClient,
  type ElectionClient,
  type HealthClient,
  type KVClient,
  type LeaseClient,
  type MaintenanceClient,
  services,
  type WatchClient,
} from '../../src/wire/index.ts';
import { plainListeners } from '../harness/listeners.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { farAdmission } from './admitting.ts';
import type { FakeMember } from './fake-member.ts';

/** A server and its clients. */
export interface Serving {
  readonly server: RpcServer;
  readonly port: number;
  readonly metrics: Metrics;
  readonly timers: VirtualLoop;
  /** Errors that were reported as defects. */
  readonly defects: unknown[];
  readonly kv: KVClient;
  readonly cluster: ClusterClient;
  readonly maintenance: MaintenanceClient;
  readonly admin: AdminClient;
  readonly health: HealthClient;
  readonly watch: WatchClient;
  readonly lease: LeaseClient;
  readonly election: ElectionClient;
  close(): Promise<void>;
}

/** A server that listens nowhere yet, bounded by nothing that a test would meet by chance. */
export function plainOptions(member: FakeMember): RpcServerOptions {
  return {
    member,
    metrics: new Metrics(),
    txnOperationsMax: 128,
    txnDepthMax: 32,
    idempotencyKeyBytesMax: 128,
    accountNameBytesMax: 256,
    cryptography: nodeCryptography,
    tokenLifeMs: 300_000,
    passwordWork: { cost: 2, blockSize: 1, parallelization: 1 },
    onDenied: () => undefined,
    fingerprintOf,
    quotaBytes: 777,
    version: '9.8.7',
    epochMs: () => Date.now(),
    nowMs: () => 0,
    onDefect: () => undefined,
    listen: plainListeners('clients', []),
    requestBytesMax: 64 * 1024,
    timers: new VirtualLoop(),
    ...farAdmission,
  };
}

/** Serves `member` on a free port. */
export async function serve(
  member: FakeMember,
  options: Partial<RpcServerOptions> = {},
): Promise<Serving> {
  const metrics = new Metrics();
  const timers = new VirtualLoop();
  const defects: unknown[] = [];
  const server = new RpcServer({
    ...plainOptions(member),
    ...{ metrics, timers, listen: plainListeners('clients', ['127.0.0.1:0']) },
    onDefect: (error) => {
      defects.push(error);
    },
    ...options,
  });
  const [port = 0] = await server.start();
  const clients: Client[] = [];
  const connect = (name: keyof typeof services): unknown => {
    const Constructor = makeClientConstructor(services[name], name);
    const client = new Constructor(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    clients.push(client);
    return client;
  };
  return {
    server,
    port,
    metrics,
    timers,
    defects,
    kv: connect('etcdserverpb.KV') as KVClient,
    cluster: connect('etcdserverpb.Cluster') as ClusterClient,
    maintenance: connect('etcdserverpb.Maintenance') as MaintenanceClient,
    admin: connect('holdfast.v1.Admin') as AdminClient,
    health: connect('grpc.health.v1.Health') as HealthClient,
    watch: connect('etcdserverpb.Watch') as WatchClient,
    lease: connect('etcdserverpb.Lease') as LeaseClient,
    election: connect('v3electionpb.Election') as ElectionClient,
    close: async () => {
      for (const client of clients) {
        client.close();
      }
      await server.stop(0);
    },
  };
}

type Done = (error: ServiceError | null, value?: unknown) => void;

/** The answer of a unary call. */
export async function answerTo(invoke: (done: Done) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    invoke((error, value) => {
      if (error === null) {
        resolve(value);
      } else {
        reject(error);
      }
    });
  });
}

/** The error of a unary call that is refused. */
export async function refusalOf(invoke: (done: Done) => unknown): Promise<ServiceError> {
  return new Promise((resolve, reject) => {
    invoke((error, value) => {
      if (error === null) {
        reject(new Error(`the call was answered: ${JSON.stringify(value)}`));
      } else {
        resolve(error);
      }
    });
  });
}

/**
 * What a method's server sees of a client's message: through the bytes, with every default filled
 * in.
 */
export function received<Input, Output>(
  method: {
    readonly requestSerialize: (value: Input) => Buffer;
    readonly requestDeserialize: (bytes: Buffer) => Output;
  },
  message: Input,
): Output {
  return method.requestDeserialize(method.requestSerialize(message));
}
