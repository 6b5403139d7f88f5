/** The simulator's command line. */
import { parseArgs } from 'node:util';
import { must } from '../../src/base/index.ts';
import { defaultProfile, profiles } from './profiles.ts';

/** What is to be done. */
export interface SimOptions {
  /** Inclusive. */
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** Fresh seeds until so much real time has passed. */
  readonly minutes: number | undefined;
  readonly profile: string;
  readonly jobs: number | undefined;
  /** A file for the trace of a single run; `-` is the standard output. */
  readonly traceFile: string | undefined;
  readonly caseFile: string | undefined;
  readonly shouldShrink: boolean;
  readonly keepGoing: boolean;
  /** The last lines of a failing run are not shown, which would have it run again. */
  readonly isBrief: boolean;
  readonly isHelp: boolean;
}

/** A call that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const names = [
  ...Object.entries(profiles).map(([name, { says }]) => `  ${name.padEnd(14)}${says}`),
  `  ${defaultProfile.padEnd(14)}one of these for each seed`,
];

export const helpText = `Runs simulated clusters: one seed is one run, the same every time.

npm run sim -- [options]

  --seed N           one run
  --seeds FROM..TO   these runs (default 1..100)
  --minutes M        fresh seeds for so long
  --profile NAME     which faults (default ${defaultProfile}), see below
  --jobs N           runs at a time (default: as many as there are processors)
  --trace FILE       with --seed or --case: everything that happens, a line each; - for the output
  --case FILE        a run as written by --shrink
  --shrink           makes the first failing run smaller, and writes it to sim-case.json
  --keep-going       does not stop at the first failure
  --brief            does not show the last lines of a failing run

Profiles:
${names.join('\n')}

Exit codes: 0 all held, 1 wrong call, 2 a crash, 3 a safety violation, 4 a liveness violation.
`;

export function parseOptions(args: readonly string[]): SimOptions {
  const { values } = parse(args);
  const [first, last] = seedsOf(values.seed, values.seeds);
  const minutes = values.minutes === undefined ? undefined : positive(values.minutes, '--minutes');
  const profile = values.profile ?? defaultProfile;
  if (profile !== defaultProfile && !(profile in profiles)) {
    throw new UsageError(`there is no profile ${profile}: ${Object.keys(profiles).join(', ')}`);
  }
  return {
    firstSeed: first,
    lastSeed: last,
    minutes,
    profile,
    jobs: values.jobs === undefined ? undefined : positive(values.jobs, '--jobs'),
    traceFile: values.trace,
    caseFile: values.case,
    shouldShrink: values.shrink === true,
    keepGoing: values['keep-going'] === true,
    isBrief: values.brief === true,
    isHelp: values.help === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        minutes: { type: 'string' },
        profile: { type: 'string' },
        jobs: { type: 'string' },
        trace: { type: 'string' },
        case: { type: 'string' },
        shrink: { type: 'boolean' },
        'keep-going': { type: 'boolean' },
        brief: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        /** What a failure was found at; only said so that a replay can be compared. */
        commit: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function seedsOf(seed: string | undefined, seeds: string | undefined): readonly [number, number] {
  if (seed !== undefined) {
    const one = positive(seed, '--seed');
    return [one, one];
  }
  const match = /^(\d+)\.\.(\d+)$/.exec(seeds ?? '1..100');
  if (match === null) {
    throw new UsageError(`--seeds wants FROM..TO, not ${seeds ?? ''}`);
  }
  const [, from, to] = match;
  const first = positive(must(from, 'the first seed'), '--seeds');
  const last = positive(must(to, 'the last seed'), '--seeds');
  if (last < first) {
    throw new UsageError(`--seeds wants ascending seeds, not ${seeds ?? ''}`);
  }
  return [first, last];
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > seedMax) {
    throw new UsageError(`${name} wants a whole number from 1 to ${seedMax}, not ${text}`);
  }
  return value;
}

/** So that the streams of a seed are exact integers (`streamOf`). */
const seedMax = 1_000_000_000_000;
