import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchLogOutput } from '../../src/cli/log-output.ts';

/** As standard output on a disk: a write may fail, and later ones are tried anew. */
class Disk extends Writable {
  readonly lines: object[] = [];
  failure: string | undefined;

  warn = (line: object): void => {
    if (this.failure === undefined) {
      this.lines.push(line);
    } else {
      const error = Object.assign(new Error(`${this.failure}: write`), { code: this.failure });
      process.nextTick(() => this.emit('error', error));
    }
  };
}

describe('watchLogOutput', () => {
  const disk = (): { readonly disk: Disk; readonly gone: Error[] } => {
    const [output, gone] = [new Disk(), [] as Error[]];
    watchLogOutput(output, output, (error) => gone.push(error));
    return { disk: output, gone };
  };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('lines that find no room are lost, and counted once there is some', async () => {
    const { disk: output, gone } = disk();
    output.failure = 'ENOSPC';
    output.warn({ event: 'a' });
    output.warn({ event: 'b' });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(output.lines).toEqual([]);

    output.failure = undefined;
    await vi.advanceTimersByTimeAsync(12_000);

    expect(output.lines).toEqual([{ event: 'log-lines-lost', lines: 2, reason: 'ENOSPC: write' }]);
    output.failure = 'ENOSPC';
    output.warn({ event: 'c' });
    await vi.advanceTimersByTimeAsync(1);
    output.failure = undefined;
    await vi.advanceTimersByTimeAsync(12_000);
    expect(output.lines.at(-1)).toMatchObject({ lines: 1 });
    expect(gone).toEqual([]);
  });

  test('a reader that has gone is told, in words', async () => {
    const { disk: output, gone } = disk();
    output.failure = 'EPIPE';

    output.warn({ event: 'a' });
    await vi.advanceTimersByTimeAsync(12_000);

    expect(gone.map(String)).toEqual(['Error: the log cannot be written: its reader has gone']);
  });
});
