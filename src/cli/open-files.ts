/** How many files this process may have open; connections are files to the system. */
import { readFileSync } from 'node:fs';

/** Undefined where the system does not say: it does on Linux. */
export function openFilesMax(path = '/proc/self/limits'): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  // Node raises the first of the two limits to the second when it starts.
  const [, limit] = /^Max open files\s+\S+\s+(\d+)/m.exec(text) ?? [];
  return limit === undefined ? undefined : Number(limit);
}
