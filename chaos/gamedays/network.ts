/** Game days about links: cut whole, cut one way, slow, coming and going. */
import { type Fault, isMajority, metricsOf } from '../nemesis/fault.ts';
import { maxOf } from '../nemesis/metrics.ts';
import { between, cutLinks, partitions } from '../nemesis/partitions.ts';
import type { LinkName, LinkToxic } from '../topology/links.ts';
import {
  acknowledgesNothing,
  faultNamed,
  healStep,
  keepsWriting,
  leadsSoon,
  lookAtCalm,
  paceOf,
  readsNothing,
  rolesOf,
  since,
  untouched,
  workloadNamed,
  writesAgain,
} from './parts.ts';
import type { GameDay } from './gameday.ts';

/** The links between a member and the others, cut both ways. */
function isolation(member: string): Fault {
  return {
    name: 'isolation',
    about: `${member} reaches nobody`,
    inject: async (context) => {
      const others = context.members.filter((name) => name !== member);
      return cutLinks(context, {
        links: between([member], others),
        what: `${member} reaches no other member; its clients reach it`,
        members: [member],
        keepsMajority: isMajority(others.length, context.members),
      });
    },
  };
}

/** A member that is heard by the others, and does not hear them. */
function deafness(member: string): Fault {
  return {
    name: 'deafness',
    about: `${member} does not hear the others`,
    inject: async (context) => {
      const others = context.members.filter((name) => name !== member);
      return cutLinks(context, {
        links: others.map((other): LinkName => `${other}>${member}`),
        what: `${member} does not hear the others; they hear it`,
        members: [member, ...others],
        keepsMajority: isMajority(others.length, context.members),
      });
    },
  };
}

const slowMs = 400;
const slowLink: readonly LinkToxic[] = [
  { type: 'latency', stream: 'upstream', attributes: { latency: slowMs, jitter: slowMs / 4 } },
  { type: 'latency', stream: 'downstream', attributes: { latency: slowMs, jitter: slowMs / 4 } },
];

/** A member that is far away. */
function slowness(member: string): Fault {
  return {
    name: 'slowness',
    about: `all that ${member} sends and gets is late`,
    async inject(context) {
      const { cluster, members } = context;
      const others = members.filter((name) => name !== member);
      const heal = await cluster.links.disturb(between([member], others), slowLink);
      return {
        what: `${member} is ${slowMs} ms away from the others, each way`,
        members: [member],
        keepsMajority: true,
        heal,
        evidence: async () => {
          const metrics = await metricsOf(context, member);
          const tookMs = 1000 * maxOf(metrics, 'holdfast_peer_round_trip_seconds');
          const shown = `a round trip of ${member} took ${Math.round(tookMs)} ms`;
          return tookMs > slowMs ? shown : undefined;
        },
      };
    },
  };
}

const splitBrain: GameDay = {
  name: 'split-brain',
  title: 'the leader is cut off for half a minute, with clients on both sides',
  workload: workloadNamed('register'),
  brief: {
    hypothesis:
      'A leader that is cut off from both followers acknowledges nothing and serves no ' +
      'linearizable read, the others go on without it, and in the end all agree.',
    expected: [
      'the old leader acknowledges no write and answers no linearizable read from the cut on',
      'the others have a leader of their own within 2 s and write within 3 s',
      'the old leader gives up after about a second, before or while the others elect theirs',
      'after healing all have the same hash at the same revision, and every acknowledged ' +
        'write is there',
    ],
    watch: [
      'on call, Who leads: nobody for a moment, or two in different terms, then the new one',
      'on call, Failed commands: callers of the old leader, and nobody else',
      'debug, Term: one higher on the others; on the old leader once it is healed',
    ],
    abort: [
      'two members lead in the same term (HoldfastTwoLeaders)',
      'the others have no leader after 10 s',
    ],
    writeDown: [
      'How long was nobody able to write, and what did callers see?',
      'What would your own clients have done with an unknown outcome?',
      'Which alert fired first, and was it the right one?',
    ],
    runbook: 'runbooks/two-leaders.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Cut the leader off',
      about:
        'For half a minute its links to both followers carry nothing, both ways; clients still ' +
        'reach all three. Watch who leads, and what callers of the old leader get.',
      async act(stage) {
        const { leader, others } = await rolesOf(stage);
        const { fromMs } = await stage.inject(isolation(leader));
        await stage.hold(30, 6);
        const stretch = since(stage, fromMs);
        return {
          seen: `${leader} was cut off; the others: ${paceOf(stage, stretch)}`,
          checks: [
            acknowledgesNothing(stage, [leader], stretch),
            readsNothing(stage, [leader], stretch),
            leadsSoon(stage, others, fromMs),
            writesAgain(stage, others, fromMs),
          ],
        };
      },
    },
    healStep('Heal the links', 'The old leader hears of the later term, and follows.'),
  ],
};

