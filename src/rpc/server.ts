/** The gRPC server that clients talk to: all services on the client addresses. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { EventLoop } from '../base/index.ts';
import type { Listener } from '../tls/index.ts';
import { pipelineService, services, txnRequestReader } from '../wire/index.ts';
import { createAdminService } from './admin.ts';
import { Admission, type AdmissionOptions } from './admission.ts';
import { createAuthService } from './auth.ts';
import { Callers, type CallersOptions } from './callers.ts';
import { createClusterService } from './cluster.ts';
import { createElectionService } from './election.ts';
import { GatewayIdentity } from './gateway-identity.ts';
import { createHealthService } from './health.ts';
import { HttpPages } from './http-pages.ts';
import { JsonGateway } from './json-gateway.ts';
import { createKvService } from './kv.ts';
import { createLeaseService } from './lease.ts';
import { createLockService } from './lock.ts';
import { createMaintenanceService } from './maintenance.ts';
import { measured } from './measured.ts';
import { createPipelineService } from './pipeline.ts';
import type { LongService, ServiceContext } from './service.ts';
import { watchDefinition } from './watch-encoding.ts';
import { createWatchService } from './watch.ts';

/** What a gRPC message may be longer than the request it carries, as in etcd. */
const grpcOverheadBytes = 512 * 1024;

/**
 * Limit: conditions and operations of a transaction on all its levels, unless one level may have a
 * quarter of that or more.
 */
const txnPartsMax = 16_384;

/** How a server listens. */
export interface RpcServerOptions
  extends Omit<ServiceContext, 'admission' | 'callers'>,
    Pick<CallersOptions, 'cryptography' | 'tokenLifeMs' | 'passwordWork' | 'onDenied'>,
    Omit<AdmissionOptions, 'metrics' | 'gateway'> {
  /** Where connections come in. */
  readonly listen: readonly Listener[];
  readonly timers: EventLoop;
}

type ConnectionInjector = ReturnType<Server['createConnectionInjector']>;

/** See the module comment. */
export class RpcServer {
  readonly #options: RpcServerOptions & ServiceContext;
  readonly #server: Server;
  readonly #long: readonly LongService<unknown>[];
  readonly #readTxn: ReturnType<typeof txnRequestReader>;
  /** Takes the connections that a listener has let in, secured or not. */
  readonly #incoming: ConnectionInjector;
  /** Takes those of HTTP/1. */
  readonly #gateway: JsonGateway;

  constructor(options: RpcServerOptions) {
    const identity = new GatewayIdentity(options.cryptography);
    const admission = new Admission({ ...options, gateway: identity });
    this.#options = { ...options, admission, callers: new Callers(options) };
    this.#server = new Server({
      interceptors: [admission.interceptor],
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': options.requestBytesMax + grpcOverheadBytes,
      'grpc.max_send_message_length': -1,
      'grpc-node.max_session_memory': 256,
    });
    this.#readTxn = txnRequestReader(Math.max(txnPartsMax, 4 * options.txnOperationsMax));
    this.#addUnary();
    this.#long = this.#addLong();
    this.#incoming = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#gateway = new JsonGateway({
      pages: new HttpPages(options),
      inject: (connection) => {
        this.#incoming.injectConnection(connection);
      },
      identity: (socket) => identity.metadataOf(socket),
      messageBytesMax: options.requestBytesMax + grpcOverheadBytes,
      timers: options.timers,
      onDefect: options.onDefect,
    });
  }

  #addUnary(): void {
    const [server, options] = [this.#server, this.#options];
    const kv = services['etcdserverpb.KV'];
    const txn = { ...kv.Txn, requestDeserialize: this.#readTxn };
    server.addService(measured({ ...kv, Txn: txn }), createKvService(options));
    server.addService(measured(services['etcdserverpb.Auth']), createAuthService(options));
    server.addService(measured(services['etcdserverpb.Cluster']), createClusterService(options));
    server.addService(
      measured(services['etcdserverpb.Maintenance']),
      createMaintenanceService(options),
    );
    server.addService(measured(services['holdfast.v1.Admin']), createAdminService(options));
  }

  #addLong(): readonly LongService<unknown>[] {
    const [server, options] = [this.#server, this.#options];
    const watch = createWatchService(options, options);
    server.addService(measured(watchDefinition), { ...watch.handlers });
    const lease = createLeaseService(options, options.timers);
    server.addService(measured(services['etcdserverpb.Lease']), lease.handlers);
    const lock = createLockService(options, options.timers);
    server.addService(measured(services['v3lockpb.Lock']), lock.handlers);
    const election = createElectionService(options, options.timers);
    server.addService(measured(services['v3electionpb.Election']), election.handlers);
    const health = createHealthService(options, options.timers);
    server.addService(measured(services['grpc.health.v1.Health']), health.handlers);
    const pipeline = createPipelineService(options, options.timers);
    server.addService(pipelineService(this.#readTxn), { ...pipeline.handlers });
    return [watch, lease, lock, election, health, pipeline];
  }

  /**
   * Starts listening; returns the ports, in the order of `listen`.
   *
   * @throws {KvError} CONFIG_INVALID — an address cannot be listened on; names it.
   */
  async start(): Promise<readonly number[]> {
    this.#options.admission.start();
    const ports: number[] = [];
    for (const listener of this.#options.listen) {
      ports.push(
        await listener.open((socket, protocol) => {
          if (protocol === 'http/1') {
            this.#gateway.take(socket);
          } else {
            this.#incoming.injectConnection(socket);
          }
        }),
      );
    }
    return ports;
  }

  /** Takes no more calls, lets those under way end, and cuts them off after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#options.admission.stop();
    const { listen } = this.#options;
    for (const listener of listen) {
      listener.stop();
    }
    this.#gateway.stop(graceMs);
    // First of all `drain`: it alone cuts connections off later. `forceShutdown` knows of none
    // while channelz is off.
    this.#incoming.drain(graceMs);
    const closed = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => {
        resolve();
      });
    });
    for (const service of this.#long) {
      service.end();
    }
    await closed;
    // A session counts as closed before its last call is answered; its connection does not.
    await Promise.all(listen.map(async (listener) => listener.ended()));
  }
}
