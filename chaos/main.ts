/**
 * Chaos: real members under faults, with clients whose histories are checked.
 *
 * `npm run chaos -- --workload bank --nemesis isolate-leader --seed 7 --minutes 1`, or
 * `npm run chaos -- --suite quick`. `TOXIPROXY_URL` selects a running Toxiproxy. The exit code is 0
 * only if every check of every run held, and nothing that was asked for was left out.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nemeses } from './nemesis/index.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { Progress } from './progress.ts';
import { keptResult, nameOfRun, type RunResult } from './result.ts';
import { runChaos } from './run.ts';
import { type Pair, pairsOf, type Totals, totalsOf } from './suite.ts';
import { ToxiproxyService } from './topology/links.ts';
import { checkProject } from './topology/project.ts';
import { workloads } from './workloads/index.ts';

/**
 * From the seed of a run of a suite that could not be decided, for want of calls or of evidence of
 * its fault, to that of its one repetition. A run that found a violation is never repeated.
 */
const undecidedSeedStep = 1000;

/** As `EX_USAGE` of sysexits.h. */
const usageExitCode = 64;

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2), Date.now());
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return usageExitCode;
  }
  if (options.helps) {
    console.log(usage);
    return 0;
  }
  if (options.lists) {
    list();
    return 0;
  }
  checkProject();
  await using toxiproxy = await ToxiproxyService.start(
    options.seed,
    process.env['TOXIPROXY_URL'] ?? '',
  );
  if (toxiproxy.version !== undefined) {
    console.log(`links run through Toxiproxy ${toxiproxy.version} at ${toxiproxy.url}`);
  }
  const pairs: readonly Pair[] = options.suite === undefined ? [options] : pairsOf(options.suite);
  const startMs = performance.now();
  const results: RunResult[] = [];
  const leftOut: string[] = [];
  for (const [i, pair] of pairs.entries()) {
    const missing = missingFor(pair);
    if (missing.length > 0) {
      console.log(`NOT TESTED HERE: ${pair.nemesis} needs ${missing.join(', ')}`);
      leftOut.push(`${pair.workload} x ${pair.nemesis}`);
      continue;
    }
    try {
      results.push(await settle(pair, options.seed + i, options, toxiproxy.url));
    } catch (error) {
      console.log(`${pair.workload} x ${pair.nemesis} broke off: ${String(error)}`);
      leftOut.push(`${pair.workload} x ${pair.nemesis}`);
    }
  }
  const bad = results.filter(({ verdict }) => verdict.verdict !== 'good');
  const summary = { passed: results.length - bad.length, failed: bad.length + leftOut.length };
  await mkdir(options.directory, { recursive: true });
  const totals = totalsOf(results);
  await writeFile(
    join(options.directory, 'summary.json'),
    `${JSON.stringify({ ...summary, totals, leftOut, results }, undefined, 2)}\n`,
  );
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(describeTotals(totals));
  for (const { name, verdict, replay } of bad) {
    console.log(`${verdict.verdict}: ${name}; again: ${replay}`);
  }
  console.log(
    `${summary.passed} of ${pairs.length} runs good in ${seconds} s` +
      (leftOut.length > 0 ? `; NOT TESTED: ${leftOut.join(', ')}` : ''),
  );
  return summary.failed === 0 ? 0 : 1;
}

/** Runs a pair; in a suite once more, if that could not be decided. */
async function settle(
  pair: Pair,
  seed: number,
  options: Options,
  toxiproxyUrl: string,
): Promise<RunResult> {
  const result = await earlierOrNew(pair, seed, options, toxiproxyUrl);
  if (options.suite === undefined || result.verdict.verdict !== 'undecided') {
    return result;
  }
  console.log(`${result.name} could not be decided; once more, with another seed`);
  return earlierOrNew(pair, seed + undecidedSeedStep, options, toxiproxyUrl);
}

async function earlierOrNew(
  pair: Pair,
  seed: number,
  options: Options,
  toxiproxyUrl: string,
): Promise<RunResult> {
  const directory = join(options.directory, nameOfRun(pair.workload, pair.nemesis, seed));
  const earlier = options.resumes ? await keptResult(directory) : undefined;
  return earlier ?? runPair(pair, seed, options, toxiproxyUrl);
}

async function runPair(
  { workload, nemesis: nemesisName, seconds }: Pair,
  seed: number,
  { size, directory, command, readMode }: Options,
  toxiproxyUrl: string,
): Promise<RunResult> {
  const createWorkload = workloads[workload];
  const nemesis = nemeses.get(nemesisName);
  if (createWorkload === undefined || nemesis === undefined) {
    throw new Error(`there is no ${workload} x ${nemesisName}`);
  }
  const minutes = Number((seconds / 60).toFixed(3));
  return runChaos({
    workload: createWorkload(),
    nemesis,
    seed,
    seconds,
    size,
    directory,
    toxiproxyUrl,
    command,
    readMode,
    replay:
      `npm run chaos -- --workload ${workload} --nemesis ${nemesisName} --seed ${seed} ` +
      `--minutes ${minutes} --members ${size}` +
      (command === undefined ? '' : ` --command ${command}`) +
      (readMode === undefined ? '' : ` --read-mode ${readMode}`),
    progress: new Progress((line) => {
      console.log(line);
    }),
  });
}

function describeTotals(totals: Totals): string {
  const { calls, unknown, faults, leaderChanges, longestGapMs, longestGapRun } = totals;
  return (
    `${calls} calls, ${unknown} of unknown outcome; ${faults} faults, ` +
    `${leaderChanges} changes of the leader; longest time without a write ` +
    `${Math.round(longestGapMs)} ms (${longestGapRun}); all served at most ` +
    `${Math.round(totals.healingMs)} ms after healing`
  );
}

function missingFor({ nemesis }: Pair): readonly string[] {
  return (nemeses.get(nemesis)?.faults ?? []).flatMap((fault) => fault.missingTools?.() ?? []);
}

function list(): void {
  console.log('workloads:');
  for (const create of Object.values(workloads)) {
    const { name, about } = create();
    console.log(`  ${name.padEnd(18)} ${about}`);
  }
  console.log('nemeses:');
  for (const { name, about } of nemeses.values()) {
    console.log(`  ${name.padEnd(18)} ${about}`);
  }
}

// Members are ended with this process, also when it is told to end, or its terminal is closed.
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
process.exitCode = await main();
