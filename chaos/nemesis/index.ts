/** All faults by name, groups of them, and combinations. */
import { administration } from './administration.ts';
import { clocks } from './clocks.ts';
import { disks } from './disks.ts';
import type { Fault, FaultContext, Injected } from './fault.ts';
import { partitions } from './partitions.ts';
import { processes } from './processes.ts';
import { traffic } from './traffic.ts';
import { shuffle } from '../workloads/random.ts';

const single = [...partitions, ...traffic, ...processes, ...administration, ...disks, ...clocks];

/** Two or three different faults at once. */
function combination(name: string, about: string, choices: readonly Fault[]): Fault {
  return {
    name,
    about,
    async inject(context: FaultContext): Promise<Injected> {
      const count = context.prng.nextInt(2, 4);
      const injected: Injected[] = [];
      for (const fault of shuffle(context.prng, choices).slice(0, count)) {
        injected.push(await fault.inject(context));
      }
      return {
        what: injected.map(({ what }) => what).join('; '),
        members: Array.from(new Set(injected.flatMap(({ members }) => members))),
        keepsMajority: false,
        // Of faults that hide each other's traces, one trace is enough.
        evidence: async () => {
          const each = await Promise.all(injected.map(async (one) => one.evidence()));
          const shown = each.filter((one) => one !== undefined);
          return shown.length === 0 ? undefined : shown.join('; ');
        },
        heal: async () => {
          for (const one of injected.toReversed()) {
            await one.heal();
          }
        },
      };
    },
  };
}

/** What a run may be troubled by: one fault again and again, or several in turn. */
export interface Nemesis {
  readonly name: string;
  readonly about: string;
  readonly faults: readonly Fault[];
}

const groups: readonly Nemesis[] = [
  { name: 'partitions', about: 'every shape of partition in turn', faults: partitions },
  { name: 'traffic', about: 'every trouble of traffic in turn', faults: traffic },
  { name: 'processes', about: 'kills, pauses and restarts in turn', faults: processes },
  { name: 'administration', about: 'every operator’s action in turn', faults: administration },
  {
    name: 'combined',
    about: 'partitions, bad traffic, kills and operators’ actions at a time',
    faults: [
      combination('combined', 'several faults at once', [
        ...partitions,
        ...traffic,
        ...processes.filter(({ name }) => !name.startsWith('r')),
        ...administration.filter(({ name }) => name !== 'membership'),
      ]),
    ],
  },
];

/** All of them, by name. */
export const nemeses: ReadonlyMap<string, Nemesis> = new Map(
  [
    ...single.map((fault) => ({ name: fault.name, about: fault.about, faults: [fault] })),
    ...groups,
  ].map((nemesis) => [nemesis.name, nemesis]),
);
