/**
 * Raft nodes in one process, without time: a test (or a seed) decides which message is delivered,
 * lost or repeated, whose disk finishes, who ticks, crashes and restarts, who compacts its log,
 * fetches a snapshot or joins. Checks the safety invariants at every step.
 *
 * The state of a node is the list of entries it has applied, so a snapshot is a copy of such a
 * list. What a node has compacted stays in `entries`, for the checks alone: the node never sees it
 * again.
 */
import { createPrng } from '../../src/base/index.ts';
import {
  type Configuration,
  decodeConfiguration,
  type Entry,
  type HardState,
  type LogSummary,
  type Message,
  type NodeId,
  Raft,
  type RaftEvent,
  type RaftOptions,
  type Role,
  defaultRaftOptions,
  type SnapshotPosition,
  type Term,
  type SnapshotRequest,
  type StorageWrite,
} from '../../src/raft/index.ts';
import { describeEntries, describeReady } from '../../src/raft/describe.ts';
import { verifyDelta, verifyRaft } from '../../src/raft/invariants.ts';
import { quorumVote } from '../../src/raft/quorum.ts';
import type { RaftStatus } from '../../src/raft/status.ts';

/** A node and what a crash would leave of it. */
export interface SimNode {
  readonly id: NodeId;
  raft: Raft;
  isUp: boolean;
  /** Durable. */
  entries: Entry[];
  hardState: HardState;
  applied: Entry[];
  /** Entries up to here are compacted. */
  snapshotIndex: number;
  /** A member of the cluster from the start; others begin with nothing and join. */
  readonly isFounder: boolean;
  /** Handed out, not yet durable. */
  write: StorageWrite | undefined;
  /** The snapshot that it asks for. */
  snapshotRequest: SnapshotRequest | undefined;
  /** Fetched, not yet offered to it. */
  fetched: { readonly position: SnapshotPosition; readonly senderTerm: Term } | undefined;
  /** Raft has taken a snapshot, and the switch to it is still to be ordered or to end. */
  isInstalling: boolean;
  readStates: { context: number; index: number }[];
  droppedReads: number[];
  rejectedContexts: number[];
  /** As its events tell it. */
  role: Role;
  /** What it was when last looked at, since its start. */
  status: RaftStatus | undefined;
}

/** What a node has on its disk at the start. */
export interface NodeStart {
  /** Terms of its entries, from index 1 on; equal places of equal terms are the same entry. */
  readonly terms?: readonly number[];
  readonly hardState?: Partial<HardState>;
}

const noData = new Uint8Array();
/** What a host would keep beside the configuration: a cluster that members can join has some. */
const someContext = Uint8Array.of(1);
const noHardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };

/** Changes of role that never happen directly (Raft thesis §3.4). */
const impossible = ['follower>leader', 'leader>candidate', 'leader>preCandidate'];

/** See the module comment. */
export class RaftNetwork {
  readonly nodes: SimNode[];
  messages: Message[] = [];
  /** What the nodes have handed out, a line each, in the form of `describe.ts`. */
  trace: string[] | undefined;
  readonly #options: RaftOptions;
  readonly #seed: number;
  readonly #initial: Configuration;
  /** Snapshots that nodes have switched to. */
  installs = 0;
  /** Every configuration that any node has ever gone by. */
  readonly #seen: Configuration[] = [];
  #starts = 0;
  readonly #leaderByTerm = new Map<number, NodeId>();
  /** Every entry that any node has applied, by index: nobody may ever apply another there. */
  readonly committed: Entry[] = [];

  constructor(
    size: number,
    options: Partial<RaftOptions> = {},
    seed = 1,
    starts: readonly NodeStart[] = [],
    /** Nodes that are no members yet; with any, the first configuration goes into the log. */
    spares = 0,
  ) {
    const all = { ...defaultRaftOptions, ...options };
    this.#options = { ...all, unappliedBytesMax: 2 * all.cacheBytesMax };
    this.#seed = seed;
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    this.#initial = configurationOf(voters, spares > 0 ? someContext : noData);
    this.nodes = Array.from({ length: size + spares }, (_, i) => {
      const { terms = [], hardState = {} } = starts[i] ?? {};
      const entries = terms.map(
        (term, at): Entry => ({ term, index: at + 1, type: 'normal', data: noData }),
      );
      const state = { ...noHardState, currentTerm: terms.at(-1) ?? 0, ...hardState };
      return {
        id: i + 1,
        raft: this.#createRaft(i + 1, this.#firstOf(i < size), 0, entries, state, 0),
        isUp: true,
        isFounder: i < size,
        entries,
        hardState: state,
        applied: [],
        snapshotIndex: 0,
        write: undefined,
        snapshotRequest: undefined,
        fetched: undefined,
        isInstalling: false,
        readStates: [],
        droppedReads: [],
        rejectedContexts: [],
        role: 'follower',
        status: undefined,
      };
    });
  }

