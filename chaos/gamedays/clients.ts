/** Game days about clients: all of them at once. */
import type { Fault } from '../nemesis/fault.ts';
import {
  healStep,
  keepsWriting,
  lookAtCalm,
  paceOf,
  rolesOf,
  since,
  workloadNamed,
} from './parts.ts';
import { shownMs, writeTimeMs } from './measures.ts';
import type { GameDay } from './gameday.ts';
import type { Stage } from './stage.ts';

const crowdSize = 300;
/** After a stampede half of all writes take no longer than this, or than so many times before. */
const calmAgainMs = 250;
const calmAgainFactor = 3;

/** Many more clients than before, none of which rests. */
function stampede({ scenario }: Stage): Fault {
  return {
    name: 'stampede',
    about: `${crowdSize} clients come at once`,
    inject: async ({ recorder, members }) => {
      const before = recorder.of('call').length;
      const disperse = scenario.crowd(crowdSize);
      return Promise.resolve({
        what: `${crowdSize} clients that never rest`,
        members,
        keepsMajority: true,
        heal: disperse,
        evidence: async () =>
          Promise.resolve(`${recorder.of('call').length - before} calls while they were there`),
      });
    },
  };
}

const clientStampede: GameDay = {
  name: 'client-stampede',
  title: 'hundreds of clients come back at the same time',
  workload: workloadNamed('counter'),
  brief: {
    hypothesis:
      'Too many callers make calls slow, and at worst refused, but never wrong; the cluster ' +
      'keeps its leader, and is as quick as before once they are gone.',
    expected: [
      'calls take longer; those that are refused say so (RESOURCE_EXHAUSTED) and had no effect',
      'what is repeated under an idempotency key counts once, however often it was sent',
      'the leader stays: heartbeats do not wait behind callers',
      'a moment after the crowd has gone writes take as long as before',
    ],
    watch: [
      'on call, Waiting, and Time of a write, p99',
      'debug, Under way and Refused: what admission control does',
      'on call, Delay of the event loop, p99: on the leader first',
    ],
    abort: ['the leader changes again and again', 'a member ends: look for memory first'],
    writeDown: [
      'What do your clients do after an outage: all at once, or with a random pause?',
      'Which limit would you set lower, and for whom?',
    ],
    runbook: 'runbooks/write-success.md',
  },
  steps: [
    lookAtCalm,
    {
      title: `Let ${crowdSize} clients come`,
      about: 'Each of them calls without rest, through all members.',
      async act(stage) {
        const { leader } = await rolesOf(stage);
        const { fromMs } = await stage.inject(stampede(stage));
        await stage.hold(10, 4);
        const stretch = since(stage, fromMs);
        const now = await rolesOf(stage);
        return {
          seen: paceOf(stage, stretch),
          checks: [
            {
              what: `${leader} leads on`,
              isMet: now.leader === leader,
              seen: `${now.leader} leads`,
            },
            keepsWriting(stage, stretch),
          ],
        };
      },
    },
    healStep('Send them away', 'What waits is answered first.'),
    {
      title: 'See that it is calm again',
      about: 'The clients from before are still there.',
      async act(stage) {
        const fromMs = stage.nowMs;
        await stage.hold(5, 2);
        const stretch = since(stage, fromMs);
        const { recorder } = stage.scenario;
        const calls = recorder.of('call');
        const [{ fromMs: crowdMs } = { fromMs }] = recorder.of('fault');
        const beforeMs = writeTimeMs(calls, { fromMs: 0, toMs: crowdMs }, 0.5);
        const mostMs = Math.max(calmAgainMs, calmAgainFactor * beforeMs);
        const medianMs = writeTimeMs(calls, stretch, 0.5);
        return {
          seen: paceOf(stage, stretch),
          checks: [
            {
              what: `half of all writes take less than ${Math.round(mostMs)} ms again`,
              isMet: medianMs < mostMs,
              seen: `${shownMs(medianMs)}, ${shownMs(beforeMs)} before`,
            },
          ],
        };
      },
    },
  ],
};

/** All of them. */
export const clientDays: readonly GameDay[] = [clientStampede];
