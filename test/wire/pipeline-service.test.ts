/** The pipeline's service is the one that the contract describes. */
import { expect, test } from 'vitest';
import {
  OperationBatchWriter,
  operateMethod,
  pipelineService,
  services,
} from '../../src/wire/index.ts';

const { Operate } = services['holdfast.v1.Pipeline'];
const { Txn } = services['etcdserverpb.KV'];

test('the method is the same for clients and servers', () => {
  expect(operateMethod.path).toBe('/holdfast.v1.Pipeline/Operate');
  expect(pipelineService(Txn.requestDeserialize).Operate).toMatchObject({
    ...{ path: Operate.path, requestStream: true, responseStream: true },
  });
});

test('transactions are read by whom the server has chosen', () => {
  const request = Txn.requestDeserialize(Buffer.alloc(0));
  const writer = new OperationBatchWriter();
  writer.add({
    ...{ id: 1, sequence: 0, idempotencyKey: undefined, deadlineMs: 0 },
    message: { type: 'txn', txn: { compare: [], success: [], failure: [] } },
  });

  const batch = pipelineService(() => request).Operate.requestDeserialize(writer.finish());

  expect(batch.operations[0]?.request?.type === 'txn' && batch.operations[0].request.request).toBe(
    request,
  );
});
