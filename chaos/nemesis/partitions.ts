/**
 * Partitions: links between members that carry nothing, in every shape that is known to trouble
 * consensus. Connections hang, as they do when packets are lost, unless it is said that they are
 * refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { shuffle } from '../workloads/random.ts';
import { blackHole, type LinkName, type LinkToxic } from '../topology/links.ts';
import {
  type Fault,
  failedCalls,
  type FaultContext,
  type Injected,
  isMajority,
  metricsOf,
  othersOf,
  someLeader,
} from './fault.ts';
import { sumOf } from './metrics.ts';

/** So many entries behind the others is more than the time between two samples. */
const entriesBehind = 30;

/** Which links are cut, and what that means. */
interface Cut {
  readonly links: readonly LinkName[];
  readonly what: string;
  readonly members: readonly string[];
  readonly keepsMajority: boolean;
  /** A member whose clients cannot be served meanwhile. */
  readonly cutOff?: string;
}

function partition(
  name: string,
  about: string,
  choose: (context: FaultContext) => Promise<Cut>,
  how?: 'refused',
): Fault {
  return {
    name,
    about,
    inject: async (context) => cutLinks(context, await choose(context), how),
  };
}

/**
 * Puts `toxics` on links so that those at their ends do not reach each other any more, or refuses
 * their connections.
 */
export async function cutLinks(
  context: FaultContext,
  cut: Cut,
  how: readonly LinkToxic[] | 'refused' = blackHole,
): Promise<Injected> {
  const before = await lostMessages(context, cut.members);
  const sinceMs = context.recorder.nowMs();
  const { links } = context.cluster;
  const heal =
    how === 'refused' ? await links.refuse(cut.links) : await links.disturb(cut.links, how);
  return {
    what: cut.what,
    members: cut.members,
    keepsMajority: cut.keepsMajority,
    heal,
    evidence: async () =>
      (await separation(context, cut, before)) ??
      fallenBehind(context, cut.members, sinceMs) ??
      (cut.cutOff === undefined ? undefined : failedCalls(context, [cut.cutOff], sinceMs)),
  };
}

/** A cut shows in links that are down, in messages dropped, or in members that fall behind. */
async function separation(
  context: FaultContext,
  { links }: Cut,
  before: number,
): Promise<string | undefined> {
  const senders = Array.from(new Set(links.map((link) => link.split('>')[0] ?? '')));
  const dropped = (await lostMessages(context, senders)) - before;
  if (dropped > 0) {
    return `${dropped} messages between members were dropped`;
  }
  for (const sender of senders) {
    const metrics = await metricsOf(context, sender);
    const down = Array.from(metrics).filter(
      ([series, value]) => series.startsWith('holdfast_peer_connected{') && value === 0,
    );
    if (down.length > 0) {
      return `${sender} has lost its link to ${down.length} others`;
    }
    const waiting = sumOf(metrics, 'holdfast_peer_queue_bytes');
    if (waiting > 0) {
      return `${waiting} bytes wait at ${sender}`;
    }
  }
  return undefined;
}

/** What the observer saw: a member without a leader, or far behind the others. */
function fallenBehind(
  { recorder }: FaultContext,
  members: readonly string[],
  sinceMs: number,
): string | undefined {
  const samples = recorder.of('sample').filter(({ atMs }) => atMs > sinceMs);
  let newest = 0;
  for (const { member, leader, commitIndex = 0, atMs } of samples) {
    newest = Math.max(newest, commitIndex);
    if (members.includes(member) && leader === '0') {
      return `${member} knew no leader, ${Math.round(atMs - sinceMs)} ms after the cut`;
    }
    if (members.includes(member) && commitIndex > 0 && commitIndex < newest - entriesBehind) {
      return `${member} was ${newest - commitIndex} entries behind`;
    }
  }
  return undefined;
}

async function lostMessages(context: FaultContext, members: readonly string[]): Promise<number> {
  const each = await Promise.all(
    members.map(async (name) =>
      sumOf(await metricsOf(context, name), 'holdfast_peer_messages_dropped'),
    ),
  );
  return each.reduce((sum, count) => sum + count, 0);
}

/** Both directions between each of `some` and each of `others`. */
export function between(some: readonly string[], others: readonly string[]): LinkName[] {
  return some.flatMap((a) =>
    others.flatMap((b): LinkName[] => (a === b ? [] : [`${a}>${b}`, `${b}>${a}`])),
  );
}

async function leaderFromOthers(context: FaultContext, how: string): Promise<Cut> {
  const leader = await someLeader(context);
  return {
    links: between([leader], othersOf(context.members, leader)),
    what: `${leader}, the leader, ${how}`,
    members: [leader],
    keepsMajority: isMajority(context.members.length - 1, context.members),
  };
}

