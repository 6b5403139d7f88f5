/**
 * A snapshot as `Maintenance.Snapshot` streams it: no faster than the client takes it, and given up
 * when the client goes.
 *
 * `remaining_bytes` is 0 in the last message alone, as clients may take 0 for the end. The total is
 * only estimated before, so until the end is seen it is at least 1; to see the end, one piece is
 * held back.
 */
import type { ServerWritableStream } from '@grpc/grpc-js';
import type * as wire from '../wire/index.ts';
import { headerOf, type ServiceContext, writePaced } from './service.ts';

/** Bytes of a message at most: far below what clients accept, large enough to be fast. */
const blobBytesMax = 256 * 1024;

type SnapshotCall = ServerWritableStream<wire.SnapshotRequest, wire.SnapshotResponse>;

/**
 * Opens a snapshot and sends it.
 *
 * @throws {KvError} STOPPED, TOO_MANY_REQUESTS; and what reading it throws.
 */
export async function sendSnapshot(context: ServiceContext, call: SnapshotCall): Promise<void> {
  const { estimatedBytes, revision, chunks } = await context.member.administration.openSnapshot();
  const header = headerOf(context, revision);
  let sentBytes = 0;
  const send = async (blob: Uint8Array, isLast: boolean): Promise<void> => {
    sentBytes += blob.length;
    await writePaced(call, {
      header,
      remaining_bytes: isLast ? 0 : Math.max(1, estimatedBytes - sentBytes),
      blob,
      version: context.version,
    });
  };
  let held: Uint8Array | undefined;
  for await (const blob of piecesOf(chunks)) {
    if (held !== undefined) {
      await send(held, false);
    }
    // Leaving the loop also ends the reader behind it.
    if (call.cancelled) {
      return;
    }
    held = blob;
  }
  if (held !== undefined) {
    await send(held, true);
  }
}

/**
 * Chunks without the empty ones, and cut where they are too long for a message. Copies: a message
 * may still wait for the network when the next chunk is made, in the same memory.
 */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += blobBytesMax) {
      yield new Uint8Array(chunk.subarray(from, from + blobBytesMax));
    }
  }
}
