/**
 * How much of a message has come that is not whole yet. grpc-js gathers it, up to the largest
 * message for each call, and tells of it only at its end: a client that sends most of a message on
 * very many calls, and never the rest, would have a member hold all of that.
 *
 * It looks at what grpc-js has for itself; where that is not found, nothing is told, which the test
 * of this page notices.
 */
import type { Readable } from 'node:stream';

/** What grpc-js's call has, as of 1.14. */
interface Incoming {
  readonly stream: Readable;
  readonly decoder: {
    readonly readMessageSize: number;
    readonly readMessageRemaining: number;
  };
}

/** Tells, whenever bytes of a call have come, how many are held of a message that is not whole. */
export function onPartialMessage(call: object, tell: (heldBytes: number) => void): void {
  if (isIncoming(call)) {
    const { stream, decoder } = call;
    // Called behind grpc-js's own listener, which has decoded what has come by then.
    stream.on('data', () => {
      const { readMessageSize, readMessageRemaining } = decoder;
      tell(readMessageRemaining > 0 ? readMessageSize - readMessageRemaining : 0);
    });
  }
}

function isIncoming(call: object): call is Incoming {
  const { stream, decoder } = call as Partial<Incoming>;
  return stream !== undefined && typeof decoder?.readMessageRemaining === 'number';
}
