/** What is printed about members; most of it by the tests of the commands. */
import { describe, expect, test } from 'vitest';
import { unreachable } from '../../../src/cli/client/failure.ts';
import {
  formatAdded,
  formatDefrag,
  formatMoveLeader,
} from '../../../src/cli/client/member-output.ts';

const header = { cluster_id: '255', member_id: '1', revision: '0', raft_term: '2' };
const member = (ID: string, name: string) => ({
  ID,
  name,
  peerURLs: [`http://${ID}:2380`],
  clientURLs: [],
  isLearner: false,
});

describe('formatAdded', () => {
  test('gives the new member the name it was asked for, and the others theirs', () => {
    const answer = {
      header,
      member: member('2', ''),
      members: [member('1', 'n1'), member('2', '')],
    };

    const text = Buffer.from(
      formatAdded(answer, { name: 'n2', peerUrls: ['http://2:2380'] }, 'simple'),
    ).toString();

    expect(text).toContain('Member 2 added to cluster ff\n');
    expect(text).toContain('HOLDFAST_INITIAL_CLUSTER="n1=http://1:2380,n2=http://2:2380"\n');
  });

  test('survives an answer without the member', () => {
    const answer = { header, member: null, members: [] };

    expect(Buffer.from(formatAdded(answer, { name: 'n', peerUrls: [] }, 'fields')).toString()).toBe(
      '"ClusterID" : 255\n"MemberID" : 1\n"Revision" : 0\n"RaftTerm" : 2\n',
    );
  });
});

describe('formatDefrag', () => {
  const results = [
    { endpoint: 'a:1', tookMs: 1, kind: 'ok' as const, answer: undefined },
    { endpoint: 'b:1', tookMs: 2, kind: 'failed' as const, failure: unreachable('b:1', 'gone') },
  ];

  test.each([
    ['simple', 'Finished defragmenting etcd member[a:1]\n'],
    ['plain', 'a:1\n'],
    [
      'json',
      '[{"endpoint":"a:1","done":true,"took":"1.000ms"},' +
        '{"endpoint":"b:1","done":false,"took":"2.000ms","error":"gone [UNREACHABLE]"}]\n',
    ],
  ] as const)('as %s', (format, expected) => {
    expect(Buffer.from(formatDefrag(results, format)).toString()).toBe(expected);
  });
});

test.each([
  ['simple', 'Leadership transferred from a to b\n'],
  ['plain', 'b\n'],
  ['json', '{"header":{"cluster_id":255,"member_id":1,"raft_term":2}}\n'],
  ['fields', '"ClusterID" : 255\n"MemberID" : 1\n"Revision" : 0\n"RaftTerm" : 2\n'],
] as const)('formatMoveLeader as %s', (format, expected) => {
  const output = formatMoveLeader({ header }, { from: '10', to: '11' }, format);

  expect(Buffer.from(output).toString()).toBe(expected);
});
