/**
 * Members as the client's transport sees them, answered by the test, under virtual time: which of
 * them can be reached, and what each call and stream comes to.
 */
import { createPrng } from '../../src/base/index.ts';
import type {
  CallFailure,
  CallMetadata,
  CallResult,
  Environment,
  Link,
  Method,
  StreamListener,
  Transport,
} from '../../src/client/ports.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** A call that has reached a member. */
export interface ReceivedCall {
  readonly address: string;
  readonly path: string;
  readonly request: unknown;
  readonly metadata: CallMetadata;
  readonly isCancelled: boolean;
  answer(answer: unknown): void;
  fail(failure: Partial<CallFailure>): void;
}

/** A stream that has reached a member. */
export interface ReceivedStream {
  readonly address: string;
  readonly path: string;
  readonly metadata: CallMetadata;
  readonly received: readonly unknown[];
  readonly isCancelled: boolean;
  readonly hasEnded: boolean;
  isBlocked: boolean;
  answer(answer: unknown): void;
  drain(): void;
  end(failure?: Partial<CallFailure>): void;
}

/** Time under a test's control, and chance from a seed. */
export function virtualEnvironment(): Environment & { readonly loop: VirtualLoop } {
  let names = 0;
  return { loop: new VirtualLoop(), prng: createPrng(1), uniqueName: () => `name${++names}` };
}

/** A failure as a transport reports it; of a request that was sent, without the server's word. */
export function failure(fields: Partial<CallFailure> = {}): CallFailure {
  return {
    status: 'UNAVAILABLE',
    code: undefined,
    outcome: undefined,
    message: 'connection reset',
    wasSent: true,
    cause: new Error('cause'),
    ...fields,
  };
}

/** See the module comment. */
export class FakeMembers implements Transport {
  /** Addresses that refuse connections, and with which words. */
  readonly down = new Map<string, string>();
  /** Addresses where a certificate is refused, and with which words. */
  readonly mistrusted = new Map<string, string>();
  /** Addresses where a connection is neither made nor refused. */
  readonly silent = new Set<string>();
  readonly calls: ReceivedCall[] = [];
  readonly streams: ReceivedStream[] = [];
  readonly closed: string[] = [];
  /** Called for each call; without it calls wait for the test to answer them. */
  onCall: ((call: ReceivedCall) => void) | undefined;
  onStream: ((stream: ReceivedStream) => void) | undefined;
  /** Called in the turn in which a connection is made or refused. */
  onConnected: (() => void) | undefined;
  onMessage: ((stream: ReceivedStream, message: unknown) => void) | undefined;

  /** Calls of one method, by the last part of its path. */
  callsOf(name: string): readonly ReceivedCall[] {
    return this.calls.filter(({ path }) => path.endsWith(`/${name}`));
  }

  open(address: string): Link {
    return {
      connect: (done) => {
        const mistrust = this.mistrusted.get(address);
        if (mistrust !== undefined) {
          done(mistrust, 'certificate');
        } else if (!this.silent.has(address)) {
          done(this.down.get(address));
          this.onConnected?.();
        }
      },
      call: <Request, Answer>(
        { path }: Method<Request, Answer>,
        request: Request,
        metadata: CallMetadata,
        done: (result: CallResult<Answer>) => void,
      ) => {
        const state = { isCancelled: false };
        const call: ReceivedCall = {
          ...{ address, path, request, metadata },
          get isCancelled() {
            return state.isCancelled;
          },
          answer: (answer) => done({ kind: 'ok', answer: answer as Answer }),
          fail: (fields) => done({ kind: 'failed', failure: failure(fields) }),
        };
        this.calls.push(call);
        this.onCall?.(call);
        return {
          cancel: () => {
            state.isCancelled = true;
          },
        };
      },
      stream: <Request, Answer>(
        { path }: Method<Request, Answer>,
        metadata: CallMetadata,
        listener: StreamListener<Answer>,
      ) => this.#stream<Answer>({ address, path, metadata }, listener),
      close: () => {
        this.closed.push(address);
      },
    };
  }

  #stream<Answer>(
    head: { readonly address: string; readonly path: string; readonly metadata: CallMetadata },
    listener: StreamListener<Answer>,
  ) {
    const state = { isCancelled: false, hasEnded: false, isOver: false, isBlocked: false };
    const received: unknown[] = [];
    const over = (cause: CallFailure | undefined): void => {
      if (!state.isOver) {
        state.isOver = true;
        listener.onEnd(cause);
      }
    };
    const stream: ReceivedStream = {
      ...head,
      received,
      get isCancelled() {
        return state.isCancelled;
      },
      get hasEnded() {
        return state.hasEnded;
      },
      get isBlocked() {
        return state.isBlocked;
      },
      set isBlocked(value) {
        state.isBlocked = value;
      },
      answer: (answer) => {
        if (!state.isOver) {
          listener.onAnswer(answer as Answer);
        }
      },
      drain: () => listener.onDrain?.(),
      end: (fields) => over(fields === undefined ? undefined : failure(fields)),
    };
    this.streams.push(stream);
    queueMicrotask(() => {
      if (this.onStream !== undefined) {
        this.onStream(stream);
      } else if (head.path.endsWith('/Operate')) {
        // As etcd.
        stream.end({ status: 'UNIMPLEMENTED', message: 'unknown service holdfast.v1.Pipeline' });
      }
    });
    return {
      write: (request: unknown) => {
        received.push(request);
        queueMicrotask(() => this.onMessage?.(stream, request));
        return !state.isBlocked;
      },
      end: () => {
        state.hasEnded = true;
      },
      cancel: () => {
        state.isCancelled = true;
        queueMicrotask(() => over(failure({ status: 'CANCELLED', message: 'cancelled' })));
      },
      pause: () => undefined,
      resume: () => undefined,
    };
  }
}
