/** A member that asks for certificates, as `etcdctl`, the client library and the command see it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Holdfast } from '../../src/client/index.ts';
import { type Pair, TestCa, writeFiles } from '../harness/certificates.ts';
import { RunningCommand } from '../harness/command.ts';
import { connectKv } from '../harness/kv-client.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { hasEtcd } from './etcd-server.ts';

let folder: string;
let cluster: ProcessCluster;
let ca: TestCa;
let own: Pair;
let paths: Readonly<Record<'ca' | 'cert' | 'key' | 'own' | 'ownKey', string>>;
let endpoint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-compat-'));
  ca = await TestCa.create();
  own = await ca.issue('me');
  const { cert, key } = await ca.issue('n1');
  paths = await writeFiles(folder, { ca: ca.pem, cert, key, own: own.cert, ownKey: own.key });
  cluster = await ProcessCluster.create([join(folder, 'n1')]);
  cluster.reconfigure(() => ({
    clientScheme: 'https',
    extraArgs: [
      ...[`--cert-file=${paths.cert}`, `--key-file=${paths.key}`],
      `--trusted-ca-file=${paths.ca}`,
    ],
  }));
  await cluster.startAll();
  [endpoint = ''] = cluster.endpoints;
  const secure = credentials.createSsl(
    ...([ca.pem, own.key, own.cert].map((pem) => Buffer.from(pem)) as [Buffer, Buffer, Buffer]),
  );
  const kv = connectKv(endpoint, secure);
  await kv.waitUntilReady(30_000);
  kv.close();
}, 60_000);

afterAll(async () => {
  await cluster.stopAll();
  await rm(folder, { recursive: true, force: true });
});

async function etcdctl(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
  const shared = [`--endpoints=${endpoint}`, '--command-timeout=2s', `--cacert=${paths.ca}`];
  return new Promise((resolve) => {
    execFile('etcdctl', [...shared, ...args], { env }, (error, stdout) => {
      resolve(error === null ? stdout : `exit code ${String(error.code)}`);
    });
  });
}

describe.runIf(hasEtcd())('etcdctl', () => {
  test('reads and writes with a certificate, and not without', async () => {
    const shown = [`--cert=${paths.own}`, `--key=${paths.ownKey}`];

    expect(await etcdctl(...shown, 'put', 'a', 'b')).toBe('OK\n');
    expect(await etcdctl(...shown, `--endpoints=https://${endpoint}`, 'get', 'a')).toBe('a\nb\n');
    expect(await etcdctl('get', 'a')).toBe('exit code 1');
  });
});

test('the client library reads and writes with a certificate, and not without', async () => {
  const tls = { ca: ca.pem, cert: own.cert, key: own.key };
  const client = new Holdfast({ endpoints: [`https://${endpoint}`], tls });
  await client.kv.put('lib', 'x');
  expect((await client.kv.get('lib'))?.value).toEqual('x');
  await client.close();

  const stranger = new Holdfast({ endpoints: [`https://${endpoint}`], tls: { ca: ca.pem } });
  await expect(stranger.kv.get('lib', { timeoutMs: 1500 })).rejects.toMatchObject({
    outcome: 'rejected',
  });
  await stranger.close();
});

test('the command reads and writes with files from its environment', async () => {
  const env = {
    HOLDFAST_ENDPOINTS: `https://${endpoint}`,
    HOLDFAST_CACERT: paths.ca,
    HOLDFAST_CERT: paths.own,
    HOLDFAST_KEY: paths.ownKey,
  };
  const put = new RunningCommand(['put', 'cli', 'x'], env);
  expect(await put.ended()).toMatchObject({ exitCode: 0 });
  const list = new RunningCommand(['status', '--cluster', '-w', 'plain'], env);
  expect(await list.ended()).toMatchObject({ exitCode: 0 });
  expect(list.stdout).toContain(`https://${endpoint}`);
});

test('probes are answered by TLS, with a certificate', async () => {
  const port = cluster.members[0]?.metricsPort ?? 0;
  const status = await new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/readyz', ca: ca.pem };
    const asked = request({ ...options, cert: own.cert, key: own.key }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });

  expect(status).toBe(200);
});
