/**
 * One member as a process: started, killed, paused and started again. Only processes that were
 * started here are signalled, by their own handle.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a member is started with. */
export interface MemberPlace {
  readonly name: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** Where it really listens; links lead there. */
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly metricsAddress: string;
  readonly args: readonly string[];
  /** The program, for Node. */
  readonly command: string;
}

/** More environment for the process of a member. */
export type EnvOf = (member: string) => Readonly<Record<string, string>>;

/** What whoever troubles a member needs of it, wherever it runs. */
export interface MemberControl {
  readonly name: string;
  readonly place: Pick<MemberPlace, 'dataDir' | 'clientAddress' | 'peerAddress' | 'metricsAddress'>;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Of its process, where that is one of this machine. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Asks it to end, and kills it if it does not in time. */
  stop(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /**
   * Says that the member, as it runs now, may end by itself: its disk fails, it is removed. A start
   * ends that.
   */
  expectEnd(): void;
  /** Waits until it has ended by itself. */
  hasEnded(limitMs: number): Promise<boolean>;
  /** The events of its log so far. */
  events(): Promise<readonly LogEvent[]>;
}

/** A line of a member's log. */
export type LogEvent = Readonly<Record<string, unknown>>;

/** The events among the lines of a log. */
export function parseLog(text: string): readonly LogEvent[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) {
      return [];
    }
    try {
      return [JSON.parse(line) as LogEvent];
    } catch {
      // A kill may have cut the line short.
      return [];
    }
  });
}

const stopLimitMs = 15_000;

/** Members that run: none may outlive this process, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/** See the module comment. */
export class MemberProcess implements MemberControl {
  readonly place: MemberPlace;
  readonly #envOf: EnvOf;
  #child: ChildProcess | undefined;
  #isPaused = false;
  #isEnding = false;
  readonly #onCrash: (how: string) => void;

  /** `envOf` is asked anew at each start. */
  constructor(place: MemberPlace, envOf: EnvOf, onCrash: (how: string) => void) {
    this.place = place;
    this.#envOf = envOf;
    this.#onCrash = onCrash;
  }

  get name(): string {
    return this.place.name;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (this.isRunning) {
      return;
    }
    await mkdir(this.place.dataDir, { recursive: true });
    const child = spawn(process.execPath, [this.place.command, 'server', ...this.place.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#envOf(this.name) },
    });
    const log = createWriteStream(this.place.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('close', () => log.end());
    running.add(child);
    this.#child = child;
    this.#isPaused = false;
    this.#isEnding = false;
    child.once('exit', (code, signal) => {
      running.delete(child);
      if (!this.#isEnding) {
        this.#onCrash(code === null ? `signal ${signal ?? ''}` : `exit code ${code}`);
      }
    });
    await once(child, 'spawn');
  }

  expectEnd(): void {
    this.#isEnding = true;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), stopLimitMs);
    await this.resume();
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  async pause(): Promise<void> {
    if (this.isRunning) {
      this.#isPaused = this.#child?.kill('SIGSTOP') ?? false;
    }
    return Promise.resolve();
  }

  async resume(): Promise<void> {
    if (this.#isPaused) {
      this.#child?.kill('SIGCONT');
      this.#isPaused = false;
    }
    return Promise.resolve();
  }

  async hasEnded(limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (this.isRunning && performance.now() < endMs) {
      await sleep(20);
    }
    return !this.isRunning;
  }

  async events(): Promise<readonly LogEvent[]> {
    return parseLog(await readFile(this.place.logFile, 'utf8'));
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) {
      return;
    }
    this.#isEnding = true;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    this.#isPaused = false;
  }
}
