import { describe, expect, onTestFinished, test } from 'vitest';
import { Access } from '../../../src/cli/bench/access.ts';
import { frameMessage, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { signIn } from '../../../src/cli/bench/sign-in.ts';
import { services } from '../../../src/wire/index.ts';
import { freePorts } from '../../harness/processes.ts';
import { answerWith, FakeMember, refuseWith } from './fake-member.ts';

const { Authenticate } = services['etcdserverpb.Auth'];
const account = { name: 'ann', password: 'secret' };

async function startMember(answer: Parameters<typeof FakeMember.start>[0]): Promise<FakeMember> {
  const member = await FakeMember.start(answer);
  onTestFinished(async () => member.stop());
  return member;
}

describe('signIn', () => {
  test('gets a token from the first member that is there, and never sends an old one', async () => {
    const member = await startMember((call) =>
      answerWith(call, frameMessage(Authenticate.responseSerialize({ token: 'granted' }))),
    );
    const [gone = 0] = await freePorts(1);
    const access = new Access(undefined, account);
    access.token = 'old';

    await signIn([{ host: '127.0.0.1', port: gone }, member.endpoint], access);

    expect(access.token).toBe('granted');
    const [call] = member.calls;
    expect(call?.path).toBe('/etcdserverpb.Auth/Authenticate');
    expect(call?.headers['token']).toBeUndefined();
    const request = unframeMessage(call?.body ?? Buffer.alloc(0)) ?? Buffer.alloc(0);
    expect(Authenticate.requestDeserialize(request)).toMatchObject(account);
  });

  test('nobody needs no token, and where nobody is asked there is none', async () => {
    const member = await startMember((call) =>
      refuseWith(call, 9, 'etcdserver: authentication is not enabled'),
    );
    const [nobody, ann] = [new Access(), new Access(undefined, account)];

    await signIn([member.endpoint], nobody);
    await signIn([member.endpoint], ann);

    expect(member.calls.length).toBe(1);
    expect([nobody.token, ann.token]).toEqual([undefined, undefined]);
  });

  test('who is refused is told so, without the password', async () => {
    const refusal = 'etcdserver: authentication failed, invalid user ID or password';
    const member = await startMember((call) => refuseWith(call, 3, refusal));

    const refused = signIn([member.endpoint], new Access(undefined, account));

    await expect(refused).rejects.toThrow(`ann cannot sign in: ${refusal}`);
    await expect(refused).rejects.not.toThrow('secret');
  });
});
