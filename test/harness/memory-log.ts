/**
 * A log store in memory with the contract of `storage/ports.ts`: what a crash would leave is what
 * has resolved.
 */
import { assert, must } from '../../src/base/index.ts';
import type { Entry, HardState, LogIndex, LogSummary, TermRun } from '../../src/raft/index.ts';
import type { LogAppend, LogPosition, LogStore } from '../../src/storage/index.ts';

/** The part that survives a crash; hand it to the next {@link MemoryLog}. */
export class MemoryDisk {
  /** The entry before the first kept one. */
  start: LogPosition = { index: 0, term: 0 };
  entries: Entry[] = [];
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };

  /** What a crash leaves at this moment. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    copy.start = this.start;
    copy.entries = [...this.entries];
    copy.hardState = this.hardState;
    return copy;
  }
}

/** See the module comment. */
export class MemoryLog implements LogStore {
  readonly initialHardState: HardState;
  readonly initialLog: LogSummary;
  readonly #disk: MemoryDisk;
  /** When set, appends wait for it: a slow disk. */
  gate: Promise<void> | undefined;
  /** When set, the next append fails with it. */
  failure: Error | undefined;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
    this.initialHardState = disk.hardState;
    const termRuns: TermRun[] = [];
    for (const { term, index } of disk.entries) {
      if (termRuns.at(-1)?.term !== term) {
        termRuns.push({ term, firstIndex: index });
      }
    }
    this.initialLog = {
      snapshotIndex: disk.start.index,
      snapshotTerm: disk.start.term,
      lastIndex: disk.start.index + disk.entries.length,
      termRuns,
      confEntries: disk.entries.filter(({ type }) => type === 'confChange'),
    };
  }

  async append(batch: LogAppend): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const disk = this.#disk;
    const first = batch.entries[0];
    if (first !== undefined) {
      assert(first.index > disk.start.index, 'an append never reaches the compacted log');
      const kept = first.index - 1 - disk.start.index;
      assert(kept <= disk.entries.length, () => `an append at ${first.index} leaves a hole`);
      disk.entries.length = kept;
      disk.entries.push(...batch.entries);
    }
    disk.hardState = batch.hardState ?? disk.hardState;
  }

  async compact(index: LogIndex): Promise<void> {
    const disk = this.#disk;
    if (index > disk.start.index) {
      const last = disk.entries[index - 1 - disk.start.index];
      disk.entries.splice(0, index - disk.start.index);
      disk.start = { index, term: must(last, 'compacted entry').term };
    }
    return Promise.resolve();
  }

  async reset(position: LogPosition, hardState: HardState): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) {
      throw this.failure;
    }
    this.#disk.start = position;
    this.#disk.entries = [];
    this.#disk.hardState = hardState;
  }

  async read(lo: LogIndex, hi: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    const { start } = this.#disk;
    assert(lo > start.index, () => `read from ${lo} is not above the snapshot`);
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#disk.entries.slice(lo - 1 - start.index, hi - 1 - start.index)) {
      bytes += entry.data.length;
      if (entries.length > 0 && bytes > bytesMax) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  sizeBytes(): number {
    return this.#disk.entries.reduce((sum, entry) => sum + entry.data.length, 0);
  }

  async close(): Promise<void> {
    await this.gate;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
