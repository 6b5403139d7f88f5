/**
 * Requests that take effect at most once (G4), as a batch of commands goes on.
 *
 * The answer to the first attempt is kept and given to all others. A *session* (Raft thesis §6.3)
 * is a lease; its client numbers its requests and says from which number on it still waits for
 * answers, so that little is kept. An *idempotency key* is chosen by the caller, and its answer
 * kept for a time: the stamps of the cluster's time leave marks between the keys, in the order of
 * the log, and what is older than a mark that is old enough is forgotten.
 *
 * An answer is its user's: another one who asks under the same name is refused. What was answered
 * while nobody had to say who calls is given to whoever may ask for it.
 *
 * Invariant: what was acknowledged or forgotten is never carried out again under the same session;
 * it is refused.
 */
import { type ErrorCode, must } from '../base/index.ts';
import type { AnswerTable } from './answer-table.ts';
import type { CommandResult, LeaseId, OnceCommand, RequestId, SessionRequest } from './command.ts';
import { indexOf, indexTimeKey, indexTimesRange, keyAgeKey, keyedAnswerKey } from './key-layout.ts';
import type { LeaseTable } from './leases.ts';
import type { Reading, StateWrite } from './need.ts';
import { nameBytes } from './named-records.ts';
import { decodeAnswer, encodeAnswer } from './result-codec.ts';
import { SessionAnswers, sessionWindow } from './session-answers.ts';
import { hashToBigint, StateHasher } from './state-hash.ts';
import { TableChanges } from './table-changes.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Limit: answers kept under idempotency keys. */
const keyedAnswersMax = 1_000_000;

/** Whether a request is to be carried out, as far as that is known without reading. */
export type FreshAttempt =
  | { readonly kind: 'first' }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** Whether a request is to be carried out. */
export type Attempt = FreshAttempt | { readonly kind: 'repeated'; readonly result: CommandResult };

const first: FreshAttempt = { kind: 'first' };

/** The answer to a first attempt. */
export interface FirstAnswer {
  /** Whose it is; undefined while nobody is asked who calls. */
  readonly user: string | undefined;
  readonly result: CommandResult;
  /** Of the entry that it came with. */
  readonly index: number;
}

/** Where the changes of answers go. */
export interface AnswersHost {
  /** Takes an engine operation and hashes it. */
  readonly emitHashed: (write: StateWrite) => void;
  /** Takes an engine operation whose meaning has been hashed. */
  readonly emit: (write: StateWrite) => void;
  readonly hasher: StateHasher;
}

/** See the module comment. */
export class Answers {
  readonly #table: AnswerTable;
  readonly #leases: LeaseTable;
  /** Answers under idempotency keys. */
  readonly #records: TableChanges;
  readonly #sessions: SessionAnswers;

  constructor(table: AnswerTable, leases: LeaseTable, host: AnswersHost) {
    this.#table = table;
    this.#leases = leases;
    this.#records = new TableChanges(host.emitHashed);
    this.#sessions = new SessionAnswers(table, host.hasher, host.emit);
  }

  /**
   * Tells whether a request is to be carried out, and takes note of what it acknowledges; undefined
   * when an earlier answer has to be looked for. To ask again changes nothing.
   */
  maybeBegin({ id }: OnceCommand): FreshAttempt | undefined {
    return id.type === 'session' ? this.#maybeBeginNumbered(id) : undefined;
  }

  /** Tells whether a request is to be carried out, and takes note of what it acknowledges. */
  *begin(command: OnceCommand, user: string | undefined): Reading<Attempt> {
    const known = this.maybeBegin(command);
    if (known !== undefined) {
      return known;
    }
    const { id, fingerprint } = command;
    const bytes = yield* this.#earlier(id);
    if (bytes === undefined) {
      const isFull = this.#table.keyed.count >= keyedAnswersMax;
      return isFull ? { kind: 'refused', code: 'TOO_MANY_ANSWERS' } : first;
    }
    const accepted = user === undefined ? [fingerprint] : [ownedBy(user, fingerprint), fingerprint];
    return repeat(bytes, accepted);
  }

