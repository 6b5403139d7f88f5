/**
 * Calls to members: at which endpoint, for how long, and what is tried again.
 *
 * Every call has a deadline and may be aborted. It is sent only over a connection that is there; if
 * it fails in a way that may pass, it is made again, at another endpoint and after a pause, as long
 * as repeating it is safe:
 *
 * - a `read`, and an `idempotent` request, always;
 * - a `write` only while every earlier attempt surely had no effect. One whose outcome is unknown
 *   fails with `outcome: 'unknown'`, since making it again might do it twice.
 *
 * A certificate that is refused at every endpoint ends a call at once, and a stream unless there
 * was a connection before: what is to last for long lasts through a mishap of certificates.
 *
 * Invariant: a call ends exactly once, no later than its deadline.
 */
import { Attempts, type Purpose } from './attempts.ts';
import type { Endpoint, Endpoints, Route } from './endpoints.ts';
import {
  certificateRefused,
  closedError,
  codeOf,
  HoldfastError,
  isRepeatableCode,
  notOfLearners,
} from './errors.ts';
import type { LeaderFinder } from './leader-finder.ts';
import type { RetryPace } from './pace.ts';
import type {
  CallFailure,
  CallMetadata,
  CallResult,
  Credentials,
  Environment,
  Method,
  OngoingCall,
  StreamCall,
  StreamListener,
} from './ports.ts';

/** Bounds that a user sets on one call. */
export interface CallOptions {
  /** Milliseconds from now; the client's own default when absent. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A unary call. */
export interface CallSpec<Request, Answer> extends CallOptions {
  /** Names the call in messages, as `put`; no keys, no values. */
  readonly what: string;
  readonly method: Method<Request, Answer>;
  readonly request: Request;
  readonly purpose: Purpose;
  /** `any` when absent. */
  readonly route?: Route | undefined;
  readonly metadata?: CallMetadata | undefined;
}

/** A streaming call. */
export interface StreamSpec<Request, Answer> extends CallOptions {
  readonly what: string;
  readonly method: Method<Request, Answer>;
  readonly route?: Route | undefined;
  readonly metadata?: CallMetadata | undefined;
  /** Told what comes, from the next turn on. */
  readonly listener: StreamListener<Answer>;
  /** Not this one, if there is another: it has just failed. */
  readonly avoid?: string | undefined;
  /** Told of each endpoint that could not be connected. */
  readonly onProblem?: ((address: string, problem: string) => void) | undefined;
}

/** A stream that has been opened, and where. */
export interface OpenStream<Request> extends StreamCall<Request> {
  /** `host:port` */
  readonly address: string;
  /**
   * The member has said on the stream that it does not know who this is, or no longer: the next
   * stream signs in anew. False when that would help nothing: there is nobody to sign in as.
   */
  forgetCredentials(): boolean;
}

/**
 * Calls to members as the rest of the client makes them: the seam between what is asked and how it
 * gets there.
 */
export interface Caller {
  /** @throws {HoldfastError} it has not been answered; see the module comment. */
  call<Request, Answer>(spec: CallSpec<Request, Answer>): Promise<Answer>;
  /**
   * Opens a stream as soon as an endpoint is connected. What becomes of it then is its listener's
   * concern; `timeoutMs` bounds the opening only, and without it there is no bound.
   *
   * @throws {HoldfastError} none could be connected.
   */
  stream<Request, Answer>(spec: StreamSpec<Request, Answer>): Promise<OpenStream<Request>>;
  /**
   * Waits before failed attempt `attempt` (from 1 on) is repeated, no longer than `limitMs`. Ends
   * at once when aborted.
   */
  pause(attempt: number, signal?: AbortSignal, limitMs?: number): Promise<void>;
}

/** Limit: how long a connection may take, while there are other endpoints; milliseconds. */
const connectMaxMs = 2000;
/** Limit: how long an endpoint may take to answer what may be asked elsewhere; milliseconds. */
const attemptMaxMs = 5000;

/** Limit: how often a call signs in anew because its token is not known any more. */
const signInsMax = 1;

/** What a {@link MemberCaller} works with. */
export interface CallerParts {
  readonly environment: Environment;
  readonly endpoints: Endpoints;
  readonly pace: RetryPace;
  readonly finder: LeaderFinder;
  readonly timeoutMs: number;
  /** Metadata of every call, as it is now; it may have to be fetched first. */
  readonly credentials?: Credentials | undefined;
}

/** See the module comment. */
export class MemberCaller implements Caller {
  readonly #parts: CallerParts;
  readonly #attempts = new Set<Attempts>();
  readonly #streams = new Set<OngoingCall>();
  #isClosed = false;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  async call<Request, Answer>(spec: CallSpec<Request, Answer>): Promise<Answer> {
    const attempts = this.#begin(spec, spec.timeoutMs ?? this.#parts.timeoutMs, spec.purpose);
    try {
      return await this.#repeat(spec, attempts);
    } finally {
      this.#end(attempts);
    }
  }

