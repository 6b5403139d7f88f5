/**
 * Calls to the members: one after the other until one answers, within one deadline.
 *
 * A request is sent only over a connection that is there, so a call that never reached a server is
 * known as such; only then, or when the server says that it had no effect, is a write tried at the
 * next endpoint.
 */
import {
  type Client,
  connectivityState,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { services } from '../../wire/index.ts';
import type { Dialler } from './dialler.ts';
import {
  type CallFailure,
  canFailOver,
  exitOf,
  failureOf,
  type Purpose,
  ranOutOfTime,
  unreachable,
  withoutLeader,
} from './failure.ts';

/** What is needed of a method's definition; those of `services` have it. */
export interface Method<Request, Answer> {
  readonly path: string;
  /** Whether requests are a stream: it is asked one thing, and gives one answer. */
  readonly requestStream?: boolean;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Answer;
}

/** What a command asks for. */
export interface Call<Request, Answer> {
  /** Name of the command, for messages. */
  readonly command: string;
  readonly purpose: Purpose;
  readonly method: Method<Request, Answer>;
  readonly request: Request;
  /** Ends the call when it fires, with a failure. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of a call to one endpoint: an answer, or why there is none. */
export type CallResult<Answer> = {
  readonly endpoint: string;
  /** Milliseconds from the connection to the answer, or from the start to the failure. */
  readonly tookMs: number;
} & (
  | { readonly kind: 'ok'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: CallFailure }
);

/**
 * How long one of several endpoints may take to accept a connection, or one in a call without end,
 * milliseconds.
 */
const connectMaxMs = 2000;

/** A member says whom it follows without asking anybody. */
const leaderAnswerMs = 1000;

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  // A call may wait for hours: that its member is gone shows even if nobody says so.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
};

/** See the module comment. */
export class Connection {
  /** `[https://]host:port` of each, in the order given. */
  readonly endpoints: readonly string[];
  readonly #dialler: Dialler;
  readonly #deadlineMs: number;
  readonly #clients = new Map<string, Client>();

  /** The time begins to run now; it may be infinite. */
  constructor(endpoints: readonly string[], timeoutMs: number, dialler: Dialler) {
    // Failures are told once, by the command.
    setLogVerbosity(logVerbosity.NONE);
    this.endpoints = endpoints;
    this.#dialler = dialler;
    this.#deadlineMs = Date.now() + timeoutMs;
  }

  /**
   * Asks the endpoints in turn.
   *
   * @throws {ExitError} none has answered; says what is known about a write.
   */
  async call<Request, Answer>(call: Call<Request, Answer>): Promise<Answer> {
    const failures: CallFailure[] = [];
    for (const [i, endpoint] of this.endpoints.entries()) {
      const left = this.endpoints.length - i;
      const result = await this.#callAt(endpoint, call, left);
      if (result.kind === 'ok') {
        return result.answer;
      }
      failures.push(result.failure);
      if (!canFailOver(result.failure, call.purpose)) {
        break;
      }
    }
    throw exitOf(call.command, call.purpose, failures);
  }

  /** Asks every endpoint at the same time; results are in the order of the endpoints. */
  async callEach<Request, Answer>(
    call: Call<Request, Answer>,
    endpoints = this.endpoints,
  ): Promise<CallResult<Answer>[]> {
    return Promise.all(endpoints.map(async (endpoint) => this.#callAt(endpoint, call, 1)));
  }

  /**
   * The answers of a streaming method, from the first endpoint that begins to answer.
   *
   * @throws {ExitError} none has, or the one that has broke off.
   */
  async *stream<Request, Answer>(call: Call<Request, Answer>): AsyncGenerator<Answer, void> {
    const failures: CallFailure[] = [];
    for (const [i, endpoint] of this.endpoints.entries()) {
      const client = this.#clientOf(endpoint);
      const problem = await this.#connect(client, this.endpoints.length - i, call.signal);
      if (problem !== undefined) {
        failures.push(unreachable(endpoint, this.#dialler.reasonOf(endpoint, problem)));
        continue;
      }
      const metadata = await this.#identify(client, endpoint);
      if (!(metadata instanceof Metadata)) {
        failures.push(metadata);
        break;
      }
      const { method, request } = call;
      const answers = client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline: this.#deadlineMs },
      );
      const forget = cancelOn(call.signal, answers);
      let hasBegun = false;
      try {
        for await (const answer of answers) {
          hasBegun = true;
          yield answer as Answer;
        }
        return;
      } catch (error) {
        const failure = failureOf(endpoint, error as ServiceError);
        failures.push(failure);
        if (hasBegun || !canFailOver(failure, call.purpose)) {
          break;
        }
      } finally {
        forget();
      }
    }
    throw exitOf(call.command, call.purpose, failures);
  }

  /** Ends all connections. */
  close(): void {
    for (const client of this.#clients.values()) {
      client.close();
    }
  }

  async #callAt<Request, Answer>(
    endpoint: string,
    call: Call<Request, Answer>,
    endpointsLeft: number,
  ): Promise<CallResult<Answer>> {
    const client = this.#clientOf(endpoint);
    const startMs = performance.now();
    const problem = await this.#connect(client, endpointsLeft, call.signal);
    const connectedMs = performance.now();
    if (problem !== undefined) {
      const failure = unreachable(endpoint, this.#dialler.reasonOf(endpoint, problem));
      return { endpoint, tookMs: connectedMs - startMs, kind: 'failed', failure };
    }
    const metadata = await this.#identify(client, endpoint);
    if (!(metadata instanceof Metadata)) {
      const tookMs = performance.now() - connectedMs;
      return { endpoint, tookMs, kind: 'failed', failure: metadata };
    }
    const result = await send(client, { ...call, metadata }, this.#deadlineMs);
    const tookMs = performance.now() - connectedMs;
    if (result.kind === 'ok') {
      return { endpoint, tookMs, kind: 'ok', answer: result.answer };
    }
    const failure = failureOf(endpoint, result.error);
    const isLeaderless = ranOutOfTime(failure) && (await hasNoLeader(client, metadata));
    return {
      ...{ endpoint, tookMs, kind: 'failed' },
      failure: isLeaderless ? withoutLeader(failure) : failure,
    };
  }

  /** Whether the members that can be asked at once know no leader, at least one of them. */
  async findsNoLeader(): Promise<boolean> {
    const answers = await Promise.all(
      this.endpoints.map(async (endpoint) => {
        const client = this.#clientOf(endpoint);
        const problem = await connect(client, Date.now() + leaderAnswerMs);
        const metadata = await this.#identify(client, endpoint);
        return problem === undefined && metadata instanceof Metadata
          ? hasNoLeader(client, metadata)
          : undefined;
      }),
    );
    const told = answers.filter((answer) => answer !== undefined);
    return told.length > 0 && told.every(Boolean);
  }

  /** What a call says of who makes it, or why that is not known; then nothing has been sent. */
  async #identify(client: Client, endpoint: string): Promise<Metadata | CallFailure> {
    try {
      return await this.#dialler.signIn.metadata(client, this.#deadlineMs);
    } catch (error) {
      return { ...failureOf(endpoint, error as ServiceError), outcome: 'rejected' };
    }
  }

  #clientOf(endpoint: string): Client {
    const client = this.#clients.get(endpoint) ?? this.#dialler.open(endpoint, channelOptions);
    this.#clients.set(endpoint, client);
    return client;
  }

  /** Leaves time for the endpoints after this one; returns what is in the way. */
  async #connect(
    client: Client,
    endpointsLeft: number,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const leftMs = this.#deadlineMs - Date.now();
    const isLast = endpointsLeft === 1 && Number.isFinite(leftMs);
    const connectMs = isLast ? leftMs : Math.min(connectMaxMs, leftMs / endpointsLeft);
    const connected = connect(client, Date.now() + connectMs);
    if (signal === undefined) {
      return connected;
    }
    const ended = new Promise<string>((resolve) => {
      const end = (): void => {
        resolve('not waited for');
      };
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) {
        end();
      }
      void connected.finally(() => {
        signal.removeEventListener('abort', end);
      });
    });
    return Promise.race([connected, ended]);
  }
}

/** Whether a member says that it knows no leader; one that says nothing does not. */
async function hasNoLeader(client: Client, metadata: Metadata): Promise<boolean> {
  const method = services['etcdserverpb.Maintenance'].Status;
  const asked = { method, request: {}, metadata };
  const result = await send(client, asked, Date.now() + leaderAnswerMs);
  return result.kind === 'ok' && result.answer.leader === '0';
}

/** Waits for a connection; returns what is in the way when there is none. */
async function connect(client: Client, deadlineMs: number): Promise<string | undefined> {
  const channel = client.getChannel();
  const startMs = Date.now();
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) {
      return undefined;
    }
    if (state === connectivityState.TRANSIENT_FAILURE) {
      return reasonOfFailure(client, deadlineMs);
    }
    if (Date.now() >= deadlineMs) {
      return `no answer to a connection within ${Math.max(0, Date.now() - startMs)} ms`;
    }
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, deadlineMs, () => {
        resolve();
      });
    });
  }
}

