/** The command line of `npm run chaos`. */
import { parseArgs } from 'node:util';
import { nemeses } from './nemesis/index.ts';
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
  readonly lists: boolean;
  /** Another build of the members; undefined: this project's own. */
  readonly command: string | undefined;
}

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
      command: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const { workload, nemesis, suite } = values;
  if (!(workload in workloads)) {
    throw new Error(`--workload ${workload}: there are ${Object.keys(workloads).join(', ')}`);
  }
  if (!nemeses.has(nemesis)) {
    throw new Error(`--nemesis ${nemesis}: there are ${Array.from(nemeses.keys()).join(', ')}`);
  }
  if (suite !== undefined && suite !== 'quick' && suite !== 'full') {
    throw new Error(`--suite ${suite}: there are quick and full`);
  }
  return {
    workload,
    nemesis,
    seed: numberOf('seed', values.seed ?? String(Math.floor(nowMs % 1_000_000)), 0),
    seconds: 60 * numberOf('minutes', values.minutes, 0.01),
    size: numberOf('members', values.members, 3),
    directory: values.out,
    suite,
    lists: values.list,
    command: values.command,
  };
}

function numberOf(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < min) {
    throw new Error(`--${name} ${text}: must be a number from ${min}`);
  }
  return value;
}
