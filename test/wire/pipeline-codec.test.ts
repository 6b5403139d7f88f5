/** The batches of the pipeline, by hand, say the same as their contract as it is loaded. */
import { describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import {
  AnswerBatchWriter,
  OperationBatchWriter,
  operateMethod,
  pipelineService,
  readAnswerBatch,
  readOperationBatch,
} from '../../src/wire/pipeline-codec.ts';

const { Operate } = services['holdfast.v1.Pipeline'];
const [key, value] = [Buffer.from('key'), Buffer.from('value')];

function operations(): Buffer {
  const writer = new OperationBatchWriter();
  writer.session('-5', 3);
  const none = { sequence: 0, idempotencyKey: undefined, deadlineMs: 0 };
  writer.add({
    ...{ id: 1, sequence: 4, idempotencyKey: undefined, deadlineMs: 30_000 },
    message: { type: 'put', put: { key, value } },
  });
  writer.add({
    ...{ ...none, id: 2, idempotencyKey: 'näme' },
    message: { type: 'deleteRange', deleteRange: { key } },
  });
  writer.add({ ...none, id: 3, message: { type: 'range', range: { key, limit: 2 } } });
  writer.add({
    ...{ ...none, id: 4 },
    message: {
      type: 'txn',
      txn: { compare: [], success: [{ type: 'put', put: { key, value } }], failure: [] },
    },
  });
  writer.add({ ...none, id: 5, message: { type: 'leaseKeepAlive', lease: '-7' } });
  return writer.finish();
}

describe('a batch of operations', () => {
  test('is what the contract says', () => {
    expect(Operate.requestDeserialize(operations())).toMatchObject({
      ...{ session: '-5', lowest_unanswered: '3' },
      operations: [
        { id: '1', sequence: '4', deadline_ms: 30_000, put: { key, value } },
        { id: '2', idempotency_key: Buffer.from('näme', 'latin1'), delete_range: { key } },
        { id: '3', range: { key, limit: '2' } },
        { id: '4', txn: { success: [{ request_put: { key } }] } },
        { id: '5', lease_keep_alive: { ID: '-7' } },
      ],
    });
  });

  test('is read by the server as it was written', () => {
    const batch = readOperationBatch(operations());

    expect(batch).toMatchObject({ session: '-5', lowestUnanswered: 3 });
    expect(batch.operations).toMatchObject([
      { id: 1, sequence: 4, deadlineMs: 30_000, request: { type: 'put', request: { key } } },
      { id: 2, sequence: 0, idempotencyKey: Buffer.from('näme', 'latin1') },
      { id: 3, request: { type: 'range', request: { key, limit: '2' } } },
      { id: 4, request: { type: 'txn', request: { success: [{ request_put: { value } }] } } },
      { id: 5, request: { type: 'leaseKeepAlive', lease: '-7' } },
    ]);
    expect(batch.operations[0]?.bytes).toBeGreaterThan(key.length + value.length);
  });

  test('may have operations that are not known here', () => {
    const bytes = Operate.requestSerialize({ operations: [{ id: 9 }] });

    expect(readOperationBatch(bytes).operations).toMatchObject([{ id: 9, request: undefined }]);
  });

  test('of more operations than twice what a member takes at a time is an error', () => {
    const operation = Buffer.of(0x1a, 0);

    expect(readOperationBatch(Buffer.concat(Array(8192).fill(operation))).operations).toHaveLength(
      8192,
    );
    expect(() => readOperationBatch(Buffer.concat(Array(8193).fill(operation)))).toThrow(
      'more than 8192 operations',
    );
  });

  test.each(['id', 'sequence'])('with a %s that is no safe number is an error', (field) => {
    const bytes = Operate.requestSerialize({ operations: [{ [field]: '18446744073709551615' }] });

    expect(() => readOperationBatch(bytes)).toThrow('beyond');
  });

  test('has its transactions read by whom the server has chosen', () => {
    const request = services['etcdserverpb.KV'].Txn.requestDeserialize(Buffer.alloc(0));

    const batch = pipelineService(() => request).Operate.requestDeserialize(operations());

    expect(batch.operations[3]?.request).toEqual({ type: 'txn', request });
  });

  test('that is cut off is an error', () => {
    const bytes = operations();

    expect(() => readOperationBatch(bytes.subarray(0, bytes.length - 3))).toThrow('malformed');
  });
});

describe('a batch of answers', () => {
  const failure = { status: 14, code: 'NO_LEADER', message: 'none', isOutcomeUnknown: true };

  function answers(): Buffer {
    const writer = new AnswerBatchWriter();
    writer.welcome({
      ...{ clusterId: '18446744073709551615', memberId: '2' },
      ...{ operationsMax: 3, operationBytesMax: 4 },
    });
    writer.leader('0');
    writer.add(1, true, { type: 'put', response: { header: { revision: 5 } } });
    writer.add(2, false, { type: 'failure', failure });
    writer.add(3, false, { type: 'range', response: { kvs: [{ key, value }], count: 1 } });
    writer.add(4, false, { type: 'deleteRange', response: { deleted: 2 } });
    writer.add(5, false, { type: 'txn', response: { succeeded: true } });
    writer.add(6, false, { type: 'leaseKeepAlive', ttlSeconds: 60 });
    return writer.finish();
  }

  test('is what the contract says', () => {
    expect(Operate.responseDeserialize(answers())).toMatchObject({
      welcome: {
        ...{ cluster_id: '18446744073709551615', member_id: '2' },
        ...{ operations_max: 3, operation_bytes_max: 4 },
      },
      leadership: { leader: '0' },
      answers: [
        { id: '1', repeated: true, put: { header: { revision: '5' } } },
        { id: '2', failure: { status: 14, code: 'NO_LEADER', is_outcome_unknown: true } },
        { id: '3', range: { kvs: [{ key, value }], count: '1' } },
        { id: '4', delete_range: { deleted: '2' } },
        { id: '5', txn: { succeeded: true } },
        { id: '6', lease_keep_alive: { TTL: '60' } },
      ],
    });
  });

  test('is read by the client as it was written', () => {
    const batch = readAnswerBatch(answers());

    // All but its cluster, whose id is as the contract's test above has it.
    expect(batch.welcome).toMatchObject({ memberId: '2', operationsMax: 3, operationBytesMax: 4 });
    expect(batch.leader).toBe('0');
    expect(batch.answers).toMatchObject([
      { id: 1, answer: { type: 'put', revision: 5 } },
      { id: 2, answer: { type: 'failure', failure } },
      { id: 3, answer: { type: 'range', kvs: [{ key, value }], count: 1 } },
      { id: 4, answer: { type: 'deleteRange', deleted: 2 } },
      { id: 5, answer: { type: 'txn', succeeded: true } },
      { id: 6, answer: { type: 'leaseKeepAlive', ttlSeconds: 60 } },
    ]);
  });

  test('says nothing of the leader when nothing was said', () => {
    expect(readAnswerBatch(Buffer.alloc(0))).toEqual({
      ...{ welcome: undefined, leader: undefined, answers: [] },
    });
  });

  test('with an answer that says nothing is an error', () => {
    const bytes = Operate.responseSerialize({ answers: [{ id: 7 }] });

    expect(() => readAnswerBatch(bytes)).toThrow('answer 7 says nothing');
  });
});

test('the method is the same for clients and servers', () => {
  expect(operateMethod.path).toBe('/holdfast.v1.Pipeline/Operate');
  const { Txn } = services['etcdserverpb.KV'];
  expect(pipelineService(Txn.requestDeserialize).Operate).toMatchObject({
    ...{ path: Operate.path, requestStream: true, responseStream: true },
  });
});
