/**
 * One member of a test cluster: a real one, with its log and engine on disk and its ports on
 * loopback, in this process.
 *
 * It keeps its data and its ports while it is down. What is asked of it is done in order, one thing
 * after the other.
 */
import type { MemberApi } from '../../replica/index.ts';
import type { Logger } from '../../observability/index.ts';
import { type RunningServer, startServer } from '../compose.ts';
import type { ServerConfig } from '../server-config.ts';

/** What a {@link TestMember} runs. */
export interface TestMemberParts {
  readonly config: ServerConfig;
  /** `host:port` */
  readonly endpoint: string;
  readonly logger: Logger;
}

/** See the module comment. */
export class TestMember {
  readonly name: string;
  /** `host:port` where clients reach it. */
  readonly endpoint: string;
  readonly #parts: TestMemberParts;
  #server: RunningServer | undefined;
  /** Why it gave up by itself; told when it is stopped. */
  #failure: Error | undefined;
  /** Settles with what was asked last. */
  #last: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(parts: TestMemberParts) {
    this.name = parts.config.name;
    this.endpoint = parts.endpoint;
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  /** Whether it leads as far as it knows; the cluster's `leader()` waits until one does. */
  get isLeader(): boolean {
    return this.#server?.member.isLeader === true;
  }

  /** @internal */
  get api(): (MemberApi & { readonly isLeader: boolean }) | undefined {
    return this.#server?.member;
  }

  /** Starts it with the data it has; one that runs stays as it is. */
  async start(): Promise<void> {
    return this.#inOrder(async () => {
      const { config, logger } = this.#parts;
      this.#server ??= await startServer(config, logger, (error) => {
        this.#failure = new Error(`member ${this.name} cannot go on`, { cause: error });
      });
    });
  }

  /** Stops it in good order: it hands leadership over, and ends calls under way. */
  async stop(): Promise<void> {
    return this.#end('orderly');
  }

  /**
   * Stops it as a crash would look to everybody else: connections break, calls under way stay
   * without an answer, nobody is told. What it has acknowledged is on its disk.
   */
  async kill(): Promise<void> {
    return this.#end('abrupt');
  }

  /** Stops it in good order and starts it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(manner: 'orderly' | 'abrupt'): Promise<void> {
    return this.#inOrder(async () => {
      const server = this.#server;
      this.#server = undefined;
      await server?.stop(manner);
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) {
        throw failure;
      }
    });
  }

  async #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    // Whoever asked for it is told of a failure; what comes next goes ahead.
    this.#last = done.catch(() => undefined);
    return done;
  }
}
