/** The end of a client's session; its life among writes is in the tests of the pipeline. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Caller, CallSpec } from '../../src/client/caller.ts';
import { HoldfastError } from '../../src/client/errors.ts';
import { SessionKeeper } from '../../src/client/session-keeper.ts';
import { virtualEnvironment } from './fake-members.ts';

/** Calls as they are made; answered by the test, or ended by their signals. */
class Calls {
  readonly asked: string[] = [];
  #answer: (answer: unknown) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  readonly caller = {
    call: async ({ what, signal, request }: CallSpec<unknown, unknown>) =>
      new Promise((resolve, reject) => {
        this.asked.push(`${what} ${JSON.stringify(request)}`);
        [this.#answer, this.#fail] = [resolve, reject];
        signal?.addEventListener('abort', () => {
          this.asked.push(`${what}: aborted`);
          reject(new HoldfastError('ABORTED', what));
        });
      }),
  } as unknown as Caller;

  answer(answer: unknown): void {
    this.#answer(answer);
  }

  fail(error: HoldfastError): void {
    this.#fail(error);
  }
}

const opening = 'opening a session {"TTL":60}';
const ending = 'ending the session {"ID":"7"}';

let calls: Calls;
let events: string[];
let environment: ReturnType<typeof virtualEnvironment>;
let keeper: SessionKeeper;

beforeEach(() => {
  calls = new Calls();
  events = [];
  environment = virtualEnvironment();
  keeper = new SessionKeeper({
    ...{ caller: calls.caller, environment },
    renew: async () => Promise.resolve(true),
    onOpen: () => events.push('open'),
    onFailure: ({ code }) => events.push(code),
  });
});

/** Closes it, and notes when that is over. */
async function close(): Promise<void> {
  await keeper.close();
  events.push('closed');
}

describe('a session whose client is closed', () => {
  test('is ended', async () => {
    keeper.open();
    calls.answer({ ID: '7', TTL: '60' });
    await environment.loop.run(0);

    const closing = close();
    await environment.loop.run(0);
    calls.answer({});
    await closing;

    expect(calls.asked).toEqual([opening, ending]);
    expect(events).toEqual(['open', 'closed']);
    expect(environment.loop.pendingTimers).toBe(0);
  });

  test('while it is being opened is ended as soon as it is there', async () => {
    keeper.open();

    const closing = close();
    await environment.loop.run(100);
    calls.answer({ ID: '7', TTL: '60' });
    await environment.loop.run(0);
    expect(calls.asked).toEqual([opening, ending]);
    expect(events).toEqual([]);
    calls.answer({});
    await closing;

    expect(events).toEqual(['closed']);
    expect(environment.loop.pendingTimers).toBe(0);
  });

  test.each([0, 1])('is not waited for without end, after %d answers', async (answers) => {
    keeper.open();

    const closing = close();
    if (answers === 1) {
      calls.answer({ ID: '7', TTL: '60' });
    }
    await environment.loop.run(499);
    expect(events).toEqual([]);
    await environment.loop.run(1);
    await closing;

    const what = answers === 0 ? 'opening a session' : 'ending the session';
    expect(calls.asked.at(-1)).toBe(`${what}: aborted`);
    expect(events).toEqual(['closed']);
  });

  test('and that cannot be opened is no matter', async () => {
    keeper.open();

    const closing = close();
    calls.fail(new HoldfastError('NO_LEADER', 'no leader'));
    await closing;
    keeper.open();

    expect(calls.asked).toEqual([opening]);
    expect(events).toEqual(['closed']);
  });
});
