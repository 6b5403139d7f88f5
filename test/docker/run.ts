/** Runs commands for the tests of the cluster in containers. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Bytes of output of one command. */
const outputBytesMax = 16 * 1024 * 1024;

/** How a command is run. */
export interface RunOptions {
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** For its standard input. */
  readonly input?: string;
}

/**
 * What a command prints on standard output.
 *
 * @throws {Error} with all its output, when it ends with another exit code than 0, or not in time.
 */
export async function run(
  [command = '', ...args]: readonly string[],
  { env = {}, timeoutMs = 60_000, cwd, input }: RunOptions = {},
): Promise<string> {
  try {
    const running = execute(command, args, {
      env: { ...process.env, ...env },
      cwd,
      timeout: timeoutMs,
      maxBuffer: outputBytesMax,
    });
    // A command may end without reading it all; whether it has done its work its exit code tells.
    running.child.stdin?.on('error', () => undefined).end(input ?? '');
    return (await running).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; stderr?: string };
    const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
    throw new Error(`${[command, ...args].join(' ')} failed:\n${tail}`, { cause: error });
  }
}

/** Whether a command ends well. */
export async function succeeds(command: readonly string[], options?: RunOptions): Promise<boolean> {
  return run(command, options).then(
    () => true,
    () => false,
  );
}

/** Asks again and again until the answer is good, and returns it. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  { withinMs = 60_000, everyMs = 250 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown = 'nothing';
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (isGood(answer)) {
        return answer;
      }
      last = answer;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    await sleep(everyMs);
  }
  const seen = typeof last === 'string' ? last : JSON.stringify(last);
  throw new Error(`${what}: not within ${withinMs} ms; last seen: ${seen}`);
}
