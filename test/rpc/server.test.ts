import { createServer } from 'node:net';
import { once } from 'node:events';
import { credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { RpcServer } from '../../src/rpc/index.ts';
import { services } from '../../src/wire/index.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, plainOptions, refusalOf, serve, type Serving } from './serving.ts';

const key = Buffer.from('key');

let serving: Serving | undefined;

afterEach(async () => {
  await serving?.close();
  serving = undefined;
});

function serverOn(listen: readonly string[]): RpcServer {
  const options = plainOptions(new FakeMember());
  return new RpcServer({ ...options, listen: plainListeners('clients', listen) });
}

describe('RpcServer', () => {
  test('listens on every address and tells the ports in their order', async () => {
    const [first = 0, second = 0] = await freePorts(2);
    const server = serverOn([`127.0.0.1:${first}`, `127.0.0.1:${second}`]);

    expect(await server.start()).toEqual([first, second]);

    for (const port of [first, second]) {
      const Constructor = makeClientConstructor(services['grpc.health.v1.Health'], 'Health');
      const client = new Constructor(`127.0.0.1:${port}`, credentials.createInsecure());
      const check = client['Check'] as (request: object, done: (error: unknown) => void) => void;
      await answerTo((done) => check.call(client, {}, done as (error: unknown) => void));
      client.close();
    }
    await server.stop(1000);
  });

  test('refuses to start on a port that is taken, and names it', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { readonly port: number };
    const server = serverOn([`127.0.0.1:${port}`]);

    await expect(server.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`^cannot listen for clients on 127\\.0\\.0\\.1:${port}: `),
      ) as string,
    });

    await server.stop(0);
    other.close();
    await once(other, 'close');
  });

  test('refuses a message much longer than a request may be', async () => {
    serving = await serve(new FakeMember(), { requestBytesMax: 1024 });
    const { kv } = serving;

    // As in etcd, 512 KiB on top of the limit are left for what surrounds a request.
    const value = Buffer.alloc(1024 + 512 * 1024);
    const error = await refusalOf((done) => kv.Put({ key, value }, done));

    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toMatch(/larger than max/);
  });

  test('stopping lets calls under way end and takes no new ones', async () => {
    const member = new FakeMember();
    serving = await serve(member);
    const { kv, server } = serving;
    const proposal = stalledProposal(member);
    const answer = answerTo((done) => kv.Put({ key }, done));
    await proposal.begun;

    const stopped = server.stop(60_000);
    const refused = refusalOf((done) => kv.Range({ key }, done));
    expect(await refused).toMatchObject({ code: status.UNAVAILABLE });
    proposal.finish();

    expect(await answer).toMatchObject({ header: { revision: '8' } });
    await stopped;
  });

  test('stopping cuts off calls that are still under way after the grace period', async () => {
    const member = new FakeMember();
    serving = await serve(member);
    const { kv, server } = serving;
    const proposal = stalledProposal(member);
    const refused = refusalOf((done) => kv.Put({ key }, done));
    await proposal.begun;

    await server.stop(10);

    const { code } = await refused;
    expect([status.UNAVAILABLE, status.CANCELLED]).toContain(code);
    proposal.finish();
  });

  test('stopping twice is the same as once', async () => {
    serving = await serve(new FakeMember());

    await serving.server.stop(60_000);

    await expect(serving.server.stop(60_000)).resolves.toBeUndefined();
  });

  test('frees its port when it stops', async () => {
    const [port = 0] = await freePorts(1);
    const first = serverOn([`127.0.0.1:${port}`]);
    await first.start();
    await first.stop(1000);
    const second = serverOn([`127.0.0.1:${port}`]);

    expect(await second.start()).toEqual([port]);

    await second.stop(1000);
  });
});

/** Lets the member take a proposal and keep it until `finish`. */
function stalledProposal(member: FakeMember): {
  readonly begun: Promise<void>;
  readonly finish: () => void;
} {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    member.onPropose = async () => {
      resolve();
      await finished;
      return { kind: 'ok', revision: 8, result: { type: 'put' } };
    };
  });
  return { begun, finish };
}
