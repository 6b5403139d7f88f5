/**
 * A network of members in one process under virtual time, whose links a test can cut and slow down.
 */
import type { Message, NodeId } from '../../src/raft/index.ts';
import type { PeerLink, Transport, TransportHandler } from '../../src/transport/index.ts';
import type { VirtualLoop } from './virtual-loop.ts';

/** See the module comment. */
export class VirtualNetwork {
  latencyMs = 1;
  readonly #loop: VirtualLoop;
  readonly #handlersById = new Map<NodeId, TransportHandler>();
  readonly #isolated = new Set<NodeId>();

  constructor(loop: VirtualLoop) {
    this.#loop = loop;
  }

  /** Cuts `id` from all others, both ways. */
  isolate(id: NodeId): void {
    this.#isolated.add(id);
  }

  heal(): void {
    this.#isolated.clear();
  }

  transport(id: NodeId): Transport {
    return {
      start: async (handler: TransportHandler) => {
        this.#handlersById.set(id, handler);
      },
      send: (messages: readonly Message[]) => {
        this.#loop.after(this.latencyMs, () => {
          for (const message of messages) {
            this.#deliver(message);
          }
        });
      },
      links: (): readonly PeerLink[] =>
        [...this.#handlersById.keys()]
          .filter((peer) => peer !== id)
          .map((peer) => ({
            peer: { id: peer, name: `n${peer}`, address: '' },
            isConnected: !this.#isolated.has(peer) && !this.#isolated.has(id),
            queuedBytes: 0,
            droppedMessages: 0,
          })),
      stop: async () => {
        this.#handlersById.delete(id);
        for (const handler of this.#handlersById.values()) {
          handler.onUnreachable(id);
        }
      },
    };
  }

  #deliver(message: Message): void {
    if (!this.#isolated.has(message.from) && !this.#isolated.has(message.to)) {
      this.#handlersById.get(message.to)?.onMessages([message]);
    }
  }
}
