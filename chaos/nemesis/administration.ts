/** What operators do while clients work: hand over, snapshot, compact, defragment, grow, shrink. */
import { setTimeout as sleep } from 'node:timers/promises';
import { choose } from '../workloads/random.ts';
import { type Fault, type FaultContext, someLeader } from './fault.ts';

const callLimitMs = 5000;
/** Revisions that a compaction leaves, or half: old reads and slow watchers meet the edge. */
const keptRevisions = 100;

/** Does something again and again until it is over. */
function repeated(
  name: string,
  about: string,
  periodMs: number,
  act: (context: FaultContext) => Promise<string>,
): Fault {
  return {
    name,
    about,
    async inject(context) {
      const over = new AbortController();
      const done: string[] = [];
      const refusals: string[] = [];
      const going = (async () => {
        while (!over.signal.aborted) {
          try {
            done.push(await act(context));
          } catch (error) {
            // Under other faults a call may fail; that it never succeeds is what evidence shows.
            refusals.push(String(error));
          }
          await sleep(periodMs);
        }
      })();
      return {
        what: about,
        members: [],
        keepsMajority: false,
        evidence: async () =>
          done.length > 0
            ? `${done.length} times, ${refusals.length} refused; at last ${done.at(-1) ?? ''}`
            : undefined,
        async heal() {
          over.abort();
          await going;
        },
      };
    },
  };
}

/** Hands leadership over; resolves once `target` leads. */
export async function handOver(
  { cluster }: FaultContext,
  leader: string,
  target: string,
): Promise<void> {
  const status = await cluster.operator(target).status(callLimitMs);
  await cluster.operator(leader).moveLeader(status.header?.member_id ?? '0', callLimitMs);
}

const transfers = repeated(
  'transfers',
  'leadership is handed over in a loop',
  300,
  async (context) => {
    const { members, prng } = context;
    const leader = await someLeader(context);
    const target = choose(
      prng,
      members.filter((name) => name !== leader),
    );
    await handOver(context, leader, target);
    return `${leader} to ${target}`;
  },
);

const snapshots = repeated('snapshots', 'whole snapshots are taken', 300, async (context) => {
  const { cluster, members, prng } = context;
  const name = choose(prng, members);
  return `${await cluster.operator(name).snapshot(callLimitMs)} bytes of ${name}`;
});

const compaction = repeated(
  'compaction',
  'history is compacted close behind',
  300,
  async (context) => {
    const { cluster, members, prng } = context;
    const operator = cluster.operator(choose(prng, members));
    const { header } = await operator.status(callLimitMs);
    const newest = Number(header?.revision ?? 0);
    const revision = Math.max(newest - keptRevisions, Math.floor(newest / 2));
    if (revision < 2) {
      throw new Error('there is too little to compact');
    }
    await operator.compact(revision, callLimitMs);
    return `up to ${revision}`;
  },
);

const defragmentation = repeated(
  'defragmentation',
  'members are defragmented',
  500,
  async (context) => {
    const { cluster, members, prng } = context;
    const name = choose(prng, members);
    await cluster.operator(name).defragment(callLimitMs);
    return name;
  },
);

const membership: Fault = {
  name: 'membership',
  about: 'a member joins as a learner, becomes a voter, and leaves again',
  async inject(context) {
    const { cluster, members, prng } = context;
    const operator = cluster.operator(choose(prng, members));
    const { member, peerUrl } = await cluster.lay();
    const id = await persistently(async () => operator.addMember(peerUrl, callLimitMs));
    await member.start();
    const steps = [`${member.name} added`];
    const promoted = persistently(async () => operator.promoteMember(id, callLimitMs)).then(() => {
      steps.push('promoted');
    });
    return {
      what: `${member.name} joins and leaves`,
      members: [member.name],
      keepsMajority: true,
      evidence: async () => {
        await promoted;
        return steps.join(', ');
      },
      heal: async () => {
        await promoted;
        member.expectEnd();
        await persistently(async () => operator.removeMember(id, callLimitMs));
        await member.hasEnded(callLimitMs);
        await member.kill();
      },
    };
  },
};

/** Repeats what a cluster may refuse for a moment: no leader, a learner that is not in step. */
async function persistently<Result>(act: () => Promise<Result>): Promise<Result> {
  const endMs = performance.now() + 15_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > endMs) {
        throw error;
      }
      await sleep(100);
    }
  }
}

/** All of them. */
export const administration: readonly Fault[] = [
  transfers,
  snapshots,
  compaction,
  defragmentation,
  membership,
];
