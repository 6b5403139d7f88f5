/**
 * A watch that lasts: goes on at the next revision when its connection breaks, with another member
 * if need be, so that no event is lost or told twice.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import { ExitError } from '../exit.ts';
import type { Dialler } from './dialler.ts';
import { exitCodes, failureOf, unreachableHint } from './failure.ts';
import { type AnswerOf, methods, type RequestOf } from './requests.ts';

type WatchMethod = typeof methods.watch.Watch;

/** What a member tells a watch. */
export type WatchAnswer = AnswerOf<WatchMethod>;
/** What a watch asks for. */
export type WatchCreation = NonNullable<RequestOf<WatchMethod>['create_request']>;

/** Failures after which another try may succeed. */
const passing: readonly status[] = [
  status.UNAVAILABLE,
  status.UNKNOWN,
  status.CANCELLED,
  status.INTERNAL,
  status.RESOURCE_EXHAUSTED,
  // Of signing in; the watch itself has no limit.
  status.DEADLINE_EXCEEDED,
];
const retryMinMs = 100;
const retryMaxMs = 3000;
/** How long signing in may take before another member is tried, milliseconds. */
const signInMaxMs = 5000;

/** A watch, and who hears of it. */
export interface WatchOptions {
  /** `[https://]host:port` of each. */
  readonly endpoints: readonly string[];
  readonly dialler: Dialler;
  readonly creation: WatchCreation;
  /** Hears answers with events one after the other; what it throws ends the watch. */
  readonly onAnswer: (answer: WatchAnswer) => Promise<void>;
  /** Hears how the connection broke off, and from which revision the watch goes on. */
  readonly onBroken: (reason: string, nextRevision: bigint) => void;
  /** Hears up to which revision all has been told, when a member says so. */
  readonly onProgress?: (revision: string) => Promise<void>;
  /** Hears, at each connection, what asks the member to say so. */
  readonly onOpen?: (askForProgress: () => void) => void;
}

/**
 * Watches until it is told to end, or cannot go on.
 *
 * @throws {ExitError} no member was reached at the beginning; the member refuses the watch; or
 *   history is compacted beyond what it wants.
 */
export async function watch(options: WatchOptions): Promise<never> {
  const { endpoints, creation, onBroken } = options;
  const progress: Progress = { nextRevision: BigInt(String(creation.start_revision ?? 0)) };
  const reasons: string[] = [];
  let hasBegun = false;
  let waitMs = retryMinMs;
  for (let attempt = 0; ; attempt++) {
    const endpoint = endpoints[attempt % endpoints.length] ?? '';
    const session = await watchAt(endpoint, options, progress);
    hasBegun ||= session.hasBegun;
    if (!hasBegun) {
      reasons.push(session.reason);
      if (reasons.length === endpoints.length) {
        const list = reasons.map((reason, i) => `${endpoints[i] ?? ''}: ${reason}`).join('; ');
        throw new ExitError(
          exitCodes.unreachable,
          `holdfast: watch failed: ${list}; hint: ${unreachableHint(reasons)}`,
        );
      }
      continue;
    }
    if (session.hasBegun) {
      waitMs = retryMinMs;
      onBroken(`${endpoint}: ${session.reason}`, progress.nextRevision);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(2 * waitMs, retryMaxMs);
  }
}

/** How far a watch has come; 0: it begins at the present. */
interface Progress {
  nextRevision: bigint;
}

interface Session {
  /** Whether the member has taken the watch. */
  readonly hasBegun: boolean;
  /** Why it ended. */
  readonly reason: string;
}

/** Watches at one endpoint until the connection breaks. */
async function watchAt(
  endpoint: string,
  { dialler, creation, onAnswer, onProgress, onOpen }: WatchOptions,
  progress: Progress,
): Promise<Session> {
  const client = dialler.open(endpoint, channelOptions);
  let hasBegun = false;
  let end = (): void => undefined;
  try {
    const metadata = await dialler.signIn.metadata(client, Date.now() + signInMaxMs);
    // From a member that is cut off nothing would come: better to look for another one.
    metadata.set('hasleader', 'true');
    const { path, requestSerialize, responseDeserialize } = methods.watch.Watch;
    const call = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
    );
    end = () => {
      call.cancel();
    };
    const startRevision = progress.nextRevision.toString();
    call.write({ create_request: { ...creation, start_revision: startRevision } });
    onOpen?.(() => {
      call.write({ progress_request: {} });
    });
    for await (const answer of call as AsyncIterable<WatchAnswer>) {
      checkCanceled(answer);
      hasBegun ||= answer.created;
      if (answer.events.length > 0) {
        await onAnswer(answer);
      } else if (!answer.created) {
        await onProgress?.(answer.header?.revision ?? '0');
      }
      progress.nextRevision = nextRevisionAfter(answer, progress.nextRevision);
    }
    return { hasBegun, reason: 'the member has ended the watch' };
  } catch (error) {
    if (error instanceof ExitError || !isPassing(error)) {
      throw error instanceof ExitError ? error : refusedBy(endpoint, error as ServiceError);
    }
    return { hasBegun, reason: dialler.reasonOf(endpoint, failureOf(endpoint, error).message) };
  } finally {
    end();
    client.close();
  }
}

function isPassing(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && passing.includes(error.code as status);
}

function refusedBy(endpoint: string, error: ServiceError): ExitError {
  return new ExitError(exitCodes.failed, `holdfast: watch failed: ${endpoint}: ${error.details}`);
}

/** @throws {ExitError} the watch has ended for good. */
function checkCanceled({ canceled, compact_revision, cancel_reason }: WatchAnswer): void {
  if (!canceled) {
    return;
  }
  const why =
    compact_revision === '0'
      ? `the member has ended the watch: ${cancel_reason}`
      : `history is compacted: begin at --rev ${compact_revision} or later, and read the keys ` +
        'as they are now';
  throw new ExitError(exitCodes.failed, `holdfast: watch failed: ${why}`);
}

function nextRevisionAfter(answer: WatchAnswer, nextRevision: bigint): bigint {
  const last = answer.events.at(-1)?.kv?.mod_revision;
  if (last !== undefined) {
    // More of the same revision may be in the next part.
    return answer.fragment ? nextRevision : BigInt(last) + 1n;
  }
  const told = BigInt(answer.header?.revision ?? 0) + 1n;
  return answer.created && nextRevision > 0n ? nextRevision : told;
}

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};
