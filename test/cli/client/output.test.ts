/** What is printed, in each form. */
import { describe, expect, test } from 'vitest';
import { unreachable } from '../../../src/cli/client/failure.ts';
import type { Format } from '../../../src/cli/client/options.ts';
import {
  formatCompact,
  formatDelete,
  formatGet,
  formatHealth,
  formatMembers,
  formatPut,
  formatStatus,
  formatTxn,
} from '../../../src/cli/client/output.ts';

const header = { cluster_id: '1', member_id: '255', revision: '6', raft_term: '2' };

function keyValue(key: string | Buffer, value: string | Buffer) {
  return {
    key: Buffer.from(key),
    create_revision: '2',
    mod_revision: '3',
    version: '2',
    value: Buffer.from(value),
    lease: '0',
    ...{ ttl_ms: '0', ttl_remaining_ms: '0' },
  };
}

const range = {
  header,
  kvs: [keyValue('a', '1'), keyValue('b', '2\n')],
  more: false,
  count: '2',
};

/** The output as text, a byte a character. */
function shown(output: Uint8Array): string {
  return Buffer.from(output).toString('latin1');
}

describe('a get', () => {
  test.each([
    ['simple', undefined, 'a\n1\nb\n2\n\n'],
    ['simple', 'keys', 'a\n1\nb\n2\n\n'],
    ['simple', 'values', '1\n2\n\n'],
    ['simple', 'count', '2\n'],
    ['plain', undefined, '1\n2\n\n'],
    ['plain', 'keys', 'a\nb\n'],
    ['plain', 'count', '2\n'],
  ] as const)('as %s, showing %s', (format, shows, expected) => {
    expect(shown(formatGet(range, { format, shows }))).toBe(expected);
  });

  test('prints bytes as they are', () => {
    const bytes = Buffer.from([0, 0xff, 0x0a]);
    const answer = { ...range, kvs: [keyValue(bytes, bytes)] };

    expect(shown(formatGet(answer, { format: 'simple' }))).toBe('\0\xff\n\n\0\xff\n\n');
  });

  test('prints bytes in hexadecimal when asked to', () => {
    expect(shown(formatGet(range, { format: 'simple', isHex: true }))).toBe(
      '\\x61\n\\x31\n\\x62\n\\x32\\x0a\n',
    );
  });

  test('as a table has a row for each key, each on one line', () => {
    expect(shown(formatGet(range, { format: 'table' }))).toBe(
      [
        '+-----+-------+---------+-----------------+--------------+-------+',
        '| KEY | VALUE | VERSION | CREATE REVISION | MOD REVISION | LEASE |',
        '+-----+-------+---------+-----------------+--------------+-------+',
        '| a   | 1     |       2 |               2 |            3 |       |',
        '| b   | 2\\n   |       2 |               2 |            3 |       |',
        '+-----+-------+---------+-----------------+--------------+-------+',
        '',
      ].join('\n'),
    );
  });

  test('prints more keys than a call takes arguments', () => {
    const kvs = Array.from({ length: 200_000 }, () => keyValue('k', 'v'));

    expect(formatGet({ ...range, kvs }, { format: 'simple' })).toHaveLength(800_000);
  });
});

