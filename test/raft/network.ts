/**
 * Raft nodes in one process, without time: a test (or a seed) decides which message is delivered,
 * lost or repeated, whose disk finishes, who ticks, crashes and restarts. Checks the safety
 * invariants at every step.
 */
import { createPrng } from '../../src/base/index.ts';
import {
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
  type StorageWrite,
} from '../../src/raft/index.ts';
import { describeEntries, describeReady } from '../../src/raft/describe.ts';
import { verifyDelta, verifyRaft } from '../../src/raft/invariants.ts';
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
  /** Handed out, not yet durable. */
  write: StorageWrite | undefined;
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
  #starts = 0;
  readonly #leaderByTerm = new Map<number, NodeId>();
  /** Every entry that any node has applied, by index: nobody may ever apply another there. */
  readonly committed: Entry[] = [];

  constructor(
    size: number,
    options: Partial<RaftOptions> = {},
    seed = 1,
    starts: readonly NodeStart[] = [],
  ) {
    this.#options = { ...defaultRaftOptions, ...options };
    this.#seed = seed;
    this.nodes = Array.from({ length: size }, (_, i) => {
      const { terms = [], hardState = {} } = starts[i] ?? {};
      const entries = terms.map(
        (term, at): Entry => ({ term, index: at + 1, type: 'normal', data: noData }),
      );
      const state = { ...noHardState, currentTerm: terms.at(-1) ?? 0, ...hardState };
      return {
        id: i + 1,
        raft: this.#createRaft(i + 1, size, entries, state, 0),
        isUp: true,
        entries,
        hardState: state,
        applied: [],
        write: undefined,
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
        node.raft.entriesLoaded(load.id, node.entries.slice(load.lo - 1, load.hi - 1));
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
  }

  /** Restarts from what was durable; `appliedMax` of the state machine survived. */
  restart(id: NodeId, appliedMax = Number.POSITIVE_INFINITY): void {
    const node = this.node(id);
    const lastApplied = Math.min(appliedMax, node.applied.length);
    node.applied = node.applied.slice(0, lastApplied);
    const hardState = {
      ...node.hardState,
      commitIndex: Math.max(node.hardState.commitIndex, lastApplied),
    };
    node.raft = this.#createRaft(id, this.nodes.length, node.entries, hardState, lastApplied);
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
      if (waiting === undefined) {
        return;
      }
      this.persist(waiting.id);
    }
  }

  /** Makes `id` campaign and settles. */
  elect(id: NodeId): void {
    this.raft(id).campaign();
    this.settle();
  }

  #createRaft(
    id: NodeId,
    size: number,
    entries: readonly Entry[],
    hardState: HardState,
    lastApplied: number,
  ): Raft {
    const termRuns: { term: number; firstIndex: number }[] = [];
    for (const { term, index } of entries) {
      if (termRuns.at(-1)?.term !== term) {
        termRuns.push({ term, firstIndex: index });
      }
    }
    const log: LogSummary = {
      snapshotIndex: 0,
      snapshotTerm: 0,
      lastIndex: entries.length,
      termRuns,
      confEntries: entries.filter(({ type }) => type === 'confChange'),
    };
    return new Raft({
      id,
      prng: createPrng(this.#seed * 1000 + 100 * this.#starts++ + id),
      options: this.#options,
      hardState,
      log,
      configuration: {
        index: 0,
        context: new Uint8Array(0),
        confState: {
          voters: Array.from({ length: size }, (_, i) => i + 1),
          votersOutgoing: [],
          learners: [],
          learnersNext: [],
          autoLeave: false,
        },
      },
      lastApplied,
    });
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
        const holders = this.nodes.filter((each) => {
          const held = each.entries[entry.index - 1];
          return held?.term === entry.term;
        });
        if (holders.length * 2 <= this.nodes.length) {
          throw new Error(`entry ${entry.index} is applied but on ${holders.length} disks only`);
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
