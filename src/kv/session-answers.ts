/**
 * The answers of sessions (Raft thesis §6.3), as a batch of commands goes on.
 *
 * What a batch answers in one session is stored as one record, a *run*, at the batch's end, which
 * also tells how far the session is: a client that keeps many requests under way costs the engine
 * a write and a deletion for all of them, not for each. A run goes when all its answers have been
 * acknowledged; how far the session is then stands in a newer run, or in the session's own record.
 *
 * Where runs begin and end depends on how entries were cut into batches, which differs from member
 * to member; so what is hashed is each answer and each acknowledgement, not the records.
 */
import { assert, must } from '../base/index.ts';
import {
  type AnswerRun,
  type AnswerTable,
  encodeRun,
  encodeSession,
  runAnswer,
  type Session,
} from './answer-table.ts';
import type { LeaseId } from './command.ts';
import { sessionAnswerKey, sessionKey } from './key-layout.ts';
import { expectGet, type Reading, type StateWrite } from './need.ts';
import type { StateHasher } from './state-hash.ts';

/** Limit: numbers of a session, from the lowest unanswered one on, that may be under way. */
export const sessionWindow = 1024;
/** Limit: bytes of a run from which on the next answer begins another one. */
const runBytesMax = 65_536;

// Kinds of what is hashed; others are those of `apply-batch.ts`.
const hashedAnswer = 7;
const hashedFloor = 8;
const hashedEnd = 9;

/** A run that is not stored yet, with the answers in it. */
interface NewRun {
  readonly run: AnswerRun;
  readonly answers: Map<number, Uint8Array>;
  bytes: number;
}

/** See the module comment. */
export class SessionAnswers {
  readonly #table: AnswerTable;
  readonly #hasher: StateHasher;
  readonly #emit: (write: StateWrite) => void;
  /** Sessions whose record is to be stored. */
  readonly #begun = new Set<LeaseId>();
  /** Sessions that have moved on, which either a run or their record is to tell. */
  readonly #moved = new Set<LeaseId>();
  /** Of each session that was answered, its runs that are not stored yet; the last is open. */
  readonly #newRuns = new Map<LeaseId, NewRun[]>();

  /** `emit` takes the engine operations, and hashes none of them. */
  constructor(table: AnswerTable, hasher: StateHasher, emit: (write: StateWrite) => void) {
    this.#table = table;
    this.#hasher = hasher;
    this.#emit = emit;
  }

  /** Returns the session that a lease is, which begins with its first request. */
  session(id: LeaseId): Session {
    const session = this.#table.session(id);
    if (session !== undefined) {
      return session;
    }
    this.#begun.add(id);
    this.#hash(hashedFloor, id, 1);
    return this.#table.begin(id);
  }

  /** Forgets the answers below `floor`, which the session's client has. */
  acknowledge(id: LeaseId, session: Session, floor: number): void {
    if (floor <= session.floor) {
      return;
    }
    const { answered } = session;
    // No answer is beyond the window, however far the floor moves.
    const end = Math.min(floor, session.floor + sessionWindow);
    for (let sequence = session.floor; sequence < end && answered.size > 0; sequence++) {
      const run = answered.get(sequence);
      if (run !== undefined) {
        answered.delete(sequence);
        this.#forget(id, run, sequence);
      }
    }
    assert(answered.size < sessionWindow, 'the answers kept for a session are bounded');
    session.floor = floor;
    this.#moved.add(id);
    this.#hash(hashedFloor, id, floor);
  }

  /** Returns the answer to a request, as it was given to {@link keep}. */
  *answer(id: LeaseId, session: Session, sequence: number): Reading<Uint8Array> {
    const run = must(session.answered.get(sequence), 'the run of an answer');
    const fresh = this.#newRun(id, run)?.answers.get(sequence);
    if (fresh !== undefined) {
      return fresh;
    }
    const key = sessionAnswerKey(id, run.firstSequence);
    const [bytes] = expectGet(yield { type: 'get', keys: [key], afterWrites: true }).values;
    return runAnswer(must(bytes, 'the record of a run'), sequence);
  }

  /** Keeps the answer to a request. */
  keep(id: LeaseId, session: Session, sequence: number, answer: Uint8Array): void {
    const open = this.#openRun(id, sequence);
    open.answers.set(sequence, answer);
    open.bytes += answer.length;
    open.run.left++;
    session.answered.set(sequence, open.run);
    this.#hash(hashedAnswer, id, sequence);
    this.#hasher.bytes(hashedAnswer, answer);
  }

  /** A lease has ended, and the session that it may be. */
  end(id: LeaseId): void {
    const session = this.#table.session(id);
    if (session === undefined) {
      return;
    }
    for (const run of new Set(session.answered.values())) {
      if (this.#newRun(id, run) === undefined) {
        this.#emit({ type: 'delete', key: sessionAnswerKey(id, run.firstSequence) });
      }
    }
    this.#emit({ type: 'delete', key: sessionKey(id) });
    this.#newRuns.delete(id);
    this.#begun.delete(id);
    this.#moved.delete(id);
    this.#table.end(id);
    this.#hash(hashedEnd, id, 0);
  }

  /** The batch is at its end: stores what it has answered, and how far its sessions are. */
  finish(): void {
    for (const [id, runs] of this.#newRuns) {
      for (const { run, answers } of runs) {
        const key = sessionAnswerKey(id, run.firstSequence);
        this.#emit({ type: 'put', key, value: encodeRun(this.#floor(id), answers) });
        this.#moved.delete(id);
      }
    }
    for (const id of [...this.#begun, ...this.#moved]) {
      this.#emit({ type: 'put', key: sessionKey(id), value: encodeSession(this.#floor(id)) });
    }
  }

  #floor(id: LeaseId): number {
    return must(this.#table.session(id), 'a session that has moved').floor;
  }

  #openRun(id: LeaseId, sequence: number): NewRun {
    let runs = this.#newRuns.get(id);
    if (runs === undefined) {
      runs = [];
      this.#newRuns.set(id, runs);
    }
    const last = runs.at(-1);
    if (last !== undefined && last.bytes < runBytesMax) {
      return last;
    }
    const added = { run: { firstSequence: sequence, left: 0 }, answers: new Map(), bytes: 0 };
    runs.push(added);
    return added;
  }

  #newRun(id: LeaseId, run: AnswerRun): NewRun | undefined {
    return this.#newRuns.get(id)?.find((each) => each.run === run);
  }

  #forget(id: LeaseId, run: AnswerRun, sequence: number): void {
    run.left--;
    const fresh = this.#newRun(id, run);
    if (fresh !== undefined) {
      fresh.answers.delete(sequence);
      if (run.left === 0) {
        const runs = must(this.#newRuns.get(id), 'the runs of a session');
        runs.splice(runs.indexOf(fresh), 1);
      }
    } else if (run.left === 0) {
      this.#emit({ type: 'delete', key: sessionAnswerKey(id, run.firstSequence) });
    }
  }

  #hash(kind: number, id: LeaseId, value: number): void {
    this.#hasher.mix(kind, Number(BigInt.asIntN(32, id)));
    this.#hasher.mix(Number(BigInt.asIntN(32, id >> 32n)), 0);
    this.#hasher.number(value);
  }
}
