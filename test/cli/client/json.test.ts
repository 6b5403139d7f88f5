/** JSON as etcdctl writes it. */
import { describe, expect, test } from 'vitest';
import {
  addedMemberJson,
  alarmsJson,
  encodeJson,
  hashKvJson,
  membersJson,
  putJson,
  rangeJson,
  txnJson,
} from '../../../src/cli/client/json.ts';

const header = {
  cluster_id: '15068982936956642583',
  member_id: '7',
  revision: '6',
  raft_term: '2',
};
const keyValue = {
  key: Buffer.from('a'),
  create_revision: '2',
  mod_revision: '3',
  version: '2',
  value: Buffer.from('2'),
  lease: '0',
  ...{ ttl_ms: '0', ttl_remaining_ms: '0' },
};
const headerText =
  '"header":{"cluster_id":15068982936956642583,"member_id":7,"revision":6,"raft_term":2}';
const keyValueText =
  '{"key":"YQ==","create_revision":2,"mod_revision":3,"version":2,"value":"Mg=="}';

describe('encodeJson', () => {
  test('writes numbers beyond 2^53 with all digits and escapes texts', () => {
    expect(encodeJson({ a: 2n ** 64n - 1n, b: ['"\n', true], c: undefined })).toBe(
      '{"a":18446744073709551615,"b":["\\"\\n",true]}',
    );
  });
});

describe('answers', () => {
  test('a range has keys and values in base64', () => {
    expect(encodeJson(rangeJson({ header, kvs: [keyValue], more: false, count: '1' }))).toBe(
      `{${headerText},"kvs":[${keyValueText}],"count":1}`,
    );
  });

  test('what is zero, empty or false is left out', () => {
    expect(encodeJson(rangeJson({ header, kvs: [], more: false, count: '0' }))).toBe(
      `{${headerText}}`,
    );
    expect(encodeJson(putJson({ header, prev_kv: null }))).toBe(`{${headerText}}`);
  });

  test('a transaction names its responses as etcdctl does', () => {
    const answer = {
      header,
      succeeded: true,
      responses: [
        { response_range: { header: null, kvs: [], more: true, count: '2' } },
        { response_put: { header: null, prev_kv: keyValue } },
        { response_delete_range: { header: null, deleted: '1', prev_kvs: [keyValue] } },
        { response_txn: { header: null, succeeded: false, responses: [] } },
      ],
    };

    expect(encodeJson(txnJson(answer))).toBe(
      `{${headerText},"succeeded":true,"responses":[` +
        '{"Response":{"ResponseRange":{"more":true,"count":2}}},' +
        `{"Response":{"ResponsePut":{"prev_kv":${keyValueText}}}},` +
        `{"Response":{"ResponseDeleteRange":{"deleted":1,"prev_kvs":[${keyValueText}]}}},` +
        '{"Response":{"ResponseTxn":{}}}]}',
    );
  });
});

describe('answers about members', () => {
  const member = { ID: '8', name: '', peerURLs: ['http://a:1'], clientURLs: [], isLearner: true };
  const memberText = '{"ID":8,"peerURLs":["http://a:1"],"isLearner":true}';

  test('a list of members leaves out what an unstarted one has not', () => {
    expect(encodeJson(membersJson({ header, members: [member] }))).toBe(
      `{${headerText},"members":[${memberText}]}`,
    );
  });

  test('an addition has the new member in front of all', () => {
    expect(encodeJson(addedMemberJson({ header, member, members: [member] }))).toBe(
      `{${headerText},"member":${memberText},"members":[${memberText}]}`,
    );
  });

  test('an alarm has its type as a number', () => {
    const alarms = [
      { memberID: '8', alarm: 'NOSPACE' as const },
      { memberID: '9', alarm: 'CORRUPT' as const },
    ];

    expect(encodeJson(alarmsJson({ header, alarms }))).toBe(
      `{${headerText},"alarms":[{"memberID":8,"alarm":1},{"memberID":9,"alarm":2}]}`,
    );
    expect(encodeJson(alarmsJson({ header: null, alarms: [] }))).toBe('{}');
  });

  test('a hash has the revisions it covers', () => {
    const answer = { header, hash: 4_294_967_295, compact_revision: '-1', hash_revision: '0' };

    expect(encodeJson(hashKvJson(answer))).toBe(
      `{${headerText},"hash":4294967295,"compact_revision":-1}`,
    );
  });
});
