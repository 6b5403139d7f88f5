/** The sender over a call whose network the test plays. */
import { EventEmitter } from 'node:events';
import { type StatusObject, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { SnapshotFrame } from '../../src/transport/snapshot-frame.ts';
import { type SnapshotCall, SnapshotSender } from '../../src/transport/snapshot-sender.ts';
import { services } from '../../src/wire/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

const kib = 1024;
const decode = services['holdfast.v1.Peer'].FetchSnapshot.responseDeserialize;

/** A call that keeps what is written until the test takes it. */
class FakeCall extends EventEmitter {
  readonly sent: number[] = [];
  readonly frames = new Set<SnapshotFrame>();
  readonly #callbacks: (() => void)[] = [];
  hasEnded = false;
  failure: StatusObject | undefined;

  constructor() {
    super();
    this.on('error', (failure: StatusObject) => {
      this.failure = failure;
    });
  }

  write(frame: SnapshotFrame, callback: () => void): boolean {
    const { data } = decode(frame.message);
    this.frames.add(frame);
    this.sent.push(data.length);
    this.#callbacks.push(callback);
    return true;
  }

  end(): void {
    this.hasEnded = true;
  }

  /** The network takes the oldest `count` chunks. */
  take(count: number): void {
    for (const callback of this.#callbacks.splice(0, count)) {
      callback();
    }
  }

  get codeTold(): unknown {
    return this.failure?.metadata.get('holdfast-error')[0];
  }
}

/** A source of pieces of these sizes that shows how far it was read. */
function sourceOf(...sizes: readonly number[]) {
  const seen = { read: 0, isClosed: false };
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const size = sizes[seen.read];
        if (size === undefined) {
          return { done: true, value: undefined };
        }
        seen.read++;
        return { done: false, value: new Uint8Array(size) };
      },
      return: async () => {
        seen.isClosed = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { seen, open: async () => Promise.resolve(source) };
}

let loop: VirtualLoop;
let sender: SnapshotSender;
let call: FakeCall;

beforeEach(() => {
  loop = new VirtualLoop();
  sender = senderOf(Number.POSITIVE_INFINITY);
  call = new FakeCall();
});

function senderOf(bytesPerSecondMax: number): SnapshotSender {
  return new SnapshotSender({ timers: loop, bytesPerSecondMax });
}

function send(to: FakeCall, peer: number, open: () => Promise<AsyncIterable<Uint8Array>>): void {
  sender.send(to as unknown as SnapshotCall, peer, open);
}

describe('SnapshotSender', () => {
  test('cuts what is long into messages of 256 KiB', async () => {
    send(call, 2, sourceOf(600 * kib, 10).open);
    await loop.run(0);

    expect(call.sent).toEqual([256 * kib, 256 * kib, 88 * kib, 10]);
    call.take(4);
    await loop.run(0);
    expect(call.hasEnded).toBe(true);
  });

  test('lets four chunks wait for the network, and reads on as they are taken', async () => {
    const { seen, open } = sourceOf(...Array.from({ length: 20 }, () => 1));
    send(call, 2, open);

    await loop.run(1000);
    expect([seen.read, call.sent.length]).toEqual([4, 4]);
    call.take(1);
    await loop.run(1000);
    expect([seen.read, call.sent.length]).toEqual([5, 5]);

    for (let taken = 1; taken < 20; taken++) {
      call.take(1);
      await loop.run(0);
    }
    expect(call.sent).toHaveLength(20);
    expect(call.frames.size).toBe(4);
    expect(call.hasEnded).toBe(true);
    expect(loop.pendingTimers).toBe(0);
  });

  test('keeps to its rate over all transfers together', async () => {
    sender = senderOf(1024 * kib);
    const calls = [new FakeCall(), new FakeCall()];
    for (const [i, each] of calls.entries()) {
      const take = each.write.bind(each);
      each.write = (chunk, callback) => {
        callback();
        return take(chunk, () => undefined);
      };
      send(each, i + 2, sourceOf(...Array.from({ length: 40 }, () => 256 * kib)).open);
    }

    await loop.run(5000);

    // A burst of half a MiB, then one MiB for each second.
    const sent = calls.flatMap((each) => each.sent).reduce((sum, bytes) => sum + bytes, 0);
    expect(sent).toBe(5.5 * 1024 * kib);
    expect(calls.map((each) => each.sent.length)).toEqual([11, 11]);
  });

  test('gives up a peer that takes nothing for a minute', async () => {
    const { seen, open } = sourceOf(...Array.from({ length: 20 }, () => 1));
    send(call, 2, open);

    await loop.run(59_999);
    expect(call.failure).toBeUndefined();
    await loop.run(1);

    expect(call.codeTold).toBe('TIMEOUT');
    expect(seen.isClosed).toBe(true);
    const next = new FakeCall();
    send(next, 2, sourceOf(1).open);
    await loop.run(0);
    expect(next.sent).toEqual([1]);
  });

  test('stops reading when the call is cancelled, while it waits for the network', async () => {
    const { seen, open } = sourceOf(...Array.from({ length: 20 }, () => 1));
    send(call, 2, open);
    await loop.run(0);

    call.emit('cancelled');
    await loop.run(0);

    expect(seen).toEqual({ read: 4, isClosed: true });
    expect(loop.pendingTimers).toBe(0);
  });

  test('lets a source go that is opened only after the call was cancelled', async () => {
    const { seen, open } = sourceOf(1);
    let finishOpening: () => void = () => undefined;
    const opening = new Promise<void>((resolve) => {
      finishOpening = resolve;
    });
    send(call, 2, async () => opening.then(open));

    call.emit('cancelled');
    finishOpening();
    await loop.run(0);

    expect(seen).toEqual({ read: 0, isClosed: true });
    expect(call.sent).toEqual([]);
  });

  test('tells why it cannot open a snapshot', async () => {
    send(call, 2, async () => Promise.reject(new KvError('CORRUPT', { message: 'why' })));
    await loop.run(0);

    expect(call.failure).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'why' });
    expect(call.codeTold).toBe('CORRUPT');
    expect(call.hasEnded).toBe(false);
  });

  test('serves four peers', async () => {
    const calls = [2, 3, 4, 5, 6].map((peer) => ({ peer, each: new FakeCall() }));
    for (const { peer, each } of calls) {
      send(each, peer, sourceOf(1, 1, 1, 1, 1, 1).open);
    }
    await loop.run(0);

    const codes = calls.map(({ each }) => each.codeTold);
    expect(codes.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(codes.slice(4)).toEqual(['TOO_MANY_REQUESTS']);
    expect(calls[4]?.each.failure?.details).toBe('4 snapshots are being sent already');
  });

  test('serves a peer that asks anew, and ends what it was being sent', async () => {
    const { seen, open } = sourceOf(1, 1, 1, 1, 1, 1);
    const others = [3, 4, 5];
    for (const peer of others) {
      send(new FakeCall(), peer, sourceOf(1, 1, 1, 1, 1, 1).open);
    }
    send(call, 2, open);
    await loop.run(0);
    const [again, last] = [new FakeCall(), new FakeCall()];

    send(again, 2, sourceOf(1, 1, 1, 1, 1, 1).open);
    await loop.run(0);
    send(last, 2, sourceOf(1, 1).open);
    await loop.run(0);

    expect(call.codeTold).toBe('CANCELLED');
    expect(call.failure?.details).toBe('member 2 has asked anew');
    expect(seen.isClosed).toBe(true);
    expect(again.codeTold).toBe('CANCELLED');
    expect(last).toMatchObject({ sent: [1, 1], hasEnded: true });
    // The place is free once that has ended, and not taken twice.
    const [third, fourth] = [new FakeCall(), new FakeCall()];
    send(third, 6, sourceOf(1).open);
    send(fourth, 7, sourceOf(1).open);
    await loop.run(0);
    expect([third.codeTold, fourth.codeTold]).toEqual([undefined, 'TOO_MANY_REQUESTS']);
  });

  test('bounds what has been ended and has not let go of its source', async () => {
    const open = async (): Promise<never> => new Promise<never>(() => undefined);
    const calls = Array.from({ length: 9 }, () => new FakeCall());
    for (const each of calls) {
      send(each, 2, open);
    }
    await loop.run(0);

    expect(calls.map(({ codeTold }) => codeTold).lastIndexOf('TOO_MANY_REQUESTS')).toBe(8);
    expect(calls.filter(({ failure }) => failure !== undefined)).toHaveLength(1);
  });

  test('breaks everything off when it stops, and takes nothing more', async () => {
    const { seen, open } = sourceOf(...Array.from({ length: 20 }, () => 1));
    send(call, 2, open);
    await loop.run(0);

    await sender.stop();
    const late = new FakeCall();
    send(late, 3, open);

    expect(call.codeTold).toBe('STOPPED');
    expect(seen.isClosed).toBe(true);
    expect(late.codeTold).toBe('STOPPED');
  });
});
