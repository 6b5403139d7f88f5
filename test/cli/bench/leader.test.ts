import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { findLeader } from '../../../src/cli/bench/leader.ts';
import { frameMessage } from '../../../src/cli/bench/requests.ts';
import { services } from '../../../src/wire/index.ts';
import { answerWith, FakeMember, refuseWith } from './fake-member.ts';

const { Status } = services['etcdserverpb.Maintenance'];

async function startMember(memberId: string, leaderId: string): Promise<FakeMember> {
  const member = await FakeMember.start((call) => {
    const status = { header: { member_id: memberId }, leader: leaderId };
    answerWith(call, frameMessage(Status.responseSerialize(status)));
  });
  onTestFinished(async () => member.stop());
  return member;
}

describe('findLeader', () => {
  test('names the endpoint that all call leader, ids beyond 2^53 included', async () => {
    const ids = ['9223372036854775809', '9223372036854775808', '7'];
    const members = await Promise.all(ids.map(async (id) => startMember(id, ids[1] ?? '')));

    const leader = await findLeader(
      members.map((member) => member.endpoint),
      plainAccess,
    );

    expect(leader).toEqual(members[1]?.endpoint);
    expect(members[0]?.calls[0]?.path).toBe('/etcdserverpb.Maintenance/Status');
  });

  test('nobody while members disagree, know none, or name one that was not asked', async () => {
    for (const leaders of [
      ['1', '2'],
      ['0', '0'],
      ['3', '3'],
    ]) {
      const members = await Promise.all(
        leaders.map(async (leader, i) => startMember(String(i + 1), leader)),
      );

      expect(
        await findLeader(
          members.map((member) => member.endpoint),
          plainAccess,
        ),
      ).toBeUndefined();
    }
  });

  test('a member that refuses to say is an error with its words', async () => {
    const member = await FakeMember.start((call) => refuseWith(call, 12, 'unknown service'));
    onTestFinished(async () => member.stop());

    await expect(findLeader([member.endpoint], plainAccess)).rejects.toThrow(
      'unknown service (code 12)',
    );
  });
});
