/** One node under test, with a disk that the test drives: the peers are the test itself. */
import { assert, createPrng } from '../../src/base/index.ts';
import { Core } from '../../src/raft/core.ts';
import {
  type ConfState,
  defaultRaftOptions,
  type Entry,
  type HardState,
  type Message,
  type NodeId,
  Raft,
  type RaftOptions,
  type Ready,
  type SnapshotPosition,
  type TermRun,
} from '../../src/raft/index.ts';

/** What the node starts from. */
export interface SubjectOptions {
  readonly id?: NodeId;
  readonly size?: number;
  /** Terms of the stored entries, from index 1 on. */
  readonly terms?: readonly number[];
  readonly hardState?: Partial<HardState>;
  readonly lastApplied?: number;
  /** Where the configuration differs from `size` voters. */
  readonly conf?: Partial<ConfState>;
  /** Entries up to here are compacted. */
  readonly snapshotIndex?: number;
  readonly options?: Partial<RaftOptions>;
  readonly seed?: number;
}

/** The messages of one type. */
export type Sent<T extends Message['type']> = Message & { readonly type: T };

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function entry(index: number, term: number, text = ''): Entry {
  return { index, term, type: 'normal', data: bytesOf(text) };
}

export function entriesOf(terms: readonly number[], firstIndex = 1): Entry[] {
  return terms.map((term, i) => entry(firstIndex + i, term));
}

export function termRunsOf(terms: readonly number[], firstIndex = 1): TermRun[] {
  const runs: TermRun[] = [];
  for (const [i, term] of terms.entries()) {
    if (runs.at(-1)?.term !== term) {
      runs.push({ term, firstIndex: firstIndex + i });
    }
  }
  return runs;
}

function placesUpTo({ index, term }: SnapshotPosition): Entry[] {
  return Array.from({ length: index }, (_, i) => entry(i + 1, term));
}

/** What all roles of a node share, without the node: a new one of three voters. */
export function coreOf(start: {
  readonly id: NodeId;
  readonly conf?: Partial<ConfState>;
  readonly options?: Partial<RaftOptions>;
}): Core {
  const confState: ConfState = {
    ...{ voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    ...start.conf,
  };
  return new Core({
    id: start.id,
    prng: createPrng(1),
    options: { ...defaultRaftOptions, ...start.options },
    hardState: { currentTerm: 1, votedFor: 0, commitIndex: 0 },
    log: { snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0, termRuns: [], confEntries: [] },
    configuration: { index: 0, confState, context: new Uint8Array(0) },
    lastApplied: 0,
  });
}

/** See the module comment. */
export class Subject {
  readonly raft: Raft;
  readonly stored: Entry[];
  readonly applied: Entry[] = [];
  readonly #voters: readonly NodeId[];

  constructor(start: SubjectOptions = {}) {
    const { id = 1, size = 3, terms = [], hardState = {}, seed = 1, snapshotIndex = 0 } = start;
    const { lastApplied = snapshotIndex } = start;
    this.stored = entriesOf(terms);
    const confState: ConfState = {
      voters: Array.from({ length: size }, (_, i) => i + 1),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
      ...start.conf,
    };
    this.#voters = [...confState.voters, ...confState.votersOutgoing];
    this.raft = new Raft({
      id,
      prng: createPrng(seed),
      options: { ...defaultRaftOptions, ...start.options },
      hardState: {
        currentTerm: terms.at(-1) ?? 0,
        votedFor: 0,
        commitIndex: lastApplied,
        ...hardState,
      },
      log: {
        snapshotIndex,
        snapshotTerm: terms[snapshotIndex - 1] ?? 0,
        lastIndex: terms.length,
        termRuns: termRunsOf(terms.slice(snapshotIndex), snapshotIndex + 1),
        confEntries: [],
      },
      configuration: { index: 0, confState, context: new Uint8Array(0) },
      lastApplied,
    });
  }

  /** The terms of the stored log, in order. */
  get terms(): number[] {
    return this.stored.map(({ term }) => term);
  }

  /** Hands a message in and lets the disk finish; returns what was sent. */
  receive(message: Message): Message[] {
    this.raft.step(message);
    return this.drain();
  }

  tick(count = 1): Message[] {
    const sent: Message[] = [];
    for (let i = 0; i < count; i++) {
      this.raft.tick();
      sent.push(...this.drain());
    }
    return sent;
  }

  /** Lets everything happen that the node asks for; returns what it sent. */
  drain(): Message[] {
    const sent: Message[] = [];
    while (this.raft.hasReady()) {
      const ready = this.raft.ready();
      sent.push(...ready.messages);
      this.answerLoads(ready);
      if (ready.write !== undefined) {
        if (ready.write.install !== undefined) {
          // What it stands for is not looked at: places up to its index count as stored.
          this.stored.splice(0, this.stored.length, ...placesUpTo(ready.write.install));
        }
        const first = ready.write.entries[0]?.index ?? this.stored.length + 1;
        this.stored.splice(first - 1, this.stored.length, ...ready.write.entries);
        sent.push(...ready.write.messages);
        this.raft.writeDone(ready.write.ticket);
      }
      this.apply(ready);
    }
    return sent;
  }

  answerLoads(ready: Ready): void {
    for (const { id, lo, hi } of ready.loads) {
      this.raft.entriesLoaded(id, this.stored.slice(lo - 1, hi - 1));
    }
  }

  apply(ready: Ready): void {
    this.applied.push(...ready.committedEntries);
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) {
      this.raft.applyDone(last.index);
    }
  }

  /**
   * Campaigns with the voices of all others, up to leading; nobody has acknowledged its first
   * entry.
   */
  lead(): Message[] {
    const { term } = this.raft;
    this.raft.campaign();
    const sent = this.drain();
    for (const isPreVote of [true, false]) {
      for (const from of this.#voters.filter((id) => id !== this.raft.id)) {
        const type = isPreVote ? 'PreVoteResponse' : 'RequestVoteResponse';
        this.raft.step({ type, from, to: this.raft.id, term: term + 1, isGranted: true });
        sent.push(...this.drain());
      }
    }
    return sent;
  }

  /** The peer acknowledges everything up to `index`. */
  accept(from: NodeId, index = this.raft.status().lastIndex): Message[] {
    return this.receive({
      type: 'AppendEntriesResponse',
      from,
      to: this.raft.id,
      term: this.raft.term,
      isRejected: false,
      index,
      hintIndex: 0,
      hintTerm: 0,
    });
  }

  refuse(from: NodeId, index: number, hintIndex: number, hintTerm: number): Message[] {
    return this.receive({
      type: 'AppendEntriesResponse',
      from,
      to: this.raft.id,
      term: this.raft.term,
      isRejected: true,
      index,
      hintIndex,
      hintTerm,
    });
  }

  heartbeatAnswer(from: NodeId, readRound = 0): Message[] {
    const { id: to, term } = this.raft;
    return this.receive({ type: 'HeartbeatResponse', from, to, term, readRound });
  }

  /** An append of the leader `from`; its entries have the given terms. */
  append(
    from: NodeId,
    term: number,
    prev: readonly [number, number],
    terms: readonly number[] = [],
    commitIndex = 0,
  ): Message[] {
    return this.receive({
      type: 'AppendEntries',
      from,
      to: this.raft.id,
      term,
      prevLogIndex: prev[0],
      prevLogTerm: prev[1],
      commitIndex,
      entries: entriesOf(terms, prev[0] + 1),
    });
  }

  heartbeat(from: NodeId, term: number, commitIndex = 0): Message[] {
    return this.receive({
      type: 'Heartbeat',
      from,
      to: this.raft.id,
      term,
      commitIndex,
      readRound: 0,
    });
  }

  voteRequest(
    from: NodeId,
    term: number,
    last: readonly [number, number],
    type: 'RequestVote' | 'PreVote' = 'RequestVote',
    isTransfer = false,
  ): Message[] {
    const [lastIndex, lastTerm] = last;
    const to = this.raft.id;
    return this.receive({ type, from, to, term, lastIndex, lastTerm, isTransfer });
  }
}

