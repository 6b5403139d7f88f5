/**
 * Random runs: messages lost, repeated and reordered, crashes that lose unsynced writes, restarts,
 * cuts. Safety is checked at every step (`network.ts`), linearizability of read indexes as they
 * come, and at the end, once the faults stop, that the cluster elects a leader, commits, and
 * agrees.
 */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import type { Message } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';

const seeds = Number(process.env['RAFT_SEEDS'] ?? 150);
/** Runs this one alone. */
const onlySeed = Number(process.env['RAFT_SEED'] ?? 0);
const steps = 1500;

function runSeed(seed: number): { committed: number; reads: number; leaders: number } {
  const prng = createPrng(seed);
  const size = [1, 3, 3, 3, 5][prng.nextInt(0, 5)] ?? 3;
  const network = new RaftNetwork(
    size,
    {
      preVote: prng.nextInt(0, 4) > 0,
      checkQuorum: prng.nextInt(0, 4) > 0,
      inflightMessagesMax: [1, 2, 256][prng.nextInt(0, 3)] ?? 1,
      appendBytesMax: [1, 64, 4096][prng.nextInt(0, 3)] ?? 64,
      inflightBytesMax: 4096,
      cacheBytesMax: [0, 500, 1_000_000][prng.nextInt(0, 3)] ?? 0,
      applyingBytesMax: [1, 4096][prng.nextInt(0, 2)] ?? 1,
    },
    seed,
  );
  // Slow messages and quick clocks change leaders often; the other way round logs grow.
  const [delivered = 450, ticked = 200] =
    [
      [450, 200],
      [250, 400],
    ][prng.nextInt(0, 2)] ?? [];
  let cut = 0;
  let reads = 0;
  const terms = new Set<number>();
  const readFloor = new Map<string, number>();
  const isCut = (message: Message): boolean =>
    cut !== 0 && (message.from === cut || message.to === cut);

  for (let step = 0; step < steps; step++) {
    const id = prng.nextInt(1, size + 1);
    const dice = prng.nextInt(0, 1000);
    const { messages } = network;
    if (dice < delivered && messages.length > 0) {
      const at = prng.nextInt(0, 5) === 0 ? prng.nextInt(0, messages.length) : 0;
      const [message] = messages.splice(at, 1);
      const fate = prng.nextInt(0, 20);
      if (message !== undefined && fate > 0 && !isCut(message)) {
        network.deliver(message);
        // A proposal is forwarded at most once (transport contract); all else may come twice.
        if (fate === 1 && message.type !== 'Propose') {
          messages.push(message);
        }
      }
    } else if (dice < 850 - ticked) {
      network.persist(id);
    } else if (dice < 850) {
      network.tick(id);
    } else if (dice < 930) {
      const node = network.node(id);
      if (node.isUp) {
        const data = new Uint8Array(prng.nextInt(1, 40)).fill(step);
        node.raft.propose([data], step);
        network.collect(id);
      }
    } else if (dice < 970) {
      const node = network.node(id);
      if (node.isUp && node.raft.readIndex(step).kind === 'pending') {
        readFloor.set(`${id}/${step}`, network.committed.length);
        network.collect(id);
      }
    } else if (dice < 980) {
      network.crash(id);
    } else if (dice < 993) {
      if (!network.node(id).isUp) {
        network.restart(id, prng.nextInt(0, 2) === 0 ? prng.nextInt(0, 50) : undefined);
      }
    } else if (dice < 995) {
      cut = cut === 0 ? id : 0;
    } else if (dice < 997) {
      // True or not: what the transport says of a peer may cost time, never safety.
      if (network.node(id).isUp) {
        network.raft(id).reportDown(prng.nextInt(1, size + 1));
        network.collect(id);
      }
    } else if (network.node(id).isUp) {
      const other = prng.nextInt(1, size + 1);
      if (prng.nextInt(0, 2) === 0) {
        network.raft(id).transferLeader(other);
      } else {
        network.raft(id).reportDown(other);
      }
      network.collect(id);
    }
    for (const node of network.nodes) {
      terms.add(node.raft.term);
      for (const { context, index } of node.readStates.splice(0)) {
        const floor = readFloor.get(`${node.id}/${context}`);
        reads++;
        expect(index, `read ${context} of node ${node.id}`).toBeGreaterThanOrEqual(floor ?? 0);
      }
    }
  }

  // Liveness: the faults stop; everybody is back.
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
    const { leader } = network;
    if (!isProposed && leader !== 0 && round > 100) {
      isProposed = network.raft(leader).propose([last], 1_000_000).kind === 'appended';
      network.settle();
    }
  }
  const lengths = network.nodes.map((node) => node.applied.length);
  expect(new Set(lengths).size, `all apply the same: ${lengths.join()}`).toBe(1);
  expect(network.committed.some((entry) => entry.data === last)).toBe(true);
  expect(network.nodes.every((node) => !node.raft.hasReady())).toBe(true);
  return { committed: network.committed.length, reads, leaders: terms.size };
}

describe('Raft under random faults', () => {
  test(`P06, Q01, Q03: stays safe and comes back to life, ${seeds} seeds`, () => {
    const total = { committed: 0, reads: 0, leaders: 0 };
    for (let seed = onlySeed || 1; seed <= (onlySeed || seeds); seed++) {
      try {
        const result = runSeed(seed);
        total.committed += result.committed;
        total.reads += result.reads;
        total.leaders += result.leaders;
      } catch (error) {
        const command = `RAFT_SEED=${seed} npx vitest run test/raft/random.test.ts`;
        throw new Error(`${command}: ${String(error)}`, { cause: error });
      }
    }
    if (onlySeed !== 0) {
      return;
    }
    // A run in which nothing happened would prove nothing.
    expect(total.committed).toBeGreaterThan(seeds * 5);
    expect(total.reads).toBeGreaterThan(seeds);
    expect(total.leaders).toBeGreaterThan(seeds * 2);
  });
});
