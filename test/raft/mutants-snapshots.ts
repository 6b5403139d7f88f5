/** Deliberate bugs about snapshots, and compaction of the log; see `mutants.ts`. */
import type { Mutant } from './mutant.ts';

export const snapshotMutants: readonly Mutant[] = [
  {
    lesson: 'takes a snapshot without its members',
    file: 'core.ts',
    find: '    this.#configurations.restore(configuration);\n',
    replace:
      '    this.#configurations.restore({ ...this.configuration, index: configuration.index });\n',
    caughtBy: ['I07', 'I11'],
  },
  {
    lesson: 'takes the end of an older write for that of a snapshot',
    file: 'storage-queue.ts',
    find: '    this.noteTruncation(1);\n    this.#install = position;',
    replace: '    this.#install = position;',
    caughtBy: ['vouches for nothing'],
  },
  {
    lesson: 'lets a snapshot take back what is committed',
    file: 'raft.ts',
    find: 'if (this.#roles.leadership !== undefined || index <= core.log.commitIndex) {',
    replace: 'if (this.#roles.leadership !== undefined) {',
    caughtBy: ['I17'],
  },
  {
    lesson: 'drops a log that a snapshot confirms',
    file: 'raft.ts',
    find: 'if (core.log.matches(index, term)) {',
    replace: 'if (index < 0) {',
    caughtBy: ['I09', 'Raft thesis §5'],
  },
  {
    lesson: 'compacts what is not applied',
    file: 'log.ts',
    find: 'assert(index <= this.#appliedIndex, () => `entry ${index} is compacted',
    replace: 'assert(index > 0, () => `entry ${index} is compacted',
    caughtBy: ['I16'],
  },
  {
    lesson: 'forgets the term of the last compacted entry',
    file: 'term-runs.ts',
    find: '    this.#snapshotTerm = term;\n  }\n\n  /** A snapshot has',
    replace: '    this.#snapshotTerm = term && 0;\n  }\n\n  /** A snapshot has',
    caughtBy: ['I16'],
  },
  {
    lesson: 'streams to a follower that is fetching a snapshot',
    file: 'leader.ts',
    find: 'if (progress.matchIndex >= this.#core.log.snapshotIndex) {',
    replace: 'if (progress.matchIndex >= 0) {',
    caughtBy: ['I06: an answer from before'],
  },
  {
    lesson: 'goes on with its campaign after a snapshot took the place of its log',
    file: 'raft.ts',
    find: "if (core.role !== 'follower') {\n      this.#roles.becomeFollower(core.term, 0);",
    replace: "if (core.role === 'leader') {\n      this.#roles.becomeFollower(core.term, 0);",
    caughtBy: ['makes a follower of a pre-candidate'],
  },
  {
    lesson: 'lets a snapshot commit entries of a leader behind its back',
    file: 'raft.ts',
    find: 'if (this.#roles.leadership !== undefined || index <= core.log.commitIndex) {',
    replace: 'if (index <= core.log.commitIndex) {',
    caughtBy: ['commits nothing at a leader'],
  },
  {
    lesson: 'waits for entries to apply that a snapshot has made worth nothing',
    file: 'raft.ts',
    find: '    this.#storage.noteInstall(position);\n    this.#loads.forgetApply();',
    replace: '    this.#storage.noteInstall(position);',
    caughtBy: ['makes entries that were being loaded'],
  },
  {
    lesson: 'names as the source of a snapshot a member that its own log has left behind',
    file: 'peers.ts',
    find: ' && each.matchIndex >= log.snapshotIndex;',
    replace: ';',
    caughtBy: ['what the log begins after'],
  },
  {
    lesson: 'names as the source of a snapshot a member that its quorum waits for',
    file: 'peers.ts',
    find: "best = quorumVote(conf, isWithout) === 'won' ? each : best;",
    replace: 'best = conf.voters.some(isWithout) ? each : best;',
    caughtBy: ['no quorum'],
  },
  {
    lesson: 'offers a snapshot again at a refusal from before',
    file: 'progress.ts',
    find: "if (this.state === 'snapshot' || refusedIndex !== this.nextIndex - 1) {",
    replace: 'if (refusedIndex !== this.nextIndex - 1) {',
    caughtBy: ['before the peer was sent for a snapshot'],
  },
];
