/** What a machine needs to have for some faults. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a command to its end; fails with what it said. */
export const run = promisify(execFile);

/** The commands of these that this machine lacks. */
export function missingCommands(...commands: readonly string[]): readonly string[] {
  return commands.filter((command) => {
    try {
      execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
}

/** "root on Linux" unless that is what this process has. */
export function missingRoot(): readonly string[] {
  return process.platform === 'linux' && process.getuid?.() === 0 ? [] : ['root on Linux'];
}
