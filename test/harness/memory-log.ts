/**
 * A log store in memory with the contract of `storage/ports.ts`: what a crash would leave is what
 * has resolved.
 */
import type { Entry, HardState, LogIndex, LogSummary, TermRun } from '../../src/raft/index.ts';
import type { LogAppend, LogStore } from '../../src/storage/index.ts';

/** The part that survives a crash; hand it to the next {@link MemoryLog}. */
export class MemoryDisk {
  entries: Entry[] = [];
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
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
      snapshotIndex: 0,
      snapshotTerm: 0,
      lastIndex: disk.entries.length,
      termRuns,
      confEntries: disk.entries.filter(({ type }) => type === 'confChange'),
    };
  }

  async append(batch: LogAppend): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const first = batch.entries[0];
    if (first !== undefined) {
      if (first.index > this.#disk.entries.length + 1) {
        throw new Error(`an append at ${first.index} leaves a hole`);
      }
      this.#disk.entries.length = first.index - 1;
      this.#disk.entries.push(...batch.entries);
    }
    this.#disk.hardState = batch.hardState ?? this.#disk.hardState;
  }

  async read(lo: LogIndex, hi: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#disk.entries.slice(lo - 1, hi - 1)) {
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
