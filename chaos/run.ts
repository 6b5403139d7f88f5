/**
 * One run: a workload under a nemesis, by a schedule that its seed decides; then the verdict, and
 * what is kept of it.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrng } from '../src/base/index.ts';
import type { HistoryView } from './checkers/history-view.ts';
import type { Fault } from './nemesis/fault.ts';
import type { Nemesis } from './nemesis/index.ts';
import { unmountBelow } from './nemesis/tools.ts';
import { type Progress } from './progress.ts';
import { renderReport } from './report/report.ts';
import { keepResult, nameOfRun, type RunResult } from './result.ts';
import { Scenario } from './scenario.ts';
import { shuffle } from './workloads/random.ts';
import type { ReadMode } from './topology/cluster.ts';
import type { Workload } from './workloads/workload.ts';

/** What a run is made of. */
export interface RunOptions {
  readonly workload: Workload;
  readonly nemesis: Nemesis;
  readonly seed: number;
  /** How long faults come, seconds; start, healing and checks are extra. */
  readonly seconds: number;
  readonly size: number;
  /** A folder of its own is made in here. */
  readonly directory: string;
  readonly toxiproxyUrl: string;
  /** What members run; this project's own when left out. */
  readonly command: string | undefined;
  /** How members confirm reads, instead of what the nemesis asks for. */
  readonly readMode: ReadMode | undefined;
  /** The command that does the same again. */
  readonly replay: string;
  readonly progress: Progress;
}

const calmMs: readonly [number, number] = [1000, 1500];
const holdMsDefault: readonly [number, number] = [3000, 5000];
/** After the last fault clients go on, so that its end can be seen. */
const aftermathMs = 1500;

/** Carries out a run. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const { workload, nemesis, seed, size, toxiproxyUrl, progress } = options;
  const name = nameOfRun(workload.name, nemesis.name, seed);
  const directory = join(options.directory, name);
  await unmountBelow(directory);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  progress.begin(name);
  const faults = nemesis.faults;
  const scenario = await Scenario.start({
    ...{ workload, faults, seed, size, directory, toxiproxyUrl },
    ...{ command: options.command, readMode: options.readMode },
  });
  let isGood = false;
  try {
    await scenario.work();
    const stopWatching = progress.watch(scenario);
    try {
      await trouble(scenario, faults, seed, options.seconds * 1000);
    } finally {
      stopWatching();
    }
    await sleep(aftermathMs);
    await scenario.rest();
    const { view, verdict } = await scenario.verify();
    isGood = verdict.verdict === 'good';
    const { seconds, replay } = options;
    const result: RunResult = {
      name,
      workload: workload.name,
      nemesis: nemesis.name,
      seed,
      seconds,
      replay,
      directory,
      verdict,
    };
    await keep(result, view, options);
    progress.end(result);
    return result;
  } finally {
    await scenario.stop(!isGood);
  }
}

/** Faults, one after the other, with calm between them. */
async function trouble(
  scenario: Scenario,
  faults: readonly Fault[],
  seed: number,
  durationMs: number,
): Promise<void> {
  const prng = createPrng(seed);
  const endMs = scenario.nowMs + durationMs;
  let order: Fault[] = [];
  do {
    await sleep(prng.nextInt(...calmMs));
    order = order.length > 0 ? order : shuffle(prng, faults);
    const fault = order.pop();
    if (fault === undefined) {
      throw new Error('a nemesis must have a fault');
    }
    const running = await scenario.inject(fault);
    await sleep(prng.nextInt(...(fault.holdMs ?? holdMsDefault)));
    await scenario.heal(running);
    await scenario.recover();
  } while (scenario.nowMs < endMs);
}

async function keep(result: RunResult, view: HistoryView, options: RunOptions): Promise<void> {
  const { directory } = result;
  await keepResult(result);
  const page = renderReport(result, view, {
    workload: options.workload.about,
    nemesis: options.nemesis.about,
  });
  await writeFile(join(directory, 'report.html'), page);
}