  /** Keeps the answer to a first attempt. */
  keep({ id, fingerprint: asked }: OnceCommand, { user, result, index }: FirstAnswer): void {
    const fingerprint = user === undefined ? asked : ownedBy(user, asked);
    const answer = encodeAnswer({ fingerprint, result });
    if (id.type === 'key') {
      this.#records.put(keyedAnswerKey(id.key), answer);
      this.#records.put(keyAgeKey(index), id.key.slice());
      this.#table.keyed = { count: this.#table.keyed.count + 1, hasNew: true };
    } else {
      const session = must(this.#table.session(id.session), 'the session of a request');
      this.#sessions.keep(id.session, session, id.sequence, answer);
    }
  }

  /** Whether a lease is a session: a request has come that is numbered in it. */
  isSession(id: LeaseId): boolean {
    return this.#table.isSession(id);
  }

  /** A lease has ended, and the session that it may be. */
  endSession(id: LeaseId): void {
    this.#sessions.end(id);
  }

  /** The batch is at its end. */
  finish(): void {
    this.#sessions.finish();
  }

  /** It is `timeMs` at the entry at `index`: no key before it is newer. */
  stamp(timeMs: number, index: number): void {
    const { count, hasNew } = this.#table.keyed;
    if (hasNew) {
      const writer = new ByteWriter();
      writer.varint(timeMs);
      this.#records.put(indexTimeKey(index), writer.finish());
      this.#table.keyed = { count, hasNew: false };
    }
  }

  /** Forgets `limit` answers at most under keys that were there at `beforeMs` already. */
  *forget(beforeMs: number, limit: number): Reading<void> {
    for (let left = limit; left > 0; ) {
      const { oldestMs } = this.#table;
      if (this.#table.keyed.count === 0 || (oldestMs !== undefined && oldestMs > beforeMs)) {
        return;
      }
      const [mark] = yield* this.#records.first(indexTimesRange, 1);
      if (mark === undefined) {
        return;
      }
      const reader = new ByteReader(mark.value, 'time of an index');
      const markMs = reader.varint();
      reader.end();
      this.#table.oldestMs = markMs;
      if (markMs <= beforeMs) {
        left -= yield* this.#forgetUpTo(mark.key, left);
      }
    }
  }

  /** Forgets what is older than a mark and, when that was all, the mark; returns the work done. */
  *#forgetUpTo(mark: Uint8Array, limit: number): Reading<number> {
    const range = { gte: keyAgeKey(0), lt: keyAgeKey(indexOf(mark)) };
    const aged = yield* this.#records.first(range, limit);
    for (const { key, value } of aged) {
      this.#records.delete(key);
      this.#records.delete(keyedAnswerKey(value));
    }
    const { count, hasNew } = this.#table.keyed;
    this.#table.keyed = { count: count - aged.length, hasNew };
    if (aged.length < limit) {
      this.#records.delete(mark);
      this.#table.oldestMs = undefined;
    }
    return aged.length + 1;
  }

  /** The answer to an earlier attempt; undefined when there was none. */
  *#earlier(id: RequestId): Reading<Uint8Array | undefined> {
    if (id.type === 'key') {
      const [bytes] = yield* this.#records.get([keyedAnswerKey(id.key)]);
      return bytes;
    }
    const session = must(this.#table.session(id.session), 'the session of a request');
    return yield* this.#sessions.answer(id.session, session, id.sequence);
  }

  /** Moves a session on to what its client waits for; undefined when there is an answer. */
  #maybeBeginNumbered(request: SessionRequest): FreshAttempt | undefined {
    const { session: id, sequence, lowestUnanswered } = request;
    if (!this.#leases.hasLease(id)) {
      return { kind: 'refused', code: 'SESSION_EXPIRED' };
    }
    const session = this.#sessions.session(id);
    this.#sessions.acknowledge(id, session, lowestUnanswered);
    const { floor, answered } = session;
    if (sequence < floor) {
      return { kind: 'refused', code: 'ANSWER_FORGOTTEN' };
    }
    if (sequence >= floor + sessionWindow) {
      return { kind: 'refused', code: 'TOO_MANY_ANSWERS' };
    }
    return answered.has(sequence) ? undefined : first;
  }
}

/** Tells a user's request from the same one of another user. */
function ownedBy(user: string, fingerprint: bigint): bigint {
  const hasher = new StateHasher();
  hasher.bytes(0, nameBytes(user));
  return BigInt.asIntN(64, hashToBigint(hasher.words) ^ fingerprint);
}

function repeat(bytes: Uint8Array, accepted: readonly bigint[]): Attempt {
  const answer = decodeAnswer(bytes);
  if (!accepted.includes(answer.fingerprint)) {
    return { kind: 'refused', code: 'REQUEST_MISMATCH' };
  }
  const { result } = answer;
  if (result === undefined) {
    return { kind: 'refused', code: 'ANSWER_FORGOTTEN' };
  }
  return {
    kind: 'repeated',
    result: result.kind === 'ok' ? { ...result, isRepeated: true } : result,
  };
}
