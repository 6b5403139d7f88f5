/** The hand-written KV messages of the server say the same as the contracts as they are loaded. */
import { describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';
import {
  readDeleteRangeRequest,
  readPutRequest,
  readRangeRequest,
  writeDeleteRangeResponse,
  writePutResponse,
  writeRangeResponse,
} from '../../src/wire/kv-server-codec.ts';
import { ProtoReader, ProtoWriter } from '../../src/wire/protobuf.ts';

const kv = services['etcdserverpb.KV'];
const [key, value, rangeEnd] = [Buffer.from('key'), Buffer.from('value'), Buffer.from('kez')];

const puts = [
  {},
  { key, value },
  {
    ...{ key, value, lease: '-9223372036854775808', prev_kv: true, ignore_value: true },
    ...{ ignore_lease: true, ttl_ms: '-1', ttl_refresh_on_write: true },
  },
];
const ranges = [
  {},
  { key, sort_order: 1, sort_target: 2 },
  { key, sort_order: 99, sort_target: 98 },
  {
    ...{ key, range_end: rangeEnd, limit: '5', revision: '9223372036854775807' },
    ...{ sort_order: 'DESCEND', sort_target: 'VALUE', serializable: true, keys_only: true },
    ...{ count_only: true, min_mod_revision: '1', max_mod_revision: '-2' },
    ...{ min_create_revision: '3', max_create_revision: '4', remaining_ttl: true },
    no_count: true,
  },
] as const;

describe('a request is read as the contract has it', () => {
  test.each(puts)('to put: %j', (request) => {
    const bytes = kv.Put.requestSerialize(request);

    expect(readPutRequest(new ProtoReader(bytes))).toEqual(kv.Put.requestDeserialize(bytes));
  });

  test.each(ranges)('to read: %j', (request) => {
    const bytes = kv.Range.requestSerialize(request as never);

    expect(readRangeRequest(new ProtoReader(bytes))).toEqual(kv.Range.requestDeserialize(bytes));
  });

  test.each([{}, { key }, { key, range_end: rangeEnd, prev_kv: true }])(
    'to delete: %j',
    (request) => {
      const bytes = kv.DeleteRange.requestSerialize(request);

      expect(readDeleteRangeRequest(new ProtoReader(bytes))).toEqual(
        kv.DeleteRange.requestDeserialize(bytes),
      );
    },
  );

  test('passing over fields that are not known', () => {
    const bytes = Buffer.concat([
      Buffer.from('c2b80203787878', 'hex'),
      kv.Put.requestSerialize({ key }),
    ]);

    expect(readPutRequest(new ProtoReader(bytes)).key).toEqual(key);
  });
});

describe('a response is written as the contract has it, its header with the revision only', () => {
  const header = { cluster_id: 1, member_id: 2, revision: 2 ** 50, raft_term: 3 };
  const told = { ...{ cluster_id: '0', member_id: '0', raft_term: '0' }, revision: `${2 ** 50}` };
  const stored = {
    ...{ key, value, create_revision: 1, mod_revision: 2, version: 3 },
    ...{ lease: '-9223372036854775808', ttl_ms: 6, ttl_remaining_ms: -1 },
  };

  test('to a put', () => {
    const writer = new ProtoWriter();
    writePutResponse(writer, { header, prev_kv: stored });

    expect(kv.Put.responseDeserialize(writer.finish())).toMatchObject({
      header: told,
      prev_kv: { key, value, lease: '-9223372036854775808', ttl_ms: '6', ttl_remaining_ms: '-1' },
    });
  });

  test('to a range', () => {
    const writer = new ProtoWriter();
    writeRangeResponse(writer, { header, kvs: [stored, stored], more: true, count: 7 });

    const general = kv.Range.responseSerialize({ kvs: [stored, stored], more: true, count: 7 });
    expect(kv.Range.responseDeserialize(writer.finish())).toEqual({
      ...kv.Range.responseDeserialize(general),
      header: told,
    });
  });

  test('to a deletion', () => {
    const writer = new ProtoWriter();
    writeDeleteRangeResponse(writer, { header, deleted: 2, prev_kvs: [stored] });

    const general = kv.DeleteRange.responseSerialize({ deleted: 2, prev_kvs: [stored] });
    expect(kv.DeleteRange.responseDeserialize(writer.finish())).toEqual({
      ...kv.DeleteRange.responseDeserialize(general),
      header: told,
    });
  });
});
