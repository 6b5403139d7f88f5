/**
 * What a run writes down: every call of a client with its outcome, every fault with its time, and
 * what members said of themselves. One line of JSON each, in the order in which they ended.
 *
 * All times are milliseconds of one monotonic clock, counted from the start of the run: a call's
 * before its request is written, a return's after its answer was read.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import type { StoreRequest, StoreResult } from './checkers/store.ts';

/** What a client may ask beyond reading and writing keys. */
export type ServiceRequest =
  | {
      readonly type: 'putWithLease';
      readonly key: string;
      readonly value: string;
      readonly lease: string;
    }
  | { readonly type: 'leaseGrant'; readonly ttlSeconds: number }
  | { readonly type: 'leaseKeepAlive' | 'leaseRevoke' | 'leaseTimeToLive'; readonly lease: string }
  | { readonly type: 'lock'; readonly name: string; readonly lease: string }
  | { readonly type: 'unlock'; readonly key: string }
  | {
      readonly type: 'campaign';
      readonly name: string;
      readonly lease: string;
      readonly value: string;
    }
  | {
      readonly type: 'resign';
      readonly key: string;
      readonly name: string;
      readonly token: number;
    };

/** What it is told. */
export type ServiceResult =
  | { readonly type: 'done' }
  /** `ttlSeconds` is what is left, -1 when there is no such lease. */
  | { readonly type: 'lease'; readonly lease: string; readonly ttlSeconds: number }
  /** The key that is the ownership, and its fencing token. */
  | { readonly type: 'owned'; readonly key: string; readonly token: number };

/** How a call ended: `fail` surely had no effect, `unknown` may have had one, or may still. */
export type CallOutcome = 'ok' | 'fail' | 'unknown';

/** One call of a client. */
export interface CallRecord {
  readonly kind: 'call';
  readonly id: number;
  /** Has one call at a time; after an unknown outcome a client goes on as another process. */
  readonly process: number;
  /** The member whose link was used; the last one when an attempt was repeated elsewhere. */
  readonly member: string;
  readonly callMs: number;
  readonly returnMs: number;
  readonly outcome: CallOutcome;
  readonly request: StoreRequest | ServiceRequest;
  readonly result?: StoreResult | ServiceResult | undefined;
  /** Of the answer's header. */
  readonly revision?: number | undefined;
  readonly term?: number | undefined;
  readonly node?: string | undefined;
  readonly error?: string | undefined;
  /** More than 1 only where an idempotency key made repeating harmless. */
  readonly attempts: number;
  /** Read after everything had healed. */
  readonly isFinal?: boolean | undefined;
}

/** What a member said of itself, or that it said nothing. */
export interface SampleRecord {
  readonly kind: 'sample';
  readonly atMs: number;
  readonly member: string;
  readonly state: 'leader' | 'follower' | 'learner' | 'silent' | 'down';
  readonly node?: string | undefined;
  readonly term?: number | undefined;
  readonly leader?: string | undefined;
  readonly commitIndex?: number | undefined;
  readonly revision?: number | undefined;
}

/** A fault, when it is over. */
export interface FaultRecord {
  readonly kind: 'fault';
  readonly name: string;
  /** In words: which members and links, and how much. */
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly members: readonly string[];
  /** Whether a majority of the members could go on throughout. */
  readonly keepsMajority: boolean;
  /** How it is known to have happened; undefined: it is not. */
  readonly evidence?: string | undefined;
}

/** How fast a member's clocks go from its next start on, beside those of the test. */
export interface ClockRecord {
  readonly kind: 'clock';
  readonly atMs: number;
  readonly member: string;
  readonly rate: number;
}

/** A leadership that a member's own log tells of. */
export interface LeadershipRecord {
  readonly kind: 'leadership';
  readonly member: string;
  readonly term: number;
}

/** A change that a watch told of. */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Empty for a deletion. */
  readonly value: string;
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
}

/** What one watcher got, in the order in which it came. */
export interface WatchRecord {
  readonly kind: 'watch';
  readonly watcher: string;
  readonly member: string;
  /** Where each stream began, and what came on it; a stream that broke is followed by another. */
  readonly streams: readonly WatchStream[];
}

/** One stream of a watcher. */
export interface WatchStream {
  readonly startRevision: number;
  readonly responses: readonly WatchResponseRecord[];
  readonly end: 'broken' | 'compacted' | 'closed';
  readonly compactRevision?: number | undefined;
}

/** One message of a stream; without events it is a progress note. */
export interface WatchResponseRecord {
  readonly atMs: number;
  readonly revision: number;
  readonly events: readonly WatchEvent[];
}

/** The hash of a member's keyspace, after everything had healed. */
export interface HashRecord {
  readonly kind: 'hash';
  readonly member: string;
  readonly revision: number;
  readonly compactRevision: number;
  readonly hash: number;
}

/** A process that ended though nobody had ended it. */
export interface CrashRecord {
  readonly kind: 'crash';
  readonly member: string;
  readonly atMs: number;
  readonly how: string;
}

/** A line of the history. */
export type HistoryLine =
  | CallRecord
  | SampleRecord
  | FaultRecord
  | ClockRecord
  | LeadershipRecord
  | WatchRecord
  | HashRecord
  | CrashRecord;

/** The history of a run, in memory and in a file. */
export class Recorder {
  readonly lines: HistoryLine[] = [];
  readonly #file: WriteStream;
  readonly #startMs = performance.now();
  #nextId = 0;
  #nextProcess = 0;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  nowMs(): number {
    return performance.now() - this.#startMs;
  }

  nextId(): number {
    return this.#nextId++;
  }

  nextProcess(): number {
    return this.#nextProcess++;
  }

  add(line: HistoryLine): void {
    this.lines.push(line);
    this.#file.write(`${JSON.stringify(line)}\n`);
  }

  of<Kind extends HistoryLine['kind']>(kind: Kind): Extract<HistoryLine, { kind: Kind }>[] {
    return this.lines.filter(
      (line): line is Extract<HistoryLine, { kind: Kind }> => line.kind === kind,
    );
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}
