/**
 * Links that carry, but badly: late, slowly, in crumbs, or only until they are reset; and clients'
 * links that hang or are reset.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../../src/base/index.ts';
import { blackHole, type LinkName, type LinkToxic } from '../topology/links.ts';
import { type Fault, type FaultContext, failedCalls, metricsOf } from './fault.ts';
import { minOf } from './metrics.ts';
import { cutLinks } from './partitions.ts';

/** Looks at the round trips, and milliseconds before each: members measure them twice a second. */
const looks = 2;
const lookPeriodMs = 550;

type Draw = (prng: Prng) => { readonly toxics: readonly LinkToxic[]; readonly what: string };

/** The same toxics on all links between members. */
function betweenMembers(name: string, about: string, draw: Draw): Fault {
  return {
    name,
    about,
    async inject(context) {
      const { cluster, members, prng } = context;
      const { toxics, what } = draw(prng);
      const before = await fastestRoundTrip(context);
      const links = cluster.links.names.filter((link) => !link.startsWith('clients>'));
      const heal = await cluster.links.disturb(links, toxics);
      return {
        what: `${what} between all members`,
        members,
        keepsMajority: false,
        heal,
        evidence: async () => {
          const after = await fastestRoundTrip(context);
          const shown = `round trips of ${seconds(after)} instead of ${seconds(before)}`;
          if (after > before * 1.5) {
            return shown;
          }
          // On a machine so busy that its round trips are as slow, the proxies have the last word.
          const held = await cluster.links.toxicsOn(links);
          return held === links.length * toxics.length
            ? `${shown}, ${held} toxics on the ${links.length} links that carried them`
            : undefined;
        },
      };
    },
  };
}

/**
 * The fastest of all round trips between members, in a few looks, seconds: a busy machine makes
 * some slow at any time, but only slow links make all of them slow.
 */
async function fastestRoundTrip(context: FaultContext): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let look = 0; look < looks; look++) {
    await sleep(lookPeriodMs);
    const each = await Promise.all(context.members.map(async (name) => metricsOf(context, name)));
    for (const metrics of each) {
      fastest = Math.min(fastest, minOf(metrics, 'holdfast_peer_round_trip_seconds'));
    }
  }
  return fastest;
}

function seconds(value: number): string {
  return `${(value * 1000).toFixed(1)} ms`;
}

function bothWays(
  type: LinkToxic['type'],
  attributes: LinkToxic['attributes'],
): readonly LinkToxic[] {
  return [
    { type, stream: 'upstream', attributes },
    { type, stream: 'downstream', attributes },
  ];
}

const latency = betweenMembers(
  'latency',
  'all links are slow, each message differently',
  (prng) => {
    const latencyMs = prng.nextInt(20, 80);
    const jitterMs = Math.floor(latencyMs / 2);
    return {
      toxics: bothWays('latency', { latency: latencyMs, jitter: jitterMs }),
      what: `${latencyMs} ± ${jitterMs} ms`,
    };
  },
);

const bandwidth = betweenMembers('bandwidth', 'all links are narrow', (prng) => {
  const rate = prng.nextInt(20, 60);
  return { toxics: bothWays('bandwidth', { rate }), what: `${rate} kB/s` };
});

const slicing = betweenMembers('slicing', 'all links carry crumbs, with pauses between', (prng) => {
  const size = prng.nextInt(40, 120);
  return {
    toxics: bothWays('slicer', {
      average_size: size,
      size_variation: Math.floor(size / 2),
      delay: 2000,
    }),
    what: `pieces of ${size} bytes`,
  };
});

const resets: Fault = {
  name: 'resets',
  about: 'connections between members are reset as soon as they carry something',
  async inject(context) {
    const { cluster, members, prng } = context;
    const one = members[prng.nextInt(0, members.length)] ?? '';
    const links = cluster.links.names.filter(
      (link) => !link.startsWith('clients>') && link.split('>').includes(one),
    );
    const cut = {
      links,
      what: `connections of ${one} are reset after 100 ms`,
      members: [one],
      keepsMajority: true,
    };
    return cutLinks(context, cut, bothWays('reset_peer', { timeout: 100 }));
  },
};

/** Toxics on the clients' links of some members. */
function ofClients(name: string, about: string, toxics: readonly LinkToxic[], what: string): Fault {
  return {
    name,
    about,
    async inject(context) {
      const { cluster, members, prng, recorder } = context;
      const count = prng.nextInt(1, members.length);
      const hit = members.slice(0, count);
      const sinceMs = recorder.nowMs();
      const heal = await cluster.links.disturb(
        hit.map((member): LinkName => `clients>${member}`),
        toxics,
      );
      return {
        what: `clients of ${hit.join(', ')} ${what}`,
        members: hit,
        keepsMajority: true,
        heal,
        evidence: async () => failedCalls(context, hit, sinceMs),
      };
    },
  };
}

/** All of them. */
export const traffic: readonly Fault[] = [
  latency,
  bandwidth,
  slicing,
  resets,
  ofClients('client-hangs', 'clients’ connections carry nothing, and stay open', blackHole, 'hang'),
  ofClients(
    'client-resets',
    'clients’ connections are reset in mid-call',
    bothWays('reset_peer', { timeout: 20 }),
    'are reset',
  ),
];
