/** What a machine needs to have for some faults. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
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

/** What bends the clocks of a process; Debian keeps it below the folder of its architecture. */
export const faketimeLibrary: string | undefined = findFaketime('/usr/lib');

function findFaketime(root: string): string | undefined {
  const folders = existsSync(root) ? readdirSync(root) : [];
  return folders
    .map((name) => join(root, name, 'faketime/libfaketime.so.1'))
    .find((path) => existsSync(path));
}

/** Names it unless it is there. */
export function missingFaketime(): readonly string[] {
  return faketimeLibrary === undefined ? ['libfaketime (apt-get install faketime)'] : [];
}

/** What libfaketime keeps for a process, in shared memory. */
const faketimeTrace = /^(?:faketime_shm|sem\.faketime_sem)_(?<pid>\d+)$/;

/**
 * Removes what libfaketime has left of killed processes: a process that gets such a number again
 * could not start.
 */
export async function clearFaketime(
  folder = '/dev/shm',
  isRunning = (pid: string) => existsSync(`/proc/${pid}`),
): Promise<void> {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const pid = faketimeTrace.exec(name)?.groups?.['pid'];
    const path = join(folder, name);
    if (pid !== undefined && !isRunning(pid) && statSync(path).uid === process.getuid?.()) {
      await rm(path, { force: true });
    }
  }
}

/** Where Linux lists what is mounted; other systems have none of the faults that mount. */
const mountsFile = '/proc/mounts';

/** The mount points below a folder in a table of mounts, those within others first. */
export function mountsBelow(folder: string, table: string): readonly string[] {
  return table
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(resolve(folder) + sep))
    .toReversed();
}

/** Unmounts what an earlier run that was broken off has left mounted below a folder. */
export async function unmountBelow(folder: string): Promise<void> {
  const table = existsSync(mountsFile) ? await readFile(mountsFile, 'utf8') : '';
  for (const point of mountsBelow(folder, table)) {
    await run('umount', [point]);
  }
}

/** "root on Linux" unless that is what this process has. */
export function missingRoot(): readonly string[] {
  return process.platform === 'linux' && process.getuid?.() === 0 ? [] : ['root on Linux'];
}