describe('writes', () => {
  test('a put says OK and what was there before', () => {
    const answer = { header, prev_kv: keyValue('a', '0') };

    expect(shown(formatPut(answer, { format: 'simple' }))).toBe('OK\na\n0\n');
    expect(shown(formatPut({ header, prev_kv: null }, { format: 'simple' }))).toBe('OK\n');
    expect(shown(formatPut({ header, prev_kv: null }, { format: 'plain' }))).toBe('');
    expect(shown(formatPut(answer, { format: 'plain' }))).toBe('0\n');
    expect(shown(formatPut(answer, { format: 'table' }))).toContain('| REVISION |');
  });

  test('a delete says how many keys, and which', () => {
    const answer = { header, deleted: '1', prev_kvs: [keyValue('a', '0')] };

    expect(shown(formatDelete(answer, { format: 'simple' }))).toBe('1\na\n0\n');
    expect(shown(formatDelete(answer, { format: 'plain' }))).toBe('1\n0\n');
    expect(shown(formatDelete(answer, { format: 'table' }))).toContain('| DELETED |');
  });

  test('a compaction names its revision', () => {
    expect(shown(formatCompact({ header }, 5, 'simple'))).toBe('compacted revision 5\n');
    expect(shown(formatCompact({ header }, 5, 'plain'))).toBe('5\n');
    expect(shown(formatCompact({ header }, 5, 'table'))).toContain('| COMPACTED REVISION |');
    expect(shown(formatCompact({ header }, 5, 'json'))).toContain('"revision":6');
  });

  test('a transaction prints each response as its request would have been', () => {
    const request = {
      success: [
        { request_put: {} },
        { request_range: { keys_only: true } },
        { request_range: { count_only: true } },
        { request_delete_range: {} },
      ],
    };
    const answer = {
      header,
      succeeded: true,
      responses: [
        { response_put: { header, prev_kv: null } },
        { response_range: { ...range, kvs: [keyValue('a', '')] } },
        { response_range: { ...range, kvs: [] } },
        { response_delete_range: { header, deleted: '1', prev_kvs: [] } },
      ],
    };

    expect(shown(formatTxn(answer, request, { format: 'simple' }))).toBe(
      'SUCCESS\n\nOK\n\na\n\n\n2\n\n1\n',
    );
    expect(shown(formatTxn(answer, request, { format: 'plain' }))).toBe('SUCCESS\na\n2\n1\n');
    expect(
      shown(formatTxn({ header, succeeded: false, responses: [] }, request, { format: 'simple' })),
    ).toBe('FAILURE\n');
  });
});

const failed = {
  endpoint: 'b:1',
  tookMs: 1500,
  kind: 'failed',
  failure: unreachable('b:1', 'connect ECONNREFUSED'),
} as const;

test.each([
  ['a get', formatGet(range, { format: 'fields' }), '"Key" : "b"\n'],
  [
    'a put',
    formatPut({ header, prev_kv: keyValue('p', '') }, { format: 'fields' }),
    '"PrevKey" : "p"\n',
  ],
  [
    'a delete',
    formatDelete({ header, deleted: '1', prev_kvs: [] }, { format: 'fields' }),
    '"Deleted" : 1\n',
  ],
  [
    'a transaction',
    formatTxn({ header, succeeded: true, responses: [] }, {}, { format: 'fields' }),
    '"Succeeded" : true\n',
  ],
  ['a compaction', formatCompact({ header }, 5, 'fields'), '"RaftTerm" : 2\n'],
  ['health', formatHealth([failed], 'fields'), '"Error" : connect ECONNREFUSED [UNREACHABLE]\n\n'],
  [
    'members',
    formatMembers(
      {
        header,
        members: [{ ID: '1', name: 'n', peerURLs: ['p'], clientURLs: ['c'], isLearner: false }],
      },
      'fields',
    ),
    '"PeerURL" : "p"\n"ClientURL" : "c"\n"IsLearner" : false\n\n',
  ],
])('%s is printed as fields', (_what, output, expected) => {
  expect(shown(output)).toContain(expected);
});

