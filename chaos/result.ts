/** What is kept of a run: written when it is over, and read when a suite goes on. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Verdict } from './checks.ts';

/** In the folder of a run; a run that broke off has none. */
const verdictFile = 'verdict.json';

/** A run that is over. */
export interface RunResult {
  readonly name: string;
  readonly workload: string;
  readonly nemesis: string;
  readonly seed: number;
  readonly seconds: number;
  readonly replay: string;
  readonly directory: string;
  readonly verdict: Verdict;
}

/** The name of a run, and of its folder. */
export function nameOfRun(workload: string, nemesis: string, seed: number): string {
  return `${workload}-${nemesis}-${seed}`;
}

/** Writes a result into the folder of its run. */
export async function keepResult(result: RunResult): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  await writeFile(join(result.directory, verdictFile), text);
}

/** The result in the folder of a run; undefined if it was not made or broke off. */
export async function keptResult(directory: string): Promise<RunResult | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, verdictFile), 'utf8')) as RunResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw new Error(`${join(directory, verdictFile)} cannot be read: remove its folder`, {
      cause: error,
    });
  }
}
