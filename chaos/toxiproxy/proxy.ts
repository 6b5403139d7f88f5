/**
 * One proxy: a listener, the connections through it, and its toxics.
 *
 * It accepts first and dials the upstream then; when nobody listens there, the accepted connection
 * is closed. Toxics outlive a disabling, and hold for connections that are open already.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Lane } from './lane.ts';
import type { Direction, Toxic } from './toxic.ts';

/** Connections open at a time through one proxy; more are closed at once. */
const connectionsMax = 4096;

/** What a proxy is made of. */
export interface ProxyOptions {
  readonly name: string;
  /** `host:port`; port 0 takes any. */
  readonly listen: string;
  readonly upstream: string;
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: Map<Direction, Lane>;
}

/** See the module comment. */
export class Proxy {
  readonly name: string;
  readonly #random: () => number;
  readonly #connections = new Set<Connection>();
  #listen: string;
  #upstream: string;
  #server: Server | undefined;
  #toxics: readonly Toxic[] = [];

  constructor({ name, listen, upstream }: ProxyOptions, random: () => number) {
    this.name = name;
    this.#listen = listen;
    this.#upstream = upstream;
    this.#random = random;
  }

  /** As bound, once it has been enabled. */
  get listen(): string {
    return this.#listen;
  }

  get upstream(): string {
    return this.#upstream;
  }

  get isEnabled(): boolean {
    return this.#server !== undefined;
  }

  /** Those of the upstream first, each in the order of adding. */
  get toxics(): readonly Toxic[] {
    const of = (direction: Direction) =>
      this.#toxics.filter((toxic) => toxic.direction === direction);
    return [...of('upstream'), ...of('downstream')];
  }

  /** @throws the error of `listen`. */
  async enable(): Promise<void> {
    if (this.#server !== undefined) {
      return;
    }
    const [host, port] = splitAddress(this.#listen);
    // Both halves are closed by hand, since toxics may delay that.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accept(client);
    });
    server.listen(port, host === 'localhost' ? '127.0.0.1' : host);
    await once(server, 'listening');
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') {
      this.#listen = joinAddress(bound.address, bound.port);
    }
    this.#server = server;
  }

  /** Closes the listener and every connection. */
  async disable(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const connection of this.#connections) {
      close(connection);
    }
    if (server !== undefined) {
      server.close();
      await once(server, 'close');
    }
  }

  /** Takes other addresses; only while it is disabled. */
  move(listen: string, upstream: string): void {
    this.#listen = listen;
    this.#upstream = upstream;
  }

  toxic(name: string): Toxic | undefined {
    return this.#toxics.find((toxic) => toxic.name === name);
  }

  addToxic(toxic: Toxic): void {
    this.#toxics = [...this.#toxics, toxic];
    this.#eachLane(toxic.direction, (lane) => {
      lane.add(toxic);
    });
  }

  updateToxic(toxic: Toxic): void {
    this.#toxics = this.#toxics.map((each) => (each.name === toxic.name ? toxic : each));
    this.#eachLane(toxic.direction, (lane) => {
      lane.update(toxic);
    });
  }

  removeToxic({ name, direction }: Toxic): void {
    this.#toxics = this.#toxics.filter((each) => each.name !== name);
    this.#eachLane(direction, (lane) => {
      lane.remove(name);
    });
  }

  removeToxics(): void {
    for (const toxic of this.#toxics) {
      this.removeToxic(toxic);
    }
  }

  #eachLane(direction: Direction, change: (lane: Lane) => void): void {
    for (const { lanes } of this.#connections) {
      const lane = lanes.get(direction);
      if (lane !== undefined) {
        change(lane);
      }
    }
  }

  #accept(client: Socket): void {
    const [host, port] = splitAddress(this.#upstream);
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const connection: Connection = { client, server, lanes: new Map() };
    // A failed socket closes: the lanes see that as their end.
    client.on('error', () => client.destroy());
    server.on('error', () => server.destroy());
    if (this.#connections.size >= connectionsMax) {
      close(connection);
      return;
    }
    this.#connections.add(connection);
    let openSockets = 2;
    for (const socket of [client, server]) {
      socket.on('close', () => {
        openSockets -= 1;
        if (openSockets === 0) {
          this.#forget(connection);
        }
      });
    }
    const closeUnanswered = () => client.destroySoon();
    server.once('close', closeUnanswered);
    server.once('connect', () => {
      server.off('close', closeUnanswered);
      this.#join(connection);
    });
  }

  #join({ client, server, lanes }: Connection): void {
    const lane = (direction: Direction, source: Socket, target: Socket) =>
      new Lane({
        source,
        target,
        toxics: this.#toxics.filter((toxic) => toxic.direction === direction),
        random: this.#random,
      });
    lanes.set('upstream', lane('upstream', client, server));
    lanes.set('downstream', lane('downstream', server, client));
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    for (const lane of connection.lanes.values()) {
      lane.close();
    }
  }
}

function close({ client, server }: Connection): void {
  client.destroySoon();
  server.destroySoon();
  // One that does not take what was written to it is not waited for.
  client.destroy();
  server.destroy();
}

/** Splits `host:port`; the host of `[::1]:80` is without its brackets. */
export function splitAddress(address: string): readonly [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return [host === '' ? '127.0.0.1' : host, Number(address.slice(colon + 1))];
}

function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