  node(id: NodeId): SimNode {
    const node = this.nodes[id - 1];
    if (node === undefined) {
      throw new Error(`there is no node ${id}`);
    }
    return node;
  }

  raft(id: NodeId): Raft {
    return this.node(id).raft;
  }

  /** The leader of the highest term among the living, or 0. */
  get leader(): NodeId {
    let best: Raft | undefined;
    for (const { raft, isUp } of this.nodes) {
      if (isUp && raft.role === 'leader' && raft.term > (best?.term ?? 0)) {
        best = raft;
      }
    }
    return best?.id ?? 0;
  }

  /** Fetches what a node hands out; its write waits for `persist`. */
  collect(id: NodeId): void {
    const node = this.node(id);
    while (node.isUp && node.raft.hasReady()) {
      const ready = node.raft.ready();
      this.trace?.push(...describeReady(ready).map((line) => `${id}: ${line}`));
      this.messages.push(...ready.messages);
      if (ready.write !== undefined) {
        if (node.write !== undefined) {
          throw new Error(`node ${id} has two writes out`);
        }
        node.write = ready.write;
      }
      for (const load of ready.loads) {
        if (load.lo <= node.snapshotIndex) {
          throw new Error(`node ${id} asks for entry ${load.lo}, which is compacted`);
        }
        node.raft.entriesLoaded(load.id, node.entries.slice(load.lo - 1, load.hi - 1));
      }
      node.snapshotRequest = ready.snapshotRequest ?? node.snapshotRequest;
      if (ready.configuration !== undefined) {
        this.#seen.push(ready.configuration);
      }
      node.readStates.push(...ready.readStates);
      for (const event of ready.events) {
        noteEvent(node, event);
      }
      this.#apply(node, ready.committedEntries);
      this.#checkLeaders();
    }
    const status = node.raft.status();
    verifyRaft(status);
    if (node.status !== undefined) {
      verifyDelta(node.status, status);
    }
    node.status = status;
  }

  /** Makes a node's write durable and sends what rested on it. */
  persist(id: NodeId): void {
    const node = this.node(id);
    const { write } = node;
    if (!node.isUp || write === undefined) {
      return;
    }
    node.write = undefined;
    if (write.install !== undefined) {
      this.#install(node, write.install);
    }
    const first = write.entries[0];
    if (first !== undefined) {
      if (first.index > node.entries.length + 1) {
        throw new Error(`node ${id} leaves a hole at ${first.index}`);
      }
      if (node.raft.role === 'leader' && first.index <= node.entries.length) {
        throw new Error(`leader ${id} overwrites its entry ${first.index}`);
      }
      node.entries = [...node.entries.slice(0, first.index - 1), ...write.entries];
    }
    this.#checkLogMatching(node);
    node.hardState = write.hardState ?? node.hardState;
    this.messages.push(...write.messages);
    node.raft.writeDone(write.ticket);
    this.collect(id);
  }

  deliver(message: Message): void {
    const node = this.node(message.to);
    if (node.isUp) {
      node.raft.step(message);
      this.collect(node.id);
    }
  }

  tick(id: NodeId): void {
    const node = this.node(id);
    if (node.isUp) {
      node.raft.tick();
      this.collect(id);
    }
  }

  crash(id: NodeId): void {
    const node = this.node(id);
    node.isUp = false;
    node.status = undefined;
    node.write = undefined;
    node.snapshotRequest = undefined;
    node.fetched = undefined;
    node.isInstalling = false;
  }

  /** Drops the beginning of a node's log, up to `index` at most: what is applied, and on disk. */
  compact(id: NodeId, index = Number.POSITIVE_INFINITY): void {
    const node = this.node(id);
    // Before a snapshot is switched to, the host's state is not what Raft speaks of.
    const upTo = Math.min(index, node.applied.length);
    if (node.isUp && !node.isInstalling && upTo > node.snapshotIndex) {
      node.snapshotIndex = upTo;
      node.raft.compact(upTo);
      this.collect(id);
    }
  }

  /** Takes the snapshot that a node asks for, from `from` or whom it names. */
  fetch(id: NodeId, from?: NodeId): void {
    const node = this.node(id);
    const { snapshotRequest: request } = node;
    const source = this.nodes.find((each) => each.id === (from ?? request?.from));
    if (request === undefined || source?.isUp !== true || node.fetched !== undefined) {
      return;
    }
    const index = source.applied.length;
    if (index >= request.minIndex) {
      node.snapshotRequest = undefined;
      node.fetched = { position: this.positionAt(index), senderTerm: source.raft.term };
    }
  }

