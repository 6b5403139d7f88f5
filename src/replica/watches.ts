/**
 * The watches of one member: feeds them from what is applied here, and from history.
 *
 * What is applied is committed, so a watch may stay with any member, whoever leads, and go on with
 * another one at the revision after its last. A snapshot that replaces the state does not end it:
 * it goes on from the history that the snapshot brought.
 */
import { type EventLoop, KvError } from '../base/index.ts';
import { type ApplyOutput, type HistoryEvent, readHistory, WatchHub } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { AuthApi } from './auth-api.ts';
import { PreviousReader } from './previous-reader.ts';
import type { StateLane } from './state-lane.ts';
import type { WatchAllowance, WatchStream } from './watch-api.ts';
import { WatchQueue } from './watch-queue.ts';
import { WatchRoom } from './watch-room.ts';

/** Limit: streams of one member; clients are held to fewer, as flags say. */
const streamsMax = 100_000;
/** Limit: watches of one member; each takes a few hundred bytes. */
const watchesMax = 1_000_000;
/** Limit: bytes of events for all readers, when nobody says. */
export const defaultWatchBytesMax = 256 * 1024 * 1024;
/** What a trip to history should bring, judged by the one before, and its limits in events. */
const historyBytesAim = 512 * 1024;
const historyEventsMin = 16;
const historyEventsMax = 1024;
/** Between notices of progress, for watches that want them and have nothing else to tell. */
const progressMs = 600_000;
/** Before history is read again when it could not be. */
const retryMs = 10;

/** The state that is watched, as it is now. */
export interface WatchedState {
  readonly lane: StateLane;
  readonly machine: { readonly revision: number; readonly compactRevision: number };
  /** See {@link MemberState.read}. */
  read<T>(reading: (state: { readonly lane: StateLane }) => Promise<T>): Promise<T>;
}

/** What watches are made of. */
export interface WatchesOptions {
  readonly state: WatchedState;
  readonly auth: Pick<AuthApi, 'isEnabled' | 'accessOf'>;
  readonly eventLoop: EventLoop;
  readonly metrics: Metrics;
  /** Length of a tick. */
  readonly tickMs: number;
  /** Bytes of events for all readers together. */
  readonly bytesMax: number;
}

