import { expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { afterEffect } from '../../src/rpc/after-effects.ts';

test('a failure after a step was done keeps what it says, but not that nothing was done', () => {
  const error = new KvError('TOO_MANY_REQUESTS', { message: 'full', details: { retryMs: 5 } });

  expect(error.outcome).toBe('rejected');
  expect(afterEffect(error)).toMatchObject({
    ...{ code: 'TOO_MANY_REQUESTS', message: 'full', details: { retryMs: 5 } },
    ...{ outcome: 'unknown', cause: error },
  });
});

test('a defect stays what it is', () => {
  const defect = new Error('oops');

  expect(afterEffect(defect)).toBe(defect);
});