  /** Offers a node the snapshot that it has fetched. */
  offer(id: NodeId): void {
    const node = this.node(id);
    const { fetched } = node;
    // As the host does, one at a time: the last one must have been switched to.
    if (node.isUp && fetched !== undefined && !node.isInstalling) {
      node.fetched = undefined;
      node.isInstalling = node.raft.installSnapshot(fetched.position, fetched.senderTerm);
      this.collect(id);
    }
  }

  /** A snapshot of everything up to `index`, as any node that has applied it would make it. */
  positionAt(index: number): SnapshotPosition {
    const { term } = this.committed[index - 1] ?? { term: 0 };
    return { index, term, configuration: this.#configurationAt(index, true) };
  }

  /** The configuration that the newest leader goes by, if there is one. */
  get configuration(): Configuration | undefined {
    return this.leader === 0 ? undefined : this.raft(this.leader).configuration;
  }

  /** Has node `via` propose these voters and learners as the successors of what it goes by. */
  change(
    via: NodeId,
    voters: readonly NodeId[],
    learners: readonly NodeId[] = [],
  ): ReturnType<Raft['proposeConfChange']> {
    const { raft } = this.node(via);
    const baseIndex = raft.configuration.index;
    const result = raft.proposeConfChange({ baseIndex, voters, learners, data: someContext }, 1);
    this.collect(via);
    return result;
  }

  /** Restarts from what was durable; `appliedMax` of the state machine survived. */
  restart(id: NodeId, appliedMax = Number.POSITIVE_INFINITY): void {
    const node = this.node(id);
    const lastApplied = Math.max(node.snapshotIndex, Math.min(appliedMax, node.applied.length));
    node.applied = node.applied.slice(0, lastApplied);
    const hardState = {
      ...node.hardState,
      commitIndex: Math.max(node.hardState.commitIndex, lastApplied),
    };
    const { entries, snapshotIndex, isFounder } = node;
    const configuration = this.#configurationAt(lastApplied, isFounder);
    node.raft = this.#createRaft(id, configuration, snapshotIndex, entries, hardState, lastApplied);
    node.isUp = true;
    node.role = 'follower';
    node.readStates = [];
    node.droppedReads = [];
    this.collect(id);
  }

  /** Delivers and persists until nothing moves; `isCut` loses messages. */
  settle(isCut: (message: Message) => boolean = () => false): void {
    for (const { id } of this.nodes) {
      this.collect(id);
    }
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        if (!isCut(message)) {
          this.deliver(message);
        }
        continue;
      }
      const waiting = this.nodes.find((node) => node.isUp && node.write !== undefined);
      if (waiting !== undefined) {
        this.persist(waiting.id);
      } else if (!this.#catchUp()) {
        return;
      }
    }
  }

  /** Carries the snapshots that nodes ask for; false when nobody gets one. */
  #catchUp(): boolean {
    for (const node of this.nodes) {
      this.fetch(node.id);
      if (node.isUp && node.fetched !== undefined && !node.isInstalling) {
        this.offer(node.id);
        return true;
      }
    }
    return false;
  }

  /** Makes `id` campaign and settles. */
  elect(id: NodeId): void {
    this.raft(id).campaign();
    this.settle();
  }

  #firstOf(isFounder: boolean): Configuration {
    return isFounder ? this.#initial : configurationOf([], noData);
  }

  /** The newest configuration at or before `index`, which is applied. */
  #configurationAt(index: number, isFounder: boolean): Configuration {
    const entry = this.committed.slice(0, index).findLast((each) => each.type === 'confChange');
    return entry === undefined
      ? this.#firstOf(isFounder)
      : { index: entry.index, ...decodeConfiguration(entry.data) };
  }

  #createRaft(
    id: NodeId,
    configuration: Configuration,
    snapshotIndex: number,
    entries: readonly Entry[],
    hardState: HardState,
    lastApplied: number,
  ): Raft {
    const kept = entries.slice(snapshotIndex);
    const termRuns: { term: number; firstIndex: number }[] = [];
    for (const { term, index } of kept) {
      if (termRuns.at(-1)?.term !== term) {
        termRuns.push({ term, firstIndex: index });
      }
    }
    const log: LogSummary = {
      snapshotIndex,
      snapshotTerm: entries[snapshotIndex - 1]?.term ?? 0,
      lastIndex: entries.length,
      termRuns,
      confEntries: kept.filter(({ type }) => type === 'confChange'),
    };
    return new Raft({
      id,
      prng: createPrng(this.#seed * 1000 + 100 * this.#starts++ + id),
      options: this.#options,
      hardState,
      log,
      configuration,
      lastApplied,
    });
  }

  /** State and log change over to a snapshot, as one durable step. */
  #install(node: SimNode, { index, term }: SnapshotPosition): void {
    if (index <= node.applied.length || this.committed[index - 1]?.term !== term) {
      throw new Error(`node ${node.id} goes from ${node.applied.length} to ${index}/${term}`);
    }
    node.applied = this.committed.slice(0, index);
    node.entries = this.committed.slice(0, index);
    node.snapshotIndex = index;
    node.isInstalling = false;
    this.installs++;
  }

  /**
   * Configurations that may count for what is committed next: the last committed and all later,
   * even if the leader that went by one has lost it since: its majorities meet those of its
   * neighbours.
   */
  #configurationsAfter(index: number): readonly Configuration[] {
    return [this.#configurationAt(index, true), ...this.#seen.filter((each) => each.index > index)];
  }

  /**
   * State-machine safety, and: only what a majority has on disk is applied (Raft thesis §3.6.3).
   */
  #apply(node: SimNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index !== node.applied.length + 1) {
        throw new Error(`node ${node.id} applies ${entry.index} after ${node.applied.length}`);
      }
      const agreed = this.committed[entry.index - 1];
      if (agreed === undefined) {
        const holders = this.nodes
          .filter((each) => each.entries[entry.index - 1]?.term === entry.term)
          .map((each) => each.id);
        const isHeld = ({ confState }: Configuration): boolean =>
          quorumVote(confState, (id) => holders.includes(id)) === 'won';
        if (!this.#configurationsAfter(entry.index - 1).some(isHeld)) {
          throw new Error(`entry ${entry.index} is applied but on disks ${holders.join()} only`);
        }
        this.committed[entry.index - 1] = entry;
      } else if (agreed.term !== entry.term || agreed.data !== entry.data) {
        throw new Error(`node ${node.id} applies another entry at ${entry.index}`);
      }
      node.applied.push(entry);
    }
    const last = entries.at(-1);
    if (last !== undefined) {
      node.raft.applyDone(last.index);
    }
  }

  /** Election safety and leader completeness (Raft thesis §3.6.3). */
  #checkLeaders(): void {
    for (const { id, raft, isUp, entries } of this.nodes) {
      if (!isUp || raft.role !== 'leader') {
        continue;
      }
      const known = this.#leaderByTerm.get(raft.term);
      if (known === undefined) {
        this.#leaderByTerm.set(raft.term, id);
        // Its own vote is on its disk together with all that it had, so its disk shows what it has.
        const lost = this.committed.find(({ index, term }) => entries[index - 1]?.term !== term);
        if (lost !== undefined) {
          throw new Error(`leader ${id} of term ${raft.term} lacks committed entry ${lost.index}`);
        }
      } else if (known !== id) {
        throw new Error(`term ${raft.term} has two leaders: ${known} and ${id}`);
      }
    }
  }

  /**
   * Log matching: where two disks agree on an entry, they agree on all before it (Raft thesis
   * §3.5).
   */
  #checkLogMatching(node: SimNode): void {
    for (const other of this.nodes) {
      let at = Math.min(node.entries.length, other.entries.length) - 1;
      while (at >= 0 && node.entries[at]?.term !== other.entries[at]?.term) {
        at--;
      }
      for (; at >= 0; at--) {
        const [ours, theirs] = [node.entries[at], other.entries[at]];
        if (ours?.term !== theirs?.term || ours?.data !== theirs?.data) {
          const logs = [node, other].map(({ entries }) => describeEntries(entries)).join(' and ');
          throw new Error(`logs ${node.id} and ${other.id} part before they meet again: ${logs}`);
        }
      }
    }
  }
}

function noteEvent(node: SimNode, event: RaftEvent): void {
  switch (event.type) {
    case 'reads-dropped':
      node.droppedReads.push(...event.contexts);
      break;
    case 'proposals-rejected':
      node.rejectedContexts.push(event.context);
      break;
    case 'role-changed':
      if (impossible.includes(`${node.role}>${event.role}`)) {
        throw new Error(`node ${node.id} goes from ${node.role} to ${event.role}`);
      }
      node.role = event.role;
      break;
    default:
      break;
  }
}

function configurationOf(voters: readonly NodeId[], context: Uint8Array): Configuration {
  const none = { votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  return { index: 0, confState: { voters, ...none }, context };
}