const isolateLeader = partition(
  'isolate-leader',
  'the leader reaches nobody; its clients still reach it',
  async (context) => leaderFromOthers(context, 'reaches nobody'),
);

const refusedLeader = partition(
  'refused-leader',
  'connections between the leader and the others are refused, as if its process were dead',
  async (context) => leaderFromOthers(context, 'is refused and refuses all'),
  'refused',
);

const majorityMinority = partition(
  'majority-minority',
  'a random majority and the rest do not reach each other',
  async ({ members, prng }) => {
    const shuffled = shuffle(prng, members);
    const minority = shuffled.slice(0, Math.floor((members.length - 1) / 2));
    return {
      links: between(minority, shuffled.slice(minority.length)),
      what: `${minority.join(', ')} apart from the others`,
      members: minority,
      keepsMajority: true,
    };
  },
);

const oneWay = partition(
  'one-way',
  'one member hears but is not heard, or is heard but does not hear; often the leader',
  async (context) => {
    const { members, prng } = context;
    const one =
      prng.nextInt(0, 3) > 0 ? await someLeader(context) : (shuffle(prng, members)[0] ?? '');
    const others = othersOf(members, one);
    const isMute = prng.nextInt(0, 2) === 0;
    return {
      links: others.map((other): LinkName => (isMute ? `${one}>${other}` : `${other}>${one}`)),
      what: isMute ? `${one} is not heard` : `${one} does not hear`,
      members: [one, ...others],
      cutOff: one,
      keepsMajority: isMajority(others.length, members),
    };
  },
);

const bridge = partition(
  'bridge',
  'two halves that do not reach each other, the leader in one, and a member that reaches both',
  async (context) => {
    const { members, prng } = context;
    // With the leader in the middle nothing would be amiss, and nothing would show the cut.
    const leader = await someLeader(context);
    const [middle = '', ...others] = shuffle(prng, othersOf(members, leader));
    const rest = shuffle(prng, [leader, ...others]);
    const half = Math.ceil(rest.length / 2);
    const [left, right] = [rest.slice(0, half), rest.slice(half)];
    return {
      links: between(left, right),
      what: `${left.join(', ')} and ${right.join(', ')} meet only in ${middle}`,
      members: rest,
      keepsMajority: true,
    };
  },
);

const ring = partition(
  'ring',
  'each member is heard by the next one only: everybody sees somebody else',
  async ({ members, prng }) => {
    const order = shuffle(prng, members);
    const links = order.flatMap((from, i) =>
      order
        .filter((to, j) => to !== from && j !== (i + 1) % order.length)
        .map((to): LinkName => `${from}>${to}`),
    );
    return { links, what: `only ${order.join(' > ')} > …`, members, keepsMajority: false };
  },
);

const allAgainstAll = partition(
  'all-apart',
  'no member reaches any other for a while',
  async ({ members }) => ({
    links: between(members, members).filter((link, i, all) => all.indexOf(link) === i),
    what: 'nobody reaches anybody',
    members,
    keepsMajority: false,
  }),
);

/** How long a flapping link is down and up, milliseconds: faster than an election. */
const flapMs: readonly [number, number] = [100, 600];

const flapping: Fault = {
  name: 'flapping',
  about: 'the leader’s links come and go, faster than elections do',
  async inject(context) {
    const { cluster, prng, members } = context;
    const leader = await someLeader(context);
    const links = between([leader], othersOf(members, leader));
    const before = await lostMessages(context, members);
    const over = new AbortController();
    let cuts = 0;
    const flapped = (async () => {
      while (!over.signal.aborted) {
        const heal = await cluster.links.disturb(links, blackHole);
        cuts += 1;
        await sleep(prng.nextInt(...flapMs));
        await heal();
        await sleep(prng.nextInt(...flapMs));
      }
    })();
    return {
      what: `the links of ${leader} come and go`,
      members: [leader],
      keepsMajority: false,
      evidence: async () => {
        const dropped = (await lostMessages(context, members)) - before;
        const shown = `${cuts} cuts, ${dropped} messages between members dropped`;
        return cuts > 0 && dropped > 0 ? shown : undefined;
      },
      async heal() {
        over.abort();
        await flapped;
      },
    };
  },
};

/** All shapes. */
export const partitions: readonly Fault[] = [
  isolateLeader,
  refusedLeader,
  majorityMinority,
  oneWay,
  bridge,
  ring,
  flapping,
  allAgainstAll,
];
