/**
 * Responses of watches as bytes: what many watches are told alike is encoded once.
 *
 * A message of protobuf may be given in pieces, one behind the other: the fields of all of them
 * make it up. So the head of a response is a piece of its own, and events are pieces that all
 * watches share that are told of them.
 */
import type { WatchEvent } from '../replica/index.ts';
import { readWatchRequest, services } from '../wire/index.ts';
import type * as wire from '../wire/index.ts';
import { fromKeyValue } from './convert.ts';

/** What is sent on a stream of watches: a response, or one that is encoded already. */
export type WatchAnswer = wire.WatchResponse | EncodedAnswer;

/** An encoded response. */
export class EncodedAnswer {
  readonly bytes: Buffer;

  /** A response without events, and parts of events, each encoded unless it was before. */
  constructor(head: wire.WatchResponse, parts: readonly (readonly WatchEvent[])[]) {
    this.bytes = Buffer.concat([Watch.responseSerialize(head), ...parts.map(encodedPart)]);
  }
}

const { Watch } = services['etcdserverpb.Watch'];

/** The service: requests are read within bounds, and responses may be encoded already. */
export const watchDefinition = {
  Watch: {
    ...Watch,
    requestDeserialize: readWatchRequest,
    responseSerialize: (answer: WatchAnswer): Buffer =>
      answer instanceof EncodedAnswer ? answer.bytes : Watch.responseSerialize(answer),
  },
};

const bytesByPart = new WeakMap<readonly WatchEvent[], Buffer>();

function encodedPart(part: readonly WatchEvent[]): Buffer {
  let bytes = bytesByPart.get(part);
  if (bytes === undefined) {
    bytes = Watch.responseSerialize({ events: part.map(fromEvent) });
    bytesByPart.set(part, bytes);
  }
  return bytes;
}

function fromEvent({ type, kv, prevKv, isExpiry }: WatchEvent): wire.Event {
  return {
    type: type === 'put' ? 'PUT' : 'DELETE',
    kv: fromKeyValue(kv),
    prev_kv: prevKv === undefined ? null : fromKeyValue(prevKv),
    expired: isExpiry,
  };
}
