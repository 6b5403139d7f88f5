/** Processes that are killed, paused, and started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { shuffle } from '../workloads/random.ts';
import { type Fault, type FaultContext, isMajority, someLeader } from './fault.ts';

/** Kills some members, and starts them again in the end. */
function kill(
  name: string,
  about: string,
  choose: (context: FaultContext) => Promise<readonly string[]>,
): Fault {
  return {
    name,
    about,
    holdMs: [800, 2500],
    async inject(context) {
      const { cluster, members } = context;
      const victims = await choose(context);
      await Promise.all(victims.map(async (victim) => cluster.member(victim).kill()));
      return {
        what: `${victims.join(', ')} killed`,
        members: victims,
        keepsMajority: isMajority(members.length - victims.length, members),
        evidence: async () =>
          victims.some((victim) => cluster.member(victim).isRunning)
            ? undefined
            : `the processes of ${victims.join(', ')} ended`,
        heal: async () => {
          await Promise.all(victims.map(async (victim) => cluster.member(victim).start()));
        },
      };
    },
  };
}

const killLeader = kill('kill-leader', 'the leader is killed', async (context) => [
  await someLeader(context),
]);

const killMinority = kill(
  'kill-minority',
  'a random minority is killed',
  async ({ members, prng }) =>
    shuffle(prng, members).slice(0, Math.floor((members.length - 1) / 2)),
);

const killMajority = kill('kill-majority', 'a majority is killed', async ({ members, prng }) =>
  shuffle(prng, members).slice(0, Math.floor(members.length / 2) + 1),
);

const killAll = kill('kill-all', 'all are killed at once', async ({ members }) => members);

const pauseLeader: Fault = {
  name: 'pause-leader',
  about: 'the leader stands still, for longer than an election takes, and wakes up',
  async inject(context) {
    const { cluster, members } = context;
    const leader = await someLeader(context);
    const member = cluster.member(leader);
    await member.pause();
    return {
      what: `${leader} paused`,
      members: [leader],
      keepsMajority: isMajority(members.length - 1, members),
      evidence: async () =>
        cluster
          .operator(leader)
          .status(200)
          .then(
            () => undefined,
            () => `${leader} did not answer while it was paused`,
          ),
      heal: async () => {
        await member.resume();
      },
    };
  },
};

const pauseAll: Fault = {
  name: 'pause-all',
  about: 'all members stand still for a moment',
  holdMs: [500, 1500],
  async inject({ cluster, members }) {
    for (const name of members) {
      await cluster.member(name).pause();
    }
    return {
      what: 'all paused',
      members,
      keepsMajority: false,
      evidence: async () =>
        cluster
          .operator(members[0] ?? '')
          .status(200)
          .then(
            () => undefined,
            () => 'nobody answered',
          ),
      heal: async () => {
        for (const name of members) {
          await cluster.member(name).resume();
        }
      },
    };
  },
};

/** Members that go down and come back one after the other, `how`, with a pause. */
function restarts(
  name: string,
  about: string,
  pauseMs: number,
  how: 'kill' | 'stop',
  waitsUntilReady: boolean,
): Fault {
  return {
    name,
    about,
    async inject(context) {
      const { cluster, members, prng } = context;
      const over = new AbortController();
      let count = 0;
      const going = (async () => {
        while (!over.signal.aborted) {
          for (const each of shuffle(prng, members)) {
            const member = cluster.member(each);
            await (how === 'kill' ? member.kill() : member.stop());
            await member.start();
            count += 1;
            await (waitsUntilReady ? untilServing(context, each) : sleep(pauseMs));
          }
        }
      })();
      return {
        what: waitsUntilReady
          ? 'one member after the other restarts'
          : 'members are killed in a row',
        members,
        keepsMajority: false,
        evidence: async () => (count > 0 ? `${count} restarts` : undefined),
        async heal() {
          over.abort();
          await going;
        },
      };
    },
  };
}

/** Waits until a member serves, or for so long that something else must be wrong. */
export async function untilServing({ cluster }: FaultContext, name: string): Promise<void> {
  const endMs = performance.now() + 5000;
  while (performance.now() < endMs) {
    const isServing = await cluster
      .operator(name)
      .call({ type: 'range', key: 'ready' }, { timeoutMs: 500 });
    if (isServing.outcome === 'ok') {
      return;
    }
    await sleep(50);
  }
}

/** All of them. */
export const processes: readonly Fault[] = [
  killLeader,
  killMinority,
  killMajority,
  killAll,
  pauseLeader,
  pauseAll,
  restarts(
    'restart-storm',
    'members are killed one after the other, without rest',
    300,
    'kill',
    false,
  ),
  restarts(
    'rolling-restart',
    'one member after the other stops, starts and serves again, as in an upgrade',
    0,
    'stop',
    true,
  ),
];
