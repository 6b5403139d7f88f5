import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { HttpEndpoints } from '../../src/rpc/index.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { FakeMember } from './fake-member.ts';

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
  readonly headers: Headers;
}

let member: FakeMember;
let metrics: Metrics;
let endpoints: HttpEndpoints;
let port: number;

beforeEach(async () => {
  member = new FakeMember();
  metrics = new Metrics();
  [port = 0] = await freePorts(1);
  endpoints = endpointsOn(port);
  await endpoints.start();
});

afterEach(async () => {
  await endpoints.stop();
});

function endpointsOn(...ports: readonly number[]): HttpEndpoints {
  const listen = plainListeners(
    'metrics',
    ports.map((each) => `127.0.0.1:${each}`),
  );
  return new HttpEndpoints({ member, metrics, version: '9.8.7', listen });
}

async function ask(path: string, method = 'GET'): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
    headers: response.headers,
  };
}

describe('/metrics', () => {
  test('shows the metrics in the text format of Prometheus', async () => {
    metrics.isLeader.set(1);

    const { status, type, body } = await ask('/metrics');

    expect(status).toBe(200);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('\nholdfast_is_leader 1\n');
  });
});

describe('/version', () => {
  test('tells the version under the names etcd uses', async () => {
    const { status, type, body } = await ask('/version');

    expect({ status, type }).toEqual({ status: 200, type: 'application/json' });
    expect(JSON.parse(body)).toEqual({ etcdserver: '9.8.7', etcdcluster: '9.8.7' });
  });
});

describe('a member in order', () => {
  test('is alive, ready and healthy', async () => {
    expect(await ask('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('/health')).toMatchObject({
      status: 200,
      type: 'application/json',
      body: '{"health":"true","reason":""}\n',
    });
  });

  test('shows it by a linearizable read that has a second', async () => {
    await ask('/health');

    expect(member.asked).toEqual([{ method: 'confirmRead', options: { deadlineMs: 1000 } }]);
  });
});

describe('a member that cannot serve', () => {
  test.each<[string, () => void, string]>([
    [
      'as no leader confirms its reads',
      () => {
        member.onConfirmRead = async () => Promise.reject(new KvError('TIMEOUT'));
      },
      'etcdserver: request timed out',
    ],
    [
      'as it says so itself',
      () => {
        member.errors = ['the disk is full', 'and slow'];
      },
      'the disk is full',
    ],
  ])('%s is alive, but neither ready nor healthy', async (_why, arrange, reason) => {
    arrange();

    expect(await ask('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: `not ready: ${reason}\n` });
    expect(await ask('/health')).toMatchObject({
      status: 503,
      body: `{"health":"false","reason":"${reason}"}\n`,
    });
  });

  test('by a defect answers with an internal error, and counts it', async () => {
    member.onConfirmRead = async () => Promise.reject(new TypeError('of the inside'));

    expect(await ask('/health')).toMatchObject({ status: 500 });
    expect(await metrics.render()).toContain('\nholdfast_internal_errors_total 1\n');
  });
});

describe('a request', () => {
  test('for any other path is not found, and is told what there is', async () => {
    for (const path of ['/', '/healthz', '/metrics/', '/v3/kv/range']) {
      expect(await ask(path)).toMatchObject({
        status: 404,
        body: 'not found; there are /metrics /health /livez /readyz /version\n',
      });
    }
  });

  test('with a query finds the path before it', async () => {
    expect(await ask('/health?serializable=false')).toMatchObject({ status: 200 });
  });

  test('that would change something is not allowed, and is told what is', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, body, headers } = await ask('/health', method);

      expect({ status, body }).toEqual({ status: 405, body: 'method not allowed\n' });
      expect(headers.get('allow')).toBe('GET, HEAD');
    }
    expect(member.asked).toEqual([]);
  });

  test('for the head alone gets no body', async () => {
    expect(await ask('/version', 'HEAD')).toMatchObject({
      status: 200,
      type: 'application/json',
      body: '',
    });
  });
});

describe('start and stop', () => {
  test('every address is listened on', async () => {
    const [first = 0, second = 0] = await freePorts(2);
    const both = endpointsOn(first, second);
    await both.start();

    for (const each of [first, second]) {
      expect((await fetch(`http://127.0.0.1:${each}/livez`)).status).toBe(200);
    }

    await both.stop();
  });

  test('a port that is taken is named, and stopping after that does no harm', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: taken } = other.address() as { readonly port: number };
    const refused = endpointsOn(taken);

    await expect(refused.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`^cannot listen for metrics on 127\\.0\\.0\\.1:${taken}: `),
      ) as string,
    });

    await refused.stop();
    other.close();
    await once(other, 'close');
  });

  test('stopping closes idle connections, frees the port, and may be repeated', async () => {
    await ask('/livez');

    await endpoints.stop();
    await endpoints.stop();

    await expect(ask('/livez')).rejects.toThrow();
    const again = endpointsOn(port);
    await again.start();
    await again.stop();
  });
});
