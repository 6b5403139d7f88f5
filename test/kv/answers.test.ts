/** Requests that take effect at most once. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Command,
  type CommandResult,
  fingerprintOf,
  type OnceCommand,
  type OnceOperation,
  verifyState,
} from '../../src/kv/index.ts';
import { answersTable } from '../../src/kv/key-layout.ts';
import { del, put, range, txn, when } from './commands.ts';
import { bytes, Machine, runReading, text } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

const time = (timeMs: number): Command => ({ type: 'advanceTime', timeMs, keepAnswersMs: 1000 });
const grant = (id: bigint, ttlMs = 60_000): OnceOperation => ({ type: 'leaseGrant', id, ttlMs });
const revoke = (id: bigint): Command => ({ type: 'leaseRevoke', id });

function keyed(key: string, command: OnceOperation): OnceCommand {
  const id = { type: 'key', key: bytes(key) } as const;
  return { type: 'once', id, fingerprint: fingerprintOf(command), command };
}

function numbered(
  sequence: number,
  command: OnceOperation,
  { session = 7n, lowestUnanswered = 1 } = {},
): OnceCommand {
  const id = { type: 'session', session, sequence, lowestUnanswered } as const;
  return { type: 'once', id, fingerprint: fingerprintOf(command), command };
}

/** Runs commands one by one and settles them; returns the result of the last. */
function run(...commands: Command[]): CommandResult | undefined {
  let result: CommandResult | undefined;
  for (const command of commands) {
    [result] = machine.run(command);
    machine.settle();
    verifyState(machine.store.records());
  }
  return result;
}

function restart(): void {
  machine.settle();
  machine = new Machine({ store: machine.store });
}

function value(key: string): string | undefined {
  const outcome = machine.read(range(key));
  const [kv] = outcome.kind === 'ok' ? outcome.result.kvs : [];
  return kv === undefined ? undefined : `${text(kv.value)} version ${kv.version}`;
}

function hasAnswered({ id }: OnceCommand): boolean {
  return runReading(machine.machine.hasAnswered(id), machine.store);
}

function answerRecords(): number {
  return machine.store.records().filter(({ key }) => key[0] === answersTable).length;
}

