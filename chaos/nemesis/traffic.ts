/**
 * Links that carry, but badly: late, slowly, in crumbs, or only until they are reset; and clients'
 * links that hang or are reset.
 */
import type { Prng } from '../../src/base/index.ts';
import { blackHole, type LinkName, type LinkToxic } from '../topology/links.ts';
import { type Fault, type FaultContext, failedCalls, metricsOf } from './fault.ts';
import { maxOf } from './metrics.ts';
import { cutLinks } from './partitions.ts';

type Draw = (prng: Prng) => { readonly toxics: readonly LinkToxic[]; readonly what: string };

/** The same toxics on all links between members. */
function betweenMembers(name: string, about: string, draw: Draw): Fault {
  return {
    name,
    about,
    async inject(context) {
      const { cluster, members, prng } = context;
      const { toxics, what } = draw(prng);
      const before = await slowestRoundTrip(context);
      const links = cluster.links.names.filter((link) => !link.startsWith('clients>'));
      const heal = await cluster.links.disturb(links, toxics);
      return {
        what: `${what} between all members`,
        members,
        keepsMajority: false,
        heal,
        evidence: async () => {
          const after = await slowestRoundTrip(context);
          const shown = `round trips of ${seconds(after)} instead of ${seconds(before)}`;
          return after > before * 1.5 ? shown : undefined;
        },
      };
    },
  };
}

async function slowestRoundTrip(context: FaultContext): Promise<number> {
  const each = await Promise.all(
    context.members.map(async (name) =>
      maxOf(await metricsOf(context, name), 'holdfast_peer_round_trip_seconds'),
    ),
  );
  return Math.max(...each);
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
