/**
 * A file system in memory that knows what a power cut leaves: contents reach the disk sector by
 * sector, surely only with a sync; names surely only with a sync of their folder. Faults come from
 * a hook that sees every operation before it happens.
 */
import type { FileSystem, StorageFile } from '../../src/storage/index.ts';

const sectorBytes = 512;

/** The operations a fault can hit. */
export type FileOperation =
  | 'open'
  | 'write'
  | 'datasync'
  | 'sync'
  | 'rename'
  | 'removeFolder'
  | 'syncDirectory'
  | 'read';

/** Sees an operation before it happens; throws to make it fail. */
export type FaultHook = (operation: FileOperation, path: string) => void;

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** One file: what the process sees, and what is surely on the disk. */
interface Inode {
  cached: Uint8Array;
  durable: Uint8Array;
}

/** Which sectors of unsynced contents survive a power cut. */
export type SectorPolicy = (path: string, sector: number) => boolean;

/** The file system; `crash` gives the one that is found after a power cut. */
export class MemoryFileSystem implements FileSystem {
  readonly #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Called before every operation. */
  onOperation: FaultHook = () => undefined;
  /** When set, reads that begin wait for it: a slow disk. */
  beforeRead: (() => Promise<void>) | undefined;
  /** Files that are open. */
  openCount = 0;

  /**
   * The state after a power cut: unsynced sectors as `survives` says, unsynced names as
   * `namesSurvive`.
   */
  crash(survives: SectorPolicy, namesSurvive: boolean): MemoryFileSystem {
    const after = new MemoryFileSystem();
    for (const [path, inode] of namesSurvive ? this.#names : this.#durableNames) {
      const bytes = inode.durable.slice();
      for (let at = 0; at < bytes.length; at += sectorBytes) {
        if (survives(path, at / sectorBytes)) {
          const end = Math.min(at + sectorBytes, bytes.length, inode.cached.length);
          bytes.set(inode.cached.subarray(at, Math.max(at, end)), at);
        }
      }
      after.setFile(path, bytes);
    }
    return after;
  }

  /** An independent copy in which everything is durable. */
  copy(): MemoryFileSystem {
    return this.crash(() => true, true);
  }

  /** Puts a durable file in place. */
  setFile(path: string, bytes: Uint8Array): void {
    const inode = { cached: bytes.slice(), durable: bytes.slice() };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** The contents the process sees. */
  getFile(path: string): Uint8Array {
    return this.#inode(path).cached.slice();
  }

  open(path: string, how: 'create' | 'existing'): StorageFile {
    this.onOperation('open', path);
    if (how === 'create') {
      this.#names.set(path, { cached: new Uint8Array(0), durable: new Uint8Array(0) });
    }
    return this.#file(path, this.#inode(path));
  }

  list(folder: string): readonly string[] {
    const prefix = `${folder}/`;
    const names = [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }

  makeFolder(): void {
    // Folders are only prefixes of names here.
  }

  rename(from: string, to: string): void {
    this.onOperation('rename', from);
    this.#names.set(to, this.#inode(from));
    this.#names.delete(from);
  }

  remove(path: string): void {
    this.#names.delete(path);
  }

  async removeFolder(folder: string): Promise<void> {
    await Promise.resolve();
    this.onOperation('removeFolder', folder);
    for (const path of [...this.#names.keys()].filter((name) => name.startsWith(`${folder}/`))) {
      this.#names.delete(path);
    }
  }

  async syncDirectory(folder: string): Promise<void> {
    this.onOperation('syncDirectory', folder);
    this.#durableNames = new Map(this.#names);
    return Promise.resolve();
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) {
      throw systemError('ENOENT');
    }
    return inode;
  }

  #file(path: string, inode: Inode): StorageFile {
    const write = (source: Uint8Array, length: number, position: number): void => {
      this.onOperation('write', path);
      if (position + length > inode.cached.length) {
        const longer = new Uint8Array(position + length);
        longer.set(inode.cached);
        inode.cached = longer;
      }
      inode.cached.set(source.subarray(0, length), position);
    };
    let isOpen = true;
    this.openCount++;
    return {
      path,
      writeSync: write,
      write: async (source, length, position) => {
        await Promise.resolve();
        write(source, length, position);
      },
      read: async (target, position) => {
        await (this.beforeRead ?? (async () => Promise.resolve()))();
        if (!isOpen) {
          throw systemError('EBADF');
        }
        this.onOperation('read', path);
        const found = inode.cached.subarray(position, position + target.length);
        target.set(found);
        return found.length;
      },
      datasync: async () => {
        await Promise.resolve();
        this.onOperation('datasync', path);
        // Not the size: what lies beyond the synced one is not on the disk yet.
        inode.durable.set(inode.cached.subarray(0, inode.durable.length));
      },
      sync: async () => {
        await Promise.resolve();
        this.onOperation('sync', path);
        inode.durable = inode.cached.slice();
      },
      sizeBytes: () => inode.cached.length,
      close: () => {
        if (isOpen) {
          isOpen = false;
          this.openCount--;
        }
      },
    };
  }
}
