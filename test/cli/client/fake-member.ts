/** A server that answers a client's calls as a test wants, and counts them. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { status } from '@grpc/grpc-js';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { type KVHandlers, type MaintenanceHandlers, services } from '../../../src/wire/index.ts';

/** What the fake does with every call of the key-value service. */
export type Behaviour = 'answer' | 'hang' | 'go down' | 'cut the connection' | ServiceError;

/** See the module comment. */
export class FakeMember {
  /** Calls of the key-value service that have arrived, by method. */
  readonly calls: readonly string[];
  readonly endpoint: string;
  readonly #server: Server;
  readonly #relay: Relay;

  private constructor(server: Server, relay: Relay, calls: readonly string[]) {
    this.#server = server;
    this.#relay = relay;
    this.endpoint = `127.0.0.1:${relay.port}`;
    this.calls = calls;
  }

  /** Whom its status names as the leader; nobody when it is 0. */
  leaderId = '1';

  /** Starts one; `values` are what a read answers, as key and value. */
  static async start(
    behaviour: Behaviour,
    values: readonly (readonly [string, Uint8Array])[] = [],
  ): Promise<FakeMember> {
    const server = new Server();
    const calls: string[] = [];
    const relay = await Relay.start();
    const handle =
      <Answer>(method: string, answer: Answer) =>
      (_call: unknown, callback: sendUnaryData<Answer>): void => {
        calls.push(method);
        if (behaviour === 'answer') {
          callback(null, answer);
        } else if (behaviour === 'go down') {
          server.forceShutdown();
        } else if (behaviour === 'cut the connection') {
          relay.cut();
        } else if (behaviour !== 'hang') {
          callback(behaviour);
        }
      };
    const kvs = values.map(([key, value]) => ({ key, value: Buffer.from(value) }));
    const handlers: Partial<KVHandlers> = {
      Range: handle('Range', {
        header: { revision: 7 },
        kvs: kvs.map((each) => ({ ...each, key: Buffer.from(each.key) })),
        count: kvs.length,
      }),
      Put: handle('Put', { header: { revision: 8 } }),
      DeleteRange: handle('DeleteRange', { header: { revision: 8 }, deleted: 1 }),
      Txn: handle('Txn', { header: { revision: 8 }, succeeded: true }),
      Compact: handle('Compact', { header: { revision: 8 } }),
    };
    server.addService(services['etcdserverpb.KV'], handlers as KVHandlers);
    const member = new FakeMember(server, relay, calls);
    const maintenance: Partial<MaintenanceHandlers> = {
      Status: (_call, callback) => {
        callback(null, { leader: member.leaderId });
      },
    };
    server.addService(services['etcdserverpb.Maintenance'], maintenance as MaintenanceHandlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) {
          resolve(bound);
        } else {
          reject(error);
        }
      });
    });
    relay.target = port;
    return member;
  }

  stop(): void {
    this.#relay.cut();
    this.#relay.close();
    this.#server.forceShutdown();
  }
}

/** Passes bytes on to a port, until it cuts all connections at once, as a crash does. */
class Relay {
  target = 0;
  readonly #sockets: Socket[] = [];
  readonly #server = createServer((client) => {
    const upstream = connect(this.target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.push(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });

  static async start(): Promise<Relay> {
    const relay = new Relay();
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  cut(): void {
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
    }
  }

  close(): void {
    this.#server.close();
  }
}

/** An error as a server of ours, or of others when `outcome` is left out, ends a call with. */
export function serverError(
  code: status,
  details: string,
  trailers: { readonly code?: string; readonly outcome?: 'rejected' | 'unknown' } = {},
): ServiceError {
  const metadata = new Metadata();
  if (trailers.code !== undefined) {
    metadata.set('holdfast-code', trailers.code);
  }
  if (trailers.outcome !== undefined) {
    metadata.set('holdfast-outcome', trailers.outcome);
  }
  return Object.assign(new Error(details), { code, details, metadata });
}
