/**
 * What is known in memory of the answers that are kept: how far each session is, and how many
 * answers stand under idempotency keys. The answers themselves are in the engine.
 */
import { append, assert, must } from '../base/index.ts';
import type { LeaseId, RequestId } from './command.ts';
import {
  isIn,
  keyedAnswerKey,
  sessionAnswersRange,
  sessionOf,
  sessionsRange,
} from './key-layout.ts';
import { expectGet, type Reading, type StoredRecord } from './need.ts';
import { ChunkedScan } from './scan.ts';
import type { KeyedAnswersMeta } from './state-meta.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** How far a session is. */
export interface Session {
  /** All lower sequence numbers are acknowledged; their answers are gone. */
  floor: number;
  /** Numbers from `floor` on that have been answered, and where the answers stand. */
  readonly answered: Map<number, AnswerRun>;
}

/** Answers of a session that stand in one record of the engine. */
export interface AnswerRun {
  /** The first that was put into it; names the record. */
  readonly firstSequence: number;
  /** Answers in it that are not acknowledged. */
  left: number;
}

const sessionFormat = 1;
const runFormat = 1;

/** Encodes the record of a run; it also tells how far the session is by then. */
export function encodeRun(floor: number, answers: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(runFormat);
  writer.varint(floor);
  answers.forEach((answer, sequence) => {
    writer.varint(sequence);
    writer.lengthPrefixed(answer);
  });
  return writer.finish();
}

function decodeRun(bytes: Uint8Array): { floor: number; answers: Map<number, Uint8Array> } {
  const reader = new ByteReader(bytes, 'answers of a session');
  reader.format(runFormat);
  const floor = reader.varint();
  const answers = new Map<number, Uint8Array>();
  while (reader.remaining > 0) {
    const sequence = reader.varint();
    answers.set(sequence, reader.lengthPrefixed());
  }
  return { floor, answers };
}

/** Returns an answer, as a view, from the record of its run. */
export function runAnswer(run: Uint8Array, sequence: number): Uint8Array {
  return must(decodeRun(run).answers.get(sequence), 'an answer in its run');
}

/** Encodes what is stored of a session besides its answers. */
export function encodeSession(floor: number): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(sessionFormat);
  writer.varint(floor);
  return writer.finish();
}

function decodeSession(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'record of a session');
  reader.format(sessionFormat);
  const floor = reader.varint();
  reader.end();
  return floor;
}

/** What is stored of a session. */
export interface StoredSession {
  readonly floor: number;
  /** Answers that are not acknowledged, by ascending sequence number. */
  readonly answers: ReadonlyMap<number, Uint8Array>;
}

/**
 * Reads sessions out of the records of the answers table, and checks them: each run belongs to a
 * session, no answer is stored twice, and no run is left of which all is acknowledged.
 *
 * @throws {InvariantViolation} naming the first rule that does not hold.
 */
export function storedSessions(
  records: readonly StoredRecord[],
): ReadonlyMap<LeaseId, StoredSession> {
  const floors = new Map<LeaseId, number>();
  const runs: { readonly id: LeaseId; readonly answers: ReadonlyMap<number, Uint8Array> }[] = [];
  for (const { key, value } of records.filter((each) => isIn(sessionsRange, each.key))) {
    floors.set(sessionOf(key).session, decodeSession(value));
  }
  for (const { key, value } of records.filter((each) => isIn(sessionAnswersRange, each.key))) {
    const id = sessionOf(key).session;
    const { floor, answers } = decodeRun(value);
    floors.set(id, Math.max(floor, must(floors.get(id), 'the session of a run')));
    runs.push({ id, answers });
  }
  const sessions = new Map<LeaseId, StoredSession>();
  for (const [id, floor] of floors) {
    const answers: [number, Uint8Array][] = [];
    for (const run of runs.filter((each) => each.id === id)) {
      const kept = [...run.answers].filter(([sequence]) => sequence >= floor);
      assert(kept.length > 0, 'a run goes with the last of its answers');
      append(answers, kept);
    }
    answers.sort(([a], [b]) => a - b);
    const stored = new Map(answers);
    assert(stored.size === answers.length, 'an answer is stored once');
    sessions.set(id, { floor, answers: stored });
  }
  return sessions;
}

/** See the module comment. */
export class AnswerTable {
  readonly #sessions = new Map<LeaseId, Session>();
  /** Answers under idempotency keys. */
  keyed: KeyedAnswersMeta;
  /** No idempotency key that has seen a stamp saw it before; undefined: unknown. */
  oldestMs: number | undefined;

  constructor(keyed: KeyedAnswersMeta) {
    this.keyed = keyed;
  }

  /** Reads what the engine holds. */
  static *open(keyed: KeyedAnswersMeta): Reading<AnswerTable> {
    const table = new AnswerTable(keyed);
    const sessions = new ChunkedScan(sessionsRange);
    while (!sessions.isDone) {
      for (const { key, value } of sessions.take(yield sessions.need)) {
        table.begin(sessionOf(key).session).floor = decodeSession(value);
      }
    }
    const runs = new ChunkedScan(sessionAnswersRange);
    while (!runs.isDone) {
      for (const { key, value } of runs.take(yield runs.need)) {
        const { session: id, sequence: firstSequence } = sessionOf(key);
        const session = must(table.session(id), 'the session of an answer');
        const run = { firstSequence, left: 0 };
        const { floor, answers } = decodeRun(value);
        session.floor = Math.max(session.floor, floor);
        for (const sequence of answers.keys()) {
          session.answered.set(sequence, run);
        }
      }
    }
    table.#dropAcknowledged();
    return table;
  }

  /** Whether a lease is a session: a request has come that is numbered in it. */
  isSession(id: LeaseId): boolean {
    return this.#sessions.has(id);
  }

  session(id: LeaseId): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Whether an attempt at a request has been answered, be the answer still kept or not. */
  *hasAnswered(id: RequestId): Reading<boolean> {
    if (id.type === 'session') {
      const session = this.#sessions.get(id.session);
      return (
        session !== undefined && (id.sequence < session.floor || session.answered.has(id.sequence))
      );
    }
    const keys = [keyedAnswerKey(id.key)];
    const [answer] = expectGet(yield { type: 'get', keys, afterWrites: true }).values;
    return answer !== undefined;
  }

  /** An older run still holds answers that were acknowledged after it was stored. */
  #dropAcknowledged(): void {
    for (const { floor, answered } of this.#sessions.values()) {
      for (const [sequence, run] of answered) {
        if (sequence < floor) {
          answered.delete(sequence);
        } else {
          run.left++;
        }
      }
    }
  }

  /** Begins a session. */
  begin(id: LeaseId): Session {
    const session = { floor: 1, answered: new Map<number, AnswerRun>() };
    this.#sessions.set(id, session);
    return session;
  }

  /** Ends a session. */
  end(id: LeaseId): void {
    this.#sessions.delete(id);
  }
}
