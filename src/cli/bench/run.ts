/**
 * `holdfast bench`: puts load on any endpoint that speaks etcd v3, or, with `--against etcd`, on a
 * Holdfast cluster and an etcd cluster in turn, and says how they did.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitError } from '../exit.ts';
import { print } from '../standard-output.ts';
import { clusterTitle, type RunningCluster, startCluster } from './clusters.ts';
import { describeMachine, type Machine, machineLines } from './machine.ts';
import { fillKeys, measure, type Measurement } from './measure.ts';
import { type BenchCase, type BenchFlags, type BenchPlan, readBenchPlan } from './options.ts';
import {
  type CaseReport,
  caseTitle,
  figuresTable,
  measurementLine,
  measurementText,
  mediansOf,
  ratioOf,
  reportTable,
} from './report.ts';
import { SampleFile } from './sample-file.ts';
import type { Subject } from './stage.ts';

/** As shells count a program that SIGINT ended. */
const exitInterrupted = 130;

/**
 * Measures what the command line asks for.
 *
 * @throws {ExitError} it cannot be measured, or was interrupted
 */
export async function runBench(workload: string | undefined, flags: BenchFlags): Promise<void> {
  const plan = readBenchPlan(workload, flags);
  const samples = plan.samples === undefined ? undefined : new SampleFile(plan.samples);
  try {
    await untilInterrupted(async (signal) => runPlan(plan, { signal, samples }));
  } finally {
    samples?.close();
  }
}

/** What a run has besides its plan. */
interface Running {
  readonly signal: AbortSignal;
  readonly samples: SampleFile | undefined;
}

/** Runs `work` with a signal that Ctrl-C aborts; what it started is its own to stop. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort(new ExitError(exitInterrupted, 'holdfast bench: interrupted'));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    // Whatever a wait that was cut short reports, the reason is the interruption.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
  }
}

async function runPlan(plan: BenchPlan, running: Running): Promise<void> {
  if (plan.endpoints === undefined) {
    await runAgainstEtcd(plan, running);
    return;
  }
  const { endpoints, access } = plan;
  const subject: Subject = { title: 'endpoints', endpoints, access, pids: [] };
  const machine = await describeMachine(undefined);
  await printReports(plan, machine, await runCases(plan, withLibrary(plan, [subject]), running));
}

async function runAgainstEtcd(plan: BenchPlan, running: Running): Promise<void> {
  const parent = resolve(plan.dataRoot ?? tmpdir());
  const dataRoot = await mkdtemp(join(parent, 'holdfast-bench-')).catch((error: unknown) => {
    throw new ExitError(
      2,
      `holdfast bench: --data-root: no folder can be made in ${parent}: ${String(error)}`,
    );
  });
  const clusters: RunningCluster[] = [];
  try {
    const machine = await describeMachine(dataRoot);
    // etcd first: whether it is there at all is known at once.
    for (const kind of ['etcd', 'holdfast'] as const) {
      say(`starting three members of ${clusterTitle(kind)}`);
      const security = plan.startsTls ? 'tls' : 'plain';
      clusters.push(await startCluster({ kind, dataRoot, security }, running.signal));
    }
    const subjects = clusters.map(({ kind, endpoints, access, pids }) => ({
      title: `${clusterTitle(kind)}${plan.startsTls ? ', TLS' : ''}`,
      endpoints,
      access,
      pids,
    }));
    await printReports(plan, machine, await runCases(plan, withLibrary(plan, subjects), running));
  } finally {
    await Promise.all(clusters.map(async (cluster) => cluster.stop()));
    await rm(dataRoot, { recursive: true, force: true });
  }
}

/** If it is to be measured, the library is one more way to the last subject, or the only one. */
function withLibrary({ library }: BenchPlan, subjects: readonly Subject[]): readonly Subject[] {
  const last = subjects.at(-1);
  if (library === 'without' || last === undefined) {
    return subjects;
  }
  const byLibrary = { ...last, title: `${last.title} by its client`, isByLibrary: true };
  return [...(library === 'only' ? subjects.slice(0, -1) : subjects), byLibrary];
}

/** All cases in order; within a case the subjects take turns, round by round. */
async function runCases(
  plan: BenchPlan,
  subjects: readonly Subject[],
  { signal, samples }: Running,
): Promise<readonly CaseReport[]> {
  const onCall =
    samples === undefined
      ? undefined
      : (dueMs: number, latencyMs: number, isOk: boolean): void => {
          samples.add(dueMs, latencyMs, isOk);
        };
  const reports: CaseReport[] = [];
  let isFilled = false;
  for (const benchCase of plan.cases) {
    say(caseTitle(benchCase));
    if (!isFilled && needsKeys(benchCase, plan)) {
      for (const subject of subjects) {
        await fillKeys(subject, benchCase.load, signal);
      }
      isFilled = true;
    }
    const rounds = subjects.map((): Measurement[] => []);
    for (let round = 1; round <= plan.rounds; round++) {
      for (const [i, subject] of subjects.entries()) {
        const measurement = await measure(subject, benchCase, { ...plan, signal, onCall });
        rounds[i]?.push(measurement);
        say(`  ${subject.title}, round ${round}: ${measurementLine(measurement)}`);
      }
    }
    reports.push({
      benchCase,
      subjects: subjects.map(({ title }, i) => ({ title, rounds: rounds[i] ?? [] })),
    });
  }
  return reports;
}

/** In a suite every case finds the same keys; a single run of puts makes its own. */
function needsKeys({ load }: BenchCase, plan: BenchPlan): boolean {
  return plan.isSuite || !['put', 'lease-grant'].includes(load.workload);
}

async function printReports(
  plan: BenchPlan,
  machine: Machine,
  reports: readonly CaseReport[],
): Promise<void> {
  await print(
    plan.output === 'json' ? jsonText(machine, reports) : simpleText(plan, machine, reports),
  );
}

function jsonText(machine: Machine, reports: readonly CaseReport[]): string {
  const cases = reports.map(({ benchCase, subjects }) => ({
    ...benchCase,
    ratio: ratioOf(subjects),
    subjects: subjects.map((each) => ({ ...each, medians: mediansOf(each.rounds) })),
  }));
  return `${JSON.stringify({ machine, cases }, undefined, 2)}\n`;
}

function simpleText(plan: BenchPlan, machine: Machine, reports: readonly CaseReport[]): string {
  const lines = [...machineLines(machine), ''];
  for (const { benchCase, subjects } of plan.isSuite ? [] : reports) {
    lines.push(caseTitle(benchCase));
    for (const { title, rounds } of subjects) {
      for (const [i, round] of rounds.entries()) {
        lines.push(rounds.length === 1 ? title : `${title}, round ${i + 1}`);
        lines.push(measurementText(round));
      }
    }
    lines.push('');
  }
  if (plan.isSuite || plan.rounds > 1 || (reports[0]?.subjects.length ?? 0) > 1) {
    lines.push(reportTable(reports), '');
    lines.push(...figuresTable(reports));
  }
  return lines.join('\n');
}

/** Progress goes beside the output, so that a table or JSON can be piped. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
