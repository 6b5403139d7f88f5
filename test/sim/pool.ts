/**
 * Runs many seeds, in as many processes as there are processors. A process is given one seed at a
 * time, so that a long run does not hold up short ones.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createCase } from './profiles.ts';
import { type RunResult, simulate } from './simulation.ts';

/** A seed to be run. */
export interface Task {
  readonly seed: number;
  readonly profile: string;
}

/** A run and its result. */
export interface Report extends RunResult, Task {}

/** Makes this process one that waits for tasks, if it was started as such. */
export function maybeServe(args: readonly string[]): boolean {
  if (args[0] !== '--worker' || process.send === undefined) {
    return false;
  }
  process.on('message', (task: Task) => {
    process.send?.(run(task));
  });
  process.on('disconnect', () => {
    process.exit();
  });
  return true;
}

/** Runs tasks until there are none or `onReport` says to stop. */
export async function runTasks(
  tasks: Iterator<Task>,
  jobs: number | undefined,
  onReport: (report: Report) => boolean,
): Promise<void> {
  const count = jobs ?? availableParallelism();
  if (count === 1) {
    for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
      if (!onReport(run(next.value))) {
        return;
      }
    }
    return;
  }
  let isGoing = true;
  const onWorkerReport = (report: Report): boolean => {
    // What comes after the stop is not counted, so that the output does not depend on chance more
    // than it must.
    isGoing &&= onReport(report);
    return isGoing;
  };
  const workers = Array.from({ length: count }, () => startWorker());
  await Promise.all(workers.map(async (worker) => feed(worker, tasks, onWorkerReport)));
}

function run({ seed, profile }: Task): Report {
  return { seed, profile, ...simulate(createCase(seed, profile)) };
}

function startWorker(): ChildProcess {
  return fork(fileURLToPath(new URL('./main.js', import.meta.url)), ['--worker'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function feed(
  worker: ChildProcess,
  tasks: Iterator<Task>,
  onReport: (report: Report) => boolean,
): Promise<void> {
  const ended = once(worker, 'exit');
  const isDead = ended.then(() => undefined);
  for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
    const reported = once(worker, 'message') as Promise<[Report]>;
    worker.send(next.value);
    const answer = await Promise.race([reported, isDead]);
    if (answer === undefined) {
      throw new Error(`the process that ran seed ${next.value.seed} has died`);
    }
    if (!onReport(answer[0])) {
      break;
    }
  }
  worker.disconnect();
  await ended;
}