  async stream<Request, Answer>(spec: StreamSpec<Request, Answer>): Promise<OpenStream<Request>> {
    const attempts = this.#begin(spec, spec.timeoutMs ?? Number.POSITIVE_INFINITY, 'read');
    const { endpoints } = this.#parts;
    try {
      attempts.endpoint = endpoints.at(spec.avoid);
      for (;;) {
        const endpoint = await this.#connected(spec, attempts);
        const metadata = endpoint && (await this.#metadata(endpoint, spec.metadata, attempts));
        if (endpoint !== undefined && metadata !== undefined) {
          attempts.throwIfEnded();
          return this.#open(endpoint, { ...spec, metadata });
        }
        spec.onProblem?.(attempts.endpoint?.address ?? '', attempts.problem);
        if (endpoints.areAllRefused && !endpoints.hasConnected) {
          attempts.throwUnlessRepeatable();
        }
        await attempts.pause(this.#parts.pace.pauseMs(attempts.failed));
      }
    } finally {
      this.#end(attempts);
    }
  }

  async pause(
    attempt: number,
    signal?: AbortSignal,
    limitMs: number = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const bounds = { what: 'waiting', ...(signal === undefined ? {} : { signal }) };
    const attempts = this.#begin(bounds, Number.POSITIVE_INFINITY, 'read');
    try {
      await attempts.pause(Math.min(limitMs, this.#parts.pace.pauseMs(attempt)));
    } finally {
      this.#end(attempts);
    }
  }

  /** Every call and stream under way ends, and every later one fails. */
  close(): void {
    this.#isClosed = true;
    this.#parts.credentials?.close();
    this.#parts.finder.close();
    for (const stream of this.#streams) {
      stream.cancel();
    }
    for (const attempts of this.#attempts) {
      attempts.close();
    }
  }

  #begin(bounds: CallOptions & { what: string }, timeoutMs: number, purpose: Purpose): Attempts {
    const { what, signal } = bounds;
    if (this.#isClosed) {
      throw closedError(what);
    }
    const attempts = new Attempts({ what, signal, timeoutMs, purpose }, this.#parts.environment);
    this.#attempts.add(attempts);
    return attempts;
  }

  #end(attempts: Attempts): void {
    attempts.end();
    this.#attempts.delete(attempts);
  }

  async #repeat<Request, Answer>(
    spec: CallSpec<Request, Answer>,
    attempts: Attempts,
  ): Promise<Answer> {
    const { endpoints, pace } = this.#parts;
    let signIns = 0;
    for (;;) {
      const endpoint = await this.#connected(spec, attempts);
      const metadata = endpoint && (await this.#metadata(endpoint, spec.metadata, attempts));
      if (endpoint !== undefined && metadata !== undefined) {
        const result = await this.#attempt(endpoint, { ...spec, metadata }, attempts);
        if (result.kind === 'ok') {
          pace.succeeded();
          endpoints.succeeded(endpoint);
          return result.answer;
        }
        attempts.noteFailure(endpoint, result.failure);
        if (!this.#noteFailure(endpoint, result.failure, metadata) || ++signIns > signInsMax) {
          attempts.throwUnlessRepeatable();
        }
      } else if (endpoints.areAllRefused) {
        attempts.throwUnlessRepeatable();
      }
      await attempts.pause(pace.pauseMs(attempts.failed));
    }
  }

  /** An endpoint with a connection; undefined when the one that was chosen has none. */
  async #connected(
    { route = 'any' }: { readonly route?: Route | undefined },
    attempts: Attempts,
  ): Promise<Endpoint | undefined> {
    const { endpoints, finder } = this.#parts;
    if (route === 'leader') {
      finder.maybeLook();
    }
    const endpoint = endpoints.choose(route, attempts.endpoint);
    attempts.enter(endpoint, 'connecting');
    const limitMs = endpoints.all.length === 1 ? Number.POSITIVE_INFINITY : connectMaxMs;
    const failure = await attempts.within<CallFailure | undefined>(
      limitMs,
      (done) => {
        endpoint.link.connect((problem, kind) => {
          done(problem === undefined ? undefined : unreachable(problem, kind));
        });
        return undefined;
      },
      unreachable(`no connection within ${connectMaxMs} ms`),
    );
    if (failure === undefined) {
      endpoints.connected(endpoint);
      return endpoint;
    }
    endpoint.hasWrongCertificate = failure.code === certificateRefused;
    endpoints.failed(endpoint);
    attempts.noteFailure(endpoint, failure);
    return undefined;
  }

  async #attempt<Request, Answer>(
    endpoint: Endpoint,
    spec: CallSpec<Request, Answer> & { readonly metadata: CallMetadata },
    attempts: Attempts,
  ): Promise<CallResult<Answer>> {
    attempts.enter(endpoint, 'waiting for the answer');
    const { method, request, metadata, purpose } = spec;
    const limitMs = purpose === 'write' ? Number.POSITIVE_INFINITY : attemptMaxMs;
    const late: CallResult<Answer> = {
      kind: 'failed',
      failure: {
        ...{ status: 'DEADLINE_EXCEEDED', code: undefined, outcome: 'unknown', wasSent: true },
        ...{ message: `no answer within ${attemptMaxMs} ms`, cause: undefined },
      },
    };
    return attempts.within<CallResult<Answer>>(
      limitMs,
      (done) => {
        const call = endpoint.link.call(method, request, metadata, done);
        return () => call.cancel();
      },
      late,
    );
  }

  /** Undefined when nobody can say at the moment who the client is; that is noted. */
  async #metadata(
    endpoint: Endpoint,
    own: CallMetadata | undefined,
    attempts: Attempts,
  ): Promise<CallMetadata | undefined> {
    const { credentials } = this.#parts;
    if (credentials === undefined) {
      return own ?? noMetadata;
    }
    const signIn = credentials.metadata().catch((error: unknown) => error as HoldfastError);
    const theirs = await attempts.during(signIn);
    if (!(theirs instanceof HoldfastError)) {
      return { ...theirs, ...own };
    }
    if (!isRepeatableCode(theirs.code)) {
      throw attempts.refused(theirs);
    }
    // Its time was up; that of this call may not be.
    attempts.noteFailure(endpoint, unreachable(theirs.message));
    return undefined;
  }

