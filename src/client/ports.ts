/**
 * What the client needs of its surroundings: time and chance, and a way to members.
 *
 * Real ones are in `defaults.ts` and `grpc-transport.ts`; tests own time and answer the calls
 * themselves. Ports call back and promise nothing, so that a test decides in which order things
 * happen.
 */
import type { EventLoop, Outcome, Prng } from '../base/index.ts';

/** Time and chance. */
export interface Environment {
  readonly loop: EventLoop;
  readonly prng: Prng;
  /** A name that nobody else has: 32 hexadecimal digits by chance. */
  readonly uniqueName: () => string;
}

/** What is needed of a gRPC method; the definitions of `services` have it. */
export interface Method<Request, Answer> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Answer;
}

/** Why a call ended without an answer. */
export interface CallFailure {
  /** Name of gRPC's status; `UNAVAILABLE` when no connection was there. */
  readonly status: string;
  /** Code of the catalogue, where the server said one. */
  readonly code: string | undefined;
  /** Whether it may have taken effect, where the server said so. */
  readonly outcome: Outcome | undefined;
  readonly message: string;
  /** False when the request surely never left. */
  readonly wasSent: boolean;
  readonly cause: unknown;
}

/** How a call ended. */
export type CallResult<Answer> =
  | { readonly kind: 'ok'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: CallFailure };

/** Metadata of a call. */
export type CallMetadata = Readonly<Record<string, string>>;

/** Who the client is, as members ask for it. */
export interface Credentials {
  /** @throws {HoldfastError} UNAUTHENTICATED — name or password are wrong. */
  metadata(): Promise<CallMetadata>;
  /** The members do not know these any more: the next call needs new ones. */
  expired(metadata: CallMetadata): void;
  /** Nobody needs any more of them. */
  close(): void;
}

/** A call under way. */
export interface OngoingCall {
  /** Ends it; its end is still told. Cancelling an ended call does nothing. */
  cancel(): void;
}

/** Whom a stream tells what comes. */
export interface StreamListener<Answer> {
  onAnswer(answer: Answer): void;
  /** The server takes more after a `write` that returned false. */
  onDrain?(): void;
  /** The last word: how it ended; undefined when the server ended it in good order. */
  onEnd(failure: CallFailure | undefined): void;
}

/** A stream under way, both ways. */
export interface StreamCall<Request> extends OngoingCall {
  /** Sends a message; false when the other side takes no more for now. */
  write(request: Request): boolean;
  /** No more messages come from here. */
  end(): void;
  /** Answers are to wait, or go on. */
  pause(): void;
  resume(): void;
}

/**
 * Hears of a connection: that it is there, or what is in its way. A certificate that is refused, by
 * either side, does not become better by waiting.
 */
export type ConnectListener = (problem: string | undefined, kind?: 'certificate') => void;

/** The way to one endpoint: a connection that is made, lost and made again. */
export interface Link {
  /** Tells once when a connection is there, or what is in its way; asks for one if need be. */
  connect(done: ConnectListener): void;
  /** A unary call over the connection that is there. */
  call<Request, Answer>(
    method: Method<Request, Answer>,
    request: Request,
    metadata: CallMetadata,
    done: (result: CallResult<Answer>) => void,
  ): OngoingCall;
  stream<Request, Answer>(
    method: Method<Request, Answer>,
    metadata: CallMetadata,
    listener: StreamListener<Answer>,
  ): StreamCall<Request>;
  close(): void;
}

/** Opens ways to members. */
export interface Transport {
  /** @param address - `host:port` */
  open(address: string): Link;
}
