/** Which member is chosen: the leader, those that work, in turn. */
import { describe, expect, test } from 'vitest';
import { Endpoints } from '../../src/client/endpoints.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

function setUp(count = 3, first = 0) {
  const { loop } = virtualEnvironment();
  const members = new FakeMembers();
  const addresses = Array.from({ length: count }, (_, i) => `m${i + 1}:1`);
  const endpoints = new Endpoints(addresses, { transport: members, clock: loop, first });
  const chosen = (): string => endpoints.choose('any').address;
  return { endpoints, loop, members, chosen };
}

describe('endpoints', () => {
  test('take turns, beginning where they are told', () => {
    const { chosen } = setUp(3, 1);

    expect([chosen(), chosen(), chosen(), chosen()]).toEqual(['m2:1', 'm3:1', 'm1:1', 'm2:1']);
  });

  test('that have failed are passed over, for longer each time', async () => {
    const { endpoints, loop } = setUp(2);
    const [bad] = endpoints.all;
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const start = loop.nowMs();
      endpoints.failed(bad as never);
      while (endpoints.choose('any') !== bad) {
        await loop.run(50);
      }
      times.push(loop.nowMs() - start);
    }

    expect(times[0]).toBeLessThanOrEqual(150);
    expect(times[3]).toBeGreaterThan(times[0] ?? 0);
    expect(times.at(-1)).toBeLessThanOrEqual(5100);
  });

  test('are tried all the same when all have failed: the one first whose time is up first', () => {
    const { endpoints, chosen } = setUp(3);
    for (const endpoint of endpoints.all) {
      endpoints.failed(endpoint);
      endpoints.failed(endpoint);
    }
    endpoints.succeeded(endpoints.all[1] as never);
    endpoints.failed(endpoints.all[1] as never);

    expect([chosen(), chosen()]).toEqual(['m2:1', 'm2:1']);
  });

  test('are chosen though they are to be avoided, when there is no other', () => {
    const { endpoints } = setUp(1);

    expect(endpoints.choose('any', endpoints.all[0]).address).toBe('m1:1');
  });

  test('have a leader once a member has named one that is known', () => {
    const { endpoints } = setUp();
    const [one, two] = endpoints.all;

    endpoints.learn(one as never, '11', '22');
    expect(endpoints.leader).toBeUndefined();
    endpoints.learn(two as never, '22', '22');
    expect(endpoints.choose('leader').address).toBe('m2:1');
    // Nobody leads for now: the last one known is the best guess.
    endpoints.learn(one as never, '11', '0');
    expect(endpoints.choose('leader').address).toBe('m2:1');
  });

  test('have no leader after it has failed, until one is named again', () => {
    const { endpoints } = setUp();
    const leader = endpoints.all[2] as never;
    endpoints.learn(leader, '33', '33');

    endpoints.failed(leader);
    expect(endpoints.leader).toBeUndefined();
    endpoints.succeeded(leader);
    endpoints.learn(leader, '33', '33');
    expect(endpoints.leader).toBe(leader);
  });

  test('are closed together', () => {
    const { endpoints, members } = setUp();

    endpoints.close();

    expect(members.closed).toEqual(['m1:1', 'm2:1', 'm3:1']);
  });
});
