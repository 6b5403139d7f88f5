/**
 * Standard output, which may be full, or a pipe that nobody reads any more.
 *
 * Whoever has closed a pipe, as `… | head -1`, wants no more: that is no error, and nothing is
 * said. Everything else ends the command with 1 and one line on standard error.
 */
import { getSystemErrorMap } from 'node:util';
import { ExitError } from './exit.ts';

/** Output that could not be written; all that is to be said of it has been said. */
export class OutputError extends ExitError {
  constructor(exitCode: number) {
    super(exitCode, '');
  }
}

const readerIsGone: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);
let isTold = false;
let isWatched = false;

/**
 * Sees to it that output which nobody waits for, as help or prompts, cannot end the process in the
 * middle of its work.
 */
export function watchStandardOutput(): void {
  if (isWatched) {
    return;
  }
  isWatched = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const exitCode = exitCodeFor(error, '');
    if (exitCode !== 0) {
      process.exitCode = exitCode;
    }
  });
}

/**
 * Writes what a command is there to say; resolves once that is out.
 *
 * @throws {OutputError} it cannot be written: the command is to end.
 */
export async function print(output: Uint8Array | string): Promise<void> {
  const { stdout } = process;
  await new Promise<void>((resolve, reject) => {
    stdout.write(output, (error) => {
      if (error === undefined || error === null) {
        resolve();
      } else {
        reject(new OutputError(exitCodeFor(error, '; what the command did before stays done')));
      }
    });
  });
}

/** Says what is wrong, if it is, and once. */
function exitCodeFor(error: NodeJS.ErrnoException, addition: string): number {
  if (readerIsGone.has(error.code ?? '')) {
    return 0;
  }
  if (!isTold) {
    isTold = true;
    const [, words] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
    process.stderr.write(
      `holdfast: standard output cannot be written: ${words ?? error.message} ` +
        `[${error.code ?? ''}]${addition}\n`,
    );
  }
  return 1;
}
