/**
 * Makes Raft's writes durable, one at a time. A full disk is waited out, since nothing is lost by
 * it; any other failure is final: what the member may have promised is no longer known.
 */
import { type EventLoop, KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { StorageWrite } from '../raft/index.ts';
import type { LogStore } from '../storage/index.ts';
import type { EventLogger } from './reporting.ts';
import { delay } from './waiting.ts';

/** What the writer works with. */
export interface LogWriterOptions {
  readonly log: LogStore;
  readonly eventLoop: EventLoop;
  readonly metrics: Metrics;
  readonly logger: EventLogger;
  /** Puts a snapshot in the place of state and log; see `StorageWrite.install`. */
  readonly install: (write: StorageWrite) => Promise<void>;
  /** The write is durable. */
  readonly onDone: (write: StorageWrite) => void;
  /** The disk has no room: another member should lead. */
  readonly onDiskFull: () => void;
  readonly onFatal: (error: unknown) => void;
}

/** Milliseconds between attempts of a write that found the disk full. */
const diskFullRetryMs = 1000;

/** See the module comment. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #writing: Promise<void> | undefined;
  #startMs: number | undefined;
  #isDiskFull = false;
  #isStopped = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  get isDiskFull(): boolean {
    return this.#isDiskFull;
  }

  /** When the write under way has begun; undefined when none is. A snapshot's install is none. */
  get startMs(): number | undefined {
    return this.#startMs;
  }

  /** Begins a write; the last one has ended. */
  write(write: StorageWrite): void {
    this.#writing = this.#write(write).catch(this.#options.onFatal);
  }

  /** Resolves once the write under way has ended; one that waits for room is given up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writing;
  }

  async #write(write: StorageWrite): Promise<void> {
    const { log, metrics, eventLoop, logger, install, onDone, onFatal } = this.#options;
    const { hardState, entries, mustSync } = write;
    const startMs = eventLoop.nowMs();
    this.#startMs = write.install === undefined ? startMs : undefined;
    for (;;) {
      try {
        await (write.install === undefined
          ? log.append({ hardState, entries, mustSync })
          : install(write));
        break;
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'DISK_FULL') {
          onFatal(error);
          return;
        }
        this.#noteDiskFull();
        await delay(eventLoop, diskFullRetryMs);
        if (this.#isStopped) {
          return;
        }
      }
    }
    if (this.#isDiskFull) {
      this.#isDiskFull = false;
      logger.info({ event: 'disk-has-room' });
    }
    if (mustSync) {
      metrics.fsyncSeconds.observe((eventLoop.nowMs() - startMs) / 1000);
    }
    this.#startMs = undefined;
    onDone(write);
  }

  #noteDiskFull(): void {
    if (!this.#isDiskFull) {
      this.#isDiskFull = true;
      this.#options.logger.error({
        event: 'disk-full',
        remedy: 'free space on the disk of the data directory; writes go on by themselves',
      });
      this.#options.onDiskFull();
    }
  }
}
