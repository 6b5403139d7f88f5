/** A way to a server on loopback that a test can cut, and mend. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** See the module comment. */
export class TcpForwarder {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':');
    this.#server = createServer((incoming) => {
      if (this.#isCut) {
        incoming.destroy();
        return;
      }
      const outgoing = connect(Number(port), host);
      this.#join(incoming, outgoing);
      this.#join(outgoing, incoming);
    });
  }

  /** @param target - `host:port` that connections lead to */
  static async to(target: string): Promise<TcpForwarder> {
    const forwarder = new TcpForwarder(target);
    forwarder.#server.listen(0, '127.0.0.1');
    await once(forwarder.#server, 'listening');
    return forwarder;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections, and every new one, until it is mended. */
  cut(): void {
    this.#isCut = true;
    this.#sockets.forEach((socket) => socket.destroy());
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
