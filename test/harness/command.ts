/**
 * The `holdfast` command as a process, as a person or a supervisor runs it: its output, signals and
 * end.
 *
 * It runs with the test's environment but for `HOLDFAST_*`. One that outlives its test is ended by
 * pid.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

/** A process that has not ended by itself after so long hangs. */
const endLimitMs = 25_000;

/** How a process ended. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One run of the command. */
export class RunningCommand {
  readonly #child: ChildProcess;
  readonly #end: Promise<CommandEnd>;
  #hasEnded = false;
  #watchers: (() => void)[] = [];
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
    const child = spawn(process.execPath, [binary, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), ...env },
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#notify();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#notify();
    });
    this.#end = once(child, 'close').then(([exitCode, signal]) => {
      this.#hasEnded = true;
      this.#notify();
      return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null };
    });
    onTestFinished(async () => this.#clean());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the process to end by itself. */
  async ended(limitMs = endLimitMs): Promise<CommandEnd> {
    const timer = setTimeout(() => {
      this.stderr += `\n[killed: it did not end by itself within ${limitMs} ms]\n`;
      this.signal('SIGKILL');
    }, limitMs);
    const end = await this.#end;
    clearTimeout(timer);
    return end;
  }

  /** Waits until the output matches; fails with the output when the process ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout + this.stderr);
      if (match !== null) {
        return match;
      }
      if (this.#hasEnded) {
        throw new Error(`ended without ${String(pattern)}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
      });
    }
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) {
      watcher();
    }
  }

  async #clean(): Promise<void> {
    if (!this.#hasEnded) {
      this.signal('SIGTERM');
      await this.ended();
    }
  }
}

/** How the command is run. */
interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it must have ended. */
  readonly limitMs?: number;
}

/** Runs the command to its end. */
export async function runCommand(
  args: readonly string[],
  { env = {}, limitMs = endLimitMs }: RunOptions = {},
): Promise<CommandEnd & { readonly stdout: string; readonly stderr: string }> {
  const command = new RunningCommand(args, env);
  const end = await command.ended(limitMs);
  return { ...end, stdout: command.stdout, stderr: command.stderr };
}
