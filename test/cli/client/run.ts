/** Runs commands: to their end, with bytes in and bytes out, or until a test stops them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../../../bin/holdfast', import.meta.url));

/** What a command has left behind. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** Runs `holdfast` against `endpoints`; its standard input is `input` and nothing more. */
export async function runHoldfast(
  endpoints: readonly string[],
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Run> {
  return run(process.execPath, [binary, ...args], input, {
    HOLDFAST_ENDPOINTS: endpoints.join(','),
  });
}

/** Runs `etcdctl` of etcd 3.4 against `endpoints`. */
export async function runEtcdctl(
  endpoints: readonly string[],
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Run> {
  return run('etcdctl', args, input, {
    ETCDCTL_API: '3',
    ETCDCTL_ENDPOINTS: endpoints.join(','),
  });
}

/** Whether etcdctl is installed. */
export function hasEtcdctl(): boolean {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => existsSync(join(folder, 'etcdctl')));
}

const running: ChildProcess[] = [];

/** Kills what a failed test has left. */
export function killAllRunning(): void {
  for (const child of running) {
    child.kill('SIGKILL');
  }
}

/** A command that runs until it is stopped. */
export class Running {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;

  private constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env } });
    running.push(this.#child);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('latin1');
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('latin1');
    });
    this.#closed = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Starts `holdfast`. */
  static holdfast(endpoints: readonly string[], args: readonly string[]): Running {
    const env = { HOLDFAST_ENDPOINTS: endpoints.join(',') };
    return new Running(process.execPath, [binary, ...args], env);
  }

  /** Writes to its input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends its input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Waits until it has printed so many lines, or has ended. */
  async lines(count: number): Promise<void> {
    while (this.stdout.split('\n').length <= count && this.#child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Stops it; returns its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.#closed;
  }

  /** Waits for its end; returns its exit code. */
  async ended(): Promise<number | null> {
    return this.#closed;
  }
}

async function run(
  command: string,
  args: readonly string[],
  input: string | Uint8Array,
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const child = spawn(command, args, { env: { ...Object.fromEntries(inherited), ...env } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A command that refuses its arguments does not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const stdoutBytes = Buffer.concat(stdout);
  return {
    exitCode,
    stdout: stdoutBytes.toString(),
    stdoutBytes,
    stderr: Buffer.concat(stderr).toString(),
  };
}
