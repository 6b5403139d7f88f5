/** Checks and steps that several game days have in common, and what they are made of. */
import { type Fault, othersOf } from '../nemesis/fault.ts';
import type { RunningFault } from '../scenario.ts';
import { workloads } from '../workloads/index.ts';
import type { Workload } from '../workloads/workload.ts';
import type { Check, Observation, Step } from './gameday.ts';
import {
  gapMs,
  ledAfter,
  readsBy,
  shownMs,
  type Stretch,
  writesBy,
  writeTimeMs,
  writtenAfterMs,
} from './measures.ts';
import type { Stage } from './stage.ts';

/** A majority writes again within so long after a fault (docs/chaos.md). */
const recoveryMsMax = 3000;
/** Every member serves within so long after the end of a fault. */
const healingMsMax = 10_000;
/** A majority that lost its leader to a cut has another one within so long. */
const electionMsMax = 2000;

/** The workload of this name. */
export function workloadNamed(name: string): () => Workload {
  const create = workloads[name];
  if (create === undefined) {
    throw new Error(`there is no workload ${name}`);
  }
  return create;
}

/** A fault that the suites have, too, by name. */
export function faultNamed(faults: readonly Fault[], name: string): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (found === undefined) {
    throw new Error(`there is no fault ${name}`);
  }
  return found;
}

function callsOf({ scenario }: Stage) {
  return scenario.recorder.of('call');
}

/** The stretch from a moment until now. */
export function since(stage: Stage, fromMs: number): Stretch {
  return { fromMs, toMs: stage.nowMs };
}

/** These members write again soon enough after a moment. */
export function writesAgain(stage: Stage, members: readonly string[], fromMs: number): Check {
  const tookMs = writtenAfterMs(callsOf(stage), members, fromMs);
  return {
    what: `${members.join(' and ')} write again within ${recoveryMsMax} ms`,
    isMet: tookMs <= recoveryMsMax,
    seen: shownMs(tookMs),
  };
}

/** One of these members says soon enough after a moment that it leads. */
export function leadsSoon(stage: Stage, members: readonly string[], fromMs: number): Check {
  const { afterMs, leader, term } = ledAfter(stage.scenario.recorder.of('sample'), members, fromMs);
  return {
    what: `one of ${members.join(' and ')} leads within ${electionMsMax} ms`,
    isMet: afterMs <= electionMsMax,
    seen: `${leader} after ${shownMs(afterMs)}, term ${term}`,
  };
}

/** These members have acknowledged no write that was asked in a stretch. */
export function acknowledgesNothing(
  stage: Stage,
  members: readonly string[],
  stretch: Stretch,
): Check {
  const { length } = writesBy(callsOf(stage), members, stretch);
  return {
    what: `${members.join(' and ')} acknowledge no write`,
    isMet: length === 0,
    seen: `${length} acknowledged`,
  };
}

/** These members have answered no linearizable read that was asked in a stretch. */
export function readsNothing(stage: Stage, members: readonly string[], stretch: Stretch): Check {
  const { length } = readsBy(callsOf(stage), members, stretch);
  return {
    what: `${members.join(' and ')} serve no linearizable read`,
    isMet: length === 0,
    seen: `${length} served`,
  };
}

/** Writes went on, without a longer break than is allowed. */
export function keepsWriting(stage: Stage, stretch: Stretch, gapMsMax = recoveryMsMax): Check {
  const longest = gapMs(callsOf(stage), stretch);
  return {
    what: `no time without a write is longer than ${gapMsMax} ms`,
    isMet: longest <= gapMsMax,
    seen: shownMs(longest),
  };
}

/** How long writes take, as a sentence. */
export function paceOf(stage: Stage, stretch: Stretch): string {
  const calls = callsOf(stage);
  const { length } = writesBy(calls, stage.scenario.cluster.names, stretch);
  const perSecond = Math.round((length / (stretch.toMs - stretch.fromMs)) * 1000);
  const [median, slow] = [0.5, 0.99].map((share) => shownMs(writeTimeMs(calls, stretch, share)));
  return `${perSecond} writes a second, half of them within ${median}, 99 of 100 within ${slow}`;
}

/** A first look: what calm looks like is what everything else is held against. */
export const lookAtCalm: Step<Stage> = {
  title: 'Look at the cluster while all is well',
  about:
    'Clients write and read at all members. Note who leads, how many calls a second there are ' +
    'and how long they take.',
  async act(stage) {
    const fromMs = stage.nowMs;
    await stage.hold(8, 2.5);
    const leader = (await stage.scenario.cluster.leader()) ?? 'nobody';
    return { seen: `${leader} leads; ${paceOf(stage, since(stage, fromMs))}` };
  },
};

/** Heals what is on, and waits until every member serves. */
export function healStep(title: string, about: string): Step<Stage> {
  return {
    title,
    about,
    async act(stage): Promise<Observation> {
      const fromMs = stage.nowMs;
      const records = await stage.heal();
      const tookMs = stage.nowMs - fromMs;
      await stage.hold(4, 1.5);
      const evidence = records.map((record) => record.evidence ?? 'nothing showed the fault');
      return {
        seen: `how the fault is known: ${evidence.join('; ')}`,
        checks: [
          {
            what: `every member serves again within ${healingMsMax} ms`,
            isMet: tookMs <= healingMsMax,
            seen: shownMs(tookMs),
          },
        ],
      };
    },
  };
}

/** Everybody but those that a fault is about. */
export function untouched(stage: Stage, { injected }: RunningFault): readonly string[] {
  return stage.scenario.cluster.names.filter((name) => !injected.members.includes(name));
}

/** The leader and the others; throws when nobody leads. */
export async function rolesOf(
  stage: Stage,
): Promise<{ readonly leader: string; readonly others: readonly string[] }> {
  const leader = await stage.scenario.cluster.waitForLeader(10_000);
  return { leader, others: othersOf(stage.scenario.cluster.names, leader) };
}
