/**
 * A network of members in one process under virtual time, whose links a test can cut and slow down.
 *
 * It keeps the contract of `Transport`, strangers, refusals and snapshots included; a link is made
 * as soon as both ends run, and again when one of them comes back or changes its peers.
 */
import { KvError, type TimerHandle } from '../../src/base/index.ts';
import { featureLevels } from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type {
  Admission,
  ClusterDescription,
  Peer,
  PeerLink,
  PeerMessage,
  SnapshotFetch,
  Transport,
  TransportHandler,
  VersionRange,
} from '../../src/transport/index.ts';
import type { VirtualLoop } from './virtual-loop.ts';

/** What a member brings to the network. */
export interface VirtualTransportOptions {
  /** Default 1. */
  readonly incarnation?: number | undefined;
  /** Default: every member that runs. */
  readonly peers?: readonly Peer[] | undefined;
  /** Feature levels that it reads. Default: all that the build does. */
  readonly levels?: VersionRange | undefined;
}

const transfersMax = 4;
const redialMs = 100;

/** See the module comment. */
export class VirtualNetwork {
  latencyMs = 1;
  readonly #loop: VirtualLoop;
  readonly #nodesById = new Map<NodeId, Node>();
  readonly #isolated = new Set<NodeId>();
  readonly #deaf = new Set<NodeId>();

  constructor(loop: VirtualLoop) {
    this.#loop = loop;
  }

  /** Cuts `id` from all others, both ways. */
  isolate(id: NodeId): void {
    this.#isolated.add(id);
  }

  /** Messages to this member are lost from now on; its links stay. */
  deafen(id: NodeId): void {
    this.#deaf.add(id);
  }

  heal(): void {
    this.#isolated.clear();
    this.#deaf.clear();
  }

  /** Member `id` is gone without a word. */
  drop(id: NodeId): void {
    if (this.#nodesById.delete(id)) {
      this.#leave(id);
    }
  }

  /** What member `id` says of its cluster. */
  describe(id: NodeId): ClusterDescription {
    const node = this.#nodesById.get(id);
    if (node === undefined) {
      throw new KvError('UNHEALTHY', { message: `member ${id} does not run` });
    }
    return node.handler.describe();
  }

