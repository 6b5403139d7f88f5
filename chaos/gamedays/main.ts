/**
 * `npm run gameday -- NAME`: a game day, led step by step, with a report in the end.
 *
 * The exit code is 0 only if all steps were taken, everything was as expected, and the history of
 * all calls is good; 2 for wrong usage.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderReport } from '../report/report.ts';
import type { RunResult } from '../result.ts';
import { Scenario } from '../scenario.ts';
import { ToxiproxyService } from '../topology/links.ts';
import { checkProject } from '../topology/project.ts';
import { describeBrief, type GameDay } from './gameday.ts';
import { gameDays } from './index.ts';
import { TerminalOperator, yesOperator } from './operator.ts';
import { type GameDayOptions, parseGameDayOptions, toxiproxyUrlFor } from './options.ts';
import { type Operator, type Story, takeNotes, takeSteps } from './runner.ts';
import { Stage } from './stage.ts';
import { verdictOf } from './verdict.ts';

const usageExitCode = 2;

async function main(): Promise<number> {
  let options: GameDayOptions;
  try {
    options = parseGameDayOptions(process.argv.slice(2), Array.from(gameDays.keys()));
  } catch (error) {
    console.error(`gameday: ${(error as Error).message}`);
    return usageExitCode;
  }
  const gameDay = gameDays.get(options.name);
  if (gameDay === undefined) {
    for (const { name, title } of gameDays.values()) {
      console.log(`${name.padEnd(28)}${title}`);
    }
    return 0;
  }
  checkProject();
  if (options.against === 'docker' && gameDay.onlyLocal !== undefined) {
    console.log(`${gameDay.name} is for --against local only: ${gameDay.onlyLocal}`);
    return 1;
  }
  const missing = (gameDay.faults ?? []).flatMap((fault) => fault.missingTools?.() ?? []);
  if (missing.length > 0) {
    console.log(`${gameDay.name} cannot be had here: it needs ${missing.join(', ')}`);
    return 1;
  }
  const operator = options.saysYes
    ? yesOperator((text) => {
        console.log(text);
      })
    : new TerminalOperator(process.stdin, process.stdout);
  try {
    return await lead(gameDay, options, operator);
  } finally {
    if (operator instanceof TerminalOperator) {
      operator.close();
    }
  }
}

async function lead(gameDay: GameDay, options: GameDayOptions, operator: Operator) {
  operator.say(describeBrief(gameDay));
  if (!(await operator.confirms('\nRead it, then start the cluster'))) {
    return 1;
  }
  const directory = join(options.directory, gameDay.name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const isAttached = options.against === 'docker';
  const runningUrl = toxiproxyUrlFor(options.against, process.env['TOXIPROXY_URL']);
  await using toxiproxy = await ToxiproxyService.start(options.seed, runningUrl);
  if (toxiproxy.version !== undefined) {
    operator.say(`Links run through Toxiproxy ${toxiproxy.version} at ${toxiproxy.url}.`);
  }
  const scenario = await Scenario.start({
    workload: gameDay.workload(),
    faults: gameDay.faults ?? [],
    seed: options.seed,
    size: 3,
    directory,
    toxiproxyUrl: toxiproxy.url,
    isAttached,
  });
  let isGood = false;
  try {
    const { isShort } = options;
    const stage = new Stage({ scenario, isShort, directory, toxiproxyUrl: toxiproxy.url });
    operator.say(`\nThe cluster serves. In another terminal:\n${lookingAt(scenario)}`);
    await scenario.work();
    const taken = await takeSteps(gameDay.steps, stage, operator);
    operator.say('\nThe history of all calls is judged now.');
    const { view, verdict } = await stage.finish();
    const story: Story = { ...taken, notes: await takeNotes(gameDay, operator) };
    const overall = verdictOf(story, verdict);
    isGood = overall === 'good';
    const { name, title, brief, workload } = gameDay;
    const result: RunResult = {
      ...{ name, workload: workload().name, nemesis: name, seed: options.seed },
      ...{ seconds: Math.round(stage.nowMs / 1000), directory, verdict },
      replay:
        `npm run gameday -- ${name} --seed ${options.seed}` +
        `${isShort ? ' --short' : ''}${isAttached ? ' --against docker' : ''}`,
    };
    const page = { name, title, verdict: overall, brief, story };
    await writeFile(
      join(directory, 'gameday.json'),
      `${JSON.stringify({ ...page, history: result }, undefined, 2)}\n`,
    );
    const about = { workload: workload().about, nemesis: title };
    await writeFile(join(directory, 'report.html'), renderReport(result, view, about, page));
    for (const { kind, check, message } of verdict.findings.slice(0, 10)) {
      operator.say(`  ${kind} of ${check}: ${message}`);
    }
    operator.say(`\n${name}: ${overall}. The report: ${join(directory, 'report.html')}`);
    return isGood ? 0 : 1;
  } finally {
    await scenario.stop(!isGood);
  }
}

/** How to look at the cluster from outside. */
function lookingAt({ cluster }: Scenario): string {
  const endpoints = cluster.members.map(({ place }) => place.clientAddress).join(',');
  const metrics = cluster.members.map(({ place }) => `http://${place.metricsAddress}/metrics`);
  return (
    `  bin/holdfast status -w table --endpoints ${endpoints}\n` + `  metrics: ${metrics.join(' ')}`
  );
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
