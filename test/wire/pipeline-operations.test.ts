/** Batches of operations, by hand, say the same as their contract as it is loaded. */
import { describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import { OperationBatchWriter, readOperationBatch } from '../../src/wire/pipeline-operations.ts';

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

    const batch = readOperationBatch(operations(), () => request);

    expect(batch.operations[3]?.request).toEqual({ type: 'txn', request });
  });

  test('that is cut off is an error', () => {
    const bytes = operations();

    expect(() => readOperationBatch(bytes.subarray(0, bytes.length - 3))).toThrow('malformed');
  });
});