  transport(id: NodeId, options: VirtualTransportOptions = {}): Transport {
    let node: Node | undefined;
    let peers = options.peers;
    return {
      start: async (handler: TransportHandler) => {
        node = new Node({ ...options, id, handler }, peers);
        this.#nodesById.set(id, node);
        this.#meetAll(node);
      },
      send: (messages: readonly PeerMessage[]) => {
        const sender = node;
        const sent = messages.filter(({ to }) => sender?.mayDial(to) === true);
        this.#loop.after(this.latencyMs, () => {
          for (const message of sent) {
            this.#deliver(sender, message);
          }
        });
        return [];
      },
      setPeers: (next: readonly Peer[]) => {
        peers = next;
        if (node !== undefined && this.#isRunning(node)) {
          node.setPeers(next, this.#nodesById);
          this.#meetAll(node);
        }
      },
      hangUp: (peer: NodeId) => {
        const caller = this.#nodesById.get(peer);
        if (node !== undefined && this.#isRunning(node)) {
          node.admissions.delete(peer);
          if (caller !== undefined) {
            this.#dial(caller, id);
          }
        }
      },
      links: () => this.#links(id, peers),
      fetchSnapshot: (from: NodeId, fetch: SnapshotFetch) => this.#fetch(node, from, fetch),
      stop: async () => {
        if (node !== undefined && this.#isRunning(node)) {
          this.#nodesById.delete(id);
          this.#leave(id);
        }
      },
    };
  }

  #isRunning(node: Node): boolean {
    return this.#nodesById.get(node.id) === node;
  }

  #isCut(from: NodeId, to: NodeId): boolean {
    return this.#isolated.has(from) || this.#isolated.has(to);
  }

  #leave(id: NodeId): void {
    for (const other of this.#nodesById.values()) {
      other.admissions.delete(id);
      if (other.mayDial(id)) {
        other.handler.onUnreachable(id);
      }
    }
  }

  #links(id: NodeId, peers: readonly Peer[] | undefined): readonly PeerLink[] {
    const all = peers ?? [...this.#nodesById.keys()].map(peerNamed);
    return all
      .filter((peer) => peer.id !== id)
      .sort((a, b) => a.id - b.id)
      .map((peer) => ({
        peer,
        isConnected:
          this.#nodesById.get(peer.id)?.admissions.get(id) === 'ok' && !this.#isCut(id, peer.id),
        queuedBytes: 0,
        droppedMessages: 0,
        newestLevel: this.#newestLevelOf(peer.id, id),
      }));
  }

  /** What `id` reads, if it and `to` listen to each other. */
  #newestLevelOf(id: NodeId, to: NodeId): number | undefined {
    const node = this.#nodesById.get(id);
    const isHeard = this.#nodesById.get(to)?.admissions.get(id) === 'ok' && !this.#isCut(id, to);
    return isHeard && node?.admissions.get(to) === 'ok' ? node.levels.newest : undefined;
  }

  /** `node` dials its peers, and they dial it. */
  #meetAll(node: Node): void {
    for (const other of this.#nodesById.values()) {
      if (other !== node) {
        this.#dial(node, other.id);
        this.#dial(other, node.id);
      }
    }
  }

  /** One member asks another one to listen to it, until it does. */
  #dial(from: Node, to: NodeId): void {
    const callee = this.#nodesById.get(to);
    from.redials.get(to)?.cancel();
    const isLinked = callee?.admissions.get(from.id) === 'ok';
    if (callee === undefined || isLinked || !this.#isRunning(from) || !from.mayDial(to)) {
      return;
    }
    if (this.#isCut(from.id, to)) {
      this.#dialLater(from, to);
      return;
    }
    callee.handler.admit(from).then((admission) => {
      if (!this.#isRunning(from) || !this.#isRunning(callee)) {
        return;
      }
      const isNews = callee.admissions.get(from.id) !== admission;
      callee.admissions.set(from.id, admission);
      if (admission === 'ok') {
        if (!callee.isPeer(from.id)) {
          callee.strangers.add(from.id);
          this.#dial(callee, from.id);
        }
        return;
      }
      if (isNews && admission !== 'unknown-member') {
        from.handler.onRefused(to, admission);
      }
      this.#dialLater(from, to);
    }, ignore);
  }

  #dialLater(from: Node, to: NodeId): void {
    from.redials.get(to)?.cancel();
    from.redials.set(
      to,
      this.#loop.after(redialMs, () => {
        this.#dial(from, to);
      }),
    );
  }

  #deliver(sender: Node | undefined, message: PeerMessage): void {
    const receiver = this.#nodesById.get(message.to);
    const isHeard =
      sender !== undefined &&
      receiver?.admissions.get(sender.id) === 'ok' &&
      sender.mayDial(message.to) &&
      !this.#isCut(message.from, message.to) &&
      !this.#deaf.has(message.to);
    if (isHeard && this.#isRunning(sender)) {
      receiver.handler.onMessages([message]);
    }
  }

  async *#fetch(
    node: Node | undefined,
    from: NodeId,
    { minIndex, formatVersionMax = 0, signal }: SnapshotFetch,
  ): AsyncGenerator<Uint8Array> {
    if (node === undefined || !this.#isRunning(node)) {
      throw new KvError('STOPPED');
    }
    if (signal?.aborted === true) {
      throw new KvError('CANCELLED', { cause: signal.reason });
    }
    if (!node.mayDial(from)) {
      throw new KvError('MEMBER_NOT_FOUND');
    }
    const sender = this.#reached(node, from);
    const admission = await sender.handler.admit(node);
    if (admission !== 'ok') {
      throw new KvError(admission === 'removed' ? 'MEMBER_REMOVED' : 'MEMBER_NOT_FOUND');
    }
    // Who asks anew has no use for what it was being sent.
    sender.transfers.delete(node.id);
    if (sender.transfers.size >= transfersMax) {
      throw new KvError('TOO_MANY_REQUESTS');
    }
    const transfer = {};
    sender.transfers.set(node.id, transfer);
    try {
      const { handler } = sender;
      const source = await handler.onSnapshotRequested(node.id, minIndex, formatVersionMax);
      for await (const chunk of source) {
        await this.#delay(this.latencyMs, signal);
        if (this.#reached(node, from) !== sender) {
          throw new KvError('UNHEALTHY', { message: `member ${from} has started anew` });
        }
        if (sender.transfers.get(node.id) !== transfer) {
          throw new KvError('CANCELLED');
        }
        yield chunk;
      }
    } finally {
      if (sender.transfers.get(node.id) === transfer) {
        sender.transfers.delete(node.id);
      }
    }
  }

  /** @throws {KvError} when there is no way between the two. */
  #reached(node: Node, to: NodeId): Node {
    if (!this.#isRunning(node)) {
      throw new KvError('STOPPED');
    }
    const other = this.#nodesById.get(to);
    if (other === undefined || this.#isCut(node.id, to)) {
      throw new KvError('UNHEALTHY', { message: `member ${to} cannot be reached` });
    }
    return other;
  }

  async #delay(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const cancel = (): void => {
        timer.cancel();
        reject(new KvError('CANCELLED', { cause: signal?.reason }));
      };
      const timer = this.#loop.after(delayMs, () => {
        signal?.removeEventListener('abort', cancel);
        resolve();
      });
      if (signal?.aborted === true) {
        cancel();
      }
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }
}

