/**
 * A file system in memory that knows what a power cut leaves: contents reach the disk sector by
 * sector, surely only with a sync; names, of files and of folders, surely only with a sync of the
 * folder that they are in. Faults come from a hook that sees every operation before it happens.
 *
 * A sync that fails does what Linux does: what it should have written is taken for written from
 * then on. Whoever reads sees it, the next sync succeeds without it, and it is not on the disk.
 */
import { dirname } from 'node:path';
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
  /** Sectors that the next sync writes. */
  readonly dirty: Set<number>;
}

/** Which sectors of unsynced contents survive a power cut. */
export type SectorPolicy = (path: string, sector: number) => boolean;

/** The file system; `crash` gives the one that is found after a power cut. */
export class MemoryFileSystem implements FileSystem {
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  /** Those below the folders of the root, which are there from the start. */
  readonly #folders = new Set<string>();
  readonly #durableFolders = new Set<string>();
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
      if (!namesSurvive && !foldersAbove(path).every((each) => this.#durableFolders.has(each))) {
        continue;
      }
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

  /** What the next process finds after this one was killed at this point. */
  killed(): MemoryFileSystem {
    const after = new MemoryFileSystem();
    const copies = new Map<Inode, Inode>();
    const copyOf = ({ cached, durable, dirty }: Inode): Inode => ({
      cached: cached.slice(),
      durable: durable.slice(),
      dirty: new Set(dirty),
    });
    for (const inode of [...this.#names.values(), ...this.#durableNames.values()]) {
      copies.set(inode, copies.get(inode) ?? copyOf(inode));
    }
    const copyNames = (from: Map<string, Inode>, to: Map<string, Inode>): void => {
      for (const [path, inode] of from) {
        to.set(path, copies.get(inode) ?? inode);
      }
    };
    copyNames(this.#names, after.#names);
    copyNames(this.#durableNames, after.#durableNames);
    for (const folder of this.#folders) {
      after.#folders.add(folder);
    }
    for (const folder of this.#durableFolders) {
      after.#durableFolders.add(folder);
    }
    return after;
  }

  /** Puts a durable file in place. */
  setFile(path: string, bytes: Uint8Array): void {
    const inode = { cached: bytes.slice(), durable: bytes.slice(), dirty: new Set<number>() };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
    for (const folder of foldersAbove(path)) {
      this.#folders.add(folder);
      this.#durableFolders.add(folder);
    }
  }

  /** The contents the process sees. */
  getFile(path: string): Uint8Array {
    return this.#inode(path).cached.slice();
  }

  open(path: string, how: 'create' | 'existing'): StorageFile {
    this.onOperation('open', path);
    if (how === 'create') {
      const none = new Uint8Array(0);
      this.#names.set(path, { cached: none, durable: none.slice(), dirty: new Set() });
      for (const folder of foldersAbove(path)) {
        this.#folders.add(folder);
      }
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

  makeFolder(folder: string): void {
    for (const each of [...foldersAbove(folder), folder]) {
      this.#folders.add(each);
    }
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
    for (const path of [...this.#folders].filter((name) => `${name}/`.startsWith(`${folder}/`))) {
      this.#folders.delete(path);
    }
  }

  async syncDirectory(folder: string): Promise<void> {
    this.onOperation('syncDirectory', folder);
    const isInside = (path: string): boolean => dirname(path) === folder;
    for (const path of [...this.#durableNames.keys()].filter(isInside)) {
      this.#durableNames.delete(path);
    }
    for (const [path, inode] of this.#names) {
      if (isInside(path)) {
        this.#durableNames.set(path, inode);
      }
    }
    for (const path of [...this.#durableFolders].filter(isInside)) {
      this.#durableFolders.delete(path);
    }
    for (const path of [...this.#folders].filter(isInside)) {
      this.#durableFolders.add(path);
    }
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
      for (let at = position - (position % sectorBytes); at < position + length; ) {
        inode.dirty.add(at / sectorBytes);
        at += sectorBytes;
      }
    };
    const sync = (operation: 'datasync' | 'sync', sizeBytes: () => number): void => {
      const dirty = [...inode.dirty];
      try {
        this.onOperation(operation, path);
      } finally {
        inode.dirty.clear();
      }
      const durable = new Uint8Array(sizeBytes());
      durable.set(inode.durable.subarray(0, durable.length));
      for (const sector of dirty) {
        const at = sector * sectorBytes;
        const written = inode.cached.subarray(at, Math.min(at + sectorBytes, durable.length));
        durable.set(written, Math.min(at, durable.length));
      }
      inode.durable = durable;
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
        // Not the size: what lies beyond the synced one is not on the disk yet.
        sync('datasync', () => inode.durable.length);
      },
      sync: async () => {
        await Promise.resolve();
        sync('sync', () => inode.cached.length);
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

/** The folders that a path is in, but for the outermost one. */
function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return dirname(folder).length < 2 ? [] : [folder, ...foldersAbove(folder)];
}