const minorityPartition: GameDay = {
  name: 'minority-partition',
  title: 'one member of three is cut off',
  workload: workloadNamed('bank'),
  brief: {
    hypothesis:
      'Who is on the side of the majority notices nothing; the other side serves nothing stale.',
    expected: [
      'the majority goes on writing, with a break of at most 3 s if the leader was cut off',
      'the member that is cut off answers neither writes nor linearizable reads',
      'once healed it catches up by itself',
    ],
    watch: [
      'on call, Who knows a leader: two of three',
      'on call, Links between members: those of one member are down',
      'on call, Behind the others: the member that is cut off, until it is healed',
    ],
    abort: ['writes at the majority stop for more than 10 s', 'an account of the bank is missing'],
    writeDown: [
      'Did clients of the member that was cut off turn to another one? After how long?',
      'Would your monitoring have told you which member it was?',
    ],
    runbook: 'runbooks/member-without-leader.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Cut one member off',
      about: 'A random one: it may be the leader. Its clients still reach it.',
      async act(stage) {
        const running = await stage.inject(faultNamed(partitions, 'majority-minority'));
        const majority = untouched(stage, running);
        await stage.hold(15, 5);
        const stretch = since(stage, running.fromMs);
        const cut = running.injected.members;
        return {
          seen: `${running.injected.what}; ${paceOf(stage, stretch)}`,
          checks: [
            acknowledgesNothing(stage, cut, stretch),
            readsNothing(stage, cut, stretch),
            writesAgain(stage, majority, running.fromMs),
            keepsWriting(stage, stretch),
          ],
        };
      },
    },
    healStep('Heal the links', 'The member catches up from the log of the leader.'),
  ],
};

const asymmetricLink: GameDay = {
  name: 'asymmetric-link',
  title: 'the leader is heard, and hears nobody',
  workload: workloadNamed('append'),
  brief: {
    hypothesis:
      'A leader whose messages arrive and that gets no answers gives up after an election ' +
      'timeout, and the others do not wait for theirs.',
    expected: [
      'the leader notices after one election timeout (a second) that it hears no majority, ' +
        'and steps down',
      'it tells one of the others to campaign; the others write within 3 s',
      'the old leader answers nothing while it is deaf',
    ],
    watch: [
      'on call, Who leads: changes once',
      'on call, Links between members: down in one direction',
      'the log of the old leader: quorum-lost',
    ],
    abort: ['nobody has led for 10 s', 'the term keeps rising: members disturb each other'],
    writeDown: [
      'How would you have found out that a link works in one direction only?',
      'Is there anything in your network that can fail like this: a firewall, a route, a card?',
    ],
    runbook: 'runbooks/leader-flapping.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Make the leader deaf',
      about: 'What the others send to it is lost; what it sends arrives, heartbeats too.',
      async act(stage) {
        const { leader, others } = await rolesOf(stage);
        const { fromMs } = await stage.inject(deafness(leader));
        await stage.hold(12, 5);
        const stretch = since(stage, fromMs);
        return {
          seen: `${leader} hears nobody; ${paceOf(stage, stretch)}`,
          checks: [
            acknowledgesNothing(stage, [leader], stretch),
            readsNothing(stage, [leader], stretch),
            writesAgain(stage, others, fromMs),
          ],
        };
      },
    },
    healStep('Let it hear again', 'It hears of the later term and follows.'),
  ],
};