describe('status', () => {
  const answered = {
    endpoint: 'a:1',
    tookMs: 2,
    kind: 'ok' as const,
    answer: {
      header,
      version: '0.1.0',
      dbSize: '20480',
      leader: '255',
      raftIndex: '29',
      raftTerm: '2',
      raftAppliedIndex: '28',
      errors: [],
      dbSizeInUse: '16384',
      isLearner: false,
      storageVersion: '',
      dbSizeQuota: '0',
      downgradeInfo: null,
      feature_level: 0,
      feature_level_max: 0,
    },
  };

  test.each([
    ['simple', 'a:1, ff, 0.1.0, 20 kB, true, false, 2, 29, 28, \n'],
    ['plain', 'a:1\tff\t0.1.0\t20480\ttrue\tfalse\t2\t29\t28\t6\n'],
    [
      'fields',
      '"ClusterID" : 1\n"MemberID" : 255\n"Revision" : 6\n"RaftTerm" : 2\n' +
        '"Version" : "0.1.0"\n"DBSize" : 20480\n"Leader" : 255\n"IsLearner" : false\n' +
        '"RaftIndex" : 29\n"RaftTerm" : 2\n"RaftAppliedIndex" : 28\n"Errors" : []\n' +
        '"Endpoint" : "a:1"\n\n',
    ],
    [
      'json',
      '[{"Endpoint":"a:1","Status":{' +
        '"header":{"cluster_id":1,"member_id":255,"revision":6,"raft_term":2},' +
        '"version":"0.1.0","dbSize":20480,"leader":255,"raftIndex":29,"raftTerm":2,' +
        '"raftAppliedIndex":28,"dbSizeInUse":16384}}]\n',
    ],
  ] as const)('as %s leaves out who does not answer', (format, expected) => {
    expect(shown(formatStatus([answered, failed], format))).toBe(expected);
  });

  test.each([
    ['0', '0 B'],
    ['999', '999 B'],
    ['1000', '1.0 kB'],
    ['1560000', '1.6 MB'],
    ['67110912', '67 MB'],
    ['9950000000', '10 GB'],
  ])('%s bytes are told as %s', (dbSize, expected) => {
    const row = { ...answered, answer: { ...answered.answer, dbSize } };

    expect(shown(formatStatus([row], 'simple')).split(', ')[3]).toBe(expected);
  });

  test.each([
    ['fields', '"FeatureLevel" : 1\n"FeatureLevelMax" : 2\n'],
    ['json', '"featureLevel":1,"featureLevelMax":2'],
  ] as const)(
    'as %s says the feature levels of a member that knows of them',
    (format, expected) => {
      const answer = { ...answered.answer, feature_level: 1, feature_level_max: 2 };

      expect(shown(formatStatus([{ ...answered, answer }], format))).toContain(expected);
    },
  );

  test('as a table has a row for each endpoint', () => {
    const table = shown(formatStatus([answered, failed], 'table'));

    expect(table).toContain('| REVISION |');
    expect(table).toMatch(/\| a:1 .*\|\s+29 \|\s+28 \|\s+6 \|/);
    expect(table).toMatch(/\| b:1 .*connect ECONNREFUSED \[UNREACHABLE\] \|/);
  });
});

describe('health', () => {
  const healthy = { endpoint: 'a:1', tookMs: 1.61998, kind: 'ok', answer: undefined } as const;

  test.each([
    [
      'simple',
      'a:1 is healthy: successfully committed proposal: took = 1.620ms\n' +
        'b:1 is unhealthy: failed to commit proposal: connect ECONNREFUSED [UNREACHABLE]\n',
    ],
    ['plain', 'a:1\ttrue\t1.620ms\t\nb:1\tfalse\t1.500s\tconnect ECONNREFUSED [UNREACHABLE]\n'],
    [
      'json',
      '[{"endpoint":"a:1","health":true,"took":"1.620ms"},' +
        '{"endpoint":"b:1","health":false,"took":"1.500s",' +
        '"error":"connect ECONNREFUSED [UNREACHABLE]"}]\n',
    ],
  ] as const)('as %s', (format, expected) => {
    expect(shown(formatHealth([healthy, failed], format))).toBe(expected);
  });
});

describe('members', () => {
  const answer = {
    header,
    members: [
      {
        ID: '255',
        name: 'n1',
        peerURLs: ['http://p:1', 'http://p:2'],
        clientURLs: ['http://c:1'],
        isLearner: false,
      },
      { ID: '1', name: '', peerURLs: ['http://p:3'], clientURLs: [], isLearner: true },
    ],
  };

  test.each([
    [
      'simple',
      'ff, started, n1, http://p:1,http://p:2, http://c:1, false\n' +
        '1, unstarted, , http://p:3, , true\n',
    ],
    [
      'plain',
      'ff\tstarted\tn1\thttp://p:1,http://p:2\thttp://c:1\tfalse\n' +
        '1\tunstarted\t\thttp://p:3\t\ttrue\n',
    ],
  ] as [Format, string][])('as %s', (format, expected) => {
    expect(shown(formatMembers(answer, format))).toBe(expected);
  });

  test('as JSON have ids with all digits', () => {
    const big = { ...answer, members: [{ ...answer.members[0], ID: '18446744073709551615' }] };

    expect(shown(formatMembers(big as typeof answer, 'json'))).toContain(
      '"ID":18446744073709551615,"name":"n1","peerURLs":["http://p:1","http://p:2"]',
    );
  });
});
