/** What every transport keeps: delivery, peers that change, who is admitted, snapshots. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type {
  Admission,
  Applicant,
  Peer,
  PeerMessage,
  SnapshotFetch,
  Transport,
  TransportHandler,
} from '../../src/transport/index.ts';

/** Members that can reach each other, in virtual time. */
export interface TransportNetwork {
  /** A transport of member `id` that has not been started. */
  create(
    id: NodeId,
    options: { readonly incarnation: number; readonly peers: readonly NodeId[] },
  ): Transport;
  /** How others list member `id`. */
  peer(id: NodeId): Peer;
  /** Lets time pass until `condition` holds, or fails. */
  until(condition: () => boolean): Promise<void>;
  /** Lets `durationMs` pass. */
  pass(durationMs: number): Promise<void>;
}

interface MemberOptions {
  readonly incarnation?: number;
  readonly peers?: readonly NodeId[];
}

/** A member that keeps what its transport tells it and answers as the test says. */
class TestMember implements TransportHandler {
  readonly id: NodeId;
  readonly transport: Transport;
  readonly received: PeerMessage[] = [];
  readonly refused: (readonly [NodeId, string])[] = [];
  readonly requested: (readonly [NodeId, number, number])[] = [];
  readonly asked: (readonly [NodeId, number])[] = [];
  decide: (from: NodeId, incarnation: number) => Admission = () => 'ok';
  source: () => AsyncIterable<Uint8Array> = () => piecesOf();

  constructor(id: NodeId, transport: Transport) {
    this.id = id;
    this.transport = transport;
  }

  onMessages(messages: readonly PeerMessage[]): void {
    this.received.push(...messages);
  }

  onUnreachable(): void {
    // Told or not, messages may be lost.
  }

  onDown(): void {
    // Only processes can be down.
  }

  onAnnounced(): void {
    // Only real members announce addresses.
  }

  async admit({ id, incarnation }: Applicant): Promise<Admission> {
    this.asked.push([id, incarnation]);
    return this.decide(id, incarnation);
  }

  onRefused(peer: NodeId, reason: string): void {
    this.refused.push([peer, reason]);
  }

  async onSnapshotRequested(
    from: NodeId,
    ...wanted: readonly [minIndex: number, formatVersionMax: number]
  ): Promise<AsyncIterable<Uint8Array>> {
    this.requested.push([from, ...wanted]);
    return this.source();
  }

  describe(): never {
    throw new KvError('NOT_IMPLEMENTED');
  }

  /** Sends heartbeats with these numbers. */
  send(to: NodeId, ...numbers: readonly number[]): void {
    this.transport.send(
      numbers.map((commitIndex) => {
        const fields = { from: this.id, to, term: 3, commitIndex, readRound: 0 };
        return { type: 'Heartbeat', ...fields };
      }),
    );
  }

  get numbers(): readonly number[] {
    return this.received.map((message) => ('commitIndex' in message ? message.commitIndex : 0));
  }

  isLinkedTo(peer: NodeId): boolean {
    return this.transport.links().some((link) => link.peer.id === peer && link.isConnected);
  }
}

/** A stream of bytes that shows whether it was let go. */
class Source implements AsyncIterable<Uint8Array> {
  readonly #pieces: readonly Uint8Array[];
  readonly #error: unknown;
  #at = 0;
  isClosed = false;

  /** Without `pieces` it never ends; `error` comes after them. */
  constructor(pieces: readonly Uint8Array[], error?: unknown) {
    this.#pieces = pieces;
    this.#error = error;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const value = this.#pieces[this.#at++];
        if (value !== undefined) {
          return { done: false, value };
        }
        if (this.#error !== undefined) {
          throw this.#error as Error;
        }
        if (this.#pieces.length === 0) {
          return { done: false, value: Buffer.from(`${this.#at};`) };
        }
        this.isClosed = true;
        return { done: true, value: undefined };
      },
      return: async () => {
        this.isClosed = true;
        return { done: true, value: undefined };
      },
    };
  }
}

function piecesOf(...pieces: readonly string[]): AsyncIterable<Uint8Array> {
  return new Source(pieces.map((piece) => Buffer.from(piece)));
}

function endless(): Source {
  return new Source([]);
}

