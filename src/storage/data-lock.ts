/**
 * One process at a time on a data directory, by a lock that the kernel gives back when its holder
 * dies.
 *
 * On Linux the lock is an abstract Unix socket named after the folder's device and inode: binding
 * it is atomic, it leaves no file behind, and `kill -9` frees it. Elsewhere it is a file with the
 * holder's process id, taken over once that process is gone.
 *
 * NB: abstract sockets belong to a network namespace, so two containers that share a volume do not
 * see each other's. RocksDB's own lock (`fcntl` on its LOCK file), which the member takes before it
 * opens its log, stops the second one then.
 */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { KvError } from '../base/index.ts';
import { fileErrorCode } from './file-system.ts';

/** Name of the file that tells who holds the lock (and, outside Linux, is the lock). */
export const lockFileName = 'lock';

/** A held lock; it also ends with the process. */
export interface DataLock {
  release(): Promise<void>;
}

/**
 * Locks `folder`, which exists.
 *
 * @throws {KvError} DATA_DIR_LOCKED — another process (or this one) has it; names the process if
 * known.
 */
export async function lockFolder(
  folder: string,
  platform: NodeJS.Platform = process.platform,
): Promise<DataLock> {
  const file = join(folder, lockFileName);
  if (platform !== 'linux') {
    return lockByFile(folder, file);
  }
  const { dev, ino } = statSync(folder);
  const server = await bind(`\0holdfast-data-${dev}-${ino}`);
  if (server === undefined) {
    throw lockedError(folder, readHolder(file));
  }
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  return { release: async () => closeServer(server) };
}

/** Binds an abstract socket, or returns undefined when another process has it. */
async function bind(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    // Nobody is meant to connect; the name is all that counts.
    const server = createServer((socket) => {
      socket.destroy();
    });
    server.unref();
    server.once('error', (error) => {
      if (fileErrorCode(error) === 'EADDRINUSE') {
        resolve(undefined);
      } else {
        reject(error);
      }
    });
    server.listen({ path }, () => {
      resolve(server);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // An error here means that it is closed already.
    server.close(() => {
      resolve();
    });
  });
}

function lockByFile(folder: string, file: string): DataLock {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const descriptor = openSync(file, 'wx', 0o600);
      writeFileSync(descriptor, `${process.pid}\n`);
      closeSync(descriptor);
      return {
        release: async () => {
          rmSync(file, { force: true });
          return Promise.resolve();
        },
      };
    } catch (error) {
      if (fileErrorCode(error) !== 'EEXIST') {
        throw error;
      }
    }
    const holder = readHolder(file);
    if (holder !== undefined && isAlive(holder)) {
      throw lockedError(folder, holder);
    }
    rmSync(file, { force: true });
  }
  throw lockedError(folder, readHolder(file));
}

function readHolder(file: string): number | undefined {
  try {
    const holder = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isNaN(holder) ? undefined : holder;
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return fileErrorCode(error) !== 'ESRCH';
  }
}

function lockedError(folder: string, holder: number | undefined): KvError {
  const by = holder === undefined ? 'another process' : `process ${holder}`;
  return new KvError('DATA_DIR_LOCKED', {
    message:
      `the data directory ${folder} is in use by ${by}. ` +
      'Stop that process, or give this member a --data-dir of its own.',
    details: { folder, ...(holder === undefined ? {} : { processId: holder }) },
  });
}
