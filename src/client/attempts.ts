/**
 * One call from its beginning to its end, over all its attempts: its deadline, its signal, where it
 * is, what it has seen, and what it may have done.
 *
 * Whatever the call waits for, it stops waiting when its time is up, when it is aborted or when the
 * client is closed.
 */
import { must, type Outcome, type TimerHandle } from '../base/index.ts';
import { onAbort } from './abort-listeners.ts';
import type { Endpoint } from './endpoints.ts';
import {
  abortedError,
  closedError,
  codeOf,
  HoldfastError,
  type HoldfastErrorCode,
  isRepeatableCode,
  outcomeOf,
} from './errors.ts';
import type { CallFailure, Environment } from './ports.ts';

/** What repeating a request does. */
export type Purpose = 'read' | 'idempotent' | 'write';

/** What bounds a call. */
export interface AttemptsSpec {
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly purpose: Purpose;
}

/** See the module comment. */
export class Attempts {
  /** Failed ones. */
  failed = 0;
  endpoint: Endpoint | undefined;
  readonly #spec: AttemptsSpec;
  readonly #environment: Environment;
  readonly #leaveSignal: (() => void) | undefined;
  readonly #deadline: TimerHandle | undefined;
  #doing = 'starting';
  #failure: CallFailure | undefined;
  /** What earlier attempts may have done. */
  #outcome: Outcome = 'rejected';
  /** Of what is waited for now. */
  #stop: (error: HoldfastError) => void = () => undefined;
  #ended: HoldfastError | undefined;

  constructor(spec: AttemptsSpec, environment: Environment) {
    this.#spec = spec;
    this.#environment = environment;
    if (spec.timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#deadline = environment.loop.after(spec.timeoutMs, () => this.#expire());
    }
    const { what, signal } = spec;
    if (signal !== undefined) {
      const abort = (): void => this.#finish(abortedError(what, signal, this.#circumstances()));
      if (signal.aborted) {
        abort();
      }
      this.#leaveSignal = onAbort(signal, abort);
    }
  }

  /** What the last failure said. */
  get problem(): string {
    return this.#failure?.message ?? '';
  }

  /** The call is at `endpoint` now and does this there. */
  enter(endpoint: Endpoint, doing: string): void {
    this.endpoint = endpoint;
    this.#doing = doing;
  }

  noteFailure(endpoint: Endpoint, failure: CallFailure): void {
    this.failed++;
    this.endpoint = endpoint;
    this.#doing = 'between two attempts';
    this.#failure = failure;
    if (this.#spec.purpose !== 'read' && outcomeOf(failure) === 'unknown') {
      this.#outcome = 'unknown';
    }
  }

  /** @throws {HoldfastError} the last failure will not pass, or it is not safe to go on. */
  throwUnlessRepeatable(): void {
    const failure = must(this.#failure, 'a failure');
    const code = codeOf(failure);
    const isSafe = this.#spec.purpose !== 'write' || this.#outcome === 'rejected';
    if (!isSafe || !isRepeatableCode(code)) {
      throw this.#error(code, `${this.#spec.what} failed at ${this.#place()}: ${failure.message}`);
    }
  }

  /** What it ends with when nobody can say who calls: earlier attempts are another matter. */
  refused({ code, message, endpoint, cause }: HoldfastError): HoldfastError {
    return new HoldfastError(code, message, { outcome: this.#outcome, endpoint, cause });
  }

  /** Waits; @throws {HoldfastError} the call's time is up meanwhile, or it is aborted. */
  async pause(pauseMs: number): Promise<void> {
    this.#doing = 'pausing before the next attempt';
    await this.within<undefined>(pauseMs, () => undefined, undefined);
  }

  /** As `work`, unless the call ends before it. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#doing = 'signing in';
    return new Promise<T>((resolve, reject) => {
      work.then(resolve, reject);
      this.#stopBy(reject);
    });
  }

  /**
   * What `start` calls back with, or `otherwise` after `limitMs`; `start` may return what cancels
   * it.
   *
   * @throws {HoldfastError} the call's time is up before, or it is aborted.
   */
  async within<T>(
    limitMs: number,
    start: (done: (value: T) => void) => (() => void) | undefined,
    otherwise: T,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let timer: TimerHandle | undefined;
      const started: { cancel?: (() => void) | undefined } = {};
      const finish = (value: T): void => {
        timer?.cancel();
        resolve(value);
      };
      if (
        !this.#stopBy((error) => {
          timer?.cancel();
          started.cancel?.();
          reject(error);
        })
      ) {
        return;
      }
      if (limitMs !== Number.POSITIVE_INFINITY) {
        timer = this.#environment.loop.after(limitMs, () => {
          started.cancel?.();
          resolve(otherwise);
        });
      }
      started.cancel = start(finish);
    });
  }

  /** @throws {HoldfastError} it has ended, though what was waited for came in the same turn. */
  throwIfEnded(): void {
    if (this.#ended !== undefined) {
      throw this.#ended;
    }
  }

  close(): void {
    this.#finish(closedError(this.#spec.what, this.#circumstances()));
  }

  end(): void {
    this.#deadline?.cancel();
    this.#leaveSignal?.();
  }

  /** Whom to tell when the call ends by itself; false when it has. */
  #stopBy(stop: (error: HoldfastError) => void): boolean {
    if (this.#ended !== undefined) {
      stop(this.#ended);
      return false;
    }
    this.#stop = stop;
    return true;
  }

  #finish(error: HoldfastError): void {
    this.#ended ??= error;
    this.#stop(error);
  }

  #expire(): void {
    const { what, timeoutMs } = this.#spec;
    const before =
      this.#failure === undefined
        ? ''
        : `; attempt ${this.failed} failed: ${this.#failure.message}`;
    this.#finish(
      this.#error(
        'DEADLINE_EXCEEDED',
        `${what} has not succeeded within ${timeoutMs} ms: ${this.#place()}, ${this.#doing}` +
          before,
      ),
    );
  }

  #place(): string {
    return this.endpoint?.address ?? 'no endpoint';
  }

  #error(code: HoldfastErrorCode, message: string): HoldfastError {
    return new HoldfastError(code, message, this.#circumstances());
  }

  #circumstances(): { outcome: Outcome; endpoint: string | undefined; cause: unknown } {
    const isUnderWay = this.#doing === 'waiting for the answer' && this.#spec.purpose !== 'read';
    return {
      outcome: isUnderWay ? 'unknown' : this.#outcome,
      endpoint: this.endpoint?.address,
      cause: this.#failure?.cause,
    };
  }
}
