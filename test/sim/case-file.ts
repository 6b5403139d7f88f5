/** A run as a file: what `--shrink` writes, `--case` replays, and `regressions/` keeps. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createCase, type SimCase } from './profiles.ts';

const formatVersion = 1;

interface CaseFile extends SimCase {
  readonly formatVersion: number;
  /** What it showed. */
  readonly found: string;
}

export function writeCase(path: string, simCase: SimCase, found: string): void {
  const file: CaseFile = { formatVersion, found, ...simCase };
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** Parameters that did not exist when the file was written are drawn from its seed. */
export function readCase(path: string): SimCase {
  const file = JSON.parse(readFileSync(path, 'utf8')) as CaseFile;
  if (file.formatVersion !== formatVersion) {
    throw new Error(`${path} has format ${file.formatVersion}, known is ${formatVersion}`);
  }
  const { seed, profile, parameters, faults } = file;
  const drawn = createCase(seed, profile).parameters;
  return { seed, profile, parameters: merge(drawn, parameters), faults };
}

function merge<T extends object>(base: T, over: Partial<T>): T {
  const entries = Object.entries(over).map(([name, value]: [string, unknown]) => {
    const below = (base as Record<string, unknown>)[name];
    const isObject = typeof value === 'object' && value !== null;
    return [name, isObject ? merge(below as object, value) : value];
  });
  return { ...base, ...(Object.fromEntries(entries) as Partial<T>) };
}
