/**
 * Where a call goes when a member does not answer, over real connections to members that are not
 * real.
 */
import { once } from 'node:events';
import { createServer, type Server as TcpServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
import { Connection } from '../../../src/cli/client/connection.ts';
import { Dialler } from '../../../src/cli/client/dialler.ts';
import { methods } from '../../../src/cli/client/requests.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { freePorts } from '../../harness/processes.ts';
import { FakeMember, serverError } from './fake-member.ts';
import { type Server, startServer } from './in-process.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) {
    cleanup();
  }
});

async function fake(...args: Parameters<typeof FakeMember.start>): Promise<FakeMember> {
  const member = await FakeMember.start(...args);
  cleanups.push(() => {
    member.stop();
  });
  return member;
}

async function deadEndpoint(): Promise<string> {
  const [port = 0] = await freePorts(1);
  return `127.0.0.1:${port}`;
}

function connect(endpoints: readonly string[], timeoutMs = 5000): Connection {
  const connection = new Connection(
    endpoints,
    timeoutMs,
    new Dialler({ skipsVerification: false }, endpoints),
  );
  cleanups.push(() => {
    connection.close();
  });
  return connection;
}

const put = {
  command: 'put',
  purpose: 'write',
  method: methods.kv.Put,
  request: { key: Buffer.from('a'), value: Buffer.from('1') },
} as const;
const get = {
  command: 'get',
  purpose: 'read',
  method: methods.kv.Range,
  request: { key: Buffer.from('a') },
} as const;

async function exitOf(answer: Promise<unknown>): Promise<ExitError> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ExitError);
  return error as ExitError;
}

