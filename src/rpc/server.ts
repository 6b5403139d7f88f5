/** The gRPC server that clients talk to: all services on the client addresses. */
import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { listenError, type Timers } from '../base/index.ts';
import { services } from '../wire/index.ts';
import { createAdminService } from './admin.ts';
import { createClusterService } from './cluster.ts';
import { createHealthService, type HealthService } from './health.ts';
import { createKvService } from './kv.ts';
import { createLeaseService, type LeaseService } from './lease.ts';
import { createMaintenanceService } from './maintenance.ts';
import type { ServiceContext } from './service.ts';
import { createWatchService, type WatchService } from './watch.ts';

/** What a gRPC message may be longer than the request it carries, as in etcd. */
const grpcOverheadBytes = 512 * 1024;

/** How a server listens. */
export interface RpcServerOptions extends ServiceContext {
  /** Addresses to listen on, `host:port`. */
  readonly listen: readonly string[];
  readonly credentials: ServerCredentials;
  readonly requestBytesMax: number;
  readonly timers: Timers;
}

/** See the module comment. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #server: Server;
  readonly #health: HealthService;
  readonly #watch: WatchService;
  readonly #lease: LeaseService;
  readonly #bound: string[] = [];

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': options.requestBytesMax + grpcOverheadBytes,
      'grpc.max_send_message_length': -1,
      'grpc-node.max_session_memory': 256,
    });
    this.#server.addService(services['etcdserverpb.KV'], createKvService(options));
    this.#watch = createWatchService(options, options);
    this.#server.addService(services['etcdserverpb.Watch'], this.#watch.handlers);
    this.#lease = createLeaseService(options);
    this.#server.addService(services['etcdserverpb.Lease'], this.#lease.handlers);
    this.#server.addService(services['etcdserverpb.Cluster'], createClusterService(options));
    this.#server.addService(
      services['etcdserverpb.Maintenance'],
      createMaintenanceService(options),
    );
    this.#server.addService(services['holdfast.v1.Admin'], createAdminService(options));
    this.#health = createHealthService(options, options.timers);
    this.#server.addService(services['grpc.health.v1.Health'], this.#health.handlers);
  }

  /**
   * Starts listening; returns the ports, in the order of `listen`.
   *
   * @throws {KvError} CONFIG_INVALID — an address cannot be listened on; names it.
   */
  async start(): Promise<readonly number[]> {
    const ports: number[] = [];
    for (const address of this.#options.listen) {
      const port = await this.#bind(address);
      ports.push(port);
      this.#bound.push(`${address.slice(0, address.lastIndexOf(':'))}:${port}`);
    }
    return ports;
  }

  /** Takes no more calls, lets those under way end, and cuts them off after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    // First of all `drain`: it alone remembers the connections, to cut them off. `forceShutdown`
    // knows of none while channelz is off, and `tryShutdown` would leave `drain` none.
    for (const address of this.#bound) {
      this.#server.drain(address, graceMs);
    }
    const closed = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => {
        resolve();
      });
    });
    this.#health.endWatches();
    this.#watch.endStreams();
    this.#lease.endStreams();
    await closed;
  }

  async #bind(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, this.#options.credentials, (error, port) => {
        if (error === null) {
          resolve(port);
        } else {
          reject(listenError('clients', address, error));
        }
      });
    });
  }
}
