/** Messages in JSON: what etcd's clients send, and read. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { messageFromJson, messageToJson } from '../../src/wire/json.ts';
import { services } from '../../src/wire/services.ts';

const { Put, Range, Txn } = services['etcdserverpb.KV'];
const { Watch } = services['etcdserverpb.Watch'];

function misfit(name: string, json: unknown): string {
  try {
    messageFromJson(name, json);
  } catch (error) {
    expect(error).toBeInstanceOf(KvError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'rejected' });
    return (error as KvError).message;
  }
  return 'none';
}

describe('a request in JSON', () => {
  test('gives the message that the contract means', () => {
    const json = { key: 'Zm9v', value: 'YmFy', lease: '7', prev_kv: true };

    const sent = Put.requestSerialize(messageFromJson('etcdserverpb.PutRequest', json));

    expect(Put.requestDeserialize(sent)).toMatchObject({
      ...{ key: Buffer.from('foo'), value: Buffer.from('bar') },
      ...{ lease: '7', prev_kv: true, ignore_lease: false },
    });
  });

  test('may name fields in camel case, and give numbers and enums as numbers', () => {
    const name = 'etcdserverpb.RangeRequest';
    const asWritten = { range_end: 'Zm9w', limit: '3', sort_order: 'DESCEND' };

    expect(messageFromJson(name, { rangeEnd: 'Zm9w', limit: 3, sortOrder: 2 })).toEqual(
      messageFromJson(name, asWritten),
    );
  });

  test('may hold messages, lists, and what the contract does not know', () => {
    const json = {
      compare: [{ target: 'LEASE', key: 'YQ==', lease: 5 }],
      success: [{ request_put: { key: 'YQ==' }, colour: 1 }, { requestRange: { key: 'YQ==' } }],
      failure: null,
    };

    const message = messageFromJson('etcdserverpb.TxnRequest', json);

    expect(Txn.requestDeserialize(Txn.requestSerialize(message))).toMatchObject({
      compare: [{ result: 'EQUAL', target: 'LEASE', lease: '5', target_union: 'lease' }],
      success: [{ request: 'request_put' }, { request: 'request_range' }],
      failure: [],
    });
  });

  test.each([
    ['Zm9v', 'foo'],
    ['Zm8', 'fo'],
    ['_-8=', Buffer.from([255, 239])],
    ['/+8=', Buffer.from([255, 239])],
    ['', ''],
  ])('may give bytes in either alphabet, padded or not: %s', (base64, bytes) => {
    expect(messageFromJson('etcdserverpb.PutRequest', { key: base64 })).toEqual({
      key: Buffer.from(bytes),
    });
  });

  test.each([
    ['etcdserverpb.PutRequest', 5, 'the request is an object, and not a number'],
    ['etcdserverpb.PutRequest', [], 'the request is an object, and not a list'],
    ['etcdserverpb.PutRequest', { key: 5 }, '"key" is base64 in a string, and not a number'],
    ['etcdserverpb.PutRequest', { key: 'Z' }, '"key" is not base64'],
    ['etcdserverpb.PutRequest', { key: 'Zm9v!' }, '"key" is not base64'],
    ['etcdserverpb.PutRequest', { lease: '1.5' }, '"lease" is a whole number, and not a string'],
    ['etcdserverpb.PutRequest', { lease: 1.5 }, '"lease" is a whole number, and not a number'],
    ['etcdserverpb.PutRequest', { lease: '9223372036854775808' }, '"lease" has 64 bits at most'],
    ['etcdserverpb.PutRequest', { prev_kv: 1 }, '"prev_kv" is true or false, and not a number'],
    ['etcdserverpb.RangeRequest', { sort_order: 'UP' }, '"sort_order" is one of NONE, ASCEND,'],
    ['etcdserverpb.TxnRequest', { success: {} }, '"success" is a list, and not a object'],
    [
      'etcdserverpb.TxnRequest',
      { success: [{}, { request_put: { lease: 'x' } }] },
      '"success[1].request_put.lease" is a whole number',
    ],
    ['etcdserverpb.AuthUserGetRequest', { name: 5 }, '"name" is a string, and not a number'],
  ])('that does not fit %s is refused with what is wrong and where', (name, json, told) => {
    expect(misfit(name, json)).toContain(told);
  });

  test('with a number that JSON has rounded is refused, since it would be another one', () => {
    const json: unknown = JSON.parse('{"lease": 7587876543210987654}');

    expect(misfit('etcdserverpb.PutRequest', json)).toContain('write it in quotes');
    const quoted = { lease: '7587876543210987654' };
    expect(messageFromJson('etcdserverpb.PutRequest', quoted)).toEqual(quoted);
  });

  test('does not show values where it is refused', () => {
    expect(misfit('etcdserverpb.PutRequest', { key: 'secret!' })).not.toContain('secret');
  });

  test('is refused when it is nested without an end', () => {
    let json: object = {};
    for (let depth = 0; depth < 200; depth++) {
      json = { success: [{ request_txn: json }] };
    }

    expect(misfit('etcdserverpb.TxnRequest', json)).toContain('nested');
  });
});

describe('an answer in JSON', () => {
  test('has bytes in base64, large numbers as strings, and nothing that has its default', () => {
    const answer = Range.responseDeserialize(
      Range.responseSerialize({
        header: { revision: '9007199254740993' },
        kvs: [{ key: Buffer.from('foo'), version: '1', value: Buffer.alloc(0) }],
        count: '1',
      }),
    );

    expect(messageToJson('etcdserverpb.RangeResponse', answer)).toEqual({
      header: { revision: '9007199254740993' },
      kvs: [{ key: 'Zm9v', version: '1' }],
      count: '1',
    });
  });

  test('has enums by name, but the one that is the default', () => {
    const answer = Watch.responseDeserialize(
      Watch.responseSerialize({
        events: [
          { type: 'PUT', kv: {} },
          { type: 'DELETE', kv: {} },
        ],
      }),
    );

    expect(messageToJson('etcdserverpb.WatchResponse', answer)).toMatchObject({
      events: [{ kv: {} }, { type: 'DELETE', kv: {} }],
    });
  });
});
