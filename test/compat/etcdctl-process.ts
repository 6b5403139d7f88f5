/** An `etcdctl` that runs until it is stopped, and what it prints meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const limitMs = 20_000;
const quietMs = 300;
const children: ChildProcess[] = [];

/** Kills what a failed test has left. */
export function killEtcdctlProcesses(): void {
  for (const child of children) {
    child.kill('SIGKILL');
  }
}

/** See the module comment. */
export class EtcdctlProcess {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | string | null>;
  #hasEnded = false;

  private constructor(endpoint: string, args: readonly string[]) {
    const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
    this.#child = spawn('etcdctl', [`--endpoints=${endpoint}`, ...args], { env });
    children.push(this.#child);
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.stderr += text;
    });
    // One that does not read its input may be gone before it is written.
    this.#child.stdin?.on('error', () => undefined);
    this.#closed = once(this.#child, 'close').then(([code, signal]) => {
      this.#hasEnded = true;
      return (code ?? signal) as number | string | null;
    });
  }

  /** Starts one. */
  static start(endpoint: string, args: readonly string[]): EtcdctlProcess {
    return new EtcdctlProcess(endpoint, args);
  }

  /** All that it has printed, errors last. */
  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Writes to its input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until it has printed so many lines, errors included, or has ended. */
  async lines(count: number): Promise<void> {
    const endMs = Date.now() + limitMs;
    while (this.output.split('\n').length <= count && !this.#hasEnded && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until nothing more comes for a moment: lines are written one by one. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.output.length; ) {
      before = this.output.length;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
  }

  /** Stops it; returns its exit code, or the signal that has ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    this.#child.kill(signal);
    return this.#closed;
  }

  /** Waits for its end; returns its exit code, or the signal that has ended it. */
  async ended(): Promise<number | string | null> {
    return this.#closed;
  }
}
