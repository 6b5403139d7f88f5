/** Deliberate bugs about the log, its way to the peers, and what is committed; see `mutants.ts`. */
import type { Mutant } from './mutant.ts';

export const replicationMutants: readonly Mutant[] = [
  {
    lesson: 'commits an entry of an earlier term by counting',
    file: 'leader.ts',
    find: 'if (index > log.commitIndex && log.termAt(index) === term) {',
    replace: 'if (index > log.commitIndex) {',
    caughtBy: ['E01', 'E02', 'Raft paper Fig. 8', 'Raft thesis §3.6.2'],
  },
  {
    lesson: 'takes a notice of a commit for one of the entry that it has there',
    file: 'follower.ts',
    find: 'if (commitIndex > core.log.commitIndex && core.log.matches(commitIndex, commitTerm)) {',
    replace:
      'if (commitIndex > core.log.commitIndex && ' +
      'commitIndex + 0 * commitTerm <= core.log.lastIndex) {',
    caughtBy: ['commits nothing where it holds another entry, or none yet'],
  },
  {
    lesson: 'takes an append that does not fit its log',
    file: 'follower.ts',
    find: 'if (!log.matches(prevLogIndex, prevLogTerm)) {',
    replace: 'if (prevLogIndex > log.lastIndex) {',
    caughtBy: ['D05', 'D08', 'Raft paper Fig. 2'],
  },
  {
    lesson: 'cuts its log where an append agrees with it',
    file: 'follower.ts',
    find: 'const firstNew = log.firstNewIndex(entries);',
    replace: 'const firstNew = entries[0]?.index ?? 0;',
    caughtBy: ['D06'],
  },
  {
    lesson: 'vouches for a tail that the append did not speak of',
    file: 'follower.ts',
    find: '  answer(core, message, lastVouched);',
    replace: '  answer(core, message, log.lastIndex);',
    caughtBy: ['D05'],
    isFoundByChance: true,
  },
  {
    lesson: 'commits beyond what the append vouches for',
    file: 'follower.ts',
    find: 'core.commitTo(Math.min(commitIndex, lastVouched));',
    replace: 'log.commitTo(Math.min(commitIndex, log.lastIndex));',
    caughtBy: ['D04', 'Raft paper Fig. 2'],
    isFoundByChance: true,
  },
  {
    lesson: 'tells a follower to commit more than it is known to hold',
    file: 'leader.ts',
    find: 'commitIndex: Math.min(progress.matchIndex, log.commitIndex),',
    replace: 'commitIndex: log.commitIndex,',
    caughtBy: ['D09', 'Raft paper §5.3'],
    isFoundByChance: true,
  },
  {
    lesson: 'drops what is committed when a leader contradicts it',
    file: 'log.ts',
    find: 'assert(index > this.#commitIndex, () =>',
    replace: 'assert(index > 0, () =>',
    caughtBy: ['D07'],
  },
  {
    lesson: 'takes a quorum that is no further for something to send',
    file: 'leader.ts',
    find: 'if (index > log.commitIndex && log.termAt(index) === term) {',
    replace: 'if (log.termAt(index) === term) {',
    caughtBy: ['commits nothing is no news'],
  },
  {
    lesson: 'sends on into a full window',
    file: 'progress.ts',
    find: 'return this.#count >= this.#countMax || this.#bytes >= this.#bytesMax;',
    replace: 'return this.#bytes >= this.#bytesMax;',
    caughtBy: ['G04', 'G05'],
  },
  {
    lesson: 'lets a late refusal undo what is known to match',
    file: 'progress.ts',
    find: 'this.nextIndex = Math.max(Math.min(refusedIndex, agreeIndex + 1), this.matchIndex + 1);',
    replace: 'this.nextIndex = Math.max(Math.min(refusedIndex, agreeIndex + 1), 1);',
    caughtBy: ['G12'],
  },
  {
    lesson: 'ends a probe by an answer from before the link broke',
    file: 'leader.ts',
    find: "progress.state === 'probe' && message.index === progress.matchIndex",
    replace: "progress.state === 'probe' && message.index <= progress.matchIndex",
    caughtBy: ['an answer from before the link broke'],
  },
  {
    lesson: 'sends what was loaded although a probe is out',
    file: 'leader.ts',
    find: 'if (isStillNext && !progress.isPaused) {',
    replace: 'if (isStillNext) {',
    caughtBy: ['what is loaded while a probe is out'],
  },
  {
    lesson: 'sends what was loaded and has been compacted meanwhile',
    file: 'leader.ts',
    find:
      'entries[0]?.index === progress.nextIndex && ' +
      'progress.nextIndex > this.#core.log.snapshotIndex;',
    replace: 'entries[0]?.index === progress.nextIndex;',
    caughtBy: ['what is loaded is not sent if it has been compacted'],
  },
  {
    lesson: 'sends what was loaded although the peer needs other entries next',
    file: 'leader.ts',
    find: 'entries[0]?.index === progress.nextIndex && ',
    replace: '',
    caughtBy: ['a peer that turns out to have it'],
  },
  {
    lesson: 'tells a peer that it probes what is committed, and takes that for told',
    file: 'leader.ts',
    find: "const isSent = progress.state === 'replicate' && progress.nextIndex > commitIndex;",
    replace: 'const isSent = progress.nextIndex > commitIndex;',
    caughtBy: ['goes to nobody who is probed'],
  },
  {
    lesson: 'sends what is on its way again with each acknowledgement',
    file: 'leader.ts',
    find: "progress.state === 'probe' && message.index === progress.matchIndex",
    replace: 'message.index === progress.matchIndex',
    caughtBy: ['sends none of it again'],
  },
  {
    lesson: 'forgets at a tick that there is something to send',
    file: 'leader.ts',
    find: 'this.#hasNews = this.#pace.tick() || this.#hasNews;',
    replace: 'this.#hasNews = this.#pace.tick();',
    caughtBy: ['due before a tick is due after it'],
  },
];
