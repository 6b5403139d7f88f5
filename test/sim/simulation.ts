/** One run: a cluster under faults and load, its recovery, and the judgement of its history. */
import type { SimCase } from './profiles.ts';
import { Cluster } from './cluster.ts';
import { type Failure, failureOf } from './failure.ts';
import { strike } from './faults.ts';
import { judgeHistory } from './judge.ts';
import { type Recovery, recover } from './liveness.ts';
import { checkHistory } from './oracle.ts';
import { beginTenants } from './tenants.ts';
import { LineRing, Trace } from './trace.ts';
import { beginAdministrators } from './users.ts';
import { Workload } from './workload.ts';

/** What a run amounts to; equal for equal cases. */
export interface RunResult {
  readonly failure: Failure | undefined;
  /** Virtual time that passed. */
  readonly simulatedUs: number;
  readonly steps: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly reads: number;
  readonly leaders: number;
  readonly restarts: number;
  readonly membershipChanges: number;
  readonly recovery: Recovery | undefined;
  /** Whether the outsider's checker came to a verdict. */
  readonly isDecided: boolean;
}

interface Ending {
  readonly recovery: Recovery;
  readonly isDecided: boolean;
}

/** Runs a case; never throws. */
export function simulate(simCase: SimCase, sink?: (line: string) => void): RunResult {
  const trace = new Trace(sink);
  const cluster = new Cluster(simCase.seed, simCase.parameters, trace);
  const workload = new Workload(simCase.seed, cluster);
  beginTenants(simCase.seed, workload, cluster);
  beginAdministrators(simCase.seed, workload, cluster);
  let failure: Failure | undefined;
  let ending: Ending | undefined;
  try {
    ending = play(simCase, cluster, workload);
  } catch (error) {
    failure = failureOf(error);
    trace.add(cluster.clock.nowUs, `FAILS ${failure.message}`);
  }
  const outcomes = workload.history.map(({ outcome }) => outcome.kind);
  return {
    failure,
    recovery: ending?.recovery,
    isDecided: ending?.isDecided ?? false,
    simulatedUs: cluster.clock.nowUs,
    steps: cluster.clock.steps,
    committed: cluster.ledger.commitIndex,
    acknowledged: outcomes.filter((kind) => kind === 'applied').length,
    unknown: outcomes.filter((kind) => kind === 'unknown').length,
    reads: outcomes.filter((kind) => kind === 'read').length,
    leaders: cluster.invariants.elections.leaders,
    restarts: [...cluster.members.values()].reduce((sum, { runs }) => sum + runs - 1, 0),
    membershipChanges: cluster.admin.done,
  };
}

function play({ parameters, faults }: SimCase, cluster: Cluster, workload: Workload): Ending {
  const { clock, trace } = cluster;
  for (const fault of faults) {
    clock.after(fault.atUs, () => {
      if (trace.isOn) {
        trace.add(clock.nowUs, `fault ${JSON.stringify(fault)}`);
      }
      strike(cluster, fault);
    });
  }
  const settleUs = 20 * parameters.member.tickUs;
  for (let endUs = settleUs; endUs <= parameters.safetyUs; endUs += settleUs) {
    while (clock.step(endUs)) {
      // Safety phase.
    }
    cluster.admin.settle();
  }
  cluster.heal();
  const recovery = recover(cluster, workload);
  cluster.watching.finish(cluster.leader);
  checkHistory(workload.history, cluster.invariants.truth);
  // An outsider who sees only some of what happens at each revision can hardly ever decide.
  const isDecided = parameters.workload.tenants > 0 || judgeHistory(workload.history);
  return { recovery, isDecided };
}

/** The last lines of a run. */
export function lastLines(simCase: SimCase, count: number): readonly string[] {
  const ring = new LineRing(count);
  simulate(simCase, (line) => {
    ring.add(line);
  });
  return ring.lines;
}
