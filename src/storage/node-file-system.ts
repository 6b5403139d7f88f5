/** The file port on Node's `fs`: thin, without state of its own beyond the descriptor. */
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  renameSync,
  rm,
  rmSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileErrorCode, type FileSystem, type StorageFile } from './file-system.ts';

/** The file system of the machine. */
export const nodeFileSystem: FileSystem = {
  open: (path, how) => {
    const create = how === 'create' ? constants.O_CREAT | constants.O_TRUNC : 0;
    return new NodeFile(path, openSync(path, constants.O_RDWR | create, 0o600));
  },
  list: (folder) => {
    try {
      return readdirSync(folder).sort();
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') {
        return [];
      }
      throw error;
    }
  },
  makeFolder,
  rename: renameSync,
  remove: (path) => {
    rmSync(path, { force: true });
  },
  removeFolder: async (folder) =>
    settle((done) => {
      rm(folder, { recursive: true, force: true }, done);
    }),
  syncDirectory: async (folder) => {
    const descriptor = openSync(folder, constants.O_RDONLY);
    try {
      await settle((done) => {
        fsync(descriptor, done);
      });
    } finally {
      closeSync(descriptor);
    }
  },
};

/**
 * Makes a folder, and those above it that are missing. Not by Node's own recursion: where nothing
 * can be made, as below /proc, the kernel says ENOENT although the folder above is there, and then
 * that one tries again for ever, deaf to signals.
 */
function makeFolder(folder: string): void {
  const above = dirname(folder);
  if (!existsSync(above)) {
    makeFolder(above);
  }
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!isFolder(folder)) {
      throw error;
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

class NodeFile implements StorageFile {
  readonly path: string;
  readonly #descriptor: number;
  #isClosed = false;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  writeSync(source: Uint8Array, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      done += writeSync(this.#descriptor, source, done, length - done, position + done);
    }
  }

  async write(source: Uint8Array, length: number, position: number): Promise<void> {
    let done = 0;
    while (done < length) {
      const from = done;
      done += await count((callback) => {
        write(this.#descriptor, source, from, length - from, position + from, callback);
      });
    }
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const from = done;
      const got = await count((callback) => {
        read(this.#descriptor, target, from, target.length - from, position + from, callback);
      });
      if (got === 0) {
        break;
      }
      done += got;
    }
    return done;
  }

  async datasync(): Promise<void> {
    return settle((done) => {
      fdatasync(this.#descriptor, done);
    });
  }

  async sync(): Promise<void> {
    return settle((done) => {
      fsync(this.#descriptor, done);
    });
  }

  sizeBytes(): number {
    return fstatSync(this.#descriptor).size;
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      closeSync(this.#descriptor);
    }
  }
}

async function settle(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) {
        resolve();
      } else {
        reject(error);
      }
    });
  });
}

async function count(
  start: (done: (error: Error | null, bytes: number) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    start((error, bytes) => {
      if (error === null) {
        resolve(bytes);
      } else {
        reject(error);
      }
    });
  });
}
