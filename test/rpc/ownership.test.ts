/**
 * Queues of owners in front of a fake member: what waiting leaves behind. How they go is tested on
 * real members (`lock.test.ts`, `election.test.ts`).
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { KeyValue, RangeOperation } from '../../src/kv/index.ts';
import type { RangeAnswer } from '../../src/replica/index.ts';
import { ownersOf, waitOrLeave } from '../../src/rpc/ownership.ts';
import { FakeMember } from './fake-member.ts';
import { FakeWatchStream } from './fake-watch-stream.ts';

const name = Buffer.from('name');
const candidate = { key: Buffer.from('name/7'), token: 9, isNew: true, value: Buffer.from('me') };

let member: FakeMember;
let streams: FakeWatchStream[];
let wait: AbortController;

beforeEach(() => {
  member = new FakeMember();
  streams = [];
  member.onOpenWatchStream = () => {
    const stream = new FakeWatchStream();
    streams.push(stream);
    return stream;
  };
  member.onPropose = async () =>
    Promise.resolve({
      ...{ kind: 'ok', revision: 20 },
      result: { type: 'txn', succeeded: true, responses: [] },
    });
  wait = new AbortController();
});

function keyOf(key: Uint8Array, createRevision: number): KeyValue {
  const value = Buffer.from('value');
  const modRevision = createRevision;
  return { key, value, createRevision, modRevision, version: 1, lease: 7n, ttlMs: 0 };
}

function answerOf(...kvs: readonly KeyValue[]): RangeAnswer {
  const result = { type: 'range', kvs, count: kvs.length, more: false } as const;
  return { result, revision: 10 };
}

/** What happened to a key, as the stream opened last tells it. */
function tell(type: 'put' | 'delete', kv: KeyValue): void {
  const parts = [[{ type, kv, isExpiry: false }]];
  streams.at(-1)?.tell({ type: 'events', watchId: 1, revision: 11, parts });
}

function openStreams(): number {
  return streams.filter(({ isClosed }) => !isClosed).length;
}

/** A turn of the event loop: all that can go on has gone on. */
async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

/** Answers the next looks at who is before the candidate with these, which is there itself. */
function lineUp(...before: readonly (KeyValue | undefined)[]): void {
  const looks = [...before];
  member.onRange = async ({ sortTarget }: RangeOperation) => {
    const kv = sortTarget === 'create' ? looks.shift() : keyOf(candidate.key, candidate.token);
    return Promise.resolve(kv === undefined ? answerOf() : answerOf(kv));
  };
}

describe('who waits for its turn', () => {
  test('has one watch at a time, and none when it is over', async () => {
    const others = [keyOf(Buffer.from('name/2'), 8), keyOf(Buffer.from('name/1'), 3)];
    lineUp(...others, undefined);
    const signal = wait.signal;

    const waiting = waitOrLeave(member, { name, candidate }, { signal });
    for (const [at, other] of others.entries()) {
      await turn();
      expect([streams.length, openStreams()]).toEqual([at + 1, 1]);
      tell('delete', other);
    }
    await waiting;

    expect(openStreams()).toBe(0);
  });
});

describe('an observer', () => {
  test('has one watch at a time, however often there is no owner', async () => {
    const owners = ownersOf(member, name, { signal: wait.signal });
    for (const created of [3, 5, 7]) {
      const owner = keyOf(Buffer.from(`name/${created}`), created);
      const looks = [answerOf(), answerOf(owner)];
      member.onRange = async () => Promise.resolve(looks.shift() ?? answerOf(owner));
      const next = owners.next();
      await turn();
      if (created > 3) {
        tell('delete', owner);
        await turn();
      }
      expect(openStreams()).toBe(1);
      tell('put', owner);
      expect((await next).value).toMatchObject({ kv: { createRevision: created } });
    }
    await owners.return(undefined);

    expect(openStreams()).toBe(0);
  });
});

describe('who has gone when its turn comes', () => {
  beforeEach(() => {
    lineUp(undefined);
    const answer = member.onRange;
    member.onRange = async (range) => {
      wait.abort(new KvError('CANCELLED'));
      return answer(range);
    };
  });

  test('does not own, since nobody would know of it', async () => {
    const waiting = waitOrLeave(member, { name, candidate }, { signal: wait.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(member.asked.at(-1)).toMatchObject({
      ...{ method: 'propose' },
      command: { type: 'txn', success: [{ type: 'deleteRange', key: candidate.key }] },
    });
  });

  test('leaves nothing that another call of the same lease has', async () => {
    const known = { ...candidate, isNew: false };
    const waiting = waitOrLeave(member, { name, candidate: known }, { signal: wait.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(member.asked.map(({ method }) => method)).not.toContain('propose');
  });
});

describe('who fails while it waits', () => {
  beforeEach(() => {
    member.onRange = async () => Promise.reject(new KvError('TIMEOUT'));
  });

  test('has had no effect when it has left', async () => {
    const waiting = waitOrLeave(member, { name, candidate }, { signal: wait.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'rejected' });
  });

  test('may have had one when it could not leave', async () => {
    member.onPropose = async () => Promise.reject(new KvError('NO_LEADER'));

    const waiting = waitOrLeave(member, { name, candidate }, { signal: wait.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  });
});

test('a lock that is only tried is had when nobody has it', async () => {
  lineUp(undefined);
  wait.abort(new KvError('LOCK_HELD'));

  await waitOrLeave(member, { name, candidate }, { signal: wait.signal });

  expect(member.asked.map(({ method }) => method)).toEqual(['range', 'range']);
});
