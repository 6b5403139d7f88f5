/** Batches of answers, by hand, say the same as their contract as it is loaded. */
import { describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import { AnswerBatchWriter, readAnswerBatch } from '../../src/wire/pipeline-answers.ts';

const { Operate } = services['holdfast.v1.Pipeline'];
const [key, value] = [Buffer.from('key'), Buffer.from('value')];

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
