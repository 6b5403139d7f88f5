/**
 * Random runs of a cluster that lives: members join, are promoted, demoted, removed and replaced,
 * logs are compacted and snapshots fetched from anybody, at any time, next to all that
 * `random.test.ts` does. Safety is checked at every step (`network.ts`); at the end, once the
 * faults stop, the members of the last configuration agree.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import { isJoint, type Message, type NodeId } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';

const seeds = Number(process.env['RAFT_SEEDS'] ?? 150);
/** Runs this one alone. */
const onlySeed = Number(process.env['RAFT_SEED'] ?? 0);
const steps = 2000;
const nodesMax = 6;

/** What a run has seen, so that a run in which nothing happened is not taken for a proof. */
interface Seen {
  committed: number;
  configurations: number;
  joint: number;
  installed: number;
  reads: number;
}

/** Some voters and learners among all nodes: mostly a step from those there are. */
function chooseMembers(
  network: RaftNetwork,
  via: NodeId,
  prng: Prng,
): { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] } {
  const { voters, learners } = network.raft(via).configuration.confState;
  const all = network.nodes.map((node) => node.id);
  const chosen = new Map<NodeId, 'voter' | 'learner' | undefined>();
  for (const id of all) {
    chosen.set(id, voters.includes(id) ? 'voter' : learners.includes(id) ? 'learner' : undefined);
  }
  const changes = [1, 1, 1, 2, 3][prng.nextInt(0, 5)] ?? 1;
  for (let i = 0; i < changes; i++) {
    const part = (['voter', 'voter', 'learner', undefined] as const)[prng.nextInt(0, 4)];
    chosen.set(all[prng.nextInt(0, all.length)] ?? 1, part);
  }
  return {
    voters: all.filter((id) => chosen.get(id) === 'voter'),
    learners: all.filter((id) => chosen.get(id) === 'learner'),
  };
}

function createNetwork(seed: number, prng: Prng): RaftNetwork {
  const size = [1, 3, 3, 4][prng.nextInt(0, 4)] ?? 3;
  const options = {
    preVote: prng.nextInt(0, 4) > 0,
    checkQuorum: prng.nextInt(0, 4) > 0,
    inflightMessagesMax: [1, 2, 256][prng.nextInt(0, 3)] ?? 1,
    appendBytesMax: [1, 64, 4096][prng.nextInt(0, 3)] ?? 64,
    inflightBytesMax: 4096,
    cacheBytesMax: [0, 500, 1_000_000][prng.nextInt(0, 3)] ?? 0,
    applyingBytesMax: [1, 4096][prng.nextInt(0, 2)] ?? 1,
    strictReconfigCheck: prng.nextInt(0, 2) === 0,
    promotionLagMax: [2, 1000][prng.nextInt(0, 2)] ?? 2,
  };
  return new RaftNetwork(size, options, seed, [], nodesMax - size);
}

function runSeed(seed: number): Seen {
  const prng = createPrng(seed + 1_000_000);
  const network = createNetwork(seed, prng);
  const size = network.nodes.length;
  const seen: Seen = { committed: 0, configurations: 0, joint: 0, installed: 0, reads: 0 };
  const readFloor = new Map<string, number>();
  let cut = 0;
  const isCut = (message: Message): boolean =>
    cut !== 0 && (message.from === cut || message.to === cut);

  for (let step = 0; step < steps; step++) {
    const id = prng.nextInt(1, size + 1);
    const dice = prng.nextInt(0, 1000);
    const { messages } = network;
    const node = network.node(id);
    if (dice < 500 && messages.length > 0) {
      const at = prng.nextInt(0, 5) === 0 ? prng.nextInt(0, messages.length) : 0;
      const [message] = messages.splice(at, 1);
      const fate = prng.nextInt(0, 25);
      if (message !== undefined && fate > 0 && !isCut(message)) {
        network.deliver(message);
        // A proposal is forwarded at most once (transport contract); all else may come twice.
        if (fate === 1 && message.type !== 'Propose') {
          messages.push(message);
        }
      }
    } else if (dice < 660) {
      network.persist(id);
    } else if (dice < 820) {
      network.tick(id);
    } else if (dice < 870) {
      if (node.isUp) {
        node.raft.propose([new Uint8Array(prng.nextInt(1, 40)).fill(step)], step);
        network.collect(id);
      }
    } else if (dice < 890) {
      if (node.isUp && node.raft.readIndex(step).kind === 'pending') {
        readFloor.set(`${id}/${step}`, network.committed.length);
        network.collect(id);
      }
    } else if (dice < 915) {
      const via = network.leader !== 0 && prng.nextInt(0, 2) === 0 ? network.leader : id;
      if (network.node(via).isUp && !isJoint(network.raft(via).configuration.confState)) {
        const { voters, learners } = chooseMembers(network, via, prng);
        network.change(via, voters, learners);
      }
    } else if (dice < 935) {
      network.compact(id, prng.nextInt(0, 2 * network.committed.length + 1));
    } else if (dice < 950) {
      const asking = network.nodes.filter((each) => each.snapshotRequest !== undefined);
      const from = prng.nextInt(0, 2) === 0 ? undefined : id;
      network.fetch(asking[prng.nextInt(0, Math.max(1, asking.length))]?.id ?? id, from);
    } else if (dice < 962) {
      const ready = network.nodes.filter((each) => each.fetched !== undefined);
      network.offer(ready[prng.nextInt(0, Math.max(1, ready.length))]?.id ?? id);
    } else if (dice < 968) {
      network.crash(id);
    } else if (dice < 988) {
      if (!node.isUp) {
        network.restart(id, prng.nextInt(0, 2) === 0 ? prng.nextInt(0, 50) : undefined);
      }
    } else if (dice < 991) {
      cut = cut === 0 ? id : 0;
    } else if (node.isUp) {
      const other = prng.nextInt(1, size + 1);
      if (prng.nextInt(0, 2) === 0) {
        node.raft.transferLeader(other);
      } else {
        node.raft.reportDown(other);
      }
      network.collect(id);
    }
    for (const each of network.nodes) {
      seen.joint += isJoint(each.raft.configuration.confState) ? 1 : 0;
      for (const { context, index } of each.readStates.splice(0)) {
        const floor = readFloor.get(`${each.id}/${context}`);
        seen.reads++;
        expect(index, `read ${context} of node ${each.id}`).toBeGreaterThanOrEqual(floor ?? 0);
      }
    }
  }
  seen.installed = network.installs;
  endWell(network);
  seen.committed = network.committed.length;
  seen.configurations = network.committed.filter((entry) => entry.type === 'confChange').length;
  return seen;
}

