/**
 * Clocks that go at rates of their own: all that a member's process calls time, its timers and its
 * monotonic clock included, is bent by libfaketime (Debian's faketime) for as long as the process
 * lives. The rate of a running one could change only with its monotonic clock going back, which no
 * machine's does; so a member gets another rate by starting again.
 *
 * While clocks differ, what goes by them is troubled: mostly a slow leader, whose lease lasts long,
 * is cut off from fast followers, whose promises are soon over.
 */
import { memberName, type ReadMode } from '../topology/cluster.ts';
import { choose, shuffle } from '../workloads/random.ts';
import { handOver } from './administration.ts';
import {
  type ClockReading,
  describeRates,
  drawRate,
  rateBetween,
  type RateBounds,
  rateOf,
  readClock,
  setRate,
} from './clock-rates.ts';
import { type Fault, type FaultContext, metricsOf, othersOf, someLeader } from './fault.ts';
import { sumOf } from './metrics.ts';
import { partitions } from './partitions.ts';
import { processes, untilServing } from './processes.ts';
import { clearFaketime, faketimeLibrary, missingFaketime } from './tools.ts';

/** At both ends, two clocks differ by a little less than the 10 % that lease reads allow. */
export const promisedBounds: RateBounds = { slowest: 0.954, fastest: 1.049 };
const wildBounds: RateBounds = { slowest: 0.5, fastest: 3 };

/** What is done to the leader while clocks differ, by name. */
const attackNames = [
  'isolate-leader',
  'refused-leader',
  'one-way',
  'flapping',
  'kill-leader',
  'pause-leader',
];
const attacks = [...partitions, ...processes].filter(({ name }) => attackNames.includes(name));

/** Of four attacks, so many find the slowest member leading; else it is who happens to. */
const slowestLeadsOfFour = 3;

function drift(
  name: string,
  about: string,
  { bounds, readMode }: { readonly bounds: RateBounds; readonly readMode?: ReadMode },
): Fault {
  return {
    name,
    about,
    missingTools: missingFaketime,
    async prepare(setting) {
      const { recorder, prng, size } = setting;
      await clearFaketime();
      const names = Array.from({ length: size }, (_, i) => memberName(i + 1));
      for (const [i, member] of shuffle(prng, names).entries()) {
        // One is slow, one is fast, and the others are either.
        const isFast = i < 2 ? i === 0 : prng.nextInt(0, 2) === 0;
        setRate(recorder, member, drawRate(prng, isFast, bounds));
      }
      setting.envOf = (member) => ({
        LD_PRELOAD: faketimeLibrary ?? '',
        FAKETIME: `+0 x${rateOf(recorder, member)}`,
        NO_FAKE_STAT: '1',
      });
      setting.readMode ??= readMode;
      return async () => clearFaketime();
    },
    async inject(context) {
      await opposeLeader(context, await chooseLeader(context), bounds);
      const before = await readClocks(context);
      const leased = await leaseReads(context);
      const attack = await choose(context.prng, attacks).inject(context);
      return {
        ...attack,
        what: `clocks at ${describeSet(context)}; ${attack.what}`,
        evidence: async () => {
          const shown = [await driftSince(context, before), await attack.evidence()];
          if (context.readMode === 'lease') {
            shown.push(leased > 0 ? `${leased} requests answered by lease before` : undefined);
          }
          return shown.includes(undefined) ? undefined : shown.join('; ');
        },
      };
    },
  };
}

/** Mostly the slowest one, whose lease lasts longest; returns who leads then. */
async function chooseLeader(context: FaultContext): Promise<string> {
  const { members, prng, recorder } = context;
  const leader = await someLeader(context);
  const [slowest = leader] = members.toSorted((a, b) => rateOf(recorder, a) - rateOf(recorder, b));
  if (slowest !== leader && prng.nextInt(0, 4) < slowestLeadsOfFour) {
    // If it is refused, another leader is attacked, which is as good.
    await handOver(context, leader, slowest).catch(() => undefined);
  }
  return someLeader(context);
}

/**
 * Starts those again that are as fast or as slow as the leader, and a random one in any case, so
 * that all differ from the leader as much as can be.
 */
async function opposeLeader(
  context: FaultContext,
  leader: string,
  bounds: RateBounds,
): Promise<void> {
  const { cluster, members, prng, recorder } = context;
  const isFast = (name: string) => rateOf(recorder, name) > 1;
  const others = shuffle(prng, othersOf(members, leader));
  const changed = others.filter((name, i) => i === 0 || isFast(name) === isFast(leader));
  for (const name of changed) {
    const member = cluster.member(name);
    await (prng.nextInt(0, 2) === 0 ? member.kill() : member.stop());
    setRate(recorder, name, drawRate(prng, !isFast(leader), bounds));
    await member.start();
    await untilServing(context, name);
  }
}

async function readClocks({
  cluster,
  members,
}: FaultContext): Promise<ReadonlyMap<string, ClockReading>> {
  const readings = new Map<string, ClockReading>();
  for (const name of members) {
    const { isRunning, isPaused, place } = cluster.member(name);
    const reading = isRunning && !isPaused ? await readClock(place.metricsAddress) : undefined;
    if (reading !== undefined) {
      readings.set(name, reading);
    }
  }
  return readings;
}

/** How clocks have gone since then, of the processes that still run; see {@link describeRates}. */
async function driftSince(
  context: FaultContext,
  before: ReadonlyMap<string, ClockReading>,
): Promise<string | undefined> {
  const after = await readClocks(context);
  return describeRates(
    Array.from(before).flatMap(([member, from]) => {
      const to = after.get(member);
      return to === undefined
        ? []
        : [{ member, set: rateOf(context.recorder, member), seen: rateBetween(from, to) }];
    }),
  );
}

async function leaseReads(context: FaultContext): Promise<number> {
  let count = 0;
  for (const name of context.members) {
    count += sumOf(await metricsOf(context, name), 'holdfast_lease_reads');
  }
  return count;
}

function describeSet({ members, recorder }: FaultContext): string {
  return members.map((name) => `${name} ×${rateOf(recorder, name)}`).join(', ');
}

/** Clocks that keep the bound of lease reads, and clocks that do not. */
export const clockDrift: readonly Fault[] = [
  drift(
    'clock-drift',
    'clocks differ by nearly what lease reads, which are on, allow; the leader is attacked',
    { bounds: promisedBounds, readMode: 'lease' },
  ),
  drift(
    'wild-clocks',
    'clocks go several times as fast as others, no read trusts them; the leader is attacked',
    { bounds: wildBounds },
  ),
];
