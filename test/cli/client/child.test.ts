/** Commands that another one runs, as real processes. */
import { afterEach, expect, test, vi } from 'vitest';
import { graceMs, runChild } from '../../../src/cli/client/child.ts';

afterEach(() => {
  vi.useRealTimers();
});

async function shell(script: string, signal = new AbortController().signal): Promise<number> {
  return runChild({ command: 'lock', run: ['sh', '-c', script], env: { GIVEN: '7' }, signal });
}

test('ends with the exit code of its command, which has the variables given', async () => {
  expect(await shell('exit $GIVEN')).toBe(7);
  expect(await shell('kill -TERM $$')).toBe(143);
});

test('tells its command to end when it must not go on', async () => {
  expect(await shell('exec sleep 60', AbortSignal.abort())).toBe(143);
});

test('kills a command that does not end when it is told to', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stop = new AbortController();
  const ended = shell('trap "" TERM; while :; do sleep 0.01; done', stop.signal);
  stop.abort();
  await vi.advanceTimersByTimeAsync(graceMs);

  expect(await ended).toBeGreaterThan(128);
});

test('leaves no listener behind', async () => {
  const before = process.listenerCount('SIGTERM');
  await shell('exit 0');
  expect(process.listenerCount('SIGTERM')).toBe(before);
  await expect(
    runChild({ command: 'x', run: ['/nowhere/at/all'], env: {}, signal: AbortSignal.any([]) }),
  ).rejects.toMatchObject({ exitCode: 127 });
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
