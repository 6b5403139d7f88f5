import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { Connection } from '../../../src/cli/bench/connection.ts';
import { Leases } from '../../../src/cli/bench/leases.ts';
import { frameMessage, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { services } from '../../../src/wire/index.ts';
import { answerWith, type FakeCall, FakeMember, refuseWith } from './fake-member.ts';

const { LeaseGrant, LeaseKeepAlive, LeaseLeases, LeaseRevoke } = services['etcdserverpb.Lease'];
const signal = new AbortController().signal;

/** A member that keeps leases in a map, and one lease more that is not ours. */
class Lessor {
  readonly ttlById = new Map<string, number>([['7', 60]]);

  answer(call: FakeCall): void {
    const request = unframeMessage(call.body) ?? Buffer.alloc(0);
    if (call.path === LeaseGrant.path) {
      const { ID, TTL } = LeaseGrant.requestDeserialize(request);
      this.ttlById.set(ID, Number(TTL));
      answerWith(call, frameMessage(LeaseGrant.responseSerialize({ ID, TTL })));
    } else if (call.path === LeaseRevoke.path) {
      this.ttlById.delete(LeaseRevoke.requestDeserialize(request).ID);
      answerWith(call, frameMessage(LeaseRevoke.responseSerialize({})));
    } else {
      const leases = [...this.ttlById.keys()].map((ID) => ({ ID }));
      answerWith(call, frameMessage(LeaseLeases.responseSerialize({ leases })));
    }
  }
}

async function connectTo(answer: (call: FakeCall) => void): Promise<Connection> {
  const member = await FakeMember.start(answer);
  onTestFinished(async () => member.stop());
  const connection = await Connection.open({
    endpoints: [member.endpoint],
    access: plainAccess,
    onLost: () => undefined,
  });
  onTestFinished(() => connection.close());
  return connection;
}

describe('Leases', () => {
  test('are granted once each, counted apart from those of others, and revoked', async () => {
    const lessor = new Lessor();
    const connection = await connectTo((call) => {
      lessor.answer(call);
    });
    const leases = new Leases([connection], 300, signal);
    let ttl = 0;

    await leases.grant(() => ++ttl);

    expect([lessor.ttlById.size, await leases.countLeft()]).toEqual([301, 300]);
    expect(new Set(lessor.ttlById.values()).size).toBe(300);

    await leases.revoke();

    expect([...lessor.ttlById.keys()]).toEqual(['7']);
    expect(await leases.countLeft()).toBe(0);
  });

  test('are renewed in turn', async () => {
    const leases = new Leases([await connectTo(() => undefined)], 3, signal);
    const next = leases.renewals();

    const ids = Array.from({ length: 4 }, () => {
      const message = unframeMessage(next().frame) ?? Buffer.alloc(0);
      return BigInt(LeaseKeepAlive.requestDeserialize(message).ID);
    });

    const [first = 0n] = ids;
    expect(ids).toEqual([first, first + 1n, first + 2n, first]);
  });

  test('that are refused end the run', async () => {
    const connection = await connectTo((call) => refuseWith(call, 12, 'not there'));
    const leases = new Leases([connection], 5, signal);

    await expect(leases.grant(() => 60)).rejects.toThrow('5 × UNIMPLEMENTED: not there');
    await expect(leases.countLeft()).rejects.toThrow('leases cannot be listed: not there');
  });
});
