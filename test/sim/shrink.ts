/**
 * Makes a failing run smaller: fewer faults, members, clients and operations, and less that can go
 * wrong by chance, for as long as it still fails in the same way.
 *
 * A smaller run is another run: most attempts do not fail at all, and that is fine.
 */
import type { Fault } from './faults.ts';
import type { SimParameters } from './parameters.ts';
import type { SimCase } from './profiles.ts';
import { simulate } from './simulation.ts';

/** What came of it. */
export interface Shrunk {
  readonly simCase: SimCase;
  readonly message: string;
  readonly runs: number;
}

/** Limit: runs that shrinking takes. */
const runsMaxDefault = 400;

/** Shrinks a case that fails. */
export function shrink(start: SimCase, runsMax = runsMaxDefault): Shrunk {
  const shrinker = new Shrinker(start, runsMax);
  while (shrinker.pass()) {
    // Each pass begins with a smaller case.
  }
  return shrinker.result;
}

class Shrinker {
  #case: SimCase;
  #message: string;
  readonly #signature: string;
  readonly #runsMax: number;
  #runs = 0;

  constructor(start: SimCase, runsMax: number) {
    this.#case = start;
    this.#runsMax = runsMax;
    this.#message = simulate(start).failure?.message ?? '';
    this.#signature = signatureOf(this.#message);
  }

  get result(): Shrunk {
    return { simCase: this.#case, message: this.#message, runs: this.#runs };
  }

  /** Tries everything once; tells whether anything helped. */
  pass(): boolean {
    const before = this.#case;
    this.#dropFaults();
    for (const change of simplerParameters) {
      this.#try({ ...this.#case, parameters: change(this.#case.parameters) });
    }
    this.#dropMembers();
    return this.#case !== before && this.#runs < this.#runsMax;
  }

  /** Halves, quarters, ... of the faults are left out, down to single ones. */
  #dropFaults(): void {
    for (let size = Math.ceil(this.#case.faults.length / 2); size >= 1; size = size >> 1) {
      for (let at = 0; at < this.#case.faults.length; ) {
        const { faults } = this.#case;
        const fewer = [...faults.slice(0, at), ...faults.slice(at + size)];
        if (!this.#try({ ...this.#case, faults: fewer })) {
          at += size;
        }
      }
    }
  }

  #dropMembers(): void {
    for (let { nodes } = this.#case.parameters; nodes > 1; nodes--) {
      const parameters = { ...this.#case.parameters, nodes: nodes - 1 };
      const faults = this.#case.faults.filter((fault) => namesAtMost(fault, nodes - 1));
      if (!this.#try({ ...this.#case, parameters, faults })) {
        return;
      }
    }
  }

  #try(candidate: SimCase): boolean {
    const isSame = JSON.stringify(candidate) === JSON.stringify(this.#case);
    if (isSame || this.#runs >= this.#runsMax) {
      return false;
    }
    this.#runs++;
    const { failure } = simulate(candidate);
    if (failure === undefined || signatureOf(failure.message) !== this.#signature) {
      return false;
    }
    this.#case = candidate;
    this.#message = failure.message;
    return true;
  }
}

/** The kind of failure: its message up to the particulars. */
function signatureOf(message: string): string {
  const [error = '', what = ''] = message.split(':');
  return error === 'SafetyViolation' ? `${error}:${what}` : `${error}:${what.replace(/\d+/g, '')}`;
}

function namesAtMost(fault: Fault, nodes: number): boolean {
  return !('node' in fault) || fault.node <= nodes;
}

type Simplify = (parameters: SimParameters) => SimParameters;

const network =
  (change: Partial<SimParameters['network']>): Simplify =>
  (it) => ({ ...it, network: { ...it.network, ...change } });
const member =
  (change: Partial<SimParameters['member']>): Simplify =>
  (it) => ({ ...it, member: { ...it.member, ...change } });
const raft =
  (change: Partial<SimParameters['raft']>): Simplify =>
  (it) => ({ ...it, raft: { ...it.raft, ...change } });
const workload =
  (change: (it: SimParameters['workload']) => Partial<SimParameters['workload']>): Simplify =>
  (it) => ({ ...it, workload: { ...it.workload, ...change(it.workload) } });
const without =
  (...kinds: (keyof SimParameters['workload']['mix'])[]): Simplify =>
  (it) => {
    const none = Object.fromEntries(kinds.map((kind) => [kind, 0]));
    return { ...it, workload: { ...it.workload, mix: { ...it.workload.mix, ...none } } };
  };

const simplerParameters: readonly Simplify[] = [
  (it) => ({ ...it, safetyUs: Math.ceil(it.safetyUs / 2) }),
  (it) => ({ ...it, safetyUs: Math.ceil((it.safetyUs * 3) / 4) }),
  network({ loss: 0 }),
  network({ duplicates: 0 }),
  network({ spikes: 0 }),
  network({ isOrdered: true }),
  network({ latencyMaxUs: 500, latencyMinUs: 50 }),
  member({ turnDelayUs: 0 }),
  member({ clockDriftMax: 0 }),
  member({ stateCacheBytesMax: 1_048_576 }),
  member({ proposalsMax: 1_000, readsMax: 1_000, proposalBytesMax: 1_048_576 }),
  member({ logEntriesMax: 1_000_000, logBytesMax: 1e9 }),
  raft({ unappliedBytesMax: 67_108_864 }),
  raft({ unappliedBytesMax: 67_108_864, cacheBytesMax: 16_777_216, applyingBytesMax: 16_777_216 }),
  raft({ appendBytesMax: 1_048_576, inflightBytesMax: 16_777_216, inflightMessagesMax: 256 }),
  raft({ uncommittedBytesMax: 67_108_864, pendingReadsMax: 100_000 }),
  raft({ learnerEntriesPerTick: 1_000, learnerBytesPerTick: 1_048_576 }),
  raft({ leaseMs: 0 }),
  raft({ preVote: true }),
  raft({ checkQuorum: true }),
  raft({ forwardProposals: true }),
  workload(({ operationsMax }) => ({ operationsMax: Math.ceil(operationsMax / 4) })),
  workload(({ operationsMax }) => ({ operationsMax: Math.ceil(operationsMax / 2) })),
  workload(({ clients }) => ({ clients: Math.ceil(clients / 2) })),
  workload(({ clients }) => ({ clients: Math.max(1, clients - 1) })),
  workload(() => ({ keys: 1 })),
  workload(() => ({ valueBytesMax: 1 })),
  without('get', 'range', 'staleRange', 'readTxn'),
  without('delete', 'deleteRange'),
  without('swap', 'multi'),
  without('compact'),
  without('readTxn'),
  without('swap'),
];
