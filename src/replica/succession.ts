/** Handing leadership over: to whom, and until when that is waited for (Raft thesis §3.10). */
import { KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { Transport } from '../transport/index.ts';
import type { Replica } from './replica.ts';
import type { EventLogger } from './reporting.ts';
import type { Conditions } from './waiting.ts';

/** What handing over works with. */
export interface SuccessionOptions {
  readonly replica: Replica;
  readonly transport: Transport;
  readonly conditions: Conditions;
  readonly logger: EventLogger;
  readonly metrics: Metrics;
  /** An order has been given to Raft: a turn is due. */
  readonly onOrdered: () => void;
}

/** See the module comment. */
export class Succession {
  readonly #options: SuccessionOptions;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** Lets another member lead, because this one is not in order. */
  yieldTo(reason: string): void {
    const { replica, logger, metrics, onOrdered } = this.#options;
    const successor = this.#successor();
    if (successor !== undefined && replica.transferLeader(successor) === undefined) {
      logger.warn({ event: 'handing-over', reason, to: successor });
      metrics.leaderHandovers.inc();
      onOrdered();
    }
  }

  /**
   * Hands over to `target`, as somebody has asked, and waits until it leads.
   *
   * @throws {KvError} BAD_TRANSFEREE; TIMEOUT — it does not lead after `limitMs`; STOPPED.
   */
  async moveTo(target: NodeId, limitMs: number): Promise<void> {
    const { replica, conditions, onOrdered } = this.#options;
    const refusal = replica.transferLeader(target);
    if (refusal !== undefined && replica.leader !== target) {
      throw new KvError('BAD_TRANSFEREE', { details: { refusal } });
    }
    onOrdered();
    const outcome = await conditions.within(limitMs, () => replica.leader === target);
    if (outcome !== 'held') {
      throw new KvError(outcome === 'late' ? 'TIMEOUT' : 'STOPPED');
    }
  }

  /** Hands over before this member stops; waits no longer than twice an election. */
  async handOver(electionMs: number): Promise<void> {
    const { replica, conditions, onOrdered } = this.#options;
    const successor = this.#successor();
    if (successor === undefined || replica.transferLeader(successor) !== undefined) {
      return;
    }
    onOrdered();
    // A successor that goes away itself, as when the whole cluster stops, is not waited for.
    const isOver = (): boolean =>
      replica.isLeader ? !this.#reachablePeers().has(successor) : replica.leader !== 0;
    await conditions.within(2 * electionMs, isOver);
  }

  /** The other voter that is furthest among those within reach, when this member leads. */
  #successor(): NodeId | undefined {
    const { replica } = this.#options;
    const { voters } = replica.configuration.confState;
    const reachable = this.#reachablePeers();
    let best: { readonly id: NodeId; readonly matchIndex: number } | undefined;
    for (const [id, { matchIndex }] of replica.status().progress) {
      const isBetter = best === undefined || matchIndex > best.matchIndex;
      if (isBetter && reachable.has(id) && voters.includes(id)) {
        best = { id, matchIndex };
      }
    }
    return replica.isLeader ? best?.id : undefined;
  }

  #reachablePeers(): ReadonlySet<NodeId> {
    const links = this.#options.transport.links();
    return new Set(links.filter((link) => link.isConnected).map((link) => link.peer.id));
  }
}
