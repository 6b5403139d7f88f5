/**
 * Deliberate bugs, each a text of the source that is replaced by another, and how many runs the
 * simulator may take to find it. A text that is not there exactly once makes the mutant stale, and
 * its test fails: look what has become of the code, and of the bug.
 *
 * Bugs that no single message of a single run shows are looked for in the profile that provokes
 * them.
 */
import { kv, type Mutant, raft, replica } from './mutant.ts';
import { userMutants } from './mutants-users.ts';

export type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  {
    lesson: 'commits an entry of an old term by counting its copies',
    profile: 'leaders',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'leader.ts',
        'if (index > log.commitIndex && log.termAt(index) === term) {',
        'if (index > log.commitIndex) {',
      ),
    ],
  },
  {
    lesson: 'tells of its vote before it is durable',
    profile: 'crashes',
    seeds: 5,
    kind: 'safety',
    patches: [
      raft(
        'election.ts',
        'const outbox = isPreVote ? core.messages : core.afterSync;',
        'const outbox = core.messages;',
      ),
    ],
  },
  {
    lesson: 'acknowledges entries before they are durable',
    profile: 'crashes',
    seeds: 5,
    kind: 'safety',
    patches: [
      raft(
        'follower.ts',
        'index: LogIndex): void {\n  core.afterSync.push({',
        'index: LogIndex): void {\n  core.messages.push({',
      ),
    ],
  },
  {
    lesson: 'answers in a term that its disk does not know yet',
    profile: 'partitions',
    seeds: 10,
    kind: 'safety',
    patches: [
      raft(
        'core.ts',
        '(this.durableTerm === this.term ? this.messages : this.afterSync).push(message);',
        'this.messages.push(message);',
      ),
    ],
  },
  {
    lesson: 'forgets its vote when it restarts',
    profile: 'crashes',
    seeds: 5,
    kind: 'safety',
    patches: [raft('core.ts', 'this.votedFor = config.hardState.votedFor;', 'this.votedFor = 0;')],
  },
  {
    lesson: 'gives a second vote in a term',
    profile: 'leaders',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'election.ts',
        '(core.votedFor === 0 && core.leader === 0) ||',
        '(core.votedFor !== core.id && core.leader === 0) ||',
      ),
    ],
  },
  {
    lesson: 'votes for a candidate whose log is behind',
    profile: 'leaders',
    seeds: 40,
    kind: 'safety',
    patches: [
      raft(
        'log.ts',
        'return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);',
        'return term >= this.lastTerm || index >= this.lastIndex;',
      ),
    ],
  },
  {
    lesson: 'does not sync a single entry',
    profile: 'crashes',
    seeds: 5,
    kind: 'safety',
    patches: [
      raft(
        'storage-queue.ts',
        'const mustSync = isInstall || entries.length > 0 ||',
        'const mustSync = isInstall || entries.length > 1 ||',
      ),
    ],
  },
  {
    lesson: 'counts its own entries before they are on its disk',
    profile: 'disk',
    seeds: 10,
    kind: 'safety',
    patches: [
      raft('leader.ts', 'member === id ? log.stableIndex', 'member === id ? log.lastIndex'),
    ],
  },
  {
    lesson: 'takes entries for committed that it has not compared with the leader',
    profile: 'leaders',
    seeds: 60,
    patches: [
      raft(
        'follower.ts',
        'core.commitTo(Math.min(commitIndex, lastVouched));',
        'core.commitTo(Math.min(commitIndex, log.lastIndex));',
      ),
    ],
  },
  {
    lesson: 'accepts entries without looking at the one before them',
    profile: 'leaders',
    seeds: 250,
    patches: [
      raft(
        'follower.ts',
        'if (!log.matches(prevLogIndex, prevLogTerm)) {',
        'if (prevLogIndex > log.lastIndex) {',
      ),
    ],
  },
  {
    lesson: 'takes a late duplicate of an append for news and cuts its log',
    profile: 'partitions',
    seeds: 10,
    kind: 'safety',
    patches: [
      raft(
        'follower.ts',
        'const firstNew = log.firstNewIndex(entries);',
        'const firstNew = entries[0]?.index ?? 0;',
      ),
      raft('log.ts', 'assert(index > this.#commitIndex, () =>', 'assert(index > 0, () =>'),
    ],
  },
  {
    lesson:
      'believes a late acknowledgement of its disk about entries that were replaced since (ABA)',
    profile: 'leaders',
    seeds: 200,
    patches: [
      raft(
        'storage-queue.ts',
        'this.#pending.intactIndex = Math.min(this.#pending.intactIndex, index - 1);',
        '',
      ),
    ],
  },
  {
    lesson: 'answers reads without asking a majority',
    profile: 'leaders',
    seeds: 20,
    kind: 'safety',
    patches: [
      raft(
        'leader-reads.ts',
        'this.#rounds.confirm(confirmed)',
        'this.#rounds.confirm(Math.max(confirmed, this.#rounds.lastRound))',
      ),
    ],
  },
  {
    lesson: 'takes any answer to a heartbeat for one to its newest round of reads',
    profile: 'leaders',
    seeds: 250,
    kind: 'safety',
    patches: [
      raft(
        'leader-reads.ts',
        'Math.max(progress.ackedReadRound, message.readRound)',
        'Math.max(progress.ackedReadRound, this.#rounds.lastRound)',
      ),
    ],
  },
  {
    lesson: 'serves a read before it has committed in its term',
    profile: 'leaders',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'leader.ts',
        'if (!this.#reads.hasUnassigned || !this.#hasCommittedInTerm) {',
        'if (!this.#reads.hasUnassigned) {',
      ),
    ],
  },
  {
    lesson: 'uses the context of a forwarded read again',
    profile: 'leaders',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'forwarded-reads.ts',
        'const context = ++this.#context;',
        'const context = this.#context;',
      ),
    ],
  },
  {
    lesson: 'serves a read before its state has come so far',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'replica.ts',
        'this.#reads.release(this.#readableIndex)',
        'this.#reads.release(Number.MAX_SAFE_INTEGER)',
      ),
    ],
  },
  {
    lesson: 'forgets at a restart how far it has applied',
    profile: 'crashes',
    seeds: 5,
    patches: [
      raft(
        'core.ts',
        'appliedIndex: config.lastApplied }',
        'appliedIndex: config.log.snapshotIndex }',
      ),
    ],
  },
  {
    lesson: 'writes its state without the position that it stands for',
    profile: 'crashes',
    seeds: 10,
    patches: [
      {
        file: 'src/kv/checkpoint.ts',
        find: 'writes.push(meta);',
        replace: 'if (sequence % 3 === 0) writes.push(meta);',
      },
    ],
  },
  {
    lesson: 'leaves out of a checkpoint what has changed again since the last',
    profile: 'crashes',
    seeds: 10,
    patches: [
      {
        file: 'src/kv/record-cache.ts',
        find: '      if (!entry.isDirty) {\n',
        replace: '      if (!entry.isDirty && !this.#unsettled.has(entry.writtenBy - 1)) {\n',
      },
    ],
  },
  {
    lesson: 'gives up a record that has changed since the checkpoint that is settled',
    profile: 'crashes',
    seeds: 40,
    patches: [
      {
        file: 'src/kv/record-cache.ts',
        find: 'entry.writtenBy > 0 && entry.writtenBy <= unsettled',
        replace: 'entry.writtenBy > 0',
      },
    ],
  },
  {
    lesson: 'proposes again what a late refusal names, although it has done so already',
    profile: 'leaders',
    seeds: 200,
    kind: 'safety',
    patches: [
      replica(
        'proposals.ts',
        'this.requeue(ids.filter((id) => this.#proposalsById.get(id)?.proposedTerm === term));',
        'this.requeue(ids);',
      ),
    ],
  },
  {
    lesson: 'proposes again what is in the log of the present term',
    profile: 'crashes',
    seeds: 20,
    kind: 'safety',
    patches: [
      replica(
        'proposals.ts',
        'if (proposal.proposedTerm !== undefined && proposal.proposedTerm < appliedTerm) {',
        'if (proposal.proposedTerm !== undefined && proposal.proposedTerm <= appliedTerm) {',
      ),
      replica(
        'proposals.ts',
        'if (this.#oldestProposedTerm === undefined || this.#oldestProposedTerm >= appliedTerm) {',
        'if (this.#oldestProposedTerm === undefined || this.#oldestProposedTerm > appliedTerm) {',
      ),
    ],
  },
  {
    lesson: 'begins a change of membership before the last one is committed',
    profile: 'membership',
    seeds: 60,
    patches: [
      raft(
        'leader.ts',
        'if (isPending || !this.#hasCommittedInTerm) {',
        'if (isJoint(configuration.confState) || !this.#hasCommittedInTerm) {',
      ),
      // Members ask for one again when the last is committed only; without that it is never seen.
      replica(
        'submission.ts',
        'if (configuration.index > commitIndex) {',
        'if (configuration.index < 0) {',
      ),
    ],
  },
  {
    lesson: 'counts only the new half of a joint configuration',
    profile: 'joint',
    seeds: 250,
    kind: 'safety',
    patches: [
      raft(
        'quorum.ts',
        'return Math.min(majorityValue(conf.voters, valueOf), ' +
          'majorityValue(conf.votersOutgoing, valueOf));',
        'return majorityValue(conf.voters, valueOf);',
      ),
    ],
  },
  {
    lesson: 'changes several voters at once without a joint configuration',
    profile: 'membership',
    seeds: 20,
    kind: 'safety',
    patches: [
      raft(
        'configurations.ts',
        'if (added.length + removed.length <= 1) {',
        'if (added.length >= 0) {',
      ),
    ],
  },
  {
    lesson: 'counts itself as a leader that has been removed',
    profile: 'membership',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'leader.ts',
        'const index = quorumValue(conf, (member) =>',
        'const counted = isVoter(conf, id) ? conf : { ...conf, voters: [...conf.voters, id] };\n' +
          '    const index = quorumValue(counted, (member) =>',
      ),
    ],
  },
  {
    lesson: 'counts learners',
    profile: 'membership',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'leader.ts',
        'const index = quorumValue(conf, (member) =>',
        'const counted = { ...conf, voters: [...conf.voters, ...conf.learners] };\n' +
          '    const index = quorumValue(counted, (member) =>',
      ),
    ],
  },
  {
    lesson: 'installs a snapshot without its membership',
    profile: 'snapshots',
    seeds: 60,
    patches: [raft('core.ts', 'this.#configurations.restore(configuration);', '')],
  },
  {
    lesson: 'installs a snapshot and leaves its commit index where it was',
    profile: 'snapshots',
    seeds: 10,
    patches: [
      raft(
        'log.ts',
        'this.#commitIndex = index;\n    this.#applyingIndex = index;',
        'this.#applyingIndex = index;',
      ),
    ],
  },
  {
    lesson: 'installs a snapshot and takes the entry after it for committed too',
    profile: 'snapshots',
    seeds: 10,
    patches: [
      raft(
        'log.ts',
        'this.#commitIndex = index;\n    this.#applyingIndex = index;',
        'this.#commitIndex = index + 1;\n    this.#applyingIndex = index;',
      ),
    ],
  },
  {
    lesson: 'keeps a truncated configuration',
    profile: 'membership',
    seeds: 100,
    patches: [
      raft('core.ts', 'if (this.#configurations.truncateFrom(index)) {', 'if (index < 0) {'),
    ],
  },
  {
    lesson: 'lets a leader of an earlier term believe that nobody is ahead of it',
    profile: 'leaders',
    seeds: 60,
    kind: 'liveness',
    patches: [
      raft(
        'other-terms.ts',
        'if (options.checkQuorum || options.preVote) {',
        'if (options.electionTimeoutTicks < 0) {',
      ),
    ],
  },
  {
    lesson: 'offers a snapshot once, whether it arrives or not',
    profile: 'snapshots',
    seeds: 60,
    kind: 'liveness',
    patches: [
      raft(
        'leader.ts',
        'progress.isProbeSent = false;\n    if (progress.matchIndex < ',
        "progress.isProbeSent = progress.state === 'snapshot';\n    if (progress.matchIndex < ",
      ),
    ],
  },
  {
    lesson: 'begins a change of membership before it has committed in its term',
    profile: 'membership',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft('leader.ts', 'if (isPending || !this.#hasCommittedInTerm) {', 'if (isPending) {'),
    ],
  },
  {
    lesson: 'counts on a lease from when the promise came, not from when it was asked for',
    profile: 'lease',
    seeds: 60,
    kind: 'safety',
    patches: [
      raft(
        'leader-reads.ts',
        'this.#lease?.notePromise(message.from, message.readRound, message.leaseMs);',
        'this.#rounds.beginEmpty();\n' +
          '    this.#lease?.noteSending(this.#rounds.lastRound, this.#core.nowMs ?? 0);\n' +
          '    this.#lease?.notePromise(message.from, this.#rounds.lastRound, message.leaseMs);',
      ),
    ],
  },
  {
    lesson: 'keeps its lease when it begins to hand over',
    profile: 'lease',
    seeds: 60,
    kind: 'safety',
    patches: [raft('leader-reads.ts', 'this.#lease?.surrender();', '')],
  },
  {
    lesson: 'forgets what it has promised to its leader when it starts again',
    profile: 'lease',
    seeds: 20,
    kind: 'safety',
    patches: [
      raft(
        'core.ts',
        'this.term > 0 ? Math.max(leaseMs, earlierLeaseMs) : 0;',
        'Math.min(leaseMs, earlierLeaseMs, 0);',
      ),
    ],
  },
  {
    lesson: 'promises to help elect nobody else and does so when it takes its leader for gone',
    profile: 'lease',
    seeds: 20,
    kind: 'safety',
    patches: [
      raft('lease.ts', 'this.#untilMs = Math.max(this.#untilMs, this.#nowMs + this.#leaseMs);', ''),
    ],
  },
  {
    lesson: 'tells its watches nothing of what a snapshot brings',
    profile: 'snapshots',
    seeds: 40,
    kind: 'safety',
    patches: [kv('watch-hub.ts', 'if (watcher.nextRevision <= revision) {', 'if (revision < 0) {')],
  },
  {
    lesson: 'tells a watch of the future what comes before it',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [kv('watch-hub.ts', 'first.main >= nextRevision;', 'first.main >= 0;')],
  },
  {
    lesson: 'forgets what a watch has missed while its reader took nothing',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'watch-hub.ts',
        'watcher.sink.offer(watcher, piece, revision);\n      } else {',
        'watcher.sink.offer(watcher, piece, revision);\n      } else if (revision < 0) {',
      ),
    ],
  },
  {
    lesson: 'tells a watch that is behind half of a revision',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'history.ts',
        'events: whole.filter(({ main }) => main < last.main),\n' +
          '        throughRevision: last.main - 1,',
        'events: whole,\n        throughRevision: last.main,',
      ),
    ],
  },
  {
    lesson: 'hides from a watch that what it wants is compacted',
    profile: 'calm',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'watch-hub.ts',
        'if (watcher.nextRevision < this.#compactRevision) {',
        'if (this.revision < 0) {',
      ),
    ],
  },
  {
    lesson: 'tells a watch twice what came while it caught up',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'watch-hub.ts',
        'watcher.nextRevision = revision + 1;\n    this.#behind',
        'watcher.nextRevision = revision;\n    this.#behind',
      ),
    ],
  },
  {
    lesson: 'has several stamps of the time on their way at once',
    profile: 'calm',
    seeds: 40,
    kind: 'safety',
    patches: [
      replica(
        'cluster-clock.ts',
        'this.#state?.isNeeded !== true || this.#madeMs !== undefined',
        'this.#state?.isNeeded !== true',
      ),
    ],
  },
  {
    lesson: 'takes the time since it was started for time of the cluster',
    profile: 'crashes',
    seeds: 20,
    kind: 'safety',
    patches: [
      replica(
        'cluster-clock.ts',
        'this.#base = { timeMs: state.timeMs, atMs: this.#now() };',
        'this.#base = { timeMs: state.timeMs, atMs: 0 };',
      ),
    ],
  },
  {
    lesson: 'tells the time too seldom',
    profile: 'calm',
    seeds: 60,
    kind: 'safety',
    patches: [replica('cluster-clock.ts', 'stampIntervalMs = 250;', 'stampIntervalMs = 10_000;')],
  },
  {
    lesson: 'counts the time of a lease from a stamp that may be older than it',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [kv('leases.ts', 'filter(({ sinceMs }) => sinceMs < beforeMs)', 'slice()')],
  },
  {
    lesson: 'counts the time of a key from a stamp that may be older than it',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [kv('expiry-table.ts', 'filter(([, { sinceMs }]) => sinceMs < beforeMs)', 'slice()')],
  },
  {
    lesson: 'ends a lease that was renewed at its old deadline',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'leases.ts',
        '({ id, deadlineMs }) => this.#leases.get(id)?.deadlineMs === deadlineMs,',
        '({ id }) => this.#leases.has(id),',
      ),
    ],
  },
  {
    lesson: 'leaves the keys of a lease that ends',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv('apply-batch.ts', 'const keys = yield* this.#attachments.keysOf(id);', 'const keys = [];'),
    ],
  },
  {
    lesson: 'forgets after a restart which keys a lease has',
    profile: 'crashes',
    seeds: 30,
    kind: 'safety',
    patches: [kv('leases.ts', 'this.holdsKeys(leaseIdOf(record.key));', '')],
  },
  {
    lesson: 'lets a key end that was put again and is to last',
    profile: 'calm',
    seeds: 20,
    patches: [
      kv('expiry-changes.ts', 'this.#records.delete(dueKey(this.#deadlineOf(mapKey), key));', ''),
    ],
  },
  {
    lesson: 'does not refresh the time of a key that is to be refreshed',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv('txn.ts', 'put.ttlMs === 0 && old?.refreshesTtl === true;', 'old === undefined && false;'),
    ],
  },
  {
    lesson: 'forgets after a restart what sessions were answered',
    profile: 'crashes',
    seeds: 40,
    patches: [
      kv(
        'answer-table.ts',
        'session.answered.set(sequence, run);',
        'must(answers.get(sequence), "an answer");',
      ),
    ],
  },
  {
    lesson: 'carries out again what a session has acknowledged',
    profile: 'calm',
    seeds: 20,
    kind: 'safety',
    patches: [kv('answers.ts', 'if (sequence < floor) {', 'if (sequence < 0) {')],
  },
  {
    lesson: 'carries out what a session asks for that has ended',
    profile: 'calm',
    seeds: 40,
    patches: [kv('answers.ts', 'if (!this.#leases.hasLease(id)) {', 'if (sequence < 0) {')],
  },
  {
    lesson: 'carries out every attempt of a request',
    profile: 'everything',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv('answers.ts', 'return answered.has(sequence) ? undefined : first;', 'return first;'),
    ],
  },
  {
    lesson: 'tells no difference between a deletion and the end of a lease, and keeps the lease',
    profile: 'calm',
    seeds: 10,
    patches: [kv('apply-batch.ts', 'this.leases.remove(id);', 'this.leases.renew(id, 0);')],
  },
  {
    lesson: 'leaves sessions out of its snapshots',
    profile: 'snapshots',
    seeds: 60,
    patches: [
      kv('key-layout.ts', '  revisionsTable,\n  answersTable,\n].map', '  revisionsTable,\n].map'),
    ],
  },
  {
    lesson: 'leaves keys with a time to live out of its snapshots',
    profile: 'snapshots',
    seeds: 60,
    patches: [kv('key-layout.ts', '  authTable,\n  expiryTable,\n', '  authTable,\n')],
  },
  {
    lesson: 'tells progress that was asked for ahead of the events of a watch that is behind',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-queue.ts',
        'if (!hub.isUpToDate(watch)) {\n        this',
        'if (hub.revision < 0) {\n        this',
      ),
    ],
  },
  {
    lesson: 'tells progress once those have caught up that were behind when it was asked for',
    profile: 'everything',
    seeds: 40,
    kind: 'safety',
    patches: [
      replica(
        'watch-queue.ts',
        'this.#lagging.delete(watch);',
        'this.#lagging.delete(watch);\n      if (!this.#lagging.size) return false;',
      ),
    ],
  },
  {
    lesson: 'tells progress by itself ahead of the events of a watch that is behind',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica('watch-queue.ts', '!hasTold && hub.isUpToDate(watch)', '!hasTold && id >= 0'),
    ],
  },
  {
    lesson: 'tells progress although events before it were dropped with their watch',
    profile: 'calm',
    seeds: 40,
    kind: 'safety',
    patches: [replica('watch-queue.ts', 'newest.progressBefore < this', 'newest.count < 0 * this')],
  },
  {
    lesson: 'tells the events of several revisions as if they were all of the first',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [replica('watch-queue.ts', 'waiting.revision = revision;', '')],
  },
  {
    lesson: 'takes a watch for told of all that waited after a part of it',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-notices.ts',
        "const revision = must(parts.at(-1)?.events.at(-1), 'a part has events').main;",
        'const { revision } = waiting;',
      ),
    ],
  },
  {
    lesson: 'tells a watch of deletions what its filter leaves out',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'watch-hub.ts',
        '(this.#deletes ??= this.all.filter(({ isDelete }) => isDelete))',
        'this.all',
      ),
    ],
  },
  {
    lesson: 'mixes up what the keys of several events were before',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [replica('watch-notices.ts', '[event, found[at]]', '[event, found[0]]')],
  },
  {
    lesson: 'leaves out what a key was before it was deleted',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'history.ts',
        'const isCreation = record.version === 1;',
        'const isCreation = record.version <= 1;',
      ),
    ],
  },
  {
    lesson: 'gives values to a watch of keys alone',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-notices.ts',
        'return watch.keysOnly ? withoutValues',
        'return watch.keysOnly && watch.prevKv ? withoutValues',
      ),
    ],
  },
  {
    lesson: 'loses a deletion at the very revision of a compaction',
    profile: 'snapshots',
    seeds: 60,
    patches: [
      kv(
        'compaction.ts',
        'if (record.isTombstone && record.main < compactRevision) {',
        'if (record.isTombstone && record.main <= compactRevision) {',
      ),
    ],
  },
  {
    lesson: 'takes history for removed before the engine has been told to',
    profile: 'history',
    seeds: 60,
    patches: [kv('state-machine.ts', 'this.#progressBefore ?? this.#progress', 'this.#progress')],
  },
  {
    lesson: 'begins the time of leases anew when another leads',
    profile: 'partitions',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'apply-batch.ts',
        'this.#index = index;\n    this.#hasher.number(index);',
        'this.#index = index;\n    this.#hasher.number(index);\n' +
          '    const known = this.leases as { term?: number };\n' +
          '    if ((known.term ?? term) !== term) {\n' +
          '      for (const { id } of [...this.leases.all()]) this.renewLease(id);\n' +
          '    }\n' +
          '    known.term = term;',
      ),
    ],
  },
  {
    lesson: 'lets anybody write who has ever owned a lock, while somebody owns it',
    profile: 'calm',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'txn.ts',
        'return holdsOrder(compare, (record?.createRevision ?? 0) - compare.operand);',
        'return holdsOrder(compare, Math.min(1, record?.createRevision ?? 0) - ' +
          'Math.min(1, compare.operand));',
      ),
    ],
  },
  {
    lesson: 'tells the end of a lease as if somebody had deleted its keys',
    profile: 'calm',
    seeds: 10,
    kind: 'safety',
    patches: [kv('apply-batch.ts', 'isExpired ? expiredTombstone : tombstone', 'tombstone')],
  },
  {
    lesson: 'gives up entries that are committed before its own disk has them',
    profile: 'memory',
    seeds: 5,
    kind: 'crash',
    patches: [
      raft(
        'log.ts',
        'this.#dropWhileAbove(this.#unappliedBytesMax, this.applicableIndex);',
        'this.#dropWhileAbove(this.#unappliedBytesMax, this.#commitIndex);',
      ),
    ],
  },
  ...userMutants,
];
