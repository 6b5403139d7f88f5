/** Connections to who is measured, for as long as a measurement takes; what goes wrong ends it. */
import { ExitError } from '../exit.ts';
import type { Access } from './access.ts';
import { Connection, type Endpoint } from './connection.ts';
import { LibraryCallee } from './library.ts';
import { findLeader } from './leader.ts';
import { signIn, SignInRefused } from './sign-in.ts';

/** Who is measured. */
export interface Subject {
  readonly title: string;
  readonly endpoints: readonly Endpoint[];
  readonly access: Access;
  /** Processes whose CPU time and memory are noted; none for clusters that run elsewhere. */
  readonly pids: readonly number[];
  /** Whether calls are made by the client library instead of the load generator's connections. */
  readonly isByLibrary?: boolean;
}

/** How often who makes the calls signs in again: well below what members let a token live. */
const signInPeriodMs = 60_000;

/** See the module comment. */
export class Stage {
  readonly subject: Subject;
  /** Aborted when it is to end: from outside, or because a connection or stream was lost. */
  readonly signal: AbortSignal;
  readonly #endpoints: readonly Endpoint[];
  readonly #lost = new AbortController();
  readonly #connections: Connection[] = [];
  #library: LibraryCallee | undefined;

  private constructor(subject: Subject, endpoints: readonly Endpoint[], signal: AbortSignal) {
    this.subject = subject;
    this.#endpoints = endpoints;
    this.signal = AbortSignal.any([signal, this.#lost.signal]);
  }

  /**
   * Runs `use`, then closes all connections.
   *
   * @throws {ExitError} 1 — the subject cannot be reached, or names no leader
   */
  static async run<T>(
    subject: Subject,
    isLeaderOnly: boolean,
    signal: AbortSignal,
    use: (stage: Stage) => Promise<T>,
  ): Promise<T> {
    await enter(subject);
    const endpoints = isLeaderOnly ? [await leaderOf(subject)] : subject.endpoints;
    const stage = new Stage(subject, endpoints, signal);
    const signingIn = setInterval(() => {
      signIn(endpoints, subject.access).catch((error: unknown) => {
        stage.fail(error as Error);
      });
    }, signInPeriodMs);
    try {
      return await use(stage);
    } finally {
      clearInterval(signingIn);
      for (const connection of stage.#connections) {
        connection.close();
      }
      await stage.#library?.close();
    }
  }

  /** Opens connections to the members in turn; each goes on to the next if its member is lost. */
  async connect(count: number): Promise<readonly Connection[]> {
    const opened: Connection[] = [];
    for (let i = 0; i < count; i++) {
      this.signal.throwIfAborted();
      const start = i % this.#endpoints.length;
      const order = [...this.#endpoints.slice(start), ...this.#endpoints.slice(0, start)];
      const connection = await this.#open(order);
      opened.push(connection);
      this.#connections.push(connection);
    }
    return opened;
  }

  /** Makes a client of the library, once. */
  library(): LibraryCallee {
    this.#library ??= new LibraryCallee(this.#endpoints, this.subject.access);
    return this.#library;
  }

  /** Ends the measurement: what it needs was lost. */
  fail(error: Error): void {
    this.#lost.abort(new ExitError(1, `holdfast bench: ${this.subject.title}: ${error.message}`));
  }

  async #open(endpoints: readonly Endpoint[]): Promise<Connection> {
    const onLost = (error: Error): void => {
      this.#lost.abort(unreachable(endpoints[0], error));
    };
    try {
      return await Connection.open({ endpoints, access: this.subject.access, onLost });
    } catch (error) {
      throw unreachable(endpoints[0], error as Error);
    }
  }
}

async function enter({ endpoints, access }: Subject): Promise<void> {
  try {
    await signIn(endpoints, access);
  } catch (error) {
    if (error instanceof SignInRefused) {
      const hint = 'check --user and --password, or HOLDFAST_USER and HOLDFAST_PASSWORD';
      throw new ExitError(1, `holdfast bench: ${error.message}; ${hint}`);
    }
    throw unreachable(undefined, error as Error);
  }
}

async function leaderOf(subject: Subject): Promise<Endpoint> {
  let leader: Endpoint | undefined;
  try {
    leader = await findLeader(subject.endpoints, subject.access);
  } catch (error) {
    throw unreachable(undefined, error as Error);
  }
  if (leader === undefined) {
    throw new ExitError(
      1,
      `holdfast bench: the endpoints of ${subject.title} name no leader among them; ` +
        'give the endpoints of all members, and look whether they have one',
    );
  }
  return leader;
}

function unreachable(endpoint: Endpoint | undefined, error: Error): ExitError {
  const where = endpoint === undefined ? 'an endpoint' : `${endpoint.host}:${endpoint.port}`;
  return new ExitError(
    1,
    `holdfast bench: ${where} cannot be used: ${error.message}. Does a cluster run there? ` +
      '`holdfast dev` starts one; --endpoints names another.',
  );
}
