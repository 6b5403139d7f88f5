/**
 * Keeps the next segment file ready: allocated, filled with zeros and synced, under a `.tmp` name,
 * before the log needs it. Nothing of the log is at stake here, so a full disk is survived and
 * tried again.
 */
import type { FileSystem, StorageFile } from './file-system.ts';
import { zeroFill } from './zero-fill.ts';

/** Suffix of files that are not in use yet; leftovers of an earlier run are removed at open. */
export const unusedSuffix = '.tmp';

/** An allocated, zeroed and synced file that is no segment yet. */
export interface BlankSegment {
  readonly file: StorageFile;
  readonly allocatedBytes: number;
}

/** The failure is kept, not thrown: nobody may be waiting for it. */
type Prepared = { readonly blank: BlankSegment } | { readonly error: unknown };

/** Makes blank segments, one ahead of need. */
export class SegmentSupply {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  readonly #segmentBytes: number;
  #next: Promise<Prepared> | undefined;
  #hasFailed = false;

  constructor(fileSystem: FileSystem, folder: string, segmentBytes: number) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#segmentBytes = segmentBytes;
  }

  /** Starts making the next file unless that is under way, done, or failed before. */
  prepare(): void {
    if (this.#next === undefined && !this.#hasFailed) {
      this.#next = this.#attempt();
    }
  }

  /** A blank file of at least `bytes`; throws the file system's error when it cannot be made. */
  async take(bytes: number): Promise<BlankSegment> {
    if (bytes > this.#segmentBytes) {
      return this.#make('large', bytes);
    }
    const earlier = this.#next;
    this.#next = undefined;
    const prepared = await earlier;
    if (prepared !== undefined && 'blank' in prepared) {
      return prepared.blank;
    }
    // Not begun, or failed when the log did not need it yet: there may be room by now.
    const blank = await this.#make('next', this.#segmentBytes);
    this.#hasFailed = false;
    return blank;
  }

  /** Waits for the work under way and removes what it made. */
  async close(): Promise<void> {
    const prepared = await this.#next;
    this.#next = undefined;
    if (prepared !== undefined && 'blank' in prepared) {
      prepared.blank.file.close();
      this.#fileSystem.remove(prepared.blank.file.path);
    }
  }

  async #attempt(): Promise<Prepared> {
    try {
      return { blank: await this.#make('next', this.#segmentBytes) };
    } catch (error) {
      this.#hasFailed = true;
      return { error };
    }
  }

  async #make(name: string, allocatedBytes: number): Promise<BlankSegment> {
    const path = `${this.#folder}/${name}${unusedSuffix}`;
    const file = this.#fileSystem.open(path, 'create');
    try {
      await zeroFill(file, 0, allocatedBytes);
      return { file, allocatedBytes };
    } catch (error) {
      file.close();
      this.#fileSystem.remove(path);
      throw error;
    }
  }
}
