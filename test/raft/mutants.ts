/**
 * Deliberate bugs, each of which the tests must find. Every one names the exact text that it
 * replaces, so that a mutant which no longer fits the source fails loudly instead of passing for
 * caught.
 */

/** One bug. */
export interface Mutant {
  /** What the mutated node does wrong. */
  readonly lesson: string;
  /** In `src/raft`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Each of these ids, or citations, names at least one test that fails. */
  readonly caughtBy: readonly string[];
  /** The first few random runs of `random.test.ts` find it too. */
  readonly isFoundByChance?: true;
}

export const mutants: readonly Mutant[] = [
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
    lesson: 'acknowledges an append before it is durable',
    file: 'follower.ts',
    find: 'index: LogIndex): void {\n  core.afterSync.push({',
    replace: 'index: LogIndex): void {\n  core.messages.push({',
    caughtBy: ['O01', 'I07', 'Raft paper Fig. 2'],
    isFoundByChance: true,
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
    lesson: 'drops what is committed when a leader contradicts it',
    file: 'log.ts',
    find: 'assert(index > this.#commitIndex, () =>',
    replace: 'assert(index > 0, () =>',
    caughtBy: ['D07'],
  },
  {
    lesson: 'answers reads without asking a majority',
    file: 'leader-reads.ts',
    find: 'this.#rounds.confirm(confirmed)',
    replace: 'this.#rounds.confirm(Math.max(confirmed, this.#rounds.lastRound))',
    caughtBy: ['J01', 'Raft thesis §6.4'],
  },
  {
    lesson: 'takes any answer to a heartbeat for one to the newest read round',
    file: 'leader-reads.ts',
    find: 'Math.max(progress.ackedReadRound, message.readRound)',
    replace: 'Math.max(progress.ackedReadRound, this.#rounds.lastRound)',
    caughtBy: ['J06', 'Raft thesis §6.4'],
  },
  {
    lesson: 'answers reads before it has committed in its own term',
    file: 'leader.ts',
    find: 'if (!this.#reads.hasUnassigned || !this.#hasCommittedInTerm) {',
    replace: 'if (!this.#reads.hasUnassigned) {',
    caughtBy: ['J04', 'Raft thesis §6.4'],
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
    find: '(hasAdvanced || message.index === progress.matchIndex)',
    replace: '(hasAdvanced || message.index <= progress.matchIndex)',
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
    lesson: 'begins a change of membership while another is under way',
    file: 'leader.ts',
    find: 'if (isPending || !this.#hasCommittedInTerm) {',
    replace: 'if (!this.#hasCommittedInTerm) {',
    caughtBy: ['L02', 'M05'],
  },
  {
    lesson: 'begins a change of membership before it has committed in its own term',
    file: 'leader.ts',
    find: 'if (isPending || !this.#hasCommittedInTerm) {',
    replace: 'if (isPending) {',
    caughtBy: ['L03'],
  },
  {
    lesson: 'takes a change that was worked out against another configuration',
    file: 'leader.ts',
    find: 'if (proposal.baseIndex !== configuration.index) {',
    replace: 'if (proposal.baseIndex > configuration.index) {',
    caughtBy: ['L03'],
  },
  {
    lesson: 'changes several voters at once without a joint configuration',
    file: 'configurations.ts',
    find: 'if (added.length + removed.length <= 1) {',
    replace: 'if (added.length + removed.length <= 2) {',
    caughtBy: ['M16'],
  },
  {
    lesson: 'leaves a joint configuration before it is committed',
    file: 'leader.ts',
    find: 'if (isJoint(confState) && confState.autoLeave && index <= log.commitIndex) {',
    replace: 'if (isJoint(confState) && confState.autoLeave && index > 0) {',
    caughtBy: ['M09: not before'],
  },
  {
    lesson: 'stays in a joint configuration',
    file: 'leader.ts',
    find: 'if (isJoint(confState) && confState.autoLeave && index <= log.commitIndex) {',
    replace: 'if (isJoint(confState) && confState.autoLeave && index < 0) {',
    caughtBy: ['M09', 'Raft thesis §4.3'],
  },
  {
    lesson: 'counts itself although it is removed',
    file: 'leader.ts',
    find: 'const index = quorumValue(conf, (member) =>',
    replace:
      'const withItself = [...new Set([...conf.voters, id])];\n' +
      'const index = quorumValue({ ...conf, voters: withItself }, (member) =>',
    caughtBy: ['L08'],
  },
  {
    lesson: 'counts a learner',
    file: 'leader.ts',
    find: 'const index = quorumValue(conf, (member) =>',
    replace:
      'const index = quorumValue({ ...conf, voters: [...conf.voters.slice(0, 2), ' +
      '...conf.learners] }, (member) =>',
    caughtBy: ['N03'],
  },
  {
    lesson: 'goes on leading once its removal is committed',
    file: 'leader.ts',
    find: 'return !isVoter(conf, id) && configuration.index <= log.commitIndex;',
    replace: 'return !isVoter(conf, id) && configuration.index < 0;',
    caughtBy: ['L09', 'M14', 'Raft thesis §4.2.2'],
  },
  {
    lesson: 'gives up campaigning while its removal is not committed',
    file: 'configurations.ts',
    find: 'return this.#history.some(({ confState }) => isVoter(confState, id));',
    replace: 'return isVoter(this.current.confState, id);',
    caughtBy: ['Raft thesis §4.2.2'],
  },
  {
    lesson: 'keeps a configuration whose entry is gone',
    file: 'core.ts',
    find: '    if (this.#configurations.truncateFrom(index)) {',
    replace: '    if (index < 0 && this.#configurations.truncateFrom(index)) {',
    caughtBy: ['Raft thesis §4.1'],
  },
  {
    lesson: 'makes a learner that is behind a voter',
    file: 'leader.ts',
    find: 'if (!promoted.every((id) => this.peers.hasCaughtUp(id))) {',
    replace: 'if (promoted.length > 99) {',
    caughtBy: ['Raft thesis §4.2.1'],
  },
  {
    lesson: 'hands over to a member that has left',
    file: 'transfer.ts',
    find: 'if (this.#target !== 0 && !isVoter(this.#core.conf, this.#target)) {',
    replace: 'if (this.#target < 0) {',
    caughtBy: ['K09'],
  },
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
    lesson: 'cannot tell the answers to one heartbeat from those to the next',
    file: 'leader.ts',
    find: '      this.#reads.beginEmptyRound();\n',
    replace: '',
    caughtBy: ['tells answers to one heartbeat from those to the next'],
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
    lesson: 'forgets later configurations when it learns one with another state',
    file: 'configurations.ts',
    find: '      ...this.#history.filter(({ index }) => index > configuration.index),\n',
    replace: '',
    caughtBy: ['later ones of the log still count'],
  },
  {
    lesson: 'keeps a read waiting that a smaller majority has confirmed',
    file: 'leader.ts',
    find: '    this.#reads.answerConfirmed();\n    return index;',
    replace: '    return index;',
    caughtBy: ['has echoed a read already'],
  },
  {
    lesson: 'makes a voter of a learner that is known to hold nothing',
    file: 'peers.ts',
    find: ' &&\n      progress.matchIndex > 0',
    replace: '',
    caughtBy: ['nothing is known to match'],
  },
  {
    lesson: 'reads by a lease that has ended',
    file: 'lease.ts',
    find: 'return !this.#isSurrendered && nowMs < untilMs;',
    replace: 'return !this.#isSurrendered && untilMs > 0;',
    caughtBy: ['less the drift of clocks', 'asks a majority again after a pause'],
  },
  {
    lesson: 'allows for no drift of clocks',
    file: 'lease.ts',
    find: 'sending.sentMs + leaseMs / (1 + clockDriftMax);',
    replace: 'sending.sentMs + leaseMs;',
    caughtBy: ['less the drift of clocks', 'never ends later than the promise'],
  },
  {
    lesson: 'takes rounds that follow closely for later than they were',
    file: 'lease.ts',
    find: 'this.#sendings.push({ round, sentMs: nowMs });',
    replace: 'this.#sendings.push({ round: round - 1, sentMs: nowMs });',
    caughtBy: ['never ends later than the promise'],
  },
  {
    lesson: 'keeps its lease when it begins a transfer',
    file: 'leader-reads.ts',
    find: 'this.#lease?.surrender();',
    replace: '',
    caughtBy: ['surrenders its lease'],
  },
  {
    lesson: 'counts itself by lease when its configuration leaves it out',
    file: 'lease.ts',
    find: 'const untilMs = quorumValue(conf, (id) =>',
    replace: 'const untilMs = quorumValue({ ...conf, voters: [...conf.voters, self] }, (id) =>',
    caughtBy: ['does not count itself'],
  },
  {
    lesson: 'counts promises of learners',
    file: 'lease.ts',
    find: 'const untilMs = quorumValue(conf, (id) =>',
    replace: 'const untilMs = quorumValue({ ...conf, voters: [self, ...conf.learners] }, (id) =>',
    caughtBy: ['does not count the promise of a learner'],
  },
  {
    lesson: 'campaigns in spite of its promise',
    file: 'roles.ts',
    find: "if (role === 'leader' || !isPromotable || promise.isBinding) {",
    replace: "if (role === 'leader' || !isPromotable) {",
    caughtBy: ['does not campaign, however often it ticks'],
  },
  {
    lesson: 'votes in spite of its promise when it knows no leader',
    file: 'core.ts',
    find: 'return this.hasLiveLeader || this.promise.isBinding;',
    replace: 'return this.hasLiveLeader;',
    caughtBy: ['ignores a %s until its promise ends'],
  },
  {
    lesson: 'votes in spite of its promise in a term that it is in already',
    file: 'dispatch.ts',
    find: 'if (message.isTransfer || !this.#core.promise.isBinding) {',
    replace: 'if (message.term > 0) {',
    caughtBy: ['keeps it in a later term'],
  },
  {
    lesson: 'forgets its promise when it starts again',
    file: 'core.ts',
    find: 'this.term > 0 ? Math.max(leaseMs, earlierLeaseMs) : 0;',
    replace: 'this.term < 0 ? Math.max(leaseMs, earlierLeaseMs) : 0;',
    caughtBy: ['keeps what it may have promised before', 'keeps a longer promise'],
  },
];
