/**
 * What is known in memory of the answers that are kept: how far each session is, and how many
 * answers stand under idempotency keys. The answers themselves are in the engine.
 */
import { must } from '../base/index.ts';
import type { LeaseId } from './command.ts';
import { sessionAnswersRange, sessionOf, sessionsRange } from './key-layout.ts';
import type { Reading } from './need.ts';
import { ChunkedScan } from './scan.ts';
import type { KeyedAnswersMeta } from './state-meta.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** How far a session is. */
export interface Session {
  /** All lower sequence numbers are acknowledged; their answers are gone. */
  floor: number;
  /** Numbers from `floor` on that have been answered. */
  readonly answered: Set<number>;
}

const sessionFormat = 1;

/** Encodes what is stored of a session besides its answers. */
export function encodeSession(floor: number): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(sessionFormat);
  writer.varint(floor);
  return writer.finish();
}

function decodeSession(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'record of a session');
  const format = reader.byte();
  if (format !== sessionFormat) {
    return reader.fail(`has the unknown format ${format}`);
  }
  const floor = reader.varint();
  reader.end();
  return floor;
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
    const answers = new ChunkedScan(sessionAnswersRange);
    while (!answers.isDone) {
      for (const { key } of answers.take(yield answers.need)) {
        const { session, sequence } = sessionOf(key);
        must(table.session(session), 'the session of an answer').answered.add(sequence);
      }
    }
    return table;
  }

  session(id: LeaseId): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Begins a session. */
  begin(id: LeaseId): Session {
    const session = { floor: 1, answered: new Set<number>() };
    this.#sessions.set(id, session);
    return session;
  }

  /** Ends a session. */
  end(id: LeaseId): void {
    this.#sessions.delete(id);
  }
}
