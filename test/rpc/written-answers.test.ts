/** How long the answers to writes of ranges may be is asked before they are proposed. */
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { RangeOperation } from '../../src/kv/index.ts';
import type { RangeAnswer, RangeOptions } from '../../src/replica/index.ts';
import { writtenAnswerBytesMax } from '../../src/rpc/written-answers.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, serve, type Serving } from './serving.ts';

const mebibyte = 1024 * 1024;
const from = { key: Buffer.from('a'), range_end: Buffer.from('z') };
const point = { key: Buffer.from('a') };

let member: FakeMember;
let serving: Serving;
/** Bytes that each range has. */
let rangeBytes: number;

beforeEach(async () => {
  member = new FakeMember();
  rangeBytes = mebibyte;
  member.onRange = async (_range: RangeOperation, options?: RangeOptions): Promise<RangeAnswer> => {
    options?.charge?.(rangeBytes);
    const result = { type: 'range', kvs: [], more: false, count: 0 } as const;
    return Promise.resolve({ revision: 7, result });
  };
  member.onPropose = async (command) =>
    Promise.resolve({
      kind: 'ok',
      revision: 9,
      result:
        command.type === 'deleteRange'
          ? { type: 'deleteRange', deleted: 0, prevKvs: [] }
          : { type: 'txn', succeeded: true, responses: [] },
    });
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

interface Branches {
  readonly success?: readonly object[];
  readonly failure?: readonly object[];
}

async function txn({ success = [], failure = [] }: Branches): Promise<unknown> {
  const request = { success: [...success], failure: [...failure] };
  return answerTo((done) => serving.kv.Txn(request, done));
}

function methods(): readonly string[] {
  return member.asked.map(({ method }) => method);
}

const range = { request_range: from };
const tooLarge = {
  code: status.RESOURCE_EXHAUSTED,
  details: expect.stringContaining('longer than 64 MiB') as unknown,
};

describe('a transaction', () => {
  test('is asked for what its ranges of many keys come to, and then proposed', async () => {
    await txn({ success: [range, { request_range: { ...from, limit: '3' } }] });

    expect(methods()).toEqual(['range', 'range', 'propose']);
    expect(member.asked[1]).toMatchObject({
      range: { limit: 3 },
      options: { isSerializable: true },
    });
  });

  test('whose branch would tell of more than the limit is refused, and not proposed', async () => {
    rangeBytes = writtenAnswerBytesMax / 2;
    await txn({ success: [range, range], failure: [range, range] });
    expect(methods().at(-1)).toBe('propose');
    member.asked.length = 0;

    await expect(txn({ success: [range], failure: [range, range, range] })).rejects.toMatchObject(
      tooLarge,
    );

    expect(methods()).not.toContain('propose');
  });

  test('counts what transactions within it read', async () => {
    rangeBytes = writtenAnswerBytesMax / 2 + 1;
    const inner = { request_txn: { success: [range], failure: [] } };

    await expect(txn({ success: [range, inner] })).rejects.toMatchObject(tooLarge);
  });

  test('that reads single keys, or counts, is proposed at once', async () => {
    const counted = { request_range: { ...from, count_only: true } };
    const deleted = { request_delete_range: from };

    await txn({ success: [{ request_range: point }, counted, deleted] });

    expect(methods()).toEqual(['propose']);
  });

  test.each(['COMPACTED', 'FUTURE_REVISION', 'PERMISSION_DENIED'] as const)(
    'whose read fails with %s is proposed: its turn decides',
    async (code) => {
      member.onRange = async () => Promise.reject(new KvError(code));

      await txn({ success: [range] });

      expect(methods()).toEqual(['range', 'propose']);
    },
  );

  test('of a member that does not serve is refused with its reason', async () => {
    member.onRange = async () => Promise.reject(new KvError('STOPPED'));

    await expect(txn({ success: [range] })).rejects.toMatchObject({ code: status.UNAVAILABLE });

    expect(methods()).toEqual(['range']);
  });
});

describe('a deletion', () => {
  test('that tells of what it deletes is asked what that comes to', async () => {
    rangeBytes = writtenAnswerBytesMax + 1;
    const remove = async (request: object): Promise<unknown> =>
      answerTo((done) => serving.kv.DeleteRange({ ...from, ...request }, done));

    await expect(remove({ prev_kv: true })).rejects.toMatchObject(tooLarge);
    expect(methods()).toEqual(['range']);
    await remove({ prev_kv: false });

    expect(methods()).toEqual(['range', 'propose']);
  });
});

describe('another attempt at a request with a name', () => {
  const metadata = new Metadata();
  metadata.set('idempotency-key', 'once');
  const attempt = async (): Promise<unknown> => {
    const request = { success: [range], failure: [] };
    return answerTo((done) => serving.kv.Txn(request, metadata, done));
  };

  beforeEach(() => {
    rangeBytes = writtenAnswerBytesMax + 1;
  });

  test('is proposed, however long its answer would be now, if the first was answered', async () => {
    member.onHasAnswered = async () => Promise.resolve(true);

    await attempt();

    expect(methods()).toEqual(['range', 'hasAnswered', 'propose']);
    expect(member.asked[1]).toMatchObject({ id: { type: 'key', key: Buffer.from('once') } });
  });

  test('is refused if none was answered', async () => {
    await expect(attempt()).rejects.toMatchObject(tooLarge);

    expect(methods()).toEqual(['range', 'hasAnswered']);
  });

  test('is not asked about while its answer is not too long', async () => {
    rangeBytes = writtenAnswerBytesMax;

    await attempt();

    expect(methods()).toEqual(['range', 'propose']);
  });
});