const slowFollower: GameDay = {
  name: 'slow-follower',
  title: 'one follower is far away',
  workload: workloadNamed('mixed'),
  brief: {
    hypothesis: 'A slow follower slows down nobody but who asks it.',
    expected: [
      'the leader stays; writes at the other members take as long as before',
      'calls at the slow follower take as long as its way to the leader and back',
    ],
    watch: [
      'debug, Round trip to peers: one member',
      'on call, Time of a write, p99: of the slow member alone',
      'on call, Behind the others: the slow member, by as much as is on its way',
    ],
    abort: ['the leader changes', 'writes at the other members take more than half a second'],
    writeDown: [
      'Could you tell from the dashboards which member was slow, and that it was the network?',
      'Which of your clients would have been at the slow member?',
    ],
    runbook: 'runbooks/replica-lag.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Slow one follower down',
      about: `All that it sends and gets takes ${slowMs} ms longer, each way.`,
      async act(stage) {
        const { leader, others } = await rolesOf(stage);
        const [slow = '', ...fast] = others;
        const { fromMs } = await stage.inject(slowness(slow));
        await stage.hold(15, 5);
        const stretch = since(stage, fromMs);
        const now = await rolesOf(stage);
        return {
          seen: `${slow} is slow; ${paceOf(stage, stretch)}`,
          checks: [
            {
              what: `${leader} leads on`,
              isMet: now.leader === leader,
              seen: `${now.leader} leads`,
            },
            keepsWriting(stage, stretch, 1000),
            writesAgain(stage, [leader, ...fast], fromMs),
          ],
        };
      },
    },
    healStep('Bring it back', 'What is on its way arrives, and it is level again.'),
  ],
};

const flappingNetwork: GameDay = {
  name: 'flapping-network',
  title: 'the links of the leader come and go',
  workload: workloadNamed('counter'),
  brief: {
    hypothesis:
      'Links that come and go faster than elections cost time, not data: what is repeated under ' +
      'an idempotency key takes effect once.',
    expected: [
      'calls take longer, some fail with an unknown outcome and are repeated',
      'the leader stays, or changes now and then; no counter counts twice',
      'as soon as the links stay, all is as before',
    ],
    watch: [
      'on call, Links between members: up and down all the time',
      'on call, Changes of the leader: more than three in a quarter of an hour fire ' +
        'HoldfastLeaderFlapping',
      'debug, Messages dropped',
    ],
    abort: ['a counter is higher than its increments', 'nothing is written for half a minute'],
    writeDown: [
      'How often did the leader change, and what did that cost callers?',
      'At which rate of changes would you take a member out of the cluster?',
    ],
    runbook: 'runbooks/leader-flapping.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Let the links of the leader flap',
      about: 'They are down and up for 100 to 600 ms each, at random.',
      async act(stage) {
        const running = await stage.inject(faultNamed(partitions, 'flapping'));
        await stage.hold(20, 5);
        const stretch = since(stage, running.fromMs);
        return {
          seen: `${running.injected.what}; ${paceOf(stage, stretch)}`,
          checks: [keepsWriting(stage, stretch, 10_000)],
        };
      },
    },
    healStep('Let the links stay up', 'Appends that were lost are sent again.'),
  ],
};

/** All of them. */
export const networkDays: readonly GameDay[] = [
  splitBrain,
  minorityPartition,
  asymmetricLink,
  slowFollower,
  flappingNetwork,
];