/** See the module comment. */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #hub: WatchHub;
  readonly #room: WatchRoom;
  readonly #previous: PreviousReader;
  readonly #streams = new Set<WatchQueue>();
  /** Those that are to tell progress once they are as far. */
  readonly #awaiting = new Set<WatchQueue>();
  #isDue = false;
  #isReading = false;
  #historyEvents = historyEventsMin;
  #ticks = 0;

  constructor(options: WatchesOptions) {
    this.#options = options;
    const { revision, compactRevision } = options.state.machine;
    this.#hub = new WatchHub(revision, compactRevision);
    this.#room = new WatchRoom(options.bytesMax);
    this.#previous = new PreviousReader(async (reading) =>
      options.state.read(async ({ lane }) => lane.read(reading)),
    );
  }

  /** Whether anyone here may wait for an event. */
  get hasStreams(): boolean {
    return this.#streams.size > 0;
  }

  /** @throws {KvError} TOO_MANY_REQUESTS. */
  openStream(allowance?: WatchAllowance): WatchStream {
    if (this.#streams.size >= streamsMax) {
      throw new KvError('TOO_MANY_REQUESTS');
    }
    const stream = new WatchQueue({
      hub: this.#hub,
      auth: this.#options.auth,
      mayAdd: () => this.#hub.watchers < watchesMax,
      allowance,
      share: this.#room.share(),
      complete: async (waiting, bytesMax) => this.#previous.complete(waiting, bytesMax),
      onRoom: () => {
        this.#schedule();
      },
      onProgressDue: () => {
        this.#awaiting.add(stream);
      },
      onClosed: () => {
        this.#streams.delete(stream);
        this.#awaiting.delete(stream);
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** A batch has been applied. */
  applied({ events, revision, compactRevision }: ApplyOutput): void {
    this.#hub.publish(events, revision, compactRevision);
    for (const stream of this.#awaiting) {
      if (stream.maybeTellProgress()) {
        this.#awaiting.delete(stream);
      }
    }
    if (this.#hub.behind > 0) {
      this.#schedule();
    }
  }

  /** The state has been replaced by a newer one. */
  replaced(): void {
    const { revision, compactRevision } = this.#options.state.machine;
    this.#hub.reset(revision, compactRevision);
    this.reauthorise();
    this.#schedule();
  }

  /** Users and roles have changed. To be called before the events that come after that. */
  reauthorise(): void {
    for (const stream of this.#streams) {
      stream.reauthorise();
    }
  }

  tick(): void {
    const { metrics, tickMs } = this.#options;
    metrics.watchStreams.set(this.#streams.size);
    metrics.watches.set(this.#hub.watchers);
    metrics.watchesBehind.set(this.#hub.behind);
    metrics.watchQueueBytes.set(this.#room.bytes);
    metrics.watchQueueBytesMax.set(this.#room.bytesMax);
    if (++this.#ticks % Math.ceil(progressMs / tickMs) === 0) {
      for (const stream of this.#streams) {
        stream.tellProgress();
      }
    }
  }

  /** Ends all streams: their readers are told why. */
  end(error: KvError): void {
    for (const stream of [...this.#streams]) {
      stream.fail(error);
    }
  }

  #schedule(): void {
    if (!this.#isDue) {
      this.#isDue = true;
      this.#options.eventLoop.endOfTurn(() => {
        this.#isDue = false;
        this.#catchUp();
      });
    }
  }

  #catchUp(): void {
    const { isUnfinished, historyFrom } = this.#hub.catchUp();
    if (isUnfinished) {
      this.#schedule();
    }
    if (historyFrom === undefined || this.#isReading) {
      return;
    }
    this.#isReading = true;
    this.#feedHistory(historyFrom).then(
      (isRead) => {
        this.#isReading = false;
        if (isRead) {
          this.#schedule();
        } else {
          this.#scheduleLater();
        }
      },
      (error: unknown) => {
        this.#isReading = false;
        this.#historyFailed(error);
      },
    );
  }

  /** Feeds a piece of history; false when there was none to be read yet. */
  async #feedHistory(from: number): Promise<boolean> {
    const { lane } = this.#options.state;
    lane.wanted();
    const through = lane.readableRevision;
    if (from > through) {
      return false;
    }
    const piece = await lane.read(readHistory(from, through, this.#historyEvents));
    this.#historyEvents = nextLimit(piece.events, this.#historyEvents);
    // Replaced, or compacted meanwhile: what was read may have holes.
    if (this.#options.state.lane === lane && lane.removedRevision <= from) {
      this.#hub.feedHistory(from, piece);
    }
    return true;
  }

  #historyFailed(error: unknown): void {
    const isReplaced = error instanceof KvError && error.code === 'STOPPED';
    if (isReplaced) {
      // By a new state, or the member stops: then its streams have been ended.
      this.#scheduleLater();
    } else {
      this.end(error instanceof KvError ? error : new KvError('STORAGE_FAILED', { cause: error }));
    }
  }

  #scheduleLater(): void {
    this.#options.eventLoop.after(retryMs, () => {
      if (this.#hub.behind > 0) {
        this.#schedule();
      }
    });
  }
}

function nextLimit(events: readonly HistoryEvent[], limit: number): number {
  let bytes = 1;
  for (const event of events) {
    bytes += event.bytes;
  }
  const fitting = Math.floor((historyBytesAim * Math.max(1, events.length)) / bytes);
  return Math.max(historyEventsMin, Math.min(fitting, 4 * limit, historyEventsMax));
}
