/** Candidates of a queue while members do not answer in time; else see the tests of locks. */
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/client/errors.ts';
import { Namespace } from '../../src/client/keys.ts';
import type { Operations } from '../../src/client/operations.ts';
import { Queue } from '../../src/client/queue.ts';
import { kvOf } from './fake-watches.ts';

const late = new HoldfastError('DEADLINE_EXCEEDED', 'txn has not succeeded within 1000 ms');
const nobodyBefore = {
  ...{ type: 'txn', succeeded: true, revision: 9 },
  responses: [{ type: 'range', revision: 9, kvs: [], more: false, count: 0 }],
};
const place = {
  ...{ key: Buffer.from('lock/2'), token: 7, revision: 7 },
  owners: [kvOf('lock/1', 6, '')],
};

/** A queue whose reads come to `answers`, one after the other. */
function setUp(answers: unknown[], onRead: () => void = () => undefined) {
  const run = async (): Promise<unknown> => {
    await Promise.resolve();
    onRead();
    const answer = answers.shift();
    return answer instanceof Error ? Promise.reject(answer) : answer;
  };
  const operations = { run } as unknown as Operations;
  return new Queue({ operations, watches: {} as never, namespace: new Namespace('') }, 'lock', 1);
}

describe('who waits in a queue', () => {
  test('keeps its place though members do not answer in time', async () => {
    const queue = setUp([late, late, nobodyBefore]);

    await expect(queue.turn(place, new AbortController().signal)).resolves.toBeUndefined();
  });

  test('gives it up when its signal fires, and for what does not pass', async () => {
    const controller = new AbortController();
    const queue = setUp([late, late, late], () => controller.abort(new Error('lost')));
    await expect(queue.turn(place, controller.signal)).rejects.toThrow('lost');

    const refused = setUp([late, new HoldfastError('PERMISSION_DENIED', 'not yours')]);
    await expect(refused.turn(place, new AbortController().signal)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });
});
