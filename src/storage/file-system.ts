/**
 * The few file operations that durability rests on, as a port: `node-file-system.ts` is the real
 * one; tests and the simulation put faults (failing syncs, full disks, torn writes, lost caches) in
 * its place.
 *
 * To ensure correctness:
 * - What was written before a `datasync()` or `sync()` call survives a power cut once it has
 *   resolved.
 * - `datasync` need not cover the file's size; a file that grew needs `sync`.
 * - A create, rename or remove survives a power cut once `syncDirectory` of its folder has
 *   resolved.
 * - Errors carry Node's `code` (`ENOSPC`, `EIO`, …).
 */

/** An open file. */
export interface StorageFile {
  readonly path: string;
  /** Writes the first `length` bytes of `source` at `position`, all of them or throws. */
  writeSync(source: Uint8Array, length: number, position: number): void;
  /** As `writeSync`, off the event loop. */
  write(source: Uint8Array, length: number, position: number): Promise<void>;
  /**
   * Fills `target` from `position` on; returns how many bytes there were before the end of the
   * file.
   */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Makes contents durable; need not cover a changed size. */
  datasync(): Promise<void>;
  /** Makes contents and size durable. */
  sync(): Promise<void>;
  sizeBytes(): number;
  close(): void;
}

/** A folder tree. Paths are absolute or relative to the process, with `/` between parts. */
export interface FileSystem {
  /**
   * Opens for reading and writing: `create` makes an empty file, `existing` fails when there is
   * none.
   */
  open(path: string, how: 'create' | 'existing'): StorageFile;
  /** Names in the folder, sorted; empty when the folder is absent. */
  list(folder: string): readonly string[];
  /** Makes the folder and its parents where absent. */
  makeFolder(folder: string): void;
  rename(from: string, to: string): void;
  /** Removes a file; an absent one is no error. */
  remove(path: string): void;
  /** Removes a folder with all that is in it; an absent one is no error. */
  removeFolder(folder: string): Promise<void>;
  syncDirectory(folder: string): Promise<void>;
}

/** The `code` of a failed file operation, or an empty string. */
export function fileErrorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return '';
}

/** Whether a file operation failed for want of room (a full disk, or a spent quota). */
export function isDiskFull(error: unknown): boolean {
  const code = fileErrorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
