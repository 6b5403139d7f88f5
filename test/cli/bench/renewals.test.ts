import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { type CallResult, Connection } from '../../../src/cli/bench/connection.ts';
import { RenewalStream } from '../../../src/cli/bench/renewals.ts';
import { frameMessage, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { services } from '../../../src/wire/index.ts';
import { cutOff, FakeMember } from './fake-member.ts';

const { LeaseKeepAlive } = services['etcdserverpb.Lease'];

function renewalOf(ID: string): Buffer {
  return frameMessage(LeaseKeepAlive.requestSerialize({ ID }));
}

describe('RenewalStream', () => {
  test('renewals are answered in their order; one of a lease that is gone fails', async () => {
    const member = await FakeMember.startStreaming((frame, stream) => {
      const { ID } = LeaseKeepAlive.requestDeserialize(unframeMessage(frame) ?? Buffer.alloc(0));
      const TTL = Number(ID) % 10 === 0 ? 0 : 60;
      stream.write(frameMessage(LeaseKeepAlive.responseSerialize({ ID, TTL })));
    });
    onTestFinished(async () => member.stop());
    const connection = await Connection.open({
      endpoints: [member.endpoint],
      access: plainAccess,
      onLost: () => undefined,
    });
    onTestFinished(() => connection.close());
    const stream = new RenewalStream(connection, () => undefined);

    const results = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, at): Promise<CallResult> =>
          new Promise((resolve) => {
            stream.call('', renewalOf(String(at)), resolve);
          }),
      ),
    );

    expect(results.map(({ code }) => code)).toEqual(
      Array.from({ length: 100 }, (_, at) => (at % 10 === 0 ? 5 : 0)),
    );
  });

  test('renewals under way fail with their stream', async () => {
    const member = await FakeMember.startStreaming((_, stream) => {
      cutOff({ stream });
    });
    onTestFinished(async () => member.stop());
    const connection = await Connection.open({
      endpoints: [member.endpoint],
      access: plainAccess,
      onLost: () => undefined,
    });
    onTestFinished(() => connection.close());
    const codes: number[] = [];

    await new Promise((resolve) => {
      const stream = new RenewalStream(connection, resolve);
      for (const id of ['1', '2', '3']) {
        stream.call('', renewalOf(id), ({ code }) => codes.push(code));
      }
    });

    expect(codes).toEqual([14, 14, 14]);
  });
});