/** The faults stop; everybody is back, and whoever has been removed is told so by its host. */
function endWell(network: RaftNetwork): void {
  for (const node of network.nodes) {
    if (!node.isUp) {
      network.restart(node.id);
    }
  }
  network.settle();
  const last = new Uint8Array([255]);
  let isProposed = false;
  for (let round = 0; round < 400; round++) {
    for (const node of network.nodes) {
      network.tick(node.id);
    }
    network.settle();
    const { leader, configuration } = network;
    if (round > 50 && configuration !== undefined) {
      stopStrangers(network);
    }
    if (!isProposed && leader !== 0 && round > 150) {
      isProposed = network.raft(leader).propose([last], 1_000_000).kind === 'appended';
      network.settle();
    }
  }
  expect(network.leader, 'there is a leader').not.toBe(0);
  const { configuration } = network;
  expect(configuration?.index).toBeLessThanOrEqual(network.raft(network.leader).commitIndex);
  const members = network.nodes.filter((node) => node.isUp);
  const lengths = members.map((node) => node.applied.length);
  expect(new Set(lengths).size, `all apply the same: ${lengths.join()}`).toBe(1);
  expect(network.committed.some((entry) => entry.data === last)).toBe(true);
  expect(members.every((node) => !node.raft.hasReady())).toBe(true);
  for (const { raft } of members) {
    expect(raft.configuration).toEqual(configuration);
    expect(isJoint(raft.configuration.confState)).toBe(false);
  }
}

/** Members that the newest leader's configuration, once committed, does not name are stopped. */
function stopStrangers(network: RaftNetwork): void {
  const { commitIndex, configuration } = network.raft(network.leader);
  const { voters, votersOutgoing, learners, learnersNext } = configuration.confState;
  const members = [...voters, ...votersOutgoing, ...learners, ...learnersNext];
  for (const { id, isUp } of network.nodes) {
    if (isUp && configuration.index <= commitIndex && !members.includes(id)) {
      network.crash(id);
    }
  }
}

describe('Raft with changing members under random faults', () => {
  test(`P06, Q06, Q07: a cluster that changes stays safe and settles, ${seeds} seeds`, () => {
    const total: Seen = { committed: 0, configurations: 0, joint: 0, installed: 0, reads: 0 };
    for (let seed = onlySeed || 1; seed <= (onlySeed || seeds); seed++) {
      try {
        const result = runSeed(seed);
        for (const name of Object.keys(total) as (keyof Seen)[]) {
          total[name] += result[name];
        }
      } catch (error) {
        const command = `RAFT_SEED=${seed} npx vitest run test/raft/random-membership.test.ts`;
        throw new Error(`${command}: ${String(error)}`, { cause: error });
      }
    }
    if (onlySeed !== 0) {
      return;
    }
    // A run in which nothing happened would prove nothing.
    expect(total.committed).toBeGreaterThan(seeds * 10);
    expect(total.configurations).toBeGreaterThan(seeds * 2);
    expect(total.joint).toBeGreaterThan(seeds);
    expect(total.installed).toBeGreaterThan(seeds / 2);
    expect(total.reads).toBeGreaterThan(seeds / 2);
  });
});
