/** Answers of a pipeline on their way to a client that takes them as the test says. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { LargeAnswer } from '../../src/rpc/large-answer.ts';
import { type OperateCall, PipelineAnswers } from '../../src/rpc/pipeline-answers.ts';
import type { ServiceContext } from '../../src/rpc/service.ts';
import { readAnswerBatch } from '../../src/wire/pipeline-answers.ts';
import type { PipelineResponse } from '../../src/wire/index.ts';

const renewed: PipelineResponse = { type: 'leaseKeepAlive', ttlSeconds: 60 };
const failed: PipelineResponse = {
  type: 'failure',
  failure: { status: 14, code: 'NO_LEADER', message: 'none', isOutcomeUnknown: false },
};

/** A stream whose turn ends, and whose client takes a message, when the test says so. */
class FakeCall extends EventEmitter {
  readonly taken: (() => void)[] = [];
  readonly ids: number[][] = [];
  isTaking = true;
  hasEnded = false;
  #isPaused = false;

  write(batch: Buffer, taken: () => void): boolean {
    this.ids.push(readAnswerBatch(batch).answers.map(({ id }) => id));
    this.taken.push(taken);
    return this.isTaking;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  end(): void {
    this.hasEnded = true;
  }
}

/** Something whose end is all that matters here. */
class FakeAccount {
  hasEnded = false;

  end(): void {
    this.hasEnded = true;
  }
}

function setUp() {
  const call = new FakeCall();
  const turn: (() => void)[] = [];
  const member = { clusterId: 9n, memberId: 1n, leader: 1 };
  const state = { isClosed: false };
  const answers = new PipelineAnswers({
    call: call as unknown as OperateCall,
    context: { member, nowMs: () => 0 } as unknown as ServiceContext,
    loop: { afterCallback: (callback) => turn.push(callback) },
    onClose: () => {
      state.isClosed = true;
    },
  });
  answers.open();
  const come = (id: number, bytes = 100) => {
    const account = new FakeAccount();
    const operation = { id, bytes, account: account as unknown as LargeAnswer };
    answers.expect(operation);
    answers.maybePause();
    return { operation, account };
  };
  const endTurn = (): void => turn.splice(0).forEach((callback) => callback());
  return { call, answers, come, endTurn, state };
}

describe('answers', () => {
  test('of one turn leave in one message, behind the welcome', () => {
    const { call, answers, come, endTurn } = setUp();
    for (const id of [1, 2]) {
      answers.add(come(id).operation, renewed, false);
    }
    endTurn();
    answers.add(come(3).operation, failed, false);
    endTurn();

    expect(call.ids).toEqual([[], [1, 2], [3]]);
  });

  test('gather while the client takes nothing, and leave together once it does', () => {
    const { call, answers, come, endTurn } = setUp();
    call.isTaking = false;
    for (const id of [1, 2, 3]) {
      answers.add(come(id).operation, renewed, false);
      endTurn();
    }
    expect(call.ids).toEqual([[], [1]]);

    call.emit('drain');

    expect(call.ids).toEqual([[], [1], [2, 3]]);
  });

  test('that are too long are not added, and another one can be', () => {
    const { call, answers, come, endTurn } = setUp();
    const { operation } = come(1);
    const value = Buffer.alloc(2 ** 28);
    const long: PipelineResponse = { type: 'range', response: { kvs: [{ value }] } };

    expect(() => answers.add(operation, long, false)).toThrow();
    answers.add(operation, failed, false);
    endTurn();

    expect(call.ids).toEqual([[], [1]]);
  });

  test('come before the end that their client has asked for', () => {
    const { call, answers, come, endTurn, state } = setUp();
    const { operation } = come(1);
    call.emit('end');
    expect(call.hasEnded).toBe(false);

    answers.add(operation, renewed, false);
    endTurn();

    expect([call.ids, call.hasEnded, state.isClosed]).toEqual([[[], [1]], true, true]);
  });
});

describe('a stream that owes too much', () => {
  test.each([
    ['operations', 4096, 1],
    ['bytes', 16, 1024 * 1024],
  ])('in %s is not read on until half of that has left', (_, count, bytes) => {
    const { call, answers, come, endTurn } = setUp();
    const owed = Array.from({ length: count }, (__, id) => come(id, bytes).operation);
    expect(call.isPaused()).toBe(true);

    for (const operation of owed.splice(0, count / 2 - 1)) {
      answers.add(operation, renewed, false);
    }
    endTurn();
    expect(call.isPaused()).toBe(true);
    for (const operation of owed.splice(0, 2)) {
      answers.add(operation, renewed, false);
    }
    endTurn();

    expect(call.isPaused()).toBe(false);
  });
});

describe('what an answer is charged', () => {
  test('is given back once the client has taken it', () => {
    const { call, answers, come, endTurn } = setUp();
    const { operation, account } = come(1);
    answers.add(operation, renewed, false);
    endTurn();
    expect(account.hasEnded).toBe(false);

    call.taken.at(-1)?.();

    expect(account.hasEnded).toBe(true);
  });

  test.each([
    ['taken it', (call: FakeCall) => call.taken.at(-1)?.()],
    ['gone', (_: FakeCall, answers: PipelineAnswers) => answers.close()],
  ])('after the end of what a client says, too, is given back once it has %s', (_, leave) => {
    const { call, answers, come, endTurn } = setUp();
    const { operation, account } = come(1);
    call.emit('end');
    answers.add(operation, renewed, false);
    endTurn();
    expect([call.hasEnded, account.hasEnded]).toEqual([true, false]);

    leave(call, answers);

    expect(account.hasEnded).toBe(true);
  });

  test('is given back at once by a failure, and after the end of the stream', () => {
    const { answers, come } = setUp();
    const [failure, written, late] = [come(1), come(2), come(3)];
    answers.add(failure.operation, failed, false);
    answers.add(written.operation, renewed, false);
    expect([failure, written].map(({ account }) => account.hasEnded)).toEqual([true, false]);

    answers.close();
    answers.add(late.operation, renewed, false);

    expect([written, late].map(({ account }) => account.hasEnded)).toEqual([true, true]);
  });
});
