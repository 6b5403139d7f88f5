/** Deliberate bugs about what is told, or counted, before it is on disk; see `mutants.ts`. */
import type { Mutant } from './mutant.ts';

export const durabilityMutants: readonly Mutant[] = [
  {
    lesson: 'answers a vote before it is durable',
    file: 'election.ts',
    find: 'const outbox = isPreVote ? core.messages : core.afterSync;',
    replace: 'const outbox = core.messages;',
    caughtBy: ['O01', 'Raft paper Fig. 2'],
  },
  {
    lesson: 'asks for votes before its own is durable',
    file: 'election.ts',
    find: 'const outbox = this.isPreVote ? this.#core.messages : this.#core.afterSync;',
    replace: 'const outbox = this.#core.messages;',
    caughtBy: ['O01'],
  },
  {
    lesson: 'counts its own vote before it is durable',
    file: 'raft.ts',
    find: "this.#core.role === 'candidate' && this.#storage.isOwnVoteDurable",
    replace: "this.#core.role === 'candidate'",
    caughtBy: ['A25'],
  },
  {
    lesson: 'acknowledges an append before it is durable',
    file: 'follower.ts',
    find: 'index: LogIndex): void {\n  core.afterSync.push({',
    replace: 'index: LogIndex): void {\n  core.messages.push({',
    caughtBy: ['O01', 'I07', 'Raft paper Fig. 2'],
    isFoundByChance: true,
  },
  {
    lesson: 'counts its own copy of an entry before it is durable',
    file: 'leader.ts',
    find: 'member === id ? log.stableIndex : this',
    replace: 'member === id ? log.lastIndex : this',
    caughtBy: ['O02'],
    isFoundByChance: true,
  },
  {
    lesson: 'applies what its own disk does not have yet',
    file: 'log.ts',
    find: 'return Math.min(this.#commitIndex, this.#stableIndex);',
    replace: 'return this.#commitIndex;',
    caughtBy: ['O03', 'Raft thesis §10.2.1'],
    isFoundByChance: true,
  },
  {
    lesson: 'takes the end of a write for entries that were replaced meanwhile',
    file: 'storage-queue.ts',
    find: 'this.#pending.intactIndex = Math.min(this.#pending.intactIndex, index - 1);',
    replace: 'this.#pending.intactIndex = Math.max(this.#pending.intactIndex, index - 1);',
    caughtBy: ['O06', 'O07'],
  },
  {
    lesson: 'takes a term for durable that came while the write of another was out',
    file: 'storage-queue.ts',
    find: 'Math.max(this.#core.durableTerm, pending.hardState.currentTerm);',
    replace: 'this.#core.term;',
    caughtBy: ['O01: a write vouches'],
  },
  {
    lesson: 'answers in a term that its disk does not know',
    file: 'core.ts',
    find: '(this.durableTerm === this.term ? this.messages : this.afterSync).push(message);',
    replace: 'this.messages.push(message);',
    caughtBy: ['O01: a heartbeat is answered at once', 'O01: a write vouches'],
  },
  {
    lesson: 'takes what is left of a log that was cut for durable',
    file: 'log.ts',
    find: 'this.#stableIndex = Math.min(this.#stableIndex, this.lastIndex);',
    replace: 'this.#stableIndex = this.lastIndex;',
    caughtBy: ['keep what the naive twin keeps'],
  },
];
