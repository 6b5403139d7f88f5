/**
 * The way to members over gRPC: one HTTP/2 connection an endpoint, kept alive by pings, made anew
 * when it is lost.
 *
 * A request is sent only over a connection that is there. So a call that never reached a member is
 * known as such, which is what makes it safe to try elsewhere. A connection that is not there after
 * a while is dialled anew, and one that is being made when the link is closed is given up.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { Outcome, Timers } from '../base/index.ts';
import { nodeEnvironment } from './defaults.ts';
import { dialled } from './dialling.ts';
import { HoldfastError } from './errors.ts';
import { services } from '../wire/index.ts';
import type {
  CallFailure,
  CallMetadata,
  CallResult,
  ConnectListener,
  Link,
  Method,
  OngoingCall,
  StreamCall,
  StreamListener,
  Transport,
} from './ports.ts';
import { TlsCredentials } from './tls-credentials.ts';

/** How connections are secured; members that speak TLS are checked against `ca`. */
export interface TlsOptions {
  /** Certificates to trust, PEM; Node's own when absent. */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's own certificate and key, PEM, for members that ask for one. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** The name in the members' certificates, where it is not that of the endpoint. */
  readonly serverName?: string | undefined;
}

/** Milliseconds between pings of a connection, and how long one may stay unanswered. */
const keepAliveMs = 10_000;
const keepAliveAnswerMs = 5000;

/** Milliseconds; a member that comes back is found again soon. */
const redialMinMs = 100;
const redialMaxMs = 1000;

/** Milliseconds after which a connection that is not there is dialled anew. */
const dialMaxDefaultMs = 10_000;

/**
 * Opens connections; `tls` undefined is plain text.
 *
 * @throws {HoldfastError} CONFIG_INVALID — certificates or key cannot be read.
 */
export function grpcTransport(
  tls: TlsOptions | undefined,
  timers: Timers = nodeEnvironment().loop,
  dialMaxMs: number = dialMaxDefaultMs,
): Transport {
  const context = tls === undefined ? undefined : contextOf(tls);
  const options = {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    // Each client has connections of its own, and closes them.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.keepalive_time_ms': keepAliveMs,
    'grpc.keepalive_timeout_ms': keepAliveAnswerMs,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': redialMinMs,
    'grpc.min_reconnect_backoff_ms': redialMinMs,
    'grpc.max_reconnect_backoff_ms': redialMaxMs,
  };
  return {
    open: (address) => {
      const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      const secured = context && new TlsCredentials(tls?.serverName ?? host, context);
      const dial = (signal: AbortSignal): Client => {
        const way = dialled(address, signal);
        const channelCredentials = secured ?? credentials.createInsecure();
        return new Client(way.target, channelCredentials, { ...options, ...way.options });
      };
      return new GrpcLink(dial, { timers, dialMaxMs }, secured);
    },
  };
}

function contextOf({ ca, cert, key }: TlsOptions): SecureContext {
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca: Buffer.from(ca as Uint8Array) }),
      ...(cert === undefined ? {} : { cert: Buffer.from(cert as Uint8Array) }),
      ...(key === undefined ? {} : { key: Buffer.from(key as Uint8Array) }),
    });
  } catch (cause) {
    // Its message may have been made from the key.
    const code = (cause as NodeJS.ErrnoException).code ?? 'an error of OpenSSL';
    const text = `tls: ca, cert and key have to be PEM, and fit together (${code})`;
    throw new HoldfastError('CONFIG_INVALID', text);
  }
}

interface DialLimits {
  readonly timers: Timers;
  readonly dialMaxMs: number;
}

class GrpcLink implements Link {
  /** Makes a client whose sockets end with a signal. */
  readonly #dial: (signal: AbortSignal) => Client;
  readonly #limits: DialLimits;
  /** Undefined in plain text. */
  readonly #credentials: TlsCredentials | undefined;
  #dialling = new AbortController();
  #client: Client;
  /** Who waits for the connection, or for what is in its way: one look for all of them. */
  readonly #waiting: ConnectListener[] = [];
  #isLooking = false;
  #isClosed = false;

  constructor(dial: (signal: AbortSignal) => Client, limits: DialLimits, tls?: TlsCredentials) {
    this.#dial = dial;
    this.#limits = limits;
    this.#credentials = tls;
    this.#client = dial(this.#dialling.signal);
  }

  connect(done: ConnectListener): void {
    if (this.#isClosed) {
      done('closed');
    } else if (this.#state === connectivityState.READY) {
      done(undefined);
    } else {
      this.#waiting.push(done);
      this.#look();
    }
  }

