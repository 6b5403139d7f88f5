/**
 * The same cluster by TLS, as `cluster/README.md` tells to start it: certificates made by the
 * command line, `docker-compose.tls.yml` over `docker-compose.yml`, in a real docker engine.
 *
 * It runs in a copy of the folder, since the certificates stand beside the compose files. One story
 * in steps: each begins where the one before has ended.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { buildTimeoutMs, clusterFolder, ComposedCluster, members, type Name } from './composed.ts';
import { eventually, run } from './run.ts';
import {
  bringUp,
  cleanUpAtEnd,
  cutOffLeader,
  greetThroughOne,
  takeAway,
  watchAll,
} from './steps.ts';

const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
const project = 'holdfast-tls-test';
/** The user of the containers, who alone may read the keys. */
const containerUser = '1000:1000';

let folder: string;
let cluster: ComposedCluster;
const cleanups = cleanUpAtEnd();

/** The certificates of the members, as the README has them made. */
async function makeCertificates(...options: readonly string[]): Promise<void> {
  const names = members.map((name) => `${name}=${name},localhost,127.0.0.1`);
  const tls = join(folder, 'tls');
  await run([process.execPath, binary, 'certificates', ...options, tls, ...names]);
  await run(['chown', '-R', containerUser, ...members.map((name) => join(tls, name))]);
}

/** The serial number of the certificate that a member shows to clients. */
async function serialAt(name: Name): Promise<string> {
  const script = `const socket = require('tls').connect(2379, '${name}', { servername: '${name}',
    rejectUnauthorized: true, ALPNProtocols: ['h2'] }, () => {
    process.stdout.write(socket.getPeerCertificate().serialNumber); socket.destroy(); });`;
  // From a neighbour, by the name that the certificate is for.
  const [neighbour = 'n1'] = members.filter((each) => each !== name);
  return cluster.docker('exec', await cluster.containerOf(neighbour), 'node', '-e', script);
}

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'holdfast-tls-')), 'cluster');
  cleanups.push(async () => rm(join(folder, '..'), { recursive: true, force: true }));
  await cp(clusterFolder, folder, { recursive: true });
  await rm(join(folder, 'tls'), { recursive: true, force: true });
  const plain = await ComposedCluster.prepare({ project });
  cleanups.push(async () => plain.engine.stop());
  await plain.compose('build', 'n1');
  cluster = plain.with({
    ...{ project, folder, overlays: ['docker-compose.tls.yml'] },
    caFile: join(folder, 'tls/ca.pem'),
  });
  cleanups.push(async () => cluster.down());
}, buildTimeoutMs);

test(
  'certificates and one command bring three healthy members',
  async () => {
    await makeCertificates();

    await bringUp(cluster);
  },
  buildTimeoutMs,
);

test('what is put through one member is read through another, by TLS', async () => {
  await greetThroughOne(cluster);
});

test('nobody is served in plain text, or who does not trust the CA', async () => {
  const asked = [process.execPath, binary, 'get', 'greeting', '--command-timeout', '3s'];
  const ask = async (endpoint: string): Promise<string> =>
    run([...cluster.engine.onHost, ...asked, '--endpoints', endpoint]);

  await expect(ask('http://127.0.0.1:2379')).rejects.toThrow();
  await expect(ask('https://127.0.0.1:2379')).rejects.toThrow(/TLS|certificate/);
  // What members say to each other, seen by a stranger who knows the port.
  const script = `const socket = require('net').connect(2380, 'n2', () => {
    socket.write('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'); });
    let bytes = 0; socket.on('data', (part) => { bytes += part[0] === 21 ? 0 : part.length; });
    socket.on('close', () => process.stdout.write(String(bytes))); socket.on('error', () => {});`;
  const n1 = await cluster.containerOf('n1');
  expect(await cluster.docker('exec', n1, 'node', '-e', script)).toBe('0');
});

test('Prometheus scrapes every member by TLS, and knows when certificates end', async () => {
  await watchAll(cluster);

  const inADay = 'holdfast_certificate_expiry_timestamp_seconds > time() + 86400';
  const instances = (await cluster.query(inADay)).map(({ metric }) => metric['instance']);
  expect([...new Set(instances)].sort()).toEqual([...members]);
});

test('a leader that is cut off is followed by another one, and acknowledges nothing', async () => {
  await cutOffLeader(cluster);
});

test('new certificates are taken while the members run', async () => {
  const before = await serialAt('n2');
  const started = await cluster.startedAt('n2');

  await makeCertificates('--replace');

  await eventually(
    'n2 shows its new certificate',
    async () => serialAt('n2'),
    (serial) => serial !== '' && serial !== before,
  );
  expect(await cluster.holdfast('n2', 'put', 'after', 'replacing')).toBe('OK\n');
  // Links between members that are made anew are made with the new ones.
  await cluster.setLinksOf('n2', false);
  await cluster.setLinksOf('n2', true);
  await cluster.untilHealthy();
  expect(await cluster.holdfast('n3', 'get', 'after', '-w', 'plain')).toBe('replacing\n');
  expect(await cluster.startedAt('n2')).toBe(started);
});

test('down -v leaves nothing behind', async () => {
  await takeAway(cluster);
});