describe('a request under an idempotency key', () => {
  test('takes effect once, and every attempt gets the first answer, with a mark', () => {
    const request = keyed('r1', put('a', '1', { prevKv: true }));
    run(put('a', '0'));
    const answer = run(request);
    expect(answer).toMatchObject({ kind: 'ok', revision: 3, result: { prevKv: { version: 1 } } });
    expect(run(put('a', '2'), request)).toEqual({ ...answer, isRepeated: true });
    restart();
    expect(run(request)).toEqual({ ...answer, isRepeated: true });
    expect(value('a')).toBe('2 version 3');
  });

  test('takes effect once within one batch, too', () => {
    const request = keyed('r1', put('a', '1'));
    const results = machine.run(request, request, request);
    const marks = results.map((result) => result?.kind === 'ok' && result.isRepeated === true);
    expect(marks).toEqual([false, true, true]);
    machine.settle();
    expect(value('a')).toBe('1 version 1');
  });

  test('is refused again when it was refused, even if it could be carried out by now', () => {
    const request = keyed('r1', put('a', '', { ignoreValue: true }));
    expect(run(request)).toMatchObject({ kind: 'refused', code: 'KEY_NOT_FOUND' });
    expect(run(put('a', '1'), request)).toMatchObject({ kind: 'refused', code: 'KEY_NOT_FOUND' });
  });

  test('is carried out later when an alarm has turned it away', () => {
    const request = keyed('r1', put('a', '1'));
    const alarm = { type: 'alarm', alarm: 'nospace', memberId: 1 } as const;
    expect(run({ ...alarm, action: 'activate' }, request)).toMatchObject({ code: 'NO_SPACE' });
    const result = run({ ...alarm, action: 'deactivate' }, request);
    expect(result).toMatchObject({ kind: 'ok', revision: 2 });
    const again = run({ ...alarm, action: 'activate' }, request);
    expect(again).toMatchObject({ kind: 'ok', isRepeated: true });
  });

  test('can be asked about: it was answered, also with a refusal, or it was not', () => {
    const [done, refused] = [
      keyed('r1', put('a', '1')),
      keyed('r2', put('b', '', { ignoreValue: true })),
    ];
    expect(hasAnswered(done)).toBe(false);
    run(done, refused);
    restart();
    expect([done, refused, keyed('r3', put('a', '1'))].map(hasAnswered)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('is no other request', () => {
    run(keyed('r1', put('a', '1')));
    const other = run(keyed('r1', put('a', '2')));
    expect(other).toMatchObject({ kind: 'refused', code: 'REQUEST_MISMATCH' });
    expect(value('a')).toBe('1 version 1');
  });

  test('may be a deletion, a transaction or the grant of a lease', () => {
    run(put('a', '1'), put('b', '1'));
    const requests = [
      keyed('d', del('a', 'c', true)),
      keyed('t', txn([when('a', 'version', 'equal', 0)], [put('a', '2'), range('a', 'z')])),
      keyed('g', grant(9n)),
    ];
    for (const request of requests) {
      const answer = run(request);
      expect(answer?.kind).toBe('ok');
      expect(run(request)).toEqual({ ...answer, isRepeated: true });
    }
  });

  test('is forgotten once the time has passed, counted from the stamp after it', () => {
    const request = keyed('r1', put('a', '1'));
    run(time(100), request, time(5000), time(5999));
    expect(run(request)).toMatchObject({ isRepeated: true });
    expect(machine.machine.time.isNeeded).toBe(true);
    restart();
    run(time(6000));
    expect(answerRecords()).toBe(0);
    expect(machine.machine.time.isNeeded).toBe(false);
    expect(run(request)).toMatchObject({ kind: 'ok', revision: 3 });
  });

  test('is forgotten with others, a bounded number at a time', () => {
    machine.run(...Array.from({ length: 600 }, (_, at) => keyed(`r${at}`, put('a', '1'))));
    machine.run(time(0), keyed('later', put('a', '1')), time(10));
    machine.settle();
    const left: number[] = [];
    for (let stamps = 0; stamps < 5; stamps++) {
      run(time(1000));
      left.push(answerRecords());
    }
    // Two records each, and two marks.
    expect(left.map((records) => records > 4)).toEqual([true, true, false, false, false]);
    expect(left.at(-1)).toBe(3);
    run(time(1010));
    expect(answerRecords()).toBe(0);
  });
});

describe('a request of a session', () => {
  test('takes effect once, and every attempt gets the first answer', () => {
    run(grant(7n));
    const request = numbered(1, put('a', '1'));
    const answer = run(request);
    restart();
    expect(run(put('a', '2'), request)).toEqual({ ...answer, isRepeated: true });
    expect(value('a')).toBe('2 version 2');
    const other = run(numbered(1, put('a', '9')));
    expect(other).toMatchObject({ code: 'REQUEST_MISMATCH' });
  });

  test('can be asked about, also once its answer was acknowledged', () => {
    run(grant(7n));
    expect(hasAnswered(numbered(1, put('a', '1')))).toBe(false);
    run(numbered(1, put('a', '1')), numbered(3, put('a', '3')));
    const asked = [1, 2, 3].map((sequence) => numbered(sequence, put('a', '')));
    expect(asked.map(hasAnswered)).toEqual([true, false, true]);
    run(numbered(4, put('a', '4'), { lowestUnanswered: 3 }));
    restart();
    expect(asked.map(hasAnswered)).toEqual([true, true, true]);
    run(revoke(7n));
    expect(asked.map(hasAnswered)).toEqual([false, false, false]);
  });

  test('may come in any order', () => {
    run(grant(7n), numbered(3, put('a', '3')), numbered(1, put('a', '1')));
    expect(run(numbered(2, put('a', '2')))).toMatchObject({ kind: 'ok', revision: 4 });
    expect(run(numbered(3, put('a', '3')))).toMatchObject({ isRepeated: true, revision: 2 });
  });

  test('is never carried out again once its answer was acknowledged', () => {
    run(grant(7n), numbered(1, put('a', '1')), numbered(2, put('a', '2')));
    const third = { lowestUnanswered: 3 };
    run(numbered(3, put('a', '3'), third));
    expect(answerRecords()).toBe(2);
    restart();
    for (const late of [numbered(1, put('a', '1')), numbered(2, put('a', '2'))]) {
      expect(run(late)).toMatchObject({ kind: 'refused', code: 'ANSWER_FORGOTTEN' });
    }
    expect(value('a')).toBe('3 version 3');
  });

  test('stands in one record with its batch, until the last of them is acknowledged', () => {
    run(grant(7n));
    const batch = [1, 2, 3].map((sequence) => numbered(sequence, put('a', String(sequence))));
    const answers = machine.run(...batch);
    machine.settle();
    verifyState(machine.store.records());
    // The session is the other one.
    expect(answerRecords()).toBe(2);
    restart();
    run(numbered(4, put('a', '4'), { lowestUnanswered: 3 }));
    expect(answerRecords()).toBe(3);
    restart();
    expect(run(numbered(2, put('a', '2')))).toMatchObject({ code: 'ANSWER_FORGOTTEN' });
    expect(run(numbered(3, put('a', '3')))).toEqual({ ...answers[2], isRepeated: true });
    run(numbered(5, put('a', '5'), { lowestUnanswered: 4 }));
    expect(answerRecords()).toBe(3);
    expect(value('a')).toBe('5 version 5');
  });

  test('leaves nothing behind when it is acknowledged in the batch that answers it', () => {
    run(grant(7n));
    const floors = [1, 2, 3];
    machine.run(
      ...floors.map((lowestUnanswered) =>
        numbered(lowestUnanswered, put('a', '1'), { lowestUnanswered }),
      ),
    );
    machine.settle();
    verifyState(machine.store.records());
    restart();
    expect(run(numbered(2, put('a', '1')))).toMatchObject({ code: 'ANSWER_FORGOTTEN' });
    expect(run(numbered(3, put('a', '1')))).toMatchObject({ isRepeated: true });
  });

  test('stands in a record that stays bounded', () => {
    run(grant(7n), put('big', 'x'.repeat(40_000)));
    const batch = [1, 2, 3, 4].map((sequence) => {
      return numbered(sequence, put('big', 'y'.repeat(40_000), { prevKv: true }));
    });
    const answers = machine.run(...batch);
    machine.settle();
    expect(answerRecords()).toBe(3);
    restart();
    for (const [at, request] of batch.entries()) {
      expect(run(request)).toEqual({ ...answers[at], isRepeated: true });
    }
  });

  test('is forgotten with its session in the middle of a batch', () => {
    run(grant(7n), numbered(1, put('a', '1')));
    machine.run(numbered(2, put('a', '2')), revoke(7n), grant(7n), numbered(1, put('a', '3')));
    machine.settle();
    verifyState(machine.store.records());
    restart();
    expect(run(numbered(1, put('a', '3')))).toMatchObject({ isRepeated: true });
    expect(value('a')).toBe('3 version 3');
  });

  test('is refused when its answer was too large to be kept', () => {
    run(grant(7n), put('a', 'x'.repeat(70_000)));
    const request = numbered(1, put('a', '1', { prevKv: true }));
    expect(run(request)).toMatchObject({ kind: 'ok' });
    expect(run(request)).toMatchObject({ kind: 'refused', code: 'ANSWER_FORGOTTEN' });
  });

  test('has a number not too far from the lowest unanswered one', () => {
    run(grant(7n));
    expect(run(numbered(1025, put('a', '1')))).toMatchObject({ code: 'TOO_MANY_ANSWERS' });
    expect(run(numbered(1024, put('a', '1')))).toMatchObject({ kind: 'ok' });
  });

  test('is an error once the lease is no more, and never starts anew', () => {
    run(grant(7n), numbered(1, put('a', '1')), revoke(7n));
    expect(answerRecords()).toBe(0);
    expect(run(numbered(1, put('a', '1')))).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(run(numbered(2, put('a', '2')))).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(value('a')).toBe('1 version 1');
  });

  test('goes with its lease when its time is up', () => {
    run(grant(7n, 500), numbered(1, put('a', '1')), time(1), time(2), time(502));
    expect(answerRecords()).toBe(0);
    expect(run(numbered(1, put('a', '1')))).toMatchObject({ code: 'SESSION_EXPIRED' });
  });
});

describe('the fingerprint of a request', () => {
  test('is of everything that was asked for', () => {
    const requests = [
      ...[put('a', '1'), put('a', '2'), put('b', '1'), put('a', '1', { prevKv: true })],
      ...[
        put('a', '1', { lease: 1n }),
        put('a', '1', { ttlMs: 5 }),
        del('a'),
        grant(0n),
        grant(1n),
      ],
    ];
    const fingerprints = requests.map((request) => fingerprintOf(request));
    expect(new Set(fingerprints).size).toBe(requests.length);
    expect(fingerprintOf(put('a', '1'))).toBe(fingerprints[0]);
  });
});
