import { describe, expect, test } from 'vitest';
import { initialClusterId, initialMemberId } from '../../src/cli/identity.ts';

const members = [1, 2, 3].map((i) => ({ name: `n${i}`, peerUrls: [`http://10.0.0.${i}:2380`] }));
const [first = { name: '', peerUrls: [] }] = members;

describe('ids of the first members', () => {
  test('never change: data directories hold them', () => {
    expect(members.map((member) => initialMemberId(member, 'token'))).toEqual([
      309_287_152_454_107, 76_933_571_044_606, 1_464_859_298_655_571,
    ]);
    expect(initialClusterId(members, 'token')).toBe(4_080_078_298_149_796);
  });

  test('are positive integers of at most 52 bits', () => {
    for (let i = 0; i < 2000; i++) {
      const id = initialMemberId({ name: 'n', peerUrls: [`http://h${i}:1`] }, 'token');

      expect(Number.isInteger(id) && id > 0 && id < 2 ** 52).toBe(true);
    }
  });

  test('spread over the whole range and do not collide', () => {
    const ids = Array.from({ length: 2000 }, (_, i) =>
      initialMemberId({ name: 'n', peerUrls: [`http://h${i}:1`] }, 'token'),
    );

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id < 2 ** 51).length).toBeGreaterThan(800);
    expect(ids.filter((id) => id >= 2 ** 51).length).toBeGreaterThan(800);
    expect(ids.filter((id) => id % 2 === 1).length).toBeGreaterThan(800);
  });

  test('depend on the peer URLs and the token, not on the name or the order of URLs', () => {
    const id = initialMemberId(first, 'token');

    expect(initialMemberId({ ...first, name: 'other' }, 'token')).toBe(id);
    expect(initialMemberId({ ...first, peerUrls: ['http://10.0.0.9:2380'] }, 'token')).not.toBe(id);
    expect(initialMemberId(first, 'other token')).not.toBe(id);
    const urls = ['http://a:1', 'http://b:1'];
    expect(initialMemberId({ name: 'n', peerUrls: urls }, 't')).toBe(
      initialMemberId({ name: 'n', peerUrls: [...urls].reverse() }, 't'),
    );
  });

  test('of parts that only look the same together are not the same', () => {
    expect(initialMemberId({ name: 'n', peerUrls: ['http://a:1'] }, '2')).not.toBe(
      initialMemberId({ name: 'n', peerUrls: ['http://a:12'] }, ''),
    );
    expect(initialClusterId([first], 'token')).not.toBe(initialMemberId(first, 'token'));
  });
});

describe('the id of a cluster', () => {
  test('is the same for all its members, however they list them', () => {
    expect(initialClusterId([...members].reverse(), 'token')).toBe(
      initialClusterId(members, 'token'),
    );
  });

  test('differs with the token and with the members', () => {
    const id = initialClusterId(members, 'token');

    expect(initialClusterId(members, 'other token')).not.toBe(id);
    expect(initialClusterId(members.slice(1), 'token')).not.toBe(id);
  });
});
