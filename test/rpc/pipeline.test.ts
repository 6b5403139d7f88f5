/** The pipeline over real gRPC in front of a fake member. */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { CommandResult } from '../../src/kv/index.ts';
import { writtenAnswerBytesMax } from '../../src/rpc/written-answers.ts';
import {
  type KvMessage,
  operateMethod,
  OperationBatchWriter,
  type PipelineMessage,
  type ReceivedAnswers,
  services,
} from '../../src/wire/index.ts';
import { farLimits } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, type Serving, serve } from './serving.ts';

const [key, value] = [Buffer.from('key'), Buffer.from('value')];
const put = { type: 'put', put: { key, value } } as const;
const done: CommandResult = {
  kind: 'ok',
  revision: 7,
  result: { type: 'put', prevKv: undefined },
};

let member: FakeMember;
let serving: Serving;
let client: Client;
let stream: ClientDuplexStream<Buffer, ReceivedAnswers>;
let received: ReceivedAnswers[];
let clockMs: number;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async () => done;
  clockMs = 0;
  serving = await serve(member, { nowMs: () => clockMs });
  client = new Client(`127.0.0.1:${serving.port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = operateMethod;
  stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  received = [];
  stream.on('data', (answers: ReceivedAnswers) => received.push(answers));
  stream.on('error', () => undefined);
});

afterEach(async () => {
  stream.cancel();
  client.close();
  await serving.close();
});

function batch(
  operations: readonly {
    readonly id: number;
    readonly message: PipelineMessage;
    readonly sequence?: number;
    readonly idempotencyKey?: string;
    readonly deadlineMs?: number;
  }[],
  session?: readonly [id: string, lowestUnanswered: number],
): Buffer {
  const writer = new OperationBatchWriter();
  if (session !== undefined) {
    writer.session(...session);
  }
  for (const operation of operations) {
    writer.add({ sequence: 0, idempotencyKey: undefined, deadlineMs: 0, ...operation });
  }
  return writer.finish();
}

/** Waits until so many operations have been answered. */
async function answered(count: number): Promise<ReceivedAnswers['answers']> {
  for (;;) {
    const answers = received.flatMap((each) => each.answers);
    if (answers.length >= count) {
      return answers;
    }
    await new Promise((resolve) => stream.once('data', resolve));
  }
}

describe('a stream', () => {
  test('begins with who answers, how much it takes, and who leads', async () => {
    stream.write(batch([{ id: 1, message: put }]));
    await answered(1);

    expect(received[0]).toMatchObject({
      welcome: { memberId: '1001', operationsMax: 4096, operationBytesMax: 16 * 1024 * 1024 },
      leader: '1001',
      answers: [],
    });
    expect(received[1]?.leader).toBeUndefined();
  });

  test('tells of another leader with the next answer', async () => {
    stream.write(batch([{ id: 1, message: put }]));
    await answered(1);
    member.leader = 0;
    stream.write(batch([{ id: 2, message: put }]));
    await answered(2);

    expect(received.at(-1)?.leader).toBe('0');
  });

  test('proposes what came together in one turn, and answers it in one message', async () => {
    const operations = [1, 2, 3].map((id) => ({ id, message: put }));
    stream.write(batch(operations));

    const answers = await answered(3);

    expect(answers.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(answers[0]?.answer).toMatchObject({ type: 'put', revision: 7 });
    expect(received.filter((each) => each.answers.length > 0)).toHaveLength(1);
  });

  test('answers each operation when it is done, in any order', async () => {
    const slow: ((result: CommandResult) => void)[] = [];
    member.onPropose = async () => new Promise((resolve) => slow.push(resolve));
    stream.write(
      batch([
        { id: 1, message: put },
        { id: 2, message: { type: 'range', range: { key } } },
      ]),
    );

    expect((await answered(1)).map(({ id }) => id)).toEqual([2]);
    slow[0]?.(done);
    expect((await answered(2)).map(({ id }) => id)).toEqual([2, 1]);
  });

  test('answers what it owes when its client has no more to say, and ends', async () => {
    const ended = new Promise((resolve) => stream.on('end', resolve));
    stream.end(batch([{ id: 1, message: put }]));

    await ended;
    expect(await answered(1)).toHaveLength(1);
  });

  test('is not read on while too much of it is unanswered', async () => {
    const slow: ((result: CommandResult) => void)[] = [];
    member.onPropose = async () => new Promise((resolve) => slow.push(resolve));
    let id = 0;
    const send = (count: number): boolean =>
      stream.write(batch(Array.from({ length: count }, () => ({ id: ++id, message: put }))));
    send(5000);
    send(10);
    while (slow.length < 5000) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(slow).toHaveLength(5000);

    for (const resolve of slow.splice(0)) {
      resolve(done);
    }
    await answered(5000);
    while (slow.length < 10) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(slow).toHaveLength(10);
  });

  test('gives a sign of life, each second, while a long range is being read', async () => {
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    member.onRange = async (_range, options) => {
      for (const ms of [100, 900, 1000, 1100, 1999, 2000]) {
        clockMs = ms;
        options?.charge?.(0);
      }
      await held;
      return { revision: 7, result: { type: 'range', kvs: [], more: false, count: 9 } };
    };
    stream.write(batch([{ id: 1, message: { type: 'range', range: { key, countOnly: true } } }]));
    while (received.length < 3) {
      await new Promise((resolve) => stream.once('data', resolve));
    }

    // The welcome, and a sign after each second.
    expect(received.map(({ answers }) => answers.length)).toEqual([0, 0, 0]);

    finish();
    expect(await answered(1)).toHaveLength(1);
    expect(received).toHaveLength(4);
  });

  test('ends when the server stops, and says why', async () => {
    stream.write(batch([{ id: 1, message: put }]));
    await answered(1);
    const error = new Promise((resolve) => stream.on('error', resolve));

    await serving.server.stop(100);

    expect(await error).toMatchObject({ details: 'etcdserver: server stopped' });
  });

  test('with a message that makes no sense ends', async () => {
    const error = new Promise((resolve) => stream.on('error', resolve));
    stream.write(Buffer.from('ffff', 'hex'));

    expect(await error).toMatchObject({ code: 13 });
  });
});

describe('an operation', () => {
  test('that fails says so by itself, with code and outcome', async () => {
    member.onPropose = async (command) => {
      throw command.type === 'put'
        ? new KvError('TIMEOUT', { outcome: 'unknown' })
        : new KvError('TOO_MANY_REQUESTS');
    };
    const result = { type: 'range', kvs: [], more: false, count: 0 } as const;
    member.onRange = async () => ({ revision: 5, result });
    stream.write(
      batch([
        { id: 1, message: { type: 'put', put: { key: Buffer.alloc(0), value } } },
        { id: 2, message: put },
        { id: 3, message: { type: 'deleteRange', deleteRange: { key } } },
        { id: 4, message: { type: 'range', range: { key } } },
      ]),
    );

    const answers = await answered(4);
    const byId = new Map(answers.map(({ id, answer }) => [id, answer]));

    expect(byId.get(1)).toMatchObject({
      failure: { code: 'EMPTY_KEY', status: 3, isOutcomeUnknown: false },
    });
    expect(byId.get(2)).toMatchObject({
      failure: { code: 'TIMEOUT', status: 14, isOutcomeUnknown: true },
    });
    expect(byId.get(3)).toMatchObject({ failure: { code: 'TOO_MANY_REQUESTS', status: 8 } });
    expect(byId.get(4)).toMatchObject({ type: 'range', revision: 5 });
  });

  test('that reads many keys ends with its stream, and what would be written is not', async () => {
    const ended: unknown[] = [];
    member.onRange = async (_range, options) => {
      stream.cancel();
      // Another call on the same connection arrives after the cancellation.
      const { path, requestSerialize, responseDeserialize } =
        services['etcdserverpb.Maintenance'].Status;
      await answerTo((done) =>
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, done),
      );
      try {
        options?.charge?.(1);
      } catch (error) {
        ended.push(error);
        throw error;
      }
      return { revision: 5, result: { type: 'range', kvs: [], more: false, count: 0 } };
    };
    const all = { key, rangeEnd: Buffer.from('z') };
    stream.write(
      batch([
        { id: 1, message: { type: 'deleteRange', deleteRange: { ...all, prevKv: true } } },
        { id: 2, message: { type: 'range', range: all } },
      ]),
    );

    await vi.waitFor(() => expect(ended).toHaveLength(2));

    expect(ended).toMatchObject([{ code: 'CANCELLED' }, { code: 'CANCELLED' }]);
    expect(member.asked.map(({ method }) => method)).toEqual(['range', 'range']);
  });

  test('that writes, and whose answer would be too long, is refused and not proposed', async () => {
    member.onRange = async (_range, options) => {
      options?.charge?.(writtenAnswerBytesMax + 1);
      return Promise.reject(new Error('a read that went on'));
    };
    const all = { key, rangeEnd: Buffer.from('z') };
    const read = { type: 'range', range: all } as const;
    const txn = { compare: [], success: [read], failure: [] };
    stream.write(
      batch([
        { id: 1, message: { type: 'deleteRange', deleteRange: { ...all, prevKv: true } } },
        { id: 2, message: { type: 'txn', txn } },
      ]),
    );

    const answers = await answered(2);

    const failure = { code: 'ANSWER_TOO_LARGE', status: 8, isOutcomeUnknown: false };
    expect(answers.map(({ answer }) => answer)).toMatchObject([{ failure }, { failure }]);
    expect(member.asked.map(({ method }) => method)).toEqual(['range', 'range']);
  });

  test('has the bounds and the name that its client gave it', async () => {
    stream.write(
      batch(
        [
          { id: 1, message: put, sequence: 5, deadlineMs: 250 },
          { id: 2, message: put, idempotencyKey: 'name' },
          { id: 3, message: put },
        ],
        ['-9', 4],
      ),
    );
    await answered(3);

    expect(member.asked).toMatchObject([
      {
        command: {
          type: 'once',
          id: { type: 'session', session: -9n, sequence: 5, lowestUnanswered: 4 },
          command: { type: 'put' },
        },
        options: { deadlineMs: 250 },
      },
      { command: { type: 'once', id: { type: 'key', key: Buffer.from('name') } }, options: {} },
      { command: { type: 'put' } },
    ]);
  });

  test('that renews the session of another is refused, without effect', async () => {
    member.onKeepAlive = async (id) => {
      if (id === 8n) {
        throw new KvError('SESSION_OF_ANOTHER');
      }
      return Promise.resolve(5000);
    };
    stream.write(
      batch([
        { id: 1, message: { type: 'leaseKeepAlive', lease: '7' } },
        { id: 2, message: { type: 'leaseKeepAlive', lease: '8' } },
      ]),
    );

    const answers = await answered(2);

    const byId = new Map(answers.map(({ id, answer }) => [id, answer]));
    expect(byId.get(1)).toMatchObject({ type: 'leaseKeepAlive', ttlSeconds: 5 });
    expect(byId.get(2)).toMatchObject({
      failure: { code: 'SESSION_OF_ANOTHER', status: 7, isOutcomeUnknown: false },
    });
  });

  test('whose numbers contradict each other is refused', async () => {
    stream.write(batch([{ id: 1, message: put, sequence: 3 }], ['9', 4]));

    expect(await answered(1)).toMatchObject([
      { answer: { failure: { code: 'INVALID_ARGUMENT' } } },
    ]);
    expect(member.asked).toHaveLength(0);
  });

  test('counts in the books by its request, whatever it asks for', async () => {
    const other = await serve(member, {
      limits: { ...farLimits, inflightBytes: { client: 500_000, member: 1_000_000 } },
    });
    onTestFinished(async () => other.close());
    const held: (() => void)[] = [];
    const { path, requestSerialize, responseDeserialize } = operateMethod;
    member.onPropose = async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return { kind: 'ok', revision: 7, result: { type: 'txn', succeeded: true, responses: [] } };
    };
    member.onRange = async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return { revision: 7, result: { type: 'range', kvs: [], more: false, count: 0 } };
    };
    const asking = new Client(`127.0.0.1:${other.port}`, credentials.createInsecure());
    onTestFinished(() => asking.close());
    const opened = asking.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    opened.on('error', () => undefined);
    const types: string[] = [];
    opened.on('data', ({ answers }: ReceivedAnswers) => {
      types.push(...answers.map(({ answer }) => answer.type));
    });
    const range = { type: 'range', range: { key, rangeEnd: value } } as const;
    const txn = { type: 'txn', txn: { compare: [], success: [put, range], failure: [] } } as const;

    opened.write(
      batch(
        Array.from({ length: 200 }, (_, id) => ({ id: id + 1, message: id % 2 ? txn : range })),
      ),
    );
    await vi.waitFor(() => expect(held).toHaveLength(200));

    // Transactions that read ranges are asked about them first, and then proposed.
    await vi.waitFor(() => {
      for (const resolve of held.splice(0)) {
        resolve();
      }
      expect(types).toHaveLength(200);
    });
    expect(new Set(types)).toEqual(new Set(['range', 'txn']));
    opened.cancel();
  });

  test('holds up the stream when its answer may be long, and else goes on', async () => {
    const begun: unknown[] = [];
    member.onPropose = async (command) => {
      begun.push(command);
      return new Promise(() => undefined);
    };
    const result = { type: 'range', kvs: [], more: false, count: 0 } as const;
    member.onRange = async () => Promise.resolve({ revision: 7, result });
    const txnOf = (operation: KvMessage): PipelineMessage => ({
      type: 'txn',
      txn: { compare: [], success: [operation], failure: [] },
    });
    const range = { type: 'range', range: { key, rangeEnd: value } } as const;
    let id = 0;
    const send = (message: PipelineMessage): boolean =>
      stream.write(batch(Array.from({ length: 16 }, () => ({ id: ++id, message }))));

    send(txnOf(put));
    await vi.waitFor(() => expect(begun).toHaveLength(16));
    send(txnOf(range));
    await vi.waitFor(() => expect(begun).toHaveLength(32));
    send(txnOf(put));
    // By its answer what came before it on the connection has come, too.
    const { path, requestSerialize, responseDeserialize } =
      services['etcdserverpb.Maintenance'].Status;
    await answerTo((done_) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, done_),
    );

    expect(begun).toHaveLength(32);
  });

  test('makes room for a large range, until its client has taken it or gone', async () => {
    const mebibyte = 1024 * 1024;
    const other = await serve(member, { limits: { ...farLimits, bulkBytes: 4 * mebibyte } });
    onTestFinished(async () => other.close());
    const kvs = [
      {
        ...{ key, value: Buffer.alloc(2 * mebibyte), createRevision: 1, modRevision: 1 },
        ...{ version: 1, lease: 0n, ttlMs: 0, ttlRefreshOnWrite: false },
      },
    ];
    member.onRange = async (_range, options) => {
      options?.charge?.(10 * mebibyte);
      return Promise.resolve({
        revision: 7,
        result: { type: 'range', kvs, more: false, count: 1 },
      });
    };
    const range = { type: 'range', range: { key, rangeEnd: value } } as const;
    const dial = (): ClientDuplexStream<Buffer, ReceivedAnswers> => {
      const { path, requestSerialize, responseDeserialize } = operateMethod;
      const dialled = new Client(`127.0.0.1:${other.port}`, credentials.createInsecure(), {
        ...{ 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 },
      });
      onTestFinished(() => dialled.close());
      const opened = dialled.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      opened.on('error', () => undefined);
      return opened;
    };
    const codeOf = async (): Promise<string> => {
      const asking = dial();
      asking.write(batch([{ id: 1, message: range }]));
      for await (const { answers } of asking) {
        const [first] = (answers as ReceivedAnswers['answers']).map(({ answer }) => answer);
        if (first !== undefined) {
          asking.cancel();
          return first.type === 'failure' ? first.failure.code : first.type;
        }
      }
      return 'none';
    };

    // Its client takes as many messages as it has room for, and then no more.
    const slow = dial();
    await new Promise((resolve) => slow.once('data', resolve));
    slow.pause();
    for (let id = 1; id <= 30; id++) {
      slow.write(batch([{ id, message: put }]));
      await vi.waitFor(() => expect(member.asked).toHaveLength(id), { interval: 1 });
    }
    slow.write(batch([{ id: 31, message: range }]));
    await vi.waitFor(() => expect(member.asked).toHaveLength(31));
    expect(await codeOf()).toBe('TOO_MANY_REQUESTS');
    slow.cancel();

    await vi.waitFor(async () => expect(await codeOf()).toBe('range'));
    expect(await codeOf()).toBe('range');
  });

  test('that writes and reads ranges has room for its answer until that is taken', async () => {
    const mebibyte = 1024 * 1024;
    const other = await serve(member, { limits: { ...farLimits, bulkBytes: 4 * mebibyte } });
    onTestFinished(async () => other.close());
    let apply: () => void = () => undefined;
    const applied = new Promise<void>((resolve) => {
      apply = resolve;
    });
    member.onRange = async (_range, options) => {
      options?.charge?.(10 * mebibyte);
      const result = { type: 'range', kvs: [], more: false, count: 0 } as const;
      return Promise.resolve({ revision: 7, result });
    };
    member.onPropose = async () => {
      await applied;
      return { kind: 'ok', revision: 7, result: { type: 'txn', succeeded: true, responses: [] } };
    };
    const range = { type: 'range', range: { key, rangeEnd: value } } as const;
    const txn = { type: 'txn', txn: { compare: [], success: [range], failure: [] } } as const;
    const asking = new Client(`127.0.0.1:${other.port}`, credentials.createInsecure());
    onTestFinished(() => asking.close());
    const { path, requestSerialize, responseDeserialize } = operateMethod;
    const opened = asking.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    opened.on('error', () => undefined);
    const types: string[] = [];
    opened.on('data', ({ answers }: ReceivedAnswers) => {
      types.push(...answers.map(({ answer }) => answer.type));
    });

    opened.write(batch([{ id: 1, message: txn }]));
    await vi.waitFor(() => expect(member.asked.at(-1)).toMatchObject({ method: 'propose' }));
    opened.write(batch([{ id: 2, message: range }]));
    await vi.waitFor(() => expect(types).toEqual(['failure']));
    apply();
    await vi.waitFor(() => expect(types).toEqual(['failure', 'txn']));

    await vi.waitFor(() => {
      opened.write(batch([{ id: 3, message: range }]));
      expect(types).toContain('range');
    });
    opened.cancel();
  });

  test('counts as the call that it stands for', async () => {
    stream.write(batch([{ id: 1, message: put }]));
    await answered(1);

    expect(await serving.metrics.render()).toContain(
      'holdfast_requests_total{method="Put",code="OK"} 1',
    );
  });
});
