import { chmod, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMaterial } from '../../src/tls/material.ts';
import type { TlsSettings } from '../../src/tls/settings.ts';
import { TestCa, writeFiles } from '../harness/certificates.ts';

const dayMs = 24 * 60 * 60 * 1000;

let folder: string;
let paths: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-material-'));
  const [ca, gone] = [await TestCa.create(), await TestCa.create('gone', [-9, -1])];
  const [n1, other] = [await ca.issue('n1'), await ca.issue('other')];
  const serverOnly = await ca.issue('s', { usages: ['server'] });
  const clientOnly = await ca.issue('c', { usages: ['client'] });
  paths = await writeFiles(folder, {
    ca: ca.pem,
    gone: gone.pem,
    both: gone.pem + ca.pem,
    cert: n1.cert,
    key: n1.key,
    otherKey: other.key,
    serverCert: serverOnly.cert,
    serverKey: serverOnly.key,
    clientCert: clientOnly.cert,
    clientKey: clientOnly.key,
    crl: await ca.revoke([], 7),
    oldCrl: await ca.revoke([], -1),
    halfCrls: (await ca.revoke([], 7)) + (await ca.revoke([], 7)).slice(0, 200),
  });
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

function settings(change: Partial<Record<'cert' | 'key' | 'ca' | 'crl', string>>): TlsSettings {
  const file = (where: string, name: string) => ({ where, path: paths[name] ?? name });
  return {
    use: 'client',
    cert: file('--cert-file', change.cert ?? 'cert'),
    key: file('--key-file', change.key ?? 'key'),
    ca: file('--trusted-ca-file', change.ca ?? 'ca'),
    crl: change.crl === undefined ? undefined : file('--client-crl-file', change.crl),
    allowedCommonNames: [],
    allowedHostnames: [],
    versionMin: 'TLSv1.2',
    versionMax: 'TLSv1.3',
    cipherSuites: [],
  };
}

describe('a set of certificates', () => {
  test('is read with when each part of it ends', async () => {
    const nowMs = Date.now();

    const { subject, expiry } = await readMaterial(settings({ crl: 'crl' }), nowMs);

    expect(subject).toBe('CN=n1');
    expect(Math.round((expiry.certMs - nowMs) / dayMs)).toBe(365);
    expect(Math.round(((expiry.caMs ?? 0) - nowMs) / dayMs)).toBe(3650);
    expect(Math.round(((expiry.crlMs ?? 0) - nowMs) / dayMs)).toBe(7);
  });

  test('has another fingerprint once any file has another content', async () => {
    const fingerprints = await Promise.all(
      [{}, {}, { ca: 'both' }, { crl: 'crl' }].map(
        async (change) => (await readMaterial(settings(change), Date.now())).fingerprint,
      ),
    );

    expect(fingerprints[0]).toBe(fingerprints[1]);
    expect(new Set(fingerprints).size).toBe(3);
  });

  test('may have an expired CA beside a good one', async () => {
    const { expiry } = await readMaterial(settings({ ca: 'both' }), Date.now());

    expect(expiry.caMs).toBeGreaterThan(Date.now());
  });

  test.each<[string, Parameters<typeof settings>[0], RegExp]>([
    ['a missing file', { cert: '/nowhere' }, /^--cert-file: \/nowhere: there is no such file/],
    ['a folder', { ca: '/' }, /^--trusted-ca-file: \/: is a folder/],
    ['the key of another', { key: 'otherKey' }, /^--key-file: .*does not belong to the certif/],
    ['exchanged files', { cert: 'key', key: 'cert' }, /^--cert-file: .*may be exchanged/],
    ['expired CAs', { ca: 'gone' }, /^--trusted-ca-file: .*every certificate in it has expired/],
    ['a client’s certificate', { cert: 'clientCert', key: 'clientKey' }, /made for servers/],
    ['an old list', { crl: 'oldCrl' }, /^--client-crl-file: .*was due to be replaced/],
    ['half a second list', { crl: 'halfCrls' }, /^--client-crl-file: .*breaks off in the middle/],
    ['no list', { crl: 'ca' }, /^--client-crl-file: .*no revocation list/],
  ])('with %s is refused, naming setting and file', async (_what, change, problem) => {
    const reading = readMaterial(settings(change), Date.now());

    await expect(reading).rejects.toThrow(problem);
    await expect(reading).rejects.toThrow(/^[^\n]*$/);
  });

  test('that has expired is refused', async () => {
    await expect(readMaterial(settings({}), Date.now() + 400 * dayMs)).rejects.toThrow(/expired/);
  });

  test('of members must be good for both directions', async () => {
    const forServers = settings({ cert: 'serverCert', key: 'serverKey' });

    await expect(readMaterial(forServers, Date.now())).resolves.toBeDefined();
    await expect(readMaterial({ ...forServers, use: 'peer' }, Date.now())).rejects.toThrow(
      /serverAuth and clientAuth$/,
    );
  });

  test('that is far too large is not read as one', async () => {
    const path = join(folder, 'large.pem');
    await writeFiles(folder, { large: '' });
    await truncate(path, 5 * 1024 * 1024);

    await expect(readMaterial(settings({ ca: path }), Date.now())).rejects.toThrow(
      /is it the right/,
    );
  });

  test.skipIf(process.getuid?.() === 0)('that may not be read says so', async () => {
    const { locked } = await writeFiles(folder, { locked: 'x' });
    await chmod(locked, 0);

    await expect(readMaterial(settings({ key: locked }), Date.now())).rejects.toThrow(/its mode/);
  });
});
