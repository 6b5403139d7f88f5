/** Game days about members: lost, lost by majority, replaced one after the other. */
import { type Fault, isMajority } from '../nemesis/fault.ts';
import { processes } from '../nemesis/processes.ts';
import {
  acknowledgesNothing,
  faultNamed,
  healStep,
  keepsWriting,
  lookAtCalm,
  paceOf,
  readsNothing,
  rolesOf,
  since,
  untouched,
  workloadNamed,
  writesAgain,
} from './parts.ts';
import type { GameDay, Step } from './gameday.ts';
import type { Stage } from './stage.ts';

const leaderLoss: GameDay = {
  name: 'leader-loss',
  title: 'the leader dies',
  workload: workloadNamed('register'),
  brief: {
    hypothesis:
      'The death of the leader costs callers a few seconds at most, and nothing acknowledged.',
    expected: [
      'another member leads within two seconds (at once where the network refuses connections)',
      'writes go on within 3 s; calls that were under way end with an unknown outcome',
      'the old leader comes back as a follower and catches up',
    ],
    watch: [
      'on call, Members up: two of three; HoldfastMemberDown after a minute',
      'on call, Who leads: changes once',
      'on call, Requests by outcome: a short dent',
    ],
    abort: ['nobody has led for 10 s', 'a second member ends'],
    writeDown: [
      'For how long could your clients not write? Did they repeat by themselves?',
      'Did anything page, and should it have?',
    ],
    runbook: 'runbooks/member-down.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Kill the leader',
      about:
        'Its process ends without a word (SIGKILL). Its clients get errors until they turn to ' +
        'another.',
      async act(stage) {
        const running = await stage.inject(faultNamed(processes, 'kill-leader'));
        await stage.hold(12, 4);
        const stretch = since(stage, running.fromMs);
        return {
          seen: `${running.injected.what}; ${paceOf(stage, stretch)}`,
          checks: [writesAgain(stage, untouched(stage, running), running.fromMs)],
        };
      },
    },
    healStep('Start it again', 'It reads its log, hears of the new leader, and catches up.'),
  ],
};

const majorityLoss: GameDay = {
  name: 'majority-loss-and-recovery',
  title: 'two of three members die, and come back',
  workload: workloadNamed('set'),
  brief: {
    hypothesis:
      'Without a majority nothing is acknowledged, and nothing that was acknowledged before ' +
      'is lost.',
    expected: [
      'not one write or linearizable read is answered while one member is alone',
      'the survivor does not call itself leader for longer than an election timeout',
      'once the others are started, all serve within 10 s without anybody’s help',
    ],
    watch: [
      'on call, Leader: none; HoldfastLeaderless pages after 15 s',
      'on call, Members up: one of three',
      'executive, Is the service up?: no',
    ],
    abort: ['a write is acknowledged meanwhile', 'a member that is started does not come up'],
    writeDown: [
      'How long did it take from the loss to the page?',
      'Who would have had to start the members, and could they?',
      'What would you do if the two disks were gone? (membership.md, unsafe-recover)',
    ],
    runbook: 'runbooks/leaderless.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Kill two of three members',
      about: 'Clients of all three are refused or wait. Resist to restart the one that is left.',
      async act(stage) {
        const running = await stage.inject(faultNamed(processes, 'kill-majority'));
        await stage.hold(20, 4);
        const stretch = since(stage, running.fromMs);
        const all = stage.scenario.cluster.names;
        return {
          seen: running.injected.what,
          checks: [acknowledgesNothing(stage, all, stretch), readsNothing(stage, all, stretch)],
        };
      },
    },
    healStep('Start them again', 'They elect a leader, and everything goes on where it was.'),
  ],
};

/** A member that is asked to end, as before an upgrade, and started again. */
function upgrade(member: string): Fault {
  return {
    name: 'upgrade',
    about: `${member} stops and starts`,
    async inject({ cluster, members }) {
      const process = cluster.member(member);
      const { pid } = process;
      await process.stop();
      return {
        what: `${member} stopped for its upgrade`,
        members: [member],
        keepsMajority: isMajority(members.length - 1, members),
        evidence: async () =>
          Promise.resolve(process.isRunning ? undefined : `process ${pid ?? ''} has ended`),
        heal: async () => process.start(),
      };
    },
  };
}

/** Upgrades one member, the leader last: that spares one change of leader. */
function upgradeStep(title: string, choose: (stage: Stage) => Promise<string>): Step<Stage> {
  return {
    title,
    about:
      'It is asked to end (SIGTERM), hands over what it leads, is started again, and must serve ' +
      'before the next one has its turn. Put the new version in place here, if you have one.',
    async act(stage) {
      const name = await choose(stage);
      const fromMs = stage.nowMs;
      await stage.inject(upgrade(name));
      await stage.hold(3, 0.5);
      await stage.heal();
      const tookMs = stage.nowMs - fromMs;
      await stage.hold(4, 1);
      const stretch = since(stage, fromMs);
      return {
        seen: `${name} was away for ${Math.round(tookMs)} ms; ${paceOf(stage, stretch)}`,
        checks: [keepsWriting(stage, stretch)],
      };
    },
  };
}

const rollingUpgrade: GameDay = {
  name: 'rolling-upgrade',
  title: 'one member after the other is stopped and started, the leader last',
  workload: workloadNamed('mixed'),
  brief: {
    hypothesis: 'A version is rolled out during the day: callers see a hiccup, not an outage.',
    expected: [
      'a follower that stops is noticed by its own clients only',
      'the leader hands over before it stops: writes pause for less than 3 s',
      'each member has caught up before the next one stops',
    ],
    watch: [
      'on call, Members up: never below two',
      'on call, Behind the others: level again before you go on',
      'on call, Changes of the leader: one',
    ],
    abort: [
      'a member does not come up again: stop here, two of three carry on',
      'writes stop for more than 10 s',
    ],
    writeDown: [
      'How long did one member take, and how long will your whole cluster?',
      'What would you look at before you go on to the next member?',
      'How would you go back to the old version?',
    ],
    runbook: 'runbooks/rolling-upgrade.md',
  },
  steps: [
    lookAtCalm,
    upgradeStep('Restart the first follower', async (stage) => {
      const { others } = await rolesOf(stage);
      return others[0] ?? '';
    }),
    upgradeStep('Restart the other follower', async (stage) => {
      const { others } = await rolesOf(stage);
      return others[1] ?? '';
    }),
    upgradeStep('Restart the leader', async (stage) => (await rolesOf(stage)).leader),
  ],
};

/** All of them. */
export const memberDays: readonly GameDay[] = [leaderLoss, majorityLoss, rollingUpgrade];
