/** Output that cannot be written: in this process, and with the real binary and a full device. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { OutputError, print } from '../../src/cli/standard-output.ts';
import { FakeMember } from './client/fake-member.ts';

const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

afterEach(() => {
  vi.restoreAllMocks();
});

function failWith(code: string, errno: number): void {
  vi.spyOn(process.stdout, 'write').mockImplementation((_text, done?: unknown) => {
    (done as (error: Error) => void)(Object.assign(new Error(`write ${code}`), { code, errno }));
    return false;
  });
}

describe('print', () => {
  test.each([
    ['EPIPE', -32],
    ['ERR_STREAM_DESTROYED', 0],
  ])('a reader that has gone (%s) ends the command, and nothing is said', async (code, errno) => {
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    failWith(code, errno);

    const error: unknown = await print('text').catch((problem: unknown) => problem);

    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ exitCode: 0 });
    expect(told).not.toHaveBeenCalled();
  });

  test('what cannot be written otherwise ends it with 1, and is told once', async () => {
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    failWith('ENOSPC', -28);

    await expect(print('text')).rejects.toMatchObject({ exitCode: 1 });
    await expect(print('text')).rejects.toBeInstanceOf(OutputError);

    expect(told.mock.calls).toEqual([
      [
        'holdfast: standard output cannot be written: no space left on device [ENOSPC]; ' +
          'what the command did before stays done\n',
      ],
    ]);
  });
});

/** Runs a command whose standard output is a device without room. */
async function runInto(device: string, ...args: readonly string[]): Promise<unknown> {
  const full = openSync(device, 'w');
  onTestFinished(() => {
    closeSync(full);
  });
  const child = spawn(process.execPath, [binary, ...args], { stdio: ['ignore', full, 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stderr };
}

describe.runIf(existsSync('/dev/full'))('holdfast, with nowhere to write', () => {
  const line = 'holdfast: standard output cannot be written: no space left on device [ENOSPC]';

  test('does the write, says that it could not say so, and ends with 1', async () => {
    const member = await FakeMember.start('answer');
    onTestFinished(() => {
      member.stop();
    });

    const ended = await runInto('/dev/full', 'put', 'k', 'v', '--endpoints', member.endpoint);

    expect(ended).toEqual({
      exitCode: 1,
      stderr: `${line}; what the command did before stays done\n`,
    });
    expect(member.calls).toEqual(['Put']);
  });

  test('shows no help, and ends with 1', async () => {
    expect(await runInto('/dev/full', '--help')).toEqual({ exitCode: 1, stderr: `${line}\n` });
  });
});
