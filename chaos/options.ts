/** The command line of `npm run chaos`. */
import { parseArgs } from 'node:util';
import { nemeses } from './nemesis/index.ts';
import type { ReadMode } from './topology/cluster.ts';
import { workloads } from './workloads/index.ts';

/** What is to be done. */
export interface Options {
  readonly workload: string;
  readonly nemesis: string;
  readonly seed: number;
  readonly seconds: number;
  readonly size: number;
  readonly directory: string;
  readonly suite: 'quick' | 'full' | undefined;
  /** Keeps the runs of this suite and seed that are in the directory already. */
  readonly resumes: boolean;
  readonly lists: boolean;
  readonly helps: boolean;
  /** Another build of the members; undefined: this project's own. */
  readonly command: string | undefined;
  /** How members confirm reads; undefined: as the nemesis asks for, or in rounds. */
  readonly readMode: ReadMode | undefined;
}

/** What `--help` prints, and what a mistake in the command line is answered with. */
export const usage = `Usage: npm run chaos -- [options]

  --workload W    what the clients do (register); see --list
  --nemesis N     what goes wrong meanwhile (isolate-leader); see --list
  --seed S        decides faults, their order and amounts (by the clock)
  --minutes M     how long faults are made (0.5)
  --members N     size of the cluster (3)
  --suite NAME    quick: 14 runs, minutes; full: every workload under every nemesis, hours
  --resume        goes on with a suite that was stopped: runs that --out holds are kept
  --out DIR       where histories, verdicts and reports go (chaos-results)
  --read-mode R   of the members: read-index or lease (lease under clock-drift, else read-index)
  --command CMD   another build of the members
  --list          all workloads and nemeses, with a sentence each
  --help          this text`;

/** @throws {Error} with what is wrong and what may be given. */
export function parseOptions(args: readonly string[], nowMs: number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: 'string', default: 'register' },
      nemesis: { type: 'string', default: 'isolate-leader' },
      seed: { type: 'string' },
      minutes: { type: 'string', default: '0.5' },
      members: { type: 'string', default: '3' },
      out: { type: 'string', default: 'chaos-results' },
      suite: { type: 'string' },
      resume: { type: 'boolean', default: false },
      command: { type: 'string' },
      'read-mode': { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { workload, nemesis, suite, 'read-mode': readMode } = values;
  if (!(workload in workloads)) {
    throw new Error(`--workload ${workload}: there are ${Object.keys(workloads).join(', ')}`);
  }
  if (!nemeses.has(nemesis)) {
    throw new Error(`--nemesis ${nemesis}: there are ${Array.from(nemeses.keys()).join(', ')}`);
  }
  if (suite !== undefined && suite !== 'quick' && suite !== 'full') {
    throw new Error(`--suite ${suite}: there are quick and full`);
  }
  if (readMode !== undefined && readMode !== 'read-index' && readMode !== 'lease') {
    throw new Error(`--read-mode ${readMode}: there are read-index and lease`);
  }
  if (values.resume && (suite === undefined || values.seed === undefined)) {
    throw new Error('--resume: goes on with a suite; give its --suite, --seed and --out again');
  }
  return {
    workload,
    nemesis,
    seed: numberOf('seed', values.seed ?? String(Math.floor(nowMs % 1_000_000)), 0),
    seconds: 60 * numberOf('minutes', values.minutes, 0.01),
    size: numberOf('members', values.members, 3),
    directory: values.out,
    suite,
    resumes: values.resume,
    lists: values.list,
    helps: values.help,
    command: values.command,
    readMode,
  };
}

function numberOf(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < min) {
    throw new Error(`--${name} ${text}: must be a number from ${min}`);
  }
  return value;
}
