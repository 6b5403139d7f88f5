/**
 * The receiving side of a snapshot: one call on a connection of its own.
 *
 * Why: on a shared connection a receiver that is slow to store the snapshot would hold up the
 * messages between the two members. What the consumer has not taken waits at the sender, but for
 * the flow-control window and a few chunks.
 */
import { type ChannelCredentials, Client, type ClientReadableStream } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import { type SnapshotChunk, services } from '../wire/index.ts';
import { callErrorToKvError } from './call-errors.ts';
import { callMetadata, type MemberIdentity } from './handshake.ts';
import type { Peer } from './ports.ts';
import { makeRevocable } from './revocable-credentials.ts';

/** A sender from which nothing comes for so long is given up. */
const stallMsMax = 20_000;
/**
 * The same for one that does not answer on its link either, as when its process is paused or the
 * network cut: it may have been half of those who are left, and nothing is committed meanwhile.
 */
const goneMsMax = 3000;
const stallCheckMs = 500;
/** Bytes under way that need no acknowledgement: enough for a fast network with a long delay. */
const windowBytes = 4 * 1024 * 1024;

/** From whom to fetch what. */
export interface SnapshotFetchOptions {
  readonly identity: MemberIdentity;
  readonly peer: Peer;
  readonly minIndex: number;
  readonly formatVersionMax: number;
  readonly credentials: ChannelCredentials;
  readonly timers: Timers;
  /** Whether the peer answers what it is sent besides. */
  readonly isReachable: () => boolean;
  /** Ends the transfer; if its reason is a `KvError`, that is what is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Yields the bytes of the peer's snapshot; ends the call when the consumer returns.
 *
 * @throws {KvError} see `Transport.fetchSnapshot`.
 */
export async function* fetchSnapshot(options: SnapshotFetchOptions): AsyncGenerator<Uint8Array> {
  const { signal, timers } = options;
  let failure: KvError | undefined;
  const { stream, close } = call(options);
  const abort = (reason: unknown): void => {
    failure ??= reason instanceof KvError ? reason : new KvError('CANCELLED', { cause: reason });
    stream.cancel();
  };
  const onAbort = (): void => {
    abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) {
    onAbort();
  }
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<SnapshotChunk, undefined>;
  // Undefined while the consumer has a chunk.
  let waitingSinceMs: number | undefined;
  const stallCheck = timers.every(stallCheckMs, () => {
    const problem = stallOf(timers.nowMs() - (waitingSinceMs ?? timers.nowMs()), options);
    if (problem !== undefined) {
      abort(problem);
    }
  });
  try {
    for (;;) {
      waitingSinceMs = timers.nowMs();
      const next = await chunks.next();
      waitingSinceMs = undefined;
      if (next.done === true) {
        return;
      }
      yield next.value.data;
    }
  } catch (error) {
    throw failure ?? callErrorToKvError(error, `fetching the snapshot of ${options.peer.name}`);
  } finally {
    stallCheck.cancel();
    signal.removeEventListener('abort', onAbort);
    // Cancelling a call that has ended does nothing.
    stream.cancel();
    close();
  }
}

/** Why a sender that has been silent for `silentMs` is given up, if it is. */
function stallOf(
  silentMs: number,
  { peer, isReachable }: SnapshotFetchOptions,
): KvError | undefined {
  if (silentMs >= stallMsMax) {
    return new KvError('TIMEOUT', { message: `${peer.name} sent nothing for ${stallMsMax} ms` });
  }
  return silentMs < goneMsMax || isReachable()
    ? undefined
    : new KvError('UNHEALTHY', {
        message: `${peer.name} sent nothing for ${goneMsMax} ms, and does not answer`,
      });
}

function call(options: SnapshotFetchOptions): {
  readonly stream: ClientReadableStream<SnapshotChunk>;
  readonly close: () => void;
} {
  const { peer, identity, minIndex, formatVersionMax } = options;
  const { credentials, revoke } = makeRevocable(options.credentials);
  const client = new Client(peer.address, credentials, channelOptions);
  const { path, requestSerialize, responseDeserialize } =
    services['holdfast.v1.Peer'].FetchSnapshot;
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    { min_index: minIndex, format_version_max: formatVersionMax },
    callMetadata(identity, peer.id),
  );
  // The iterator tells of errors; one that comes after its end is of no interest.
  stream.on('error', () => undefined);
  return {
    stream,
    close: () => {
      client.close();
      revoke();
    },
  };
}

const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc-node.flow_control_window': windowBytes,
};
