import { describe, expect, test } from 'vitest';
import { fromMembers, toMemberId, toPeerUrls } from '../../src/rpc/member-requests.ts';

describe('toMemberId', () => {
  test('takes every id that a member can have', () => {
    expect(toMemberId('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('refuses others as unknown, in the words of the method', () => {
    expect(() => toMemberId('9007199254740992')).toThrow('etcdserver: member not found');
    expect(() => toMemberId('18446744073709551615', 'BAD_TRANSFEREE')).toThrow(
      'etcdserver: bad leader transferee',
    );
  });
});

describe('toPeerUrls', () => {
  test('takes names, addresses of both kinds and blanks around them', () => {
    const urls = ['http://n1.example:2380', ' http://10.0.0.1:1 ', 'http://[fe80::1]:65535'];

    expect(toPeerUrls(urls)).toEqual(urls.map((url) => url.trim()));
  });

  test('takes a URL once', () => {
    expect(toPeerUrls(['http://a:1', 'http://b:1', 'http://a:1'])).toEqual([
      'http://a:1',
      'http://b:1',
    ]);
  });

  test.each([[], [''], ['http://a:1', 'b:1'], ['http://a:1?x'], ['http://u@a:1'], ['http://a:01']])(
    'refuses %j %j',
    (...urls) => {
      expect(() => toPeerUrls(urls)).toThrow('etcdserver: given member URLs are invalid');
    },
  );
});

test('fromMembers copies what it is given', () => {
  const peerUrls = ['http://a:1'];
  const [answer] = fromMembers([{ id: 1, name: 'n', peerUrls, clientUrls: [], isLearner: false }]);

  expect(answer?.peerURLs).toEqual(peerUrls);
  expect(answer?.peerURLs).not.toBe(peerUrls);
});
