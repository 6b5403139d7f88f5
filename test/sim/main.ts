/** The simulator: `npm run sim -- --help`. */
import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { readCase, writeCase } from './case-file.ts';
import { exitCodeByKind, type Failure } from './failure.ts';
import { helpText, parseOptions, type SimOptions, UsageError } from './options.ts';
import { maybeServe, type Report, runTasks, type Task } from './pool.ts';
import { createCase, type SimCase } from './profiles.ts';
import { shrink } from './shrink.ts';
import { lastLines, type RunResult, simulate } from './simulation.ts';

const shownLines = 50;
const shrunkFile = 'sim-case.json';
/** Real milliseconds between two words on how far it is. */
const progressMs = 10_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What many runs add up to. */
class Totals {
  readonly #startMs = performance.now();
  #runs = 0;
  #simulatedUs = 0;
  #steps = 0;
  #committed = 0;
  #reads = 0;
  #unknown = 0;
  #leaders = 0;
  #restarts = 0;
  #changes = 0;
  #undecided = 0;
  #longestElectionUs = 0;
  #longestElectionSeed = 0;

  add(seed: number, result: RunResult): void {
    this.#runs++;
    this.#simulatedUs += result.simulatedUs;
    this.#steps += result.steps;
    this.#committed += result.committed;
    this.#reads += result.reads;
    this.#unknown += result.unknown;
    this.#leaders += result.leaders;
    this.#restarts += result.restarts;
    this.#changes += result.membershipChanges;
    this.#undecided += result.isDecided || result.failure !== undefined ? 0 : 1;
    const electionUs = result.recovery?.electedUs ?? 0;
    if (electionUs > this.#longestElectionUs) {
      this.#longestElectionUs = electionUs;
      this.#longestElectionSeed = seed;
    }
  }

  get text(): string {
    const seconds = (performance.now() - this.#startMs) / 1000;
    const hours = this.#simulatedUs / 3.6e9;
    const perMinute = (hours / (seconds / 60)).toFixed(1);
    const stepsPerSecond = Math.round(this.#steps / seconds);
    return (
      `${this.#runs} runs, ${hours.toFixed(2)} cluster-hours in ${seconds.toFixed(0)} s: ` +
      `${perMinute} simulated hours a minute, ${stepsPerSecond} steps a second`
    );
  }

  get details(): string {
    return (
      `${this.#committed} entries committed, ${this.#reads} reads, ${this.#unknown} calls of ` +
      `unknown outcome, ${this.#leaders} leaders, ${this.#restarts} restarts, ` +
      `${this.#changes} changes of membership, ${this.#undecided} histories undecided; ` +
      `longest election ${(this.#longestElectionUs / 1e6).toFixed(1)} s, of seed ` +
      `${this.#longestElectionSeed}`
    );
  }
}

function commitOf(): string {
  const options: ExecFileSyncOptionsWithStringEncoding = {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  };
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).trim();
  } catch {
    return 'unknown';
  }
}

function tellFailure(
  { isBrief }: SimOptions,
  { simCase, failure, replay }: { simCase: SimCase; failure: Failure; replay: string },
): void {
  say(`\nFAILED (${failure.kind}): ${failure.message}`);
  if (failure.kind === 'crash') {
    say(failure.stack);
  }
  if (!isBrief) {
    say(`the last ${shownLines} lines:`);
    for (const line of lastLines(simCase, shownLines)) {
      say(`  ${line}`);
    }
  }
  say(`replay: npm run sim -- ${replay} --commit ${commitOf()}`);
}

function maybeShrink(options: SimOptions, simCase: SimCase): void {
  if (options.shouldShrink) {
    const { simCase: smaller, message, runs } = shrink(simCase);
    writeCase(shrunkFile, smaller, message);
    const { nodes, workload } = smaller.parameters;
    say(
      `shrunk in ${runs} runs to ${nodes} members, ${smaller.faults.length} faults, ` +
        `${workload.clients} clients: ${message}`,
    );
    say(`replay: npm run sim -- --case ${shrunkFile} --commit ${commitOf()}`);
  }
}

/** One run, with its trace if wanted. */
function runOne(options: SimOptions, simCase: SimCase, replay: string): number {
  const totals = new Totals();
  const { traceFile } = options;
  const file = traceFile === undefined || traceFile === '-' ? 1 : openSync(traceFile, 'w');
  const sink = (line: string): void => {
    writeSync(file, `${line}\n`);
  };
  const result = simulate(simCase, traceFile === undefined ? undefined : sink);
  if (file !== 1) {
    closeSync(file);
  }
  totals.add(simCase.seed, result);
  if (traceFile !== '-') {
    const { nodes } = simCase.parameters;
    say(
      `seed ${simCase.seed}, ${simCase.profile}: ${nodes} members, ${simCase.faults.length} faults`,
    );
    say(totals.text);
    say(totals.details);
  }
  if (result.failure === undefined) {
    return 0;
  }
  tellFailure(options, { simCase, failure: result.failure, replay });
  maybeShrink(options, simCase);
  return exitCodeByKind[result.failure.kind];
}

function* tasksOf(options: SimOptions): Generator<Task, void> {
  const { firstSeed, lastSeed, minutes, profile } = options;
  if (minutes === undefined) {
    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      yield { seed, profile };
    }
    return;
  }
  const endMs = performance.now() + minutes * 60_000;
  for (let seed = freshSeed(); performance.now() < endMs; seed++) {
    yield { seed, profile };
  }
}

/** One that was not run before: thousands of seeds for each second. */
function freshSeed(): number {
  return Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 1000) * 1000 + 1;
}

async function runMany(options: SimOptions): Promise<number> {
  const totals = new Totals();
  const failures: Report[] = [];
  let toldMs = performance.now();
  await runTasks(tasksOf(options), options.jobs, (report) => {
    totals.add(report.seed, report);
    if (report.failure !== undefined) {
      failures.push(report);
      say(`seed ${report.seed} fails (${report.failure.kind}): ${report.failure.message}`);
    }
    if (performance.now() - toldMs > progressMs) {
      toldMs = performance.now();
      say(totals.text);
    }
    return failures.length === 0 || options.keepGoing;
  });
  const [first] = failures;
  say(`${failures.length} of ${totals.text}`.replace(' of ', ' failures in '));
  say(totals.details);
  if (first?.failure === undefined) {
    return 0;
  }
  const simCase = createCase(first.seed, first.profile);
  const replay = `--seed ${first.seed} --profile ${first.profile}`;
  tellFailure(options, { simCase, failure: first.failure, replay });
  maybeShrink(options, simCase);
  return exitCodeByKind[first.failure.kind];
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.isHelp) {
    say(helpText);
    return 0;
  }
  if (options.caseFile !== undefined) {
    return runOne(options, readCase(options.caseFile), `--case ${options.caseFile}`);
  }
  if (options.firstSeed === options.lastSeed && options.minutes === undefined) {
    const { firstSeed, profile } = options;
    const replay = `--seed ${firstSeed} --profile ${profile}`;
    return runOne(options, createCase(firstSeed, profile), replay);
  }
  return runMany(options);
}

const args = process.argv.slice(2);
if (!maybeServe(args)) {
  try {
    process.exitCode = await main(args);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\nSee --help.\n`);
    process.exitCode = 1;
  }
}