describe('a connection to several endpoints', () => {
  test('asks the next one when nothing listens at the first, for a write as well', async () => {
    const alive = await fake('answer');
    const connection = connect([await deadEndpoint(), alive.endpoint]);

    const answer = await connection.call(put);

    expect(answer.header?.revision).toBe('8');
    expect(alive.calls).toEqual(['Put']);
  });

  test.each(['cut the connection', 'go down'] as const)(
    'asks the next one for a read when members %s',
    async (behaviour) => {
      const broken = await fake(behaviour);
      const alive = await fake('answer');

      const answer = await connect([broken.endpoint, alive.endpoint]).call(get);

      expect(answer.header?.revision).toBe('7');
      expect(broken.calls).toEqual(['Range']);
    },
  );

  test('does not repeat a write that was cut off: its outcome is unknown', async () => {
    const broken = await fake('cut the connection');
    const alive = await fake('answer');

    const { exitCode, message } = await exitOf(
      connect([broken.endpoint, alive.endpoint]).call(put),
    );

    expect(alive.calls).toEqual([]);
    expect(exitCode).toBe(3);
    expect(message).toContain(`put failed at ${broken.endpoint}`);
    expect(message).toContain('[UNAVAILABLE]');
    expect(message).toContain(
      'outcome: unknown: it may have been applied; read the key before retrying',
    );
  });

  test('repeats a write elsewhere that the server says it has refused', async () => {
    const stopped = serverError(status.UNAVAILABLE, 'etcdserver: server stopped', {
      code: 'STOPPED',
      outcome: 'rejected',
    });
    const stopping = await fake(stopped);
    const alive = await fake('answer');

    await connect([stopping.endpoint, alive.endpoint]).call(put);

    expect(alive.calls).toEqual(['Put']);
  });

  test('does not repeat a write that the server is not sure of', async () => {
    const unsure = serverError(status.UNAVAILABLE, 'etcdserver: request timed out', {
      code: 'TIMEOUT',
      outcome: 'unknown',
    });
    const slow = await fake(unsure);
    const alive = await fake('answer');

    const { exitCode, message } = await exitOf(connect([slow.endpoint, alive.endpoint]).call(put));

    expect(alive.calls).toEqual([]);
    expect(exitCode).toBe(3);
    expect(message).toContain('[TIMEOUT]; outcome: unknown');
  });

  test('asks nobody else when a request is wrong', async () => {
    const wrong = await fake(serverError(status.OUT_OF_RANGE, 'etcdserver: compacted'));
    const alive = await fake('answer');

    const { exitCode } = await exitOf(connect([wrong.endpoint, alive.endpoint]).call(get));

    expect(exitCode).toBe(1);
    expect(alive.calls).toEqual([]);
  });

  test('names every endpoint that cannot be reached, and that nothing was changed', async () => {
    const first = await deadEndpoint();
    const second = await deadEndpoint();

    const { exitCode, message } = await exitOf(connect([first, second]).call(put));

    expect(exitCode).toBe(4);
    expect(message).toBe(
      `holdfast: put failed: cannot reach ${first} (connect ECONNREFUSED ${first}), ` +
        `${second} (connect ECONNREFUSED ${second}) [UNREACHABLE]; ` +
        'outcome: rejected: nothing was changed; hint: check --endpoints and that the members run',
    );
  });

  test('passes by an endpoint that accepts and says nothing', async () => {
    const silent: TcpServer = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(() => silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const alive = await fake('answer');

    const connection = connect([`127.0.0.1:${port}`, alive.endpoint], 1000);
    await connection.call(put);

    expect(alive.calls).toEqual(['Put']);
  });

  test('asks all of them for what concerns each, and tells failures apart', async () => {
    const alive = await fake('answer');
    const dead = await deadEndpoint();

    const results = await connect([dead, alive.endpoint]).callEach(get);

    expect(results.map(({ endpoint, kind }) => [endpoint, kind])).toEqual([
      [dead, 'failed'],
      [alive.endpoint, 'ok'],
    ]);
  });
});

describe('a connection to one endpoint', () => {
  test('gives up at the deadline; a write that was sent may have been applied', async () => {
    const { endpoint } = await fake('hang');

    const { exitCode, message } = await exitOf(connect([endpoint], 500).call(put));

    expect(exitCode).toBe(3);
    expect(message).toMatch(/no answer within [\d.]+ s \[DEADLINE_EXCEEDED\]; outcome: unknown/);
    expect(message).toContain('--command-timeout');
  });

  test('says that there is no leader, where the member knows none', async () => {
    const hanging = await fake('hang');
    const unsure = serverError(status.UNAVAILABLE, 'etcdserver: request timed out', {
      code: 'TIMEOUT',
      outcome: 'rejected',
    });
    const giving = await fake(unsure);
    hanging.leaderId = '0';
    giving.leaderId = '0';

    const late = await exitOf(connect([hanging.endpoint], 300).call(put));
    const refused = await exitOf(connect([giving.endpoint]).call(put));

    expect(late.exitCode).toBe(3);
    expect(late.message).toMatch(
      /: there is no leader \(no answer .*\) \[NO_LEADER\]; outcome: unk/,
    );
    expect(refused.exitCode).toBe(1);
    expect(refused.message).toContain('[NO_LEADER]; outcome: rejected');
    expect(refused.message).toContain('check that a majority is up');
    expect(await connect([hanging.endpoint, giving.endpoint]).findsNoLeader()).toBe(true);
    giving.leaderId = '7';
    expect(await connect([hanging.endpoint, giving.endpoint]).findsNoLeader()).toBe(false);
    expect(await connect([await deadEndpoint()]).findsNoLeader()).toBe(false);
  });

  test('tells a name that does not resolve', async () => {
    const { exitCode, message } = await exitOf(connect(['holdfast.invalid:1']).call(get));

    expect(exitCode).toBe(4);
    expect(message).toContain('holdfast.invalid:1');
  });
});

describe('a streamed call', () => {
  const snapshot = {
    command: 'snapshot save',
    purpose: 'read',
    method: methods.maintenance.Snapshot,
    request: {},
  } as const;

  async function serveSnapshot(chunks: () => AsyncIterable<Uint8Array>): Promise<Server> {
    const server = await startServer();
    cleanups.push(() => {
      void server.serving.close();
    });
    server.member.onOpenSnapshot = async () =>
      Promise.resolve({ estimatedBytes: 2, revision: 7, chunks: chunks() });
    return server;
  }

  async function collect(connection: Connection): Promise<string> {
    let text = '';
    for await (const { blob } of connection.stream(snapshot)) {
      text += blob.toString();
    }
    return text;
  }

  async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void> {
    for (const text of texts) {
      yield await Promise.resolve(Buffer.from(text));
    }
  }

  test('passes by endpoints that do not answer, or refuse for now', async () => {
    const stopping = await serveSnapshot(() => pieces());
    stopping.member.onOpenSnapshot = async () => Promise.reject(new KvError('STOPPED'));
    const serving = await serveSnapshot(() => pieces('a', 'b'));

    const connection = connect([await deadEndpoint(), stopping.endpoint, serving.endpoint]);

    expect(await collect(connection)).toBe('ab');
    expect(stopping.member.asked).toHaveLength(1);
  });

  test('that breaks off is an error: the next endpoint would begin anew', async () => {
    const breaking = await serveSnapshot(async function* () {
      yield* pieces('a', 'b');
      throw new KvError('STOPPED');
    });
    const serving = await serveSnapshot(() => pieces('a', 'b'));

    const error = await exitOf(collect(connect([breaking.endpoint, serving.endpoint])));

    expect(error.message).toContain(`snapshot save failed at ${breaking.endpoint}`);
    expect(serving.member.asked).toEqual([]);
  });

  test('to nobody is unreachable', async () => {
    const error = await exitOf(collect(connect([await deadEndpoint()])));

    expect(error.exitCode).toBe(4);
  });
});
