/**
 * One proxy: a listener, the connections through it, and its toxics.
 *
 * It accepts first and dials the upstream then; when nobody listens there, the accepted connection
 * is closed. Toxics outlive a disabling, and hold for connections that are open already. As in
 * Toxiproxy, a connection that began while there was a `reset_peer` is reset whenever it ends, for
 * whatever reason; one that was open already is closed by that toxic, not reset.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { AddressError, joinAddress, splitAddress } from './address.ts';
import { closeSocket, Lane } from './lane.ts';
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
  /** Both ends are reset, where they would be closed. */
  resets: boolean;
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

  /** @throws {AddressError} or the error of `listen`. */
  async enable(): Promise<void> {
    if (this.#server !== undefined) {
      return;
    }
    const [host, port] = splitAddress(this.#listen);
    // Both halves are closed by hand, since toxics may delay that.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accept(client);
    });
    server.listen(port, host);
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
    const server = this.#dial();
    if (server === undefined) {
      client.destroySoon();
      return;
    }
    const connection: Connection = { client, server, lanes: new Map(), resets: false };
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

  /** Undefined if the upstream is no address: nobody answers there. */
  #dial(): Socket | undefined {
    try {
      const [host, port] = splitAddress(this.#upstream);
      return connect({ host, port, allowHalfOpen: true, noDelay: true });
    } catch (error) {
      if (error instanceof AddressError) {
        return undefined;
      }
      throw error;
    }
  }

  #join(connection: Connection): void {
    const { client, server, lanes } = connection;
    const resets = this.#toxics.some(({ type }) => type === 'reset_peer');
    connection.resets = resets;
    const lane = (direction: Direction, source: Socket, target: Socket) =>
      new Lane({
        source,
        target,
        toxics: this.#toxics.filter((toxic) => toxic.direction === direction),
        resets,
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

function close({ client, server, resets }: Connection): void {
  for (const socket of [client, server]) {
    closeSocket(socket, resets);
    // One that does not take what was written to it is not waited for.
    socket.destroy();
  }
}
