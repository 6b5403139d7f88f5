/** Where the project is: the folder that npm runs its scripts in. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The project's root. */
export const projectRoot = process.cwd();

/** The command under test. */
export const holdfastCommand = join(projectRoot, 'bin/holdfast');

/** @throws {Error} started elsewhere, or not built. */
export function checkProject(): void {
  for (const path of [holdfastCommand, join(projectRoot, 'dist/cli/main.js')]) {
    if (!existsSync(path)) {
      throw new Error(`${path} is missing: run "npm ci", and start this by "npm run chaos"`);
    }
  }
}
