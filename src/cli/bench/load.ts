/**
 * The loop: N callers, each with one call under way at a time, until a number of calls or a time is
 * reached.
 *
 * A caller makes its next call in the turn in which the last one ended, as a busy client would; or,
 * with a rate, when the next call is due. Latency counts from then, not from when a caller was free
 * to make the call: who asks at a rate does not wait for the slow (coordinated omission). Nothing
 * is dropped from the count: a failed call is a call, and its latency counts too.
 */
import { ExitError } from '../exit.ts';
import { type Callee, type CallResult, grpcOk } from './connection.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { WorkloadRequest } from './workload.ts';

/** When a run ends: after a number of calls, or after a time (calls under way are waited for). */
export type LoadEnd =
  | { readonly kind: 'total'; readonly total: number }
  | { readonly kind: 'duration'; readonly durationMs: number };

/** A run of load. */
export interface LoadOptions {
  /** Callers are spread over them in turn. */
  readonly callees: readonly Callee[];
  readonly clients: number;
  /** The next request; undefined when there are no more. */
  readonly next: () => WorkloadRequest | undefined;
  readonly end: LoadEnd;
  /** Calls per second of all callers together; as many as they can make when left out. */
  readonly rate?: number | undefined;
  /**
   * Told of each call that has ended, unless the signal cut it off: when it was due
   * (`performance.now`), and how it went.
   */
  readonly onCall?: ((dueMs: number, latencyMs: number, isOk: boolean) => void) | undefined;
  /** Ends the run at once, with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Failed calls of one kind. */
export interface LoadError {
  /** gRPC's name of the status, as `UNAVAILABLE`. */
  readonly code: string;
  readonly text: string;
  readonly count: number;
}

/** What a run came to. */
export interface LoadResult {
  /** Calls that ended, failed ones included. */
  readonly operations: number;
  readonly errors: readonly LoadError[];
  readonly errorCount: number;
  /** From the first call to the end of the last. */
  readonly elapsedMs: number;
  readonly latency: LatencyHistogram;
  /** CPU time of this process during the run, microseconds. */
  readonly cpuMicroseconds: number;
  /** Share of the run in which this process's event loop was busy, 0 to 1. */
  readonly loopUtilization: number;
}

/** A run in which no call ends for so long is given up. */
const stallMaxMs = 30_000;
const stallCheckMs = 1000;
/** Different errors that are told apart; more count under the text of the last. */
const errorKindsMax = 20;

const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/**
 * Runs load until its end.
 *
 * @throws {ExitError} when no call ends for 30 s
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  options.signal.throwIfAborted();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const run = new LoadRun(options);
  await run.finished;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    ...run.result(),
    cpuMicroseconds: cpu.user + cpu.system,
    loopUtilization: performance.eventLoopUtilization(loopBefore).utilization,
  };
}

class LoadRun {
  readonly finished: Promise<void>;
  readonly #options: LoadOptions;
  readonly #latency = new LatencyHistogram();
  readonly #errors = new Map<string, { code: string; text: string; count: number }>();
  readonly #startMs = performance.now();
  #endMs = this.#startMs;
  #issued = 0;
  /** Calls that have been given their time. */
  #slots = 0;
  #errorCount = 0;
  #activeCallers: number;
  #isOver = false;
  #settle: (error?: Error) => void = () => undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#activeCallers = options.clients;
    this.finished = new Promise((resolve, reject) => {
      let endedBefore = -1;
      let lastProgressMs = this.#startMs;
      const watchdog = setInterval(() => {
        const nowMs = performance.now();
        if (this.#latency.count !== endedBefore) {
          endedBefore = this.#latency.count;
          lastProgressMs = nowMs;
        } else if (nowMs - lastProgressMs > stallMaxMs) {
          this.#settle(
            new ExitError(1, `holdfast bench: no call has ended for ${stallMaxMs / 1000} s`),
          );
        }
      }, stallCheckMs);
      const onAbort = (): void => {
        this.#settle(reasonOf(options.signal));
      };
      options.signal.addEventListener('abort', onAbort);
      this.#settle = (error) => {
        this.#isOver = true;
        clearInterval(watchdog);
        options.signal.removeEventListener('abort', onAbort);
        if (error === undefined) {
          resolve();
        } else {
          reject(error);
        }
      };
    });
    for (let caller = 0; caller < options.clients; caller++) {
      this.#issue(options.callees[caller % options.callees.length] as Callee);
    }
  }

  result(): Omit<LoadResult, 'cpuMicroseconds' | 'loopUtilization'> {
    return {
      operations: this.#latency.count,
      errors: [...this.#errors.values()].sort((a, b) => b.count - a.count),
      errorCount: this.#errorCount,
      elapsedMs: this.#endMs - this.#startMs,
      latency: this.#latency,
    };
  }

  /** One caller's next call, or its end. */
  #issue(callee: Callee): void {
    if (this.#isOver) {
      return;
    }
    const nowMs = performance.now();
    const { rate } = this.#options;
    const dueMs = rate === undefined ? nowMs : this.#startMs + (this.#slots++ * 1000) / rate;
    if (dueMs <= nowMs) {
      this.#send(callee, dueMs);
    } else {
      setTimeout(
        () => {
          this.#send(callee, dueMs);
          // Rounded up, since a timer cuts fractions off and would be early; and one more, since it
          // may be early by a rounding of its own.
        },
        Math.ceil(dueMs - nowMs) + 1,
      );
    }
  }

  #send(callee: Callee, dueMs: number): void {
    if (this.#isOver) {
      return;
    }
    const request = this.#isDue(dueMs) ? this.#options.next() : undefined;
    if (request === undefined) {
      this.#activeCallers--;
      if (this.#activeCallers === 0) {
        this.#settle();
      }
      return;
    }
    this.#issued++;
    callee.call(request.path, request.frame, (result) => {
      const endMs = performance.now();
      this.#latency.record(endMs - dueMs);
      this.#endMs = endMs;
      const isOk = result.code === grpcOk && result.bodyBytes > 0;
      if (!isOk) {
        this.#noteError(result);
      }
      if (!this.#isOver) {
        this.#options.onCall?.(dueMs, endMs - dueMs, isOk);
      }
      this.#issue(callee);
    });
  }

  #isDue(nowMs: number): boolean {
    const { end } = this.#options;
    return end.kind === 'total' ? this.#issued < end.total : nowMs - this.#startMs < end.durationMs;
  }

  #noteError({ code, text }: CallResult): void {
    this.#errorCount++;
    const name = code === grpcOk ? 'NO_MESSAGE' : (statusNames[code] ?? `code ${code}`);
    const detail = code === grpcOk ? 'success without an answer' : text;
    const isNew = !this.#errors.has(`${name} ${detail}`);
    const key = isNew && this.#errors.size >= errorKindsMax ? 'more' : `${name} ${detail}`;
    const known = this.#errors.get(key);
    if (known === undefined) {
      this.#errors.set(key, { code: name, text: detail, count: 1 });
    } else {
      known.count++;
    }
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