/** Runs the suite on the networks that `open` makes. */
export function transportSuite(open: () => Promise<TransportNetwork>): void {
  let network: TransportNetwork;
  let members: TestMember[];

  beforeEach(async () => {
    network = await open();
    members = [];
  });

  afterEach(async () => {
    await Promise.all(members.map(async ({ transport }) => transport.stop()));
  });

  /** A member with the other two as peers, unless told otherwise. */
  async function start(
    id: NodeId,
    { incarnation = 1, peers = [1, 2, 3].filter((each) => each !== id) }: MemberOptions = {},
    prepare: (member: TestMember) => void = () => undefined,
  ): Promise<TestMember> {
    const member = new TestMember(id, network.create(id, { incarnation, peers }));
    prepare(member);
    members.push(member);
    await member.transport.start(member);
    return member;
  }

  async function pair(): Promise<readonly [TestMember, TestMember]> {
    const one = await start(1);
    const two = await start(2);
    await network.until(() => one.isLinkedTo(2) && two.isLinkedTo(1));
    return [one, two];
  }

  /** Lets time pass until `work` has settled. */
  async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
    let result: PromiseSettledResult<T> | undefined;
    const watched = Promise.allSettled([work]).then(([only]) => {
      result = only;
    });
    await network.until(() => result !== undefined);
    await watched;
    return result as PromiseSettledResult<T>;
  }

  /** Everything that `by` gets of the snapshot of `from`, and with which code that ended. */
  async function fetched(
    by: TestMember,
    from: NodeId,
    { minIndex = 7, formatVersionMax, signal }: Partial<SnapshotFetch> = {},
  ): Promise<readonly [bytes: string, code: string | undefined]> {
    const chunks: Uint8Array[] = [];
    const collect = async (): Promise<void> => {
      const wanted = { minIndex, formatVersionMax, signal };
      for await (const chunk of by.transport.fetchSnapshot(from, wanted)) {
        chunks.push(chunk);
      }
    };
    const result = await settled(collect());
    const error: unknown = result.status === 'rejected' ? result.reason : undefined;
    expect(error === undefined || error instanceof KvError).toBe(true);
    return [Buffer.concat(chunks).toString(), error instanceof KvError ? error.code : undefined];
  }

  /** A fetch that has had its first chunk. */
  async function begun(
    by: TestMember,
    from: NodeId,
    signal?: AbortSignal,
  ): Promise<AsyncIterator<Uint8Array>> {
    const chunks = by.transport.fetchSnapshot(from, { minIndex: 1, signal });
    const iterator = chunks[Symbol.asyncIterator]();
    expect(await settled(iterator.next())).toMatchObject({ value: { done: false } });
    return iterator;
  }

  /** The code that reading on ends with; some chunks may still be under way. */
  async function endOf(iterator: AsyncIterator<Uint8Array>): Promise<unknown> {
    for (;;) {
      const result = await settled(iterator.next());
      if (result.status === 'rejected') {
        return result.reason instanceof KvError ? result.reason.code : result.reason;
      }
      if (result.value.done === true) {
        return 'end';
      }
    }
  }

  describe('messages', () => {
    test('arrive in order, both ways, and nowhere else', async () => {
      const [one, two] = await pair();
      const three = await start(3);
      const all = Array.from({ length: 200 }, (_, i) => i);

      one.send(2, ...all);
      two.send(1, ...all);
      await network.until(() => one.received.length === 200 && two.received.length === 200);

      expect(one.numbers).toEqual(all);
      expect(two.numbers).toEqual(all);
      expect(three.received).toEqual([]);
    });

    test('of every kind arrive as they were', async () => {
      const [one, two] = await pair();
      const messages: readonly PeerMessage[] = [
        { type: 'StateHash', from: 1, to: 2, index: 9, hash: 2n ** 64n - 1n },
        { type: 'InstallSnapshot', from: 1, to: 2, term: 3, index: 8, source: 3 },
      ];

      one.transport.send(messages);
      await network.until(() => two.received.length === 2);

      expect(two.received).toEqual(messages);
    });

    test('to a member that is away are lost, and arrive again once it is back', async () => {
      const [one, two] = await pair();
      await two.transport.stop();
      await network.until(() => !one.isLinkedTo(2));

      one.send(2, 1);
      await network.pass(100);
      const again = await start(2);
      await network.until(() => one.isLinkedTo(2));
      one.send(2, 2);
      await network.until(() => again.received.length > 0);

      expect(again.numbers).toEqual([2]);
    });
  });

  describe('peers', () => {
    test('that are added are dialled', async () => {
      const one = await start(1, { peers: [] });
      const two = await start(2, { peers: [] });
      one.send(2, 1);

      one.transport.setPeers([network.peer(2)]);
      await network.until(() => one.isLinkedTo(2));
      one.send(2, 2);
      await network.until(() => two.received.length > 0);

      expect(two.numbers).toEqual([2]);
      expect(one.transport.links().map(({ peer }) => peer)).toEqual([network.peer(2)]);
    });

    test('that stay keep their links', async () => {
      const [one, two] = await pair();
      const asked = two.asked.length;

      one.transport.setPeers([3, 2].map((id) => network.peer(id)));
      one.send(2, 1);
      await network.until(() => two.received.length > 0);

      expect(two.asked).toHaveLength(asked);
      expect(one.transport.links().map(({ peer }) => peer.id)).toEqual([2, 3]);
    });

    test('that are removed are neither spoken to nor heard, and are told', async () => {
      const [one, two] = await pair();

      one.decide = () => 'removed';
      one.transport.setPeers([network.peer(3)]);
      await network.until(() => two.refused.length > 0);
      one.send(2, 1);
      two.send(1, 2);
      await network.pass(100);

      expect(one.transport.links().map(({ peer }) => peer.id)).toEqual([3]);
      expect(one.received).toEqual([]);
      expect(two.received).toEqual([]);
      expect(two.refused).toEqual([[1, 'removed']]);
    });

    test('that are hung up on dial again, and hear how it stands with them', async () => {
      const [one, two] = await pair();
      await network.until(() => two.isLinkedTo(1));

      one.decide = () => 'removed';
      one.transport.hangUp(2);
      await network.until(() => two.refused.length > 0);

      expect(two.refused).toEqual([[1, 'removed']]);
      expect(one.isLinkedTo(2)).toBe(true);
    });

    test('that come back are heard again', async () => {
      const [one, two] = await pair();
      one.transport.setPeers([]);
      await network.until(() => !one.isLinkedTo(2));

      one.transport.setPeers([network.peer(2)]);
      await network.until(() => one.isLinkedTo(2) && two.isLinkedTo(1));
      one.send(2, 1);
      two.send(1, 2);
      await network.until(() => one.received.length > 0 && two.received.length > 0);

      expect([one.numbers, two.numbers]).toEqual([[2], [1]]);
    });

    test('never include the member itself', async () => {
      const one = await start(1, { peers: [] });

      one.transport.setPeers([1, 2].map((id) => network.peer(id)));

      expect(one.transport.links().map(({ peer }) => peer.id)).toEqual([2]);
    });
  });

  describe('a member', () => {
    test('is admitted by its id and its incarnation', async () => {
      const one = await start(1);
      await start(2, { incarnation: 2 ** 52 - 1 });

      await network.until(() => one.asked.length > 0);

      expect(one.asked[0]).toEqual([2, 2 ** 52 - 1]);
    });

    test('that lost its data is told so and not heard', async () => {
      const one = await start(1, {}, (member) => {
        member.decide = (_from, incarnation) => (incarnation === 1 ? 'ok' : 'lost-data');
      });
      const two = await start(2, { incarnation: 2 });

      await network.until(() => two.refused.length > 0);
      two.send(1, 1);
      await network.pass(100);

      expect(two.refused).toEqual([[1, 'lost-data']]);
      expect(one.received).toEqual([]);
    });

    test('that is not known yet is not told anything, and heard once it is known', async () => {
      const one = await start(1, { peers: [] }, (member) => {
        member.decide = () => 'unknown-member';
      });
      const two = await start(2);
      await network.until(() => one.asked.length >= 2);
      two.send(1, 1);
      await network.pass(100);
      expect(one.received).toEqual([]);

      one.decide = () => 'ok';
      await network.until(() => two.isLinkedTo(1));
      two.send(1, 2);
      await network.until(() => one.received.length > 0);

      expect(one.numbers).toEqual([2]);
      expect(two.refused).toEqual([]);
    });

    test('that is not in the list but admitted is heard and answered', async () => {
      const one = await start(1, { peers: [] });
      const two = await start(2);
      await network.until(() => two.isLinkedTo(1));

      two.send(1, 1);
      await network.until(() => one.received.length > 0);
      // The way back is dialled when the stranger shows up; until then answers are lost.
      await network.until(() => {
        one.send(2, 2);
        return two.received.length > 0;
      });

      expect(one.numbers).toEqual([1]);
      expect(new Set(two.numbers)).toEqual(new Set([2]));
      expect(one.transport.links()).toEqual([]);
    });

    test('that was a stranger is a peer like others once it is in the list', async () => {
      const one = await start(1, { peers: [] });
      const two = await start(2);
      await network.until(() => two.isLinkedTo(1));

      one.transport.setPeers([network.peer(2)]);
      await network.until(() => one.isLinkedTo(2));
      one.send(2, 1);
      two.send(1, 2);
      await network.until(() => one.received.length > 0 && two.received.length > 0);

      expect([one.numbers, two.numbers]).toEqual([[2], [1]]);
    });
  });

  describe('a snapshot', () => {
    test('arrives whole, as it was asked for', async () => {
      const [one, two] = await pair();
      one.source = () => piecesOf('one', 'two', '', 'three');

      const wanted = { minIndex: 2 ** 53 - 1, formatVersionMax: 3 };
      expect(await fetched(two, 1, wanted)).toEqual(['onetwothree', undefined]);
      expect(await fetched(two, 1, { minIndex: 1 })).toEqual(['onetwothree', undefined]);

      expect(one.requested).toEqual([
        [2, 2 ** 53 - 1, 3],
        [2, 1, 0],
      ]);
    });

    test('that cannot be had is refused with the code of its owner', async () => {
      const [one, two] = await pair();
      one.source = () => {
        throw new KvError('CORRUPT');
      };

      expect(await fetched(two, 1)).toEqual(['', 'CORRUPT']);
    });

    test('that breaks off ends with the code of its owner', async () => {
      const [one, two] = await pair();
      one.source = () => new Source([Buffer.from('begun')], new KvError('STORAGE_FAILED'));

      expect(await fetched(two, 1)).toEqual(['begun', 'STORAGE_FAILED']);
    });

    test('is let go when its reader has enough', async () => {
      const [one, two] = await pair();
      const source = endless();
      one.source = () => source;

      const reading = await begun(two, 1);
      await settled(Promise.resolve(reading.return?.()));
      await network.until(() => source.isClosed);

      one.source = () => piecesOf('next');
      expect(await fetched(two, 1)).toEqual(['next', undefined]);
    });

    test('is let go when its reader is told to stop', async () => {
      const [one, two] = await pair();
      const source = endless();
      one.source = () => source;
      const abort = new AbortController();

      const reading = await begun(two, 1, abort.signal);
      abort.abort();

      expect(await endOf(reading)).toBe('CANCELLED');
      await network.until(() => source.isClosed);
    });

    test('that is not wanted any more is not asked for', async () => {
      const [one, two] = await pair();

      expect(await fetched(two, 1, { signal: AbortSignal.abort() })).toEqual(['', 'CANCELLED']);

      expect(one.requested).toEqual([]);
    });

    test('does not hold up messages while its reader is slow', async () => {
      const [one, two] = await pair();
      const large = Buffer.alloc(1024 * 1024);
      one.source = () => new Source(Array.from({ length: 64 }, () => large));

      const reading = await begun(two, 1);
      one.send(2, 1);
      two.send(1, 2);
      await network.until(() => one.received.length > 0 && two.received.length > 0);

      expect(await endOf(reading)).toBe('end');
    });

    test('is sent anew to a member that asks anew, and what it was being sent ends', async () => {
      const [one, two] = await pair();
      one.source = endless;
      const earlier = await begun(two, 1);
      one.source = () => piecesOf('again');

      expect(await fetched(two, 1)).toEqual(['again', undefined]);

      expect(await endOf(earlier)).toBe('CANCELLED');
    });

    test('is sent to four members at a time', async () => {
      const one = await start(1, { peers: [] });
      one.source = endless;
      const others: TestMember[] = [];
      for (const id of [2, 3, 4, 5, 6]) {
        others.push(await start(id, { peers: [1] }));
      }
      const six = others[4] as TestMember;
      const readings: AsyncIterator<Uint8Array>[] = [];
      for (const member of others.slice(0, 4)) {
        readings.push(await begun(member, 1));
      }

      expect(await fetched(six, 1)).toEqual(['', 'TOO_MANY_REQUESTS']);

      await settled(Promise.all(readings.map(async (reading) => reading.return?.())));
      one.source = () => piecesOf('late');
      let answer = await fetched(six, 1);
      while (answer[1] === 'TOO_MANY_REQUESTS') {
        answer = await fetched(six, 1);
      }
      expect(answer).toEqual(['late', undefined]);
    });

    test('is not for those who are not admitted', async () => {
      const [one, two] = await pair();
      one.decide = () => 'removed';

      expect(await fetched(two, 1)).toEqual(['', 'MEMBER_REMOVED']);

      expect(one.requested).toEqual([]);
    });

    test('of a member that is away or not known cannot be had', async () => {
      const one = await start(1);

      expect(await fetched(one, 2)).toEqual(['', 'UNHEALTHY']);
      expect(await fetched(one, 9)).toEqual(['', 'MEMBER_NOT_FOUND']);
    });

    test('of a stranger can be had once it has shown up', async () => {
      const one = await start(1, { peers: [] });
      const two = await start(2, {}, (member) => {
        member.source = () => piecesOf('strange');
      });
      await network.until(() => two.isLinkedTo(1));

      expect(await fetched(one, 2)).toEqual(['strange', undefined]);
    });

    test('ends when its reader stops', async () => {
      const [one, two] = await pair();
      const source = endless();
      one.source = () => source;

      const reading = await begun(two, 1);
      await two.transport.stop();

      expect(await endOf(reading)).toBe('STOPPED');
      await network.until(() => source.isClosed);
    });

    test('ends when its owner stops, and is let go', async () => {
      const [one, two] = await pair();
      const source = endless();
      one.source = () => source;

      const reading = await begun(two, 1);
      await one.transport.stop();

      expect(await endOf(reading)).toMatch(/^(?:UNHEALTHY|STOPPED)$/);
      expect(source.isClosed).toBe(true);
    });
  });
}
