/**
 * One client of a workload: a call at a time, each written down.
 *
 * After a call of unknown outcome it goes on as another process, since the old one may still be at
 * it. A client of one member stays with it; a roaming one turns to the next after a failure, so
 * that what one member has told is compared with what the next one tells.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../../src/base/index.ts';
import type { StoreRequest } from '../checkers/store.ts';
import type { CallEnd, MemberConnection } from '../connection.ts';
import type { CallRecord, Recorder, ServiceRequest } from '../history.ts';

/** What a client is made of. */
export interface SessionOptions {
  readonly connections: readonly MemberConnection[];
  readonly recorder: Recorder;
  readonly prng: Prng;
  readonly callTimeoutMs: number;
  readonly isFinal?: boolean;
}

/** Attempts at one request with an idempotency key. */
const attemptsMax = 200;
/** After a failure a client rests, milliseconds: one that is refused at once would only spin. */
const failureRestMs = 30;

/** See the module comment. */
export class Session {
  readonly prng: Prng;
  readonly #options: SessionOptions;
  #process: number;
  #connection = 0;
  #isStopped = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.prng = options.prng;
    this.#process = options.recorder.nextProcess();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Lets the call under way end, and no other attempt begin. */
  stop(): void {
    this.#isStopped = true;
  }

  async call(
    request: StoreRequest | ServiceRequest,
    timeoutMs = this.#options.callTimeoutMs,
  ): Promise<CallRecord> {
    const callMs = this.#options.recorder.nowMs();
    const end = await this.#attempt(request, timeoutMs);
    return this.#write({ ...end, request, callMs, attempts: 1 });
  }

  /** Repeats the request under one idempotency key, at any member, until it is decided. */
  async callOnce(request: StoreRequest, idempotencyKey: string): Promise<CallRecord> {
    const callMs = this.#options.recorder.nowMs();
    let hasUnknown = false;
    for (let attempt = 1; ; attempt++) {
      const end = await this.#attempt(request, this.#options.callTimeoutMs, idempotencyKey);
      hasUnknown ||= end.outcome === 'unknown';
      if (end.outcome === 'ok' || this.#isStopped || attempt === attemptsMax) {
        const outcome = end.outcome !== 'ok' && hasUnknown ? 'unknown' : end.outcome;
        return this.#write({ ...end, outcome, request, callMs, attempts: attempt });
      }
    }
  }

  /** How it ended, and where; after a failure the next attempt is made elsewhere. */
  async #attempt(
    request: StoreRequest | ServiceRequest,
    timeoutMs: number,
    idempotencyKey?: string,
  ): Promise<CallEnd & Pick<CallRecord, 'member'>> {
    const connection = this.#current();
    const end = await connection.call(request, { timeoutMs, idempotencyKey });
    if (end.outcome !== 'ok') {
      this.#turn(end);
      await sleep(failureRestMs);
    }
    return { ...end, member: connection.member };
  }

  #write(call: Omit<CallRecord, 'kind' | 'id' | 'process' | 'returnMs' | 'isFinal'>): CallRecord {
    const { recorder, isFinal } = this.#options;
    const record: CallRecord = {
      kind: 'call',
      id: recorder.nextId(),
      process: this.#process,
      ...call,
      returnMs: recorder.nowMs(),
      ...(isFinal === true ? { isFinal } : {}),
    };
    recorder.add(record);
    if (call.outcome === 'unknown') {
      this.#process = recorder.nextProcess();
    }
    return record;
  }

  #current(): MemberConnection {
    const connection = this.#options.connections[this.#connection];
    if (connection === undefined) {
      throw new Error('a client must have a connection');
    }
    return connection;
  }

  /** A refused condition is no failure; anything else is a reason to ask somebody else. */
  #turn({ error = '' }: CallEnd): void {
    if (!error.startsWith('FAILED_PRECONDITION')) {
      this.#connection = (this.#connection + 1) % this.#options.connections.length;
    }
  }
}
