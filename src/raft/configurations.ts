/**
 * Configurations of the cluster: how one follows another (Raft thesis §4.3), how they stand in log
 * entries, and which one counts.
 *
 * A configuration counts from the moment its entry is in the log, committed or not (§4.1); if the
 * entry is truncated, the one before it counts again. An entry carries the whole configuration that
 * results, so no node has to work out anything, and what the host keeps beside it (names,
 * addresses) as bytes that the core never looks into.
 *
 * Invariant: at most one configuration of the log is not committed.
 */
import {
  assert,
  concatBytes,
  must,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from '../base/index.ts';
import { isVoter } from './quorum.ts';
import type { ConfState, Configuration, Entry, LogIndex, NodeId } from './types.ts';

/** Limit: members of one configuration, both halves counted. */
const membersMax = 64;
const formatVersion = 1;
/** Version and autoLeave, then the number of members of each list. */
const headBytes = 2 + 4 * 4;

/** The configurations of a log: the newest committed one and what follows it. */
export class Configurations {
  /** Ascending by index, never empty; the first is committed. */
  #history: Configuration[];

  constructor(base: Configuration, entries: readonly Entry[]) {
    this.#history = [base];
    this.append(entries.filter((entry) => entry.index > base.index));
  }

  /** The one that counts: the newest of the log. */
  get current(): Configuration {
    return must(this.#history.at(-1), 'a configuration');
  }

  /**
   * Whether a node votes in the configuration that counts, or in one that would count again if what
   * is not committed were lost.
   */
  mayNeed(id: NodeId): boolean {
    return this.#history.some(({ confState }) => isVoter(confState, id));
  }

  /** Takes the configurations among new entries; tells whether there was one. */
  append(entries: readonly Entry[]): boolean {
    const before = this.#history.length;
    for (const entry of entries) {
      if (entry.type === 'confChange') {
        assert(entry.index > this.current.index, 'configurations ascend along the log');
        this.#history.push({ index: entry.index, ...decodeConfiguration(entry.data) });
      }
    }
    return this.#history.length > before;
  }

  /** The log was cut from `index` on; tells whether an older configuration counts again. */
  truncateFrom(index: LogIndex): boolean {
    const before = this.#history.length;
    while (this.#history.length > 1 && this.current.index >= index) {
      this.#history.pop();
    }
    assert(this.current.index < index, 'a committed configuration is never truncated');
    return this.#history.length < before;
  }

  /** Forgets what can never count again: those before the newest committed one. */
  settle(commitIndex: LogIndex): void {
    while ((this.#history[1]?.index ?? Number.POSITIVE_INFINITY) <= commitIndex) {
      this.#history.shift();
    }
  }

  /**
   * The host has learned the configuration that counts at a committed entry of the log; tells
   * whether another one counts now. Of use to a node that had lost it, with the state that held it.
   */
  learn(configuration: Configuration): boolean {
    const { current } = this;
    const base = must(this.#history[0], 'a configuration');
    if (configuration.index <= base.index) {
      return false;
    }
    this.#history = [
      configuration,
      ...this.#history.filter(({ index }) => index > configuration.index),
    ];
    return this.current.index !== current.index;
  }

  /** A snapshot has taken the place of the log. */
  restore(configuration: Configuration): void {
    this.#history = [configuration];
  }
}

/** Whether a configuration is the joint one of a change under way. */
export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/**
 * Returns the configuration that leads from a plain one to one of these voters and learners: at
 * once if their voters differ by at most one, so that any two majorities meet (Raft thesis §4.1);
 * else the joint one (§4.3). Undefined if it cannot be.
 */
export function nextConfState(
  from: ConfState,
  target: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] },
): ConfState | undefined {
  assert(!isJoint(from), 'a change starts from a plain configuration');
  const { voters, learners } = target;
  const isValid =
    voters.length > 0 &&
    voters.length + learners.length + from.voters.length <= membersMax &&
    ascends(voters) &&
    ascends(learners) &&
    !learners.some((id) => voters.includes(id));
  if (!isValid) {
    return undefined;
  }
  const added = voters.filter((id) => !from.voters.includes(id));
  const removed = from.voters.filter((id) => !voters.includes(id));
  if (added.length + removed.length <= 1) {
    return { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false };
  }
  // A voter of the old half that is to learn does so only once the old half is gone.
  const learnersNext = learners.filter((id) => from.voters.includes(id));
  return {
    voters,
    votersOutgoing: from.voters,
    learners: learners.filter((id) => !from.voters.includes(id)),
    learnersNext,
    autoLeave: true,
  };
}

/** Returns the plain configuration that a joint one ends in. */
export function leftConfState(conf: ConfState): ConfState {
  assert(isJoint(conf), 'only a joint configuration is left');
  return {
    voters: conf.voters,
    votersOutgoing: [],
    learners: [...conf.learners, ...conf.learnersNext].sort((a, b) => a - b),
    learnersNext: [],
    autoLeave: false,
  };
}

/** Encodes what a `confChange` entry carries. */
export function encodeConfiguration({
  confState,
  context,
}: Omit<Configuration, 'index'>): Uint8Array {
  const lists = listsOf(confState);
  const ids = lists.flat();
  const head = new Uint8Array(headBytes + ids.length * 8);
  head[0] = formatVersion;
  head[1] = confState.autoLeave ? 1 : 0;
  for (const [i, list] of lists.entries()) {
    writeUint32(head, 2 + i * 4, list.length);
  }
  for (const [i, id] of ids.entries()) {
    writeUint64(head, headBytes + i * 8, id);
  }
  return concatBytes(head, context);
}

/**
 * Decodes what a `confChange` entry carries; the context shares memory with `bytes`.
 *
 * @throws {InvariantViolation} when the bytes are no configuration: members must not part silently.
 */
export function decodeConfiguration(bytes: Uint8Array): Omit<Configuration, 'index'> {
  assert(bytes.length >= headBytes, () => `a configuration of ${bytes.length} bytes is too short`);
  assert(bytes[0] === formatVersion, () => `configuration version ${String(bytes[0])} is unknown`);
  let at = headBytes;
  const lists = [0, 1, 2, 3].map((i) => {
    const length = readUint32(bytes, 2 + i * 4);
    assert(length <= membersMax, () => `a configuration of ${length} members is too large`);
    assert(at + length * 8 <= bytes.length, 'a configuration holds as many ids as it says');
    const list = Array.from({ length }, (_, each) => readUint64(bytes, at + each * 8));
    at += length * 8;
    return list;
  });
  const [voters, votersOutgoing, learners, learnersNext] = lists as [
    NodeId[],
    NodeId[],
    NodeId[],
    NodeId[],
  ];
  return {
    confState: { voters, votersOutgoing, learners, learnersNext, autoLeave: bytes[1] === 1 },
    context: bytes.subarray(at),
  };
}

function listsOf(conf: ConfState): readonly (readonly NodeId[])[] {
  return [conf.voters, conf.votersOutgoing, conf.learners, conf.learnersNext];
}

function ascends(ids: readonly NodeId[]): boolean {
  return ids.every((id, i) => i === 0 || id > (ids[i - 1] as NodeId));
}
