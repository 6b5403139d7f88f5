import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Certificates, type CertificatesEvent } from '../../src/tls/certificates.ts';
import type { TlsSettings } from '../../src/tls/settings.ts';
import { TestCa, writeFiles } from '../harness/certificates.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let folder: string;
let ca: TestCa;
let loop: VirtualLoop;
let events: CertificatesEvent[];
let results: string[];
let settings: TlsSettings;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-certificates-'));
  ca = await TestCa.create();
  loop = new VirtualLoop();
  events = [];
  results = [];
  nowMs = Date.now();
  await put('n1');
  const file = (name: string) => ({ where: `--${name}-file`, path: join(folder, `${name}.pem`) });
  settings = {
    ...{ use: 'client', cert: file('cert'), key: file('key'), ca: file('ca') },
    ...{ allowedCommonNames: [], allowedHostnames: [], cipherSuites: [] },
    ...{ versionMin: 'TLSv1.2', versionMax: 'TLSv1.3' },
  };
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

/** Writes a new pair, and the CA. */
async function put(name: string): Promise<void> {
  const { cert, key } = await ca.issue(name);
  await writeFiles(folder, { cert, key, ca: ca.pem });
}

async function open(): Promise<Certificates> {
  return Certificates.open(settings, {
    timers: loop,
    epochMs: () => nowMs,
    onEvent: (event) => events.push(event),
    onReload: (use, result) => results.push(`${use} ${result}`),
  });
}

describe('certificates', () => {
  test('are told when they are there', async () => {
    await open();

    expect(events).toEqual([
      expect.objectContaining({ type: 'certificates-loaded', use: 'client', subject: 'CN=n1' }),
    ]);
  });

  test('that cannot be used keep a member from starting', async () => {
    await writeFile(join(folder, 'key.pem'), 'x');

    await expect(open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^--key-file: .*holds no private key/) as string,
    });
  });

  test('are replaced once the files hold others, for whoever asks from then on', async () => {
    const certificates = await open();
    const before = certificates.context;
    let changes = 0;
    certificates.onChange(() => changes++);
    await put('n2');

    await certificates.reload();

    expect(certificates.material.subject).toBe('CN=n2');
    expect(certificates.context).not.toBe(before);
    expect(changes).toBe(1);
    expect(results).toEqual(['client ok']);
    expect(events.at(-1)).toMatchObject({ type: 'certificates-reloaded', subject: 'CN=n2' });
  });

  test('that are the same stay, whatever the times of their files', async () => {
    const certificates = await open();
    const before = certificates.context;
    await writeFiles(folder, { ca: ca.pem });

    await certificates.reload();

    expect(certificates.context).toBe(before);
    expect(results).toEqual([]);
  });

  test('stay in use while a change is half made, which is told once', async () => {
    const certificates = await open();
    const { cert, key } = await ca.issue('n2');
    await writeFiles(folder, { cert });

    await certificates.reload();
    await certificates.reload();

    expect(certificates.material.subject).toBe('CN=n1');
    expect(results).toEqual(['client failed', 'client failed']);
    expect(events.filter(({ type }) => type === 'certificates-kept')).toEqual([
      expect.objectContaining({
        reason: expect.stringMatching(/^--key-file: .*does not belong/) as string,
      }),
    ]);

    await writeFiles(folder, { key });
    await certificates.reload();

    expect(certificates.material.subject).toBe('CN=n2');
  });

  test('stay in use when the files are gone, or hold an expired one', async () => {
    const certificates = await open();
    const { cert, key } = await ca.issue('old', { days: [-9, -1] });
    await writeFiles(folder, { cert, key });
    await certificates.reload();
    await rm(join(folder, 'ca.pem'));
    await certificates.reload();

    expect(certificates.material.subject).toBe('CN=n1');
    expect(events.slice(1).map(({ type }) => type)).toEqual([
      'certificates-kept',
      'certificates-kept',
    ]);
  });

  test('that are in use and expire are told of', async () => {
    const certificates = await open();
    nowMs += 400 * 24 * 60 * 60 * 1000;

    await certificates.reload();

    expect(events.at(-1)).toMatchObject({ reason: expect.stringMatching(/expired/) as string });
  });

  test('are looked at every ten seconds, until they are closed', async () => {
    const certificates = await open();
    await put('n2');
    certificates.watch();

    await loop.run(9000);
    expect(certificates.material.subject).toBe('CN=n1');
    await loop.run(1000);
    await certificates.reload();
    expect(certificates.material.subject).toBe('CN=n2');
    certificates.close();

    expect(loop.pendingTimers).toBe(0);
  });
});
