/**
 * Requests that take effect at most once (G4), as a batch of commands goes on.
 *
 * The answer to the first attempt is kept and given to all others. A *session* (Raft thesis §6.3)
 * is a lease; its client numbers its requests and says from which number on it still waits for
 * answers, so that little is kept. An *idempotency key* is chosen by the caller, and its answer
 * kept for a time: the stamps of the cluster's time leave marks between the keys, in the order of
 * the log, and what is older than a mark that is old enough is forgotten.
 *
 * Invariant: what was acknowledged or forgotten is never carried out again under the same session;
 * it is refused.
 */
import { assert, type ErrorCode, must } from '../base/index.ts';
import { type AnswerTable, encodeSession, type Session } from './answer-table.ts';
import type { CommandResult, LeaseId, OnceCommand, RequestId, SessionRequest } from './command.ts';
import {
  indexOf,
  indexTimeKey,
  indexTimesRange,
  keyAgeKey,
  keyedAnswerKey,
  sessionAnswerKey,
  sessionKey,
} from './key-layout.ts';
import type { LeaseTable } from './leases.ts';
import type { Reading, StateWrite } from './need.ts';
import { decodeAnswer, encodeAnswer } from './result-codec.ts';
import { TableChanges } from './table-changes.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Limit: numbers of a session, from the lowest unanswered one on, that may be under way. */
const sessionWindow = 1024;
/** Limit: answers kept under idempotency keys. */
const keyedAnswersMax = 1_000_000;

/** Whether a request is to be carried out. */
export type Attempt =
  | { readonly kind: 'first' }
  | { readonly kind: 'repeated'; readonly result: CommandResult }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const first: Attempt = { kind: 'first' };

/** See the module comment. */
export class Answers {
  readonly #table: AnswerTable;
  readonly #leases: LeaseTable;
  readonly #records: TableChanges;

  /** `emit` takes the engine operations. */
  constructor(table: AnswerTable, leases: LeaseTable, emit: (write: StateWrite) => void) {
    this.#table = table;
    this.#leases = leases;
    this.#records = new TableChanges(emit);
  }

  /** Tells whether a request is to be carried out, and takes note of what it acknowledges. */
  *begin({ id, fingerprint }: OnceCommand): Reading<Attempt> {
    if (id.type === 'session') {
      const code = this.#enter(id);
      if (code !== undefined) {
        return { kind: 'refused', code };
      }
      const { answered } = must(this.#table.session(id.session), 'a session that was entered');
      if (!answered.has(id.sequence)) {
        return first;
      }
    }
    const [bytes] = yield* this.#records.get([answerKeyOf(id)]);
    if (bytes === undefined) {
      const isFull = this.#table.keyed.count >= keyedAnswersMax;
      return isFull && id.type === 'key' ? { kind: 'refused', code: 'TOO_MANY_ANSWERS' } : first;
    }
    const answer = decodeAnswer(bytes);
    if (answer.fingerprint !== fingerprint) {
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

  /** Keeps the answer to a first attempt, which came with the entry at `index`. */
  keep({ id, fingerprint }: OnceCommand, result: CommandResult, index: number): void {
    this.#records.put(answerKeyOf(id), encodeAnswer({ fingerprint, result }));
    if (id.type === 'key') {
      this.#records.put(keyAgeKey(index), id.key.slice());
      this.#table.keyed = { count: this.#table.keyed.count + 1, hasNew: true };
    } else {
      const { answered } = must(this.#table.session(id.session), 'the session of a request');
      answered.add(id.sequence);
    }
  }

  /** A lease has ended, and the session that it may be. */
  endSession(id: LeaseId): void {
    const session = this.#table.session(id);
    if (session !== undefined) {
      for (const sequence of inOrder(session.answered)) {
        this.#records.delete(sessionAnswerKey(id, sequence));
      }
      this.#records.delete(sessionKey(id));
      this.#table.end(id);
    }
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

  /** Moves a session on to what its client waits for; returns why it may not ask, if so. */
  #enter({ session: id, sequence, lowestUnanswered }: SessionRequest): ErrorCode | undefined {
    if (!this.#leases.hasLease(id)) {
      return 'SESSION_EXPIRED';
    }
    const session = this.#table.session(id) ?? this.#begin(id);
    this.#acknowledge(id, session, lowestUnanswered);
    if (sequence < session.floor) {
      return 'ANSWER_FORGOTTEN';
    }
    return sequence >= session.floor + sessionWindow ? 'TOO_MANY_ANSWERS' : undefined;
  }

  #begin(id: LeaseId): Session {
    const session = this.#table.begin(id);
    this.#records.put(sessionKey(id), encodeSession(session.floor));
    return session;
  }

  #acknowledge(id: LeaseId, session: Session, floor: number): void {
    if (floor <= session.floor) {
      return;
    }
    for (const sequence of inOrder(session.answered)) {
      if (sequence < floor) {
        session.answered.delete(sequence);
        this.#records.delete(sessionAnswerKey(id, sequence));
      }
    }
    assert(session.answered.size < sessionWindow, 'the answers kept for a session are bounded');
    session.floor = floor;
    this.#records.put(sessionKey(id), encodeSession(floor));
  }
}

/** The order in which a set was filled may be another one after a restart. */
function inOrder(sequences: ReadonlySet<number>): readonly number[] {
  return [...sequences].sort((a, b) => a - b);
}

function answerKeyOf(id: RequestId): Uint8Array {
  return id.type === 'key' ? keyedAnswerKey(id.key) : sessionAnswerKey(id.session, id.sequence);
}