/**
 * A channel does not say why it is not connected, but a call does: a harmless one. Undefined when
 * that one has found a connection meanwhile.
 */
async function reasonOfFailure(client: Client, deadlineMs: number): Promise<string | undefined> {
  const method = services['etcdserverpb.Maintenance'].Status;
  const asked = { method, request: {}, metadata: new Metadata() };
  const result = await send(client, asked, deadlineMs);
  const isConnected = client.getChannel().getConnectivityState(false) === connectivityState.READY;
  if (result.kind === 'ok' || isConnected) {
    return undefined;
  }
  return result.error.details;
}

type SendResult<Answer> =
  | { readonly kind: 'ok'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: ServiceError };

/** The part of a call that goes to a server, and who makes it. */
type Sent<Request, Answer> = Pick<Call<Request, Answer>, 'method' | 'request' | 'signal'> & {
  readonly metadata: Metadata;
};

/** Cancels a call once `signal` fires; returns what ends that. */
function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  const cancel = (): void => {
    call.cancel();
  };
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted === true) {
    cancel();
  }
  return () => {
    signal?.removeEventListener('abort', cancel);
  };
}

async function send<Request, Answer>(
  client: Client,
  sent: Sent<Request, Answer>,
  deadlineMs: number,
): Promise<SendResult<Answer>> {
  const { method, request, metadata, signal } = sent;
  if (method.requestStream === true) {
    return exchange(client, sent, deadlineMs);
  }
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      { deadline: deadlineMs },
      (error, answer) => {
        forget();
        if (error !== null) {
          resolve({ kind: 'failed', error });
        } else if (answer === undefined) {
          reject(new Error(`${method.path} has succeeded without an answer`));
        } else {
          resolve({ kind: 'ok', answer });
        }
      },
    );
    const forget = cancelOn(signal, call);
  });
}

/** One request and one answer over streams. */
async function exchange<Request, Answer>(
  client: Client,
  { method, request, metadata }: Sent<Request, Answer>,
  deadlineMs: number,
): Promise<SendResult<Answer>> {
  return new Promise((resolve) => {
    const call = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
      { deadline: deadlineMs },
    );
    call.on('data', (answer: Answer) => {
      resolve({ kind: 'ok', answer });
    });
    call.on('error', (error: ServiceError) => {
      resolve({ kind: 'failed', error });
    });
    call.end(request);
  });
}
