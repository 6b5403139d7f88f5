/** Deliberate bugs about votes, campaigns, and handing leadership over; see `mutants.ts`. */
import type { Mutant } from './mutant.ts';

export const electionMutants: readonly Mutant[] = [
  {
    lesson: 'forgets its vote when it follows again in the same term',
    file: 'roles.ts',
    find: '    if (term > this.#core.term) {\n      this.#core.enterTerm(term);\n    }\n',
    replace:
      '    if (term > this.#core.term) {\n      this.#core.enterTerm(term);\n    }\n' +
      '    this.#core.votedFor = 0;\n',
    caughtBy: ['A12'],
    isFoundByChance: true,
  },
  {
    lesson: 'forgets its vote when it restarts',
    file: 'core.ts',
    find: 'this.votedFor = config.hardState.votedFor;',
    replace: 'this.votedFor = 0;',
    caughtBy: ['P01', 'Raft paper §5.2'],
  },
  {
    lesson: 'gives the vote it has left against the leader it knows',
    file: 'election.ts',
    find: '(core.votedFor === 0 && core.leader === 0) ||',
    replace: 'core.votedFor === 0 ||',
    caughtBy: ['against the leader it knows'],
  },
  {
    lesson: 'votes for a log that lacks entries',
    file: 'election.ts',
    find: 'const isGranted = isFree && core.log.isUpToDate(request.lastIndex, request.lastTerm);',
    replace: 'const isGranted = isFree;',
    caughtBy: ['A11', 'B03', 'Raft paper §5.4.1'],
    isFoundByChance: true,
  },
  {
    lesson: 'compares logs by their length alone',
    file: 'log.ts',
    find: 'return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);',
    replace: 'return index >= this.lastIndex;',
    caughtBy: ['A11', 'Raft paper §5.4.1'],
    isFoundByChance: true,
  },
  {
    lesson: 'enters the term of a pre-vote',
    file: 'other-terms.ts',
    find: "return message.type === 'RequestVote' ? 'entered' : 'asked';",
    replace: "return 'entered';",
    caughtBy: ['B02'],
  },
  {
    lesson: 'enters the next term to ask for a pre-vote',
    file: 'roles.ts',
    find: "      this.#setRole('preCandidate', 0);",
    replace: "      core.enterTerm(core.term + 1);\n      this.#setRole('preCandidate', 0);",
    caughtBy: ['B01', 'Raft thesis §9.6'],
  },
  {
    lesson: 'votes while its leader is alive',
    file: 'core.ts',
    find: 'this.electionElapsed < this.options.electionTimeoutTicks\n',
    replace: 'this.electionElapsed < 0\n',
    caughtBy: ['C03', 'Raft thesis §4.2.3'],
  },
  {
    lesson: 'goes on leading without a majority',
    file: 'leader.ts',
    find: 'if (options.checkQuorum && !this.peers.hasActiveQuorum) {',
    replace: 'if (options.checkQuorum && options.electionTimeoutTicks < 0) {',
    caughtBy: ['C01', 'Raft thesis §6.2'],
  },
  {
    lesson: 'goes on leading when an answer carries a later term',
    file: 'other-terms.ts',
    find: "    default:\n      return 'entered';\n",
    replace: "    default:\n      return core.role === 'leader' ? 'ignored' : 'entered';\n",
    caughtBy: ['B09', 'Raft paper §5.1'],
  },
  {
    lesson: 'takes over again while it does so already',
    file: 'roles.ts',
    find: "if (this.#core.role === 'follower' && this.#core.isPromotable) {",
    replace: "if (this.#core.role !== 'leader' && this.#core.isPromotable) {",
    caughtBy: ['a candidate goes on with its own election', 'does not hurry a pre-candidate'],
  },
  {
    lesson: 'hands over to a target that is behind',
    file: 'transfer.ts',
    find: 'if (progress.id === this.#target && progress.matchIndex === log.lastIndex) {',
    replace: 'if (progress.id === this.#target && log.lastIndex >= 0) {',
    caughtBy: ['K02', 'Raft thesis §3.10'],
  },
  {
    lesson: 'puts its own proposals into the log while it hands over',
    file: 'leader.ts',
    find:
      'proposeOwn(proposal: Uint8Array): LogIndex | DropReason {\n' +
      '    if (this.#transfer.target !== 0) {',
    replace:
      'proposeOwn(proposal: Uint8Array): LogIndex | DropReason {\n' +
      '    if (this.#transfer.target < 0) {',
    caughtBy: ['takes none of its own proposals'],
  },
  {
    lesson: 'hurries to succeed a leader that it has heard since it started',
    file: 'roles.ts',
    find: "if (role === 'follower' && leader === 0 && options.preVote && isPromotable) {",
    replace: "if (role === 'follower' && options.preVote && isPromotable) {",
    caughtBy: ['knows a leader by the time it is told'],
  },
  {
    lesson: 'forgets a leader that is called down, though it cannot succeed it',
    file: 'roles.ts',
    find: 'if (core.leader !== peer || !core.isPromotable) {',
    replace: 'if (core.leader !== peer) {',
    caughtBy: ['keeps to it if it may not lead itself'],
  },
  {
    lesson: 'forgets at the end of its promise that nobody leads',
    file: 'prompt-election.ts',
    find: 'if (this.#excluding !== undefined) {',
    replace: 'if (this.#excluding !== undefined && this.#core.promise.isBinding) {',
    caughtBy: ['told just before that nobody leads'],
  },
  {
    lesson: 'hurries to lead when it starts, though it may not',
    file: 'roles.ts',
    find: 'leader === 0 && options.preVote && isPromotable) {',
    replace: 'leader === 0 && options.preVote) {',
    caughtBy: ['hurries nobody who may not lead'],
  },
  {
    lesson: 'hurries on with a campaign when it is told that it has started',
    file: 'roles.ts',
    find: "if (role === 'follower' && leader === 0 && options",
    replace: 'if (leader === 0 && options',
    caughtBy: ['hurries nobody who may not lead'],
  },
];
