/** Deliberate bugs about changes of membership; see `mutants.ts`. */
import type { Mutant } from './mutant.ts';

export const membershipMutants: readonly Mutant[] = [
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
    find: 'if (confState.autoLeave && index <= log.commitIndex) {',
    replace: 'if (confState.autoLeave && index > 0) {',
    caughtBy: ['M09: not before'],
  },
  {
    lesson: 'stays in a joint configuration',
    file: 'leader.ts',
    find: 'if (confState.autoLeave && index <= log.commitIndex) {',
    replace: 'if (confState.autoLeave && index < 0) {',
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
    find: 'if (!isVoter(this.#core.conf, this.#target)) {',
    replace: 'if (this.#target < 0) {',
    caughtBy: ['K09'],
  },
  {
    lesson: 'forgets later configurations when it learns one with another state',
    file: 'configurations.ts',
    find: '      ...this.#history.filter(({ index }) => index > configuration.index),\n',
    replace: '',
    caughtBy: ['later ones of the log still count'],
  },
  {
    lesson: 'makes a voter of a learner that is known to hold nothing',
    file: 'peers.ts',
    find: ' &&\n      progress.matchIndex > 0',
    replace: '',
    caughtBy: ['nothing is known to match'],
  },
  {
    lesson: 'gives up handing over whenever the members change',
    file: 'transfer.ts',
    find: 'if (!isVoter(this.#core.conf, this.#target)) {',
    replace: 'if (this.#target >= 0) {',
    caughtBy: ['as long as the target votes'],
  },
];
