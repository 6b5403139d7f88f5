import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { Connection, type CallResult } from '../../../src/cli/bench/connection.ts';
import { frameMessage, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { freePorts } from '../../harness/processes.ts';
import { answerWith, cutOff, type FakeCall, FakeMember, refuseWith } from './fake-member.ts';

async function startMember(answer: (call: FakeCall) => void): Promise<FakeMember> {
  const member = await FakeMember.start(answer);
  onTestFinished(async () => member.stop());
  return member;
}

async function open(...members: readonly FakeMember[]): Promise<Connection> {
  const connection = await Connection.open({
    endpoints: members.map((member) => member.endpoint),
    access: plainAccess,
    onLost: () => undefined,
  });
  onTestFinished(() => connection.close());
  return connection;
}

async function callOn(connection: Connection, path = '/etcdserverpb.KV/Put'): Promise<CallResult> {
  return new Promise((resolve) => {
    connection.call(path, frameMessage(Buffer.from('request')), resolve);
  });
}

const succeed = (call: FakeCall): void => answerWith(call, frameMessage(Buffer.from('answer')));

describe('Connection', () => {
  test('an answer is a status and the bytes that came', async () => {
    const connection = await open(await startMember(succeed));

    expect(await callOn(connection)).toEqual({ code: 0, text: '', bodyBytes: 5 + 6 });
  });

  test('a refusal keeps its code and text', async () => {
    const text = 'etcdserver: no leader – 100 %';
    const connection = await open(await startMember((call) => refuseWith(call, 14, text)));

    expect(await callOn(connection)).toEqual({ code: 14, text, bodyBytes: 0 });
  });

  test('an answer without a status is an internal error', async () => {
    const connection = await open(
      await startMember(({ stream }) => {
        stream.respond({ ':status': 404 });
        stream.end();
      }),
    );

    expect(await callOn(connection)).toMatchObject({ code: 13, text: /HTTP status 404/ });
  });

  test('the whole answer is kept when it is asked for', async () => {
    const long = Buffer.alloc(100_000, 7);
    const connection = await open(
      await startMember((call) => answerWith(call, frameMessage(long))),
    );

    const { answer } = await connection.callForAnswer('/any', frameMessage(Buffer.alloc(0)));

    expect(unframeMessage(answer)?.equals(long)).toBe(true);
  });

  test('a lost connection fails its calls once; later ones go to the next endpoint', async () => {
    const first = await startMember(cutOff);
    const second = await startMember(succeed);
    const connection = await open(first, second);

    const lost = await callOn(connection);
    const later = await Promise.all([callOn(connection), callOn(connection)]);

    expect(lost.code).toBe(14);
    expect(later.map((result) => result.code)).toEqual([0, 0]);
    expect([first.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  test('calls on a closed connection fail', async () => {
    const connection = await open(await startMember(succeed));
    connection.close();

    expect(await callOn(connection)).toMatchObject({ code: 14, text: 'connection closed' });
  });

  test('an endpoint where nobody listens cannot be opened', async () => {
    const [port = 0] = await freePorts(1);
    const endpoints = [{ host: '127.0.0.1', port }];

    await expect(
      Connection.open({ endpoints, access: plainAccess, onLost: () => undefined }),
    ).rejects.toThrow('ECONNREFUSED');
  });
});
