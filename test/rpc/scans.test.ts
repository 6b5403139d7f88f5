import { expect, test } from 'vitest';
import { isScan } from '../../src/rpc/scans.ts';
import {
  type KvMessage,
  OperationBatchWriter,
  type PipelineMessage,
} from '../../src/wire/index.ts';
import { readOperationBatch } from '../../src/wire/pipeline-operations.ts';

const [key, rangeEnd] = [Buffer.from('a'), Buffer.from('b')];
const put = { type: 'put', put: { key, value: rangeEnd, prevKv: true } } as const;
const one = { type: 'range', range: { key } } as const;
const many = { type: 'range', range: { key, rangeEnd } } as const;
const told = { type: 'deleteRange', deleteRange: { key, rangeEnd, prevKv: true } } as const;
const untold = { type: 'deleteRange', deleteRange: { key, rangeEnd } } as const;

function txn(success: readonly KvMessage[], failure: readonly KvMessage[]): KvMessage {
  return { type: 'txn', txn: { compare: [{ ...compare, rangeEnd }], success, failure } };
}

const compare = { key, target: 'mod', result: 'equal', operand: 0 } as const;

test.each<[string, PipelineMessage, boolean]>([
  ['a put', put, false],
  ['a read of one key', one, false],
  ['a read of a range', many, true],
  ['a deletion', untold, false],
  ['a deletion that tells what was there', told, true],
  ['a renewal', { type: 'leaseKeepAlive', lease: '7' }, false],
  ['a transaction of such as read no range', txn([put, one], [untold]), false],
  ['a transaction with one in a branch', txn([put], [one, many]), true],
  ['a transaction with one that tells', txn([told], []), true],
  ['a transaction with one far below', txn([txn([], [txn([many], [])])], []), true],
])('a long answer is expected just of reads of ranges: %s', (_, message, expected) => {
  const writer = new OperationBatchWriter();
  writer.add({ id: 1, sequence: 0, idempotencyKey: undefined, deadlineMs: 0, message });
  const [operation] = readOperationBatch(writer.finish()).operations;

  expect(isScan(operation?.request)).toBe(expected);
});

test('what is not known here has none', () => {
  expect(isScan(undefined)).toBe(false);
});