/** A snapshot of what entries up to (`index`, `term`) make, with these members. */
export function snapshotAt(
  index: number,
  term: number,
  conf: Partial<ConfState> = { voters: [1, 2, 3] },
): SnapshotPosition {
  const none = { voters: [], votersOutgoing: [], learners: [], learnersNext: [] };
  const confState: ConfState = { ...none, autoLeave: false, ...conf };
  return { index, term, configuration: { index: 0, confState, context: new Uint8Array(0) } };
}

/** A leader of term 1 whose followers 2 and 3 hold its first entry. */
export function settledLeader(options: Partial<RaftOptions> = {}): Subject {
  const subject = new Subject({ options });
  subject.lead();
  subject.accept(2);
  subject.accept(3);
  return subject;
}

/** Proposes texts as one batch. */
export function proposeText(subject: Subject, ...texts: string[]): ReturnType<Raft['propose']> {
  return subject.raft.propose(texts.map(bytesOf), 1);
}

/** One that loads entry 2, under number 1, for node 3, to which an empty append is on its way. */
export function leaderLoadingFor3(): Subject {
  const subject = settledLeader({ cacheBytesMax: 0 });
  proposeText(subject, 'x');
  subject.drain();
  subject.accept(2);
  subject.raft.reportUnreachable(3);
  subject.raft.step({ type: 'HeartbeatResponse', from: 3, to: 1, term: 1, readRound: 0 });
  const { loads } = subject.raft.ready();
  assert(loads[0]?.id === 1 && loads[0].lo === 2, 'entry 2 is being loaded');
  return subject;
}

/**
 * Carries messages between two nodes until neither has anything to say; what is meant for others is
 * lost. Returns everything that was carried, in order.
 */
export function converse(a: Subject, b: Subject, first: readonly Message[]): Message[] {
  const carried: Message[] = [];
  const waiting = [...first];
  for (;;) {
    const message = waiting.shift();
    if (message === undefined) {
      return carried;
    }
    const to = [a, b].find(({ raft }) => raft.id === message.to);
    if (to !== undefined) {
      carried.push(message);
      waiting.push(...to.receive(message));
    }
  }
}

/** Those of one type. */
export function only<T extends Message['type']>(messages: readonly Message[], type: T): Sent<T>[] {
  return messages.filter((message): message is Sent<T> => message.type === type);
}
