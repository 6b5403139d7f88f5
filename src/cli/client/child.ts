/**
 * A command that another one runs while it owns something: in front, with the same input and
 * output. Signals are passed on to it, and it is ended when it must not go on.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { once } from 'node:events';
import { ExitError } from '../exit.ts';

/** How long a command that is told to end may take to, milliseconds. */
export const graceMs = 5000;

/** Exit codes of what could not be run, as shells have them. */
const notFoundCode = 127;
const notRunnableCode = 126;
/** What shells add to the number of the signal that has ended a command. */
const signalBase = 128;

/** A command to run. */
export interface ChildOptions {
  /** Name of the command that runs it, for messages. */
  readonly command: string;
  /** Program and arguments. */
  readonly run: readonly string[];
  /** Variables besides those there are. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it when it fires: by SIGTERM, and by SIGKILL if it is still there after `graceMs`. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command to its end.
 *
 * @returns its exit code; of one that a signal has ended, 128 and the number of that.
 * @throws {ExitError} it does not start.
 */
export async function runChild({ command, run, env, signal }: ChildOptions): Promise<number> {
  const [file = '', ...args] = run;
  const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const passOn = (name: NodeJS.Signals): void => {
    // A terminal sends its SIGINT to all that runs in it.
    if (name !== 'SIGINT' || !process.stdin.isTTY) {
      child.kill(name);
    }
  };
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  signal.addEventListener('abort', end);
  if (signal.aborted) {
    end();
  }
  try {
    const [code, name] = (await once(child, 'close').catch((error: unknown) => {
      throw notStarted(command, file, error as NodeJS.ErrnoException);
    })) as [number | null, NodeJS.Signals | null];
    return code ?? signalBase + constants.signals[name ?? 'SIGKILL'];
  } finally {
    clearTimeout(killer);
    signal.removeEventListener('abort', end);
    process.off('SIGINT', passOn).off('SIGTERM', passOn);
  }
}

function notStarted(command: string, file: string, error: NodeJS.ErrnoException): ExitError {
  return new ExitError(
    error.code === 'ENOENT' ? notFoundCode : notRunnableCode,
    `holdfast: ${command}: ${file} does not run: ${error.message}`,
  );
}

/** A signal that fires at the first SIGINT or SIGTERM, for as long as `work` takes. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    interrupt.abort(name);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Waits until one of `signals` has fired. */
export async function anyOf(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (!any.aborted) {
    await once(any, 'abort');
  }
}
