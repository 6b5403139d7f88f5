/** What becomes of what callbacks throw that are only told of something. */
import { describe, expect, test } from 'vitest';
import { tell } from '../../src/client/telling.ts';
import { callbackWarnings } from './callback-warnings.ts';

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what a callback throws that is only told of something', () => {
  test('is a warning of the process, and nothing else', () => {
    const warnings = callbackWarnings();
    const error = new Error('no disk');

    tell('onFailure of a change feed', () => {
      throw error;
    });

    expect(warnings()).toMatchObject([
      {
        ...{ name: 'HoldfastWarning', code: 'CALLBACK_FAILED', cause: error, detail: error.stack },
        message: 'onFailure of a change feed has thrown: no disk',
      },
    ]);
  });

  test('is one also when its promise rejects, and when it is no error', async () => {
    const warnings = callbackWarnings();

    tell('a', async () => Promise.reject(new Error('later')));
    tell('b', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- others' code may
      throw 'text';
    });
    await settled();

    expect(warnings()).toMatchObject([
      { message: 'b has thrown: text' },
      { message: 'a has thrown: later' },
    ]);
  });

  test('is told before who told it goes on, and nothing is told of what goes well', async () => {
    const warnings = callbackWarnings();
    const told: string[] = [];

    tell('a', () => told.push('first'));
    told.push('second');
    await settled();

    expect(told).toEqual(['first', 'second']);
    expect(warnings()).toEqual([]);
  });
});
