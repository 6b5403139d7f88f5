/** Snapshots over real gRPC, from a member whose snapshots are made up. */
import { once } from 'node:events';
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { FakeMember } from './fake-member.ts';
import { serve, type Serving } from './serving.ts';

interface Part {
  readonly remaining_bytes: string;
  readonly blob: Buffer;
  readonly version: string;
  readonly header: unknown;
}

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

function offer(chunks: AsyncIterable<Uint8Array>, estimatedBytes: number): void {
  member.onOpenSnapshot = async () => Promise.resolve({ estimatedBytes, revision: 6, chunks });
}

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  for (const chunk of chunks) {
    yield await Promise.resolve(chunk);
  }
}

async function download(): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for await (const part of serving.maintenance.Snapshot({})) {
    parts.push(part as Part);
  }
  return parts;
}

async function failureOf(stream: ClientReadableStream<unknown>): Promise<ServiceError> {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [ServiceError];
  return error;
}

describe('a snapshot', () => {
  test('arrives whole, with its revision and version in every message', async () => {
    const chunks = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')];
    offer(chunksOf(...chunks), 6);

    const parts = await download();

    expect(Buffer.concat(parts.map(({ blob }) => blob)).toString()).toBe('onetwo');
    expect(parts.map(({ version }) => version)).toEqual(['9.8.7', '9.8.7']);
    expect(parts[0]?.header).toMatchObject({ revision: '6', member_id: '1001' });
  });

  test.each([
    ['too low', 4, ['1', '1', '0']],
    ['right', 9, ['6', '3', '0']],
    ['too high', 1009, ['1006', '1003', '0']],
  ])(
    'says what remains, 0 at the end alone, when the estimate is %s',
    async (_case, estimate, expected) => {
      offer(chunksOf(Buffer.from('aaa'), Buffer.from('bbb'), Buffer.from('ccc')), estimate);

      const parts = await download();

      expect(parts.map((part) => part.remaining_bytes)).toEqual(expected);
    },
  );

  test('is cut into messages that every client takes', async () => {
    const large = Buffer.alloc(1024 * 1024 + 1, 7);
    offer(chunksOf(large), large.length);

    const parts = await download();

    expect(parts.map(({ blob }) => blob.length)).toEqual([
      ...Array.from({ length: 4 }, () => 256 * 1024),
      1,
    ]);
    expect(Buffer.concat(parts.map(({ blob }) => blob)).equals(large)).toBe(true);
  });

  test('is read no faster than the client takes it, and no more once it has gone', async () => {
    let read = 0;
    let wasEnded = false;
    const endless = async function* (): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          read++;
          yield await Promise.resolve(new Uint8Array(256 * 1024));
        }
      } finally {
        wasEnded = true;
      }
    };
    offer(endless(), 1);
    const stream = serving.maintenance.Snapshot({});
    stream.on('error', () => undefined);
    await once(stream, 'readable');

    // The windows of HTTP/2 and gRPC's buffers fill up; then the reader stands still.
    let before = -1;
    await expect
      .poll(() => {
        const stands = read === before;
        before = read;
        return stands;
      })
      .toBe(true);
    expect(read).toBeLessThan(100);
    expect(wasEnded).toBe(false);

    stream.cancel();
    await expect.poll(() => wasEnded).toBe(true);
  });

  test('that cannot be opened is refused', async () => {
    member.onOpenSnapshot = async () => Promise.reject(new KvError('TOO_MANY_REQUESTS'));

    expect(await failureOf(serving.maintenance.Snapshot({}))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'etcdserver: too many requests',
    });
  });

  test('that breaks off ends in an error, not as if it were whole', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(Buffer.from('one'));
      throw new KvError('STOPPED');
    };
    offer(broken(), 100);

    expect(await failureOf(serving.maintenance.Snapshot({}))).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'etcdserver: server stopped',
    });
  });
});
