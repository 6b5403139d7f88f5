/** The numbers of writes in a session. */
import { expect, test } from 'vitest';
import { WriteSession } from '../../src/client/write-session.ts';

test('numbers ascend, and the lowest unanswered one follows the answers', () => {
  const session = new WriteSession('9');

  expect(session.lowestUnanswered).toBe(1);
  expect([1, 2, 3].map(() => session.maybeNext())).toEqual([1, 2, 3]);
  session.answered(2);
  expect(session.lowestUnanswered).toBe(1);
  session.answered(1);
  expect(session.lowestUnanswered).toBe(3);
  session.answered(3);
  expect(session.lowestUnanswered).toBe(4);
  expect(session.hasUnanswered).toBe(false);
});

test('no more than 1024 numbers are unanswered, however many between are answered', () => {
  const session = new WriteSession('9');
  for (let number = 1; number <= 1024; number++) {
    expect(session.maybeNext()).toBe(number);
  }
  for (let number = 2; number <= 1024; number++) {
    session.answered(number);
  }

  expect(session.maybeNext()).toBeUndefined();
  session.answered(1);
  expect(session.maybeNext()).toBe(1025);
});

test('it is in use while something is unanswered or was asked for since the last look', () => {
  const session = new WriteSession('9');

  expect(session.takeUsed()).toBe(false);
  session.maybeNext();
  session.answered(1);
  expect([session.takeUsed(), session.takeUsed()]).toEqual([true, false]);
  session.maybeNext();
  expect([session.takeUsed(), session.takeUsed()]).toEqual([true, true]);
});