/** A member that runs. */
class Node {
  readonly id: NodeId;
  readonly incarnation: number;
  readonly handler: TransportHandler;
  readonly levels: VersionRange;
  /** How it has answered those who dialled it; only those with `ok` are heard. */
  readonly admissions = new Map<NodeId, Admission>();
  /** Members that are not in its list, but that it can answer. */
  readonly strangers = new Set<NodeId>();
  readonly redials = new Map<NodeId, TimerHandle>();
  /** To whom it is sending a snapshot. */
  readonly transfers = new Map<NodeId, object>();
  /** Undefined: everybody. */
  #peerIds: ReadonlySet<NodeId> | undefined;

  constructor(
    own: VirtualTransportOptions & { readonly id: NodeId; readonly handler: TransportHandler },
    peers: readonly Peer[] | undefined,
  ) {
    this.id = own.id;
    this.incarnation = own.incarnation ?? 1;
    this.handler = own.handler;
    this.levels = own.levels ?? featureLevels;
    this.#peerIds = peers === undefined ? undefined : new Set(peers.map((peer) => peer.id));
  }

  isPeer(id: NodeId): boolean {
    return this.#peerIds?.has(id) ?? true;
  }

  mayDial(id: NodeId): boolean {
    return this.isPeer(id) || this.strangers.has(id);
  }

  /** Closes the links to and from those that are no peers any more. */
  setPeers(peers: readonly Peer[], nodesById: ReadonlyMap<NodeId, Node>): void {
    const before = this.#peerIds;
    this.#peerIds = new Set(peers.map((peer) => peer.id));
    for (const { id } of peers) {
      this.strangers.delete(id);
    }
    for (const node of nodesById.values()) {
      if ((before === undefined || before.has(node.id)) && !this.#peerIds.has(node.id)) {
        this.admissions.delete(node.id);
        node.admissions.delete(this.id);
      }
    }
  }
}

function peerNamed(id: NodeId): Peer {
  return { id, name: `n${id}`, address: '' };
}

function ignore(): void {
  // A member that cannot say yet whom it admits is asked again when something changes.
}