  call<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Answer>,
    request: Request,
    metadata: CallMetadata,
    done: (result: CallResult<Answer>) => void,
  ): OngoingCall {
    return this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadataOf(metadata),
      (error, answer) =>
        done(
          error === null
            ? { kind: 'ok', answer: answer as Answer }
            : { kind: 'failed', failure: failureOf(error) },
        ),
    );
  }

  stream<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Answer>,
    metadata: CallMetadata,
    listener: StreamListener<Answer>,
  ): StreamCall<Request> {
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(metadata),
    );
    let isEnded = false;
    const end = (failure: CallFailure | undefined): void => {
      if (!isEnded) {
        isEnded = true;
        listener.onEnd(failure);
      }
    };
    call.on('data', (answer: Answer) => listener.onAnswer(answer));
    call.on('drain', () => listener.onDrain?.());
    call.on('error', (error: Error) => end(failureOf(error)));
    // The status comes first, the end once everything before it has been taken.
    let hasSucceeded = false;
    call.on('status', ({ code }: { readonly code: status }) => {
      hasSucceeded = code === status.OK;
    });
    call.on('end', () => {
      if (hasSucceeded) {
        end(undefined);
      }
    });
    return {
      write: (request) => call.write(request),
      end: () => void call.end(),
      cancel: () => call.cancel(),
      pause: () => void call.pause(),
      resume: () => void call.resume(),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#hangUp();
  }

  /** The state of the connection, which is asked for if it is not there. */
  get #state(): connectivityState {
    return this.#client.getChannel().getConnectivityState(true);
  }

  /** Tells those who wait, now or once something has changed. */
  #look(): void {
    if (this.#isLooking) {
      return;
    }
    const state = this.#state;
    if (state === connectivityState.READY) {
      this.#tell(undefined);
      return;
    }
    this.#isLooking = true;
    if (state === connectivityState.TRANSIENT_FAILURE) {
      this.#explain();
      return;
    }
    const { timers, dialMaxMs } = this.#limits;
    let isLate = false;
    const timer = timers.after(dialMaxMs, () => {
      isLate = true;
      // Which is a change of state.
      this.#hangUp();
    });
    const channel = this.#client.getChannel();
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      timer.cancel();
      this.#isLooking = false;
      if (this.#isClosed) {
        this.#tell('closed');
      } else if (isLate) {
        this.#dialling = new AbortController();
        this.#client = this.#dial(this.#dialling.signal);
        this.#tell(`no connection within ${dialMaxMs} ms`);
      } else {
        this.#look();
      }
    });
  }

  #tell(...outcome: Parameters<ConnectListener>): void {
    for (const done of this.#waiting.splice(0)) {
      done(...outcome);
    }
  }

  /** A connection that is there ends in good order; one that is being made is given up. */
  #hangUp(): void {
    const isThere =
      this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
    // Whoever is told of the end may dial anew.
    const dialling = this.#dialling;
    this.#client.close();
    if (!isThere) {
      dialling.abort();
    }
  }

  /** A channel does not say why it has no connection, but a call over it does: a harmless one. */
  #explain(): void {
    const { timers, dialMaxMs } = this.#limits;
    const { Status } = services['etcdserverpb.Maintenance'];
    const call = this.call(Status, {}, {}, (result) => {
      timer.cancel();
      this.#isLooking = false;
      if (this.#isClosed) {
        this.#tell('closed');
      } else if (result.kind === 'ok' || this.#state === connectivityState.READY) {
        this.#tell(undefined);
      } else {
        this.#tell(...this.#problemOf(result.failure));
      }
    });
    const timer = timers.after(dialMaxMs, () => call.cancel());
  }

  #problemOf({ message }: CallFailure): Parameters<ConnectListener> {
    const refusal = this.#credentials?.refusal;
    if (refusal !== undefined) {
      return [refusal, 'certificate'];
    }
    const [, reason] = /Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(message) ?? [];
    const problem = inOneLine(reason === undefined || reason === '' ? message : reason);
    return [`${problem}${this.#hint(problem)}`];
  }

  #hint(problem: string): string {
    if (this.#credentials !== undefined) {
      return cutOff.test(problem) ? cutOffHint : '';
    }
    return closedAtOnce.test(problem) ? closedAtOnceHint : '';
  }
}

/** OpenSSL has line breaks in its texts, and the channel adds the time to some. */
function inOneLine(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '')
    .trim();
}

/**
 * A member without TLS answers a handshake in plain text and closes. Whether the client reads that
 * answer or the reset behind it is chance; what to do is the same.
 */
const cutOff = /ECONNRESET|EPIPE|socket hang up|disconnected before secure TLS/;
const cutOffHint = ' (the TLS handshake was cut off: does the member speak TLS?)';
/** A member that wants TLS closes a connection in plain text; the channel says no more of it. */
const closedAtOnce = /^Failed to connect$|ECONNRESET|EPIPE/;
const closedAtOnceHint = ' (it was closed at once: does the member want TLS?)';

function metadataOf(entries: CallMetadata): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) {
    metadata.set(name, value);
  }
  return metadata;
}

/**
 * What a call has failed with. An error of the stream itself, as of a write after its end, carries
 * neither status nor metadata: there was no connection for it any more.
 */
function failureOf(error: Error): CallFailure {
  const { code, details, metadata } = error as Partial<ServiceError>;
  const said = (name: string): string | undefined => metadata?.get(name)[0]?.toString();
  return {
    status: typeof code === 'number' ? status[code] : 'UNAVAILABLE',
    code: said('holdfast-code'),
    outcome: said('holdfast-outcome') as Outcome | undefined,
    message: details === undefined || details === '' ? error.message : details,
    wasSent: true,
    cause: error,
  };
}