  #open<Request, Answer>(
    endpoint: Endpoint,
    {
      method,
      metadata,
      listener,
    }: StreamSpec<Request, Answer> & { readonly metadata: CallMetadata },
  ): OpenStream<Request> {
    let isCancelled = false;
    const call: StreamCall<Request> = endpoint.link.stream(method, metadata, {
      onAnswer: (answer: Answer) => listener.onAnswer(answer),
      onDrain: () => listener.onDrain?.(),
      onEnd: (failure) => {
        this.#streams.delete(call);
        // What is cancelled here says nothing of the member.
        if (failure !== undefined && !isCancelled) {
          this.#noteFailure(endpoint, failure, metadata);
        }
        listener.onEnd(failure);
      },
    });
    this.#streams.add(call);
    const cancel = call.cancel.bind(call);
    return Object.assign(call, {
      address: endpoint.address,
      cancel: () => {
        isCancelled = true;
        cancel();
      },
      forgetCredentials: () => this.#forgetCredentials(metadata),
    });
  }

  /** Returns whether signing in again may help. */
  #noteFailure(endpoint: Endpoint, failure: CallFailure, metadata: CallMetadata): boolean {
    const code = codeOf(failure);
    const isOfNoUse = code === 'CONNECTION_LOST' || code === notOfLearners;
    if (isOfNoUse || failure.status === 'DEADLINE_EXCEEDED') {
      this.#parts.endpoints.failed(endpoint);
    }
    return code === 'UNAUTHENTICATED' && this.#forgetCredentials(metadata);
  }

  #forgetCredentials(metadata: CallMetadata): boolean {
    const { credentials } = this.#parts;
    credentials?.expired(metadata);
    return credentials !== undefined;
  }
}

const noMetadata: CallMetadata = {};

function unreachable(message: string, kind?: 'certificate'): CallFailure {
  const code = kind === undefined ? undefined : certificateRefused;
  const unknown = { outcome: undefined, cause: undefined };
  return { ...unknown, status: 'UNAVAILABLE', code, message, wasSent: false };
}
