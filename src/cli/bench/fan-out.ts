/**
 * Puts that end when their events have reached every watcher, so that no more is under way than
 * callers have asked for, however many watchers there are; and how long each event took.
 *
 * A put is known again by a number at the beginning of its value. An event that never comes leaves
 * its put unfinished, which the load generator reports.
 */
import { type Callee, type CallResult, grpcOk } from './connection.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { tagPut } from './requests.ts';

interface PutUnderWay {
  readonly startMs: number;
  readonly done: (result: CallResult) => void;
  /** Events still to come. */
  remaining: number;
  /** The put's answer, once it is there. */
  result: CallResult | undefined;
}

/** See the module comment. */
export class FanOut {
  readonly #watchers: number;
  readonly #valueSizeBytes: number;
  readonly #putsByTag = new Map<number, PutUnderWay>();
  #latency = new LatencyHistogram();
  #nextTag = 1;

  /** To so many watchers; values have room for a tag. */
  constructor(watchers: number, valueSizeBytes: number) {
    this.#watchers = watchers;
    this.#valueSizeBytes = valueSizeBytes;
  }

  /** Puts that go to `callee`, and end as the module comment says. */
  over(callee: Callee): Callee {
    return {
      call: (path, frame, done) => {
        this.#put(callee, path, frame, done);
      },
    };
  }

  /** From the sending of puts to their events at one watcher, of all events since the last call. */
  takeLatency(): LatencyHistogram {
    const latency = this.#latency;
    this.#latency = new LatencyHistogram();
    return latency;
  }

  /** Events have reached one watcher. */
  received(tags: readonly number[]): void {
    const nowMs = performance.now();
    for (const tag of tags) {
      const put = this.#putsByTag.get(tag);
      // Of a put that failed, though it happened, nobody waits for the events.
      if (put !== undefined) {
        this.#latency.record(nowMs - put.startMs);
        put.remaining--;
        this.#endIfComplete(tag, put);
      }
    }
  }

  #put(callee: Callee, path: string, frame: Buffer, done: (result: CallResult) => void): void {
    const tag = this.#nextTag;
    this.#nextTag = tag === 0xffff_ffff ? 1 : tag + 1;
    tagPut(frame, this.#valueSizeBytes, tag);
    const put: PutUnderWay = {
      startMs: performance.now(),
      done,
      remaining: this.#watchers,
      result: undefined,
    };
    this.#putsByTag.set(tag, put);
    callee.call(path, frame, (result) => {
      put.result = result;
      if (result.code === grpcOk) {
        this.#endIfComplete(tag, put);
      } else {
        this.#putsByTag.delete(tag);
        done(result);
      }
    });
  }

  #endIfComplete(tag: number, put: PutUnderWay): void {
    if (put.remaining === 0 && put.result !== undefined) {
      this.#putsByTag.delete(tag);
      put.done(put.result);
    }
  }
}
