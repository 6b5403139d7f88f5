/** A way to a member that can be cut: what is sent meanwhile arrives when it is mended. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** See the module comment. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on loopback, for a member at `host:port`. */
  static async to(endpoint: string): Promise<Relay> {
    const [host = '', port = ''] = endpoint.split(':');
    const server = createServer((near) => {
      const far = connect({ host, port: Number(port) });
      relay.#join(near, far);
      relay.#join(far, near);
    });
    const relay = new Relay(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) {
      socket.pause();
    }
  }

  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) {
      socket.resume();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes: Buffer) => to.write(bytes));
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    // The other end hears of it by the close.
    from.on('error', () => undefined);
    if (this.#isCut) {
      from.pause();
    }
  }
}
