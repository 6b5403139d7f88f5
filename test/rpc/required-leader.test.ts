import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { watchLeader } from '../../src/rpc/required-leader.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { FakeMember } from './fake-member.ts';

const member = new FakeMember();
const timers = new VirtualLoop();
const errors: unknown[] = [];
const fail = (error: unknown): void => {
  errors.push(error);
};

function asking(hasleader: string): { metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('hasleader', hasleader);
  return { metadata };
}

test('who asks for a leader is told of about three seconds without one, not of less', async () => {
  const check = watchLeader({ member }, asking('true'), { timers, fail });
  const { leader } = member;
  for (const withoutMs of [2400, 2400]) {
    member.leader = 0;
    await timers.run(withoutMs);
    member.leader = leader;
    await timers.run(1000);
  }
  expect(errors).toEqual([]);

  member.leader = 0;
  await timers.run(3500);
  expect(errors).toMatchObject([{ code: 'NO_LEADER' }]);

  check?.cancel();
  await timers.run(60_000);
  expect(errors).toHaveLength(1);
});

test.each(['false', ''])('who says "%s" does not ask for one', (hasleader) => {
  expect(watchLeader({ member }, asking(hasleader), { timers, fail })).toBeUndefined();
});
