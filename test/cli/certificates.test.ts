/** Certificates as files, judged by what members make of them. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CertificatesFlags, makeCertificates } from '../../src/cli/certificates.ts';
import { readMaterial } from '../../src/tls/material.ts';
import type { TlsUse } from '../../src/tls/index.ts';
import { createTempDir } from '../storage/temp-dir.ts';

const dayMs = 24 * 60 * 60 * 1000;
let folder: string;
let printed: string;

beforeEach(() => {
  folder = join(createTempDir(), 'tls');
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text, done?: unknown) => {
    printed += String(text);
    (done as (() => void) | undefined)?.();
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function make(names: readonly string[], flags: Partial<CertificatesFlags> = {}) {
  return makeCertificates(folder, names, { days: '365', ...flags });
}

function certificate(...path: readonly string[]): X509Certificate {
  return new X509Certificate(readFileSync(join(folder, ...path)));
}

/** What a member reads from a folder of certificates. */
async function materialOf(name: string, use: TlsUse) {
  const file = (flag: string, of: string) => ({ where: flag, path: join(folder, name, of) });
  return readMaterial(
    {
      ...{ use, cert: file('--cert-file', 'cert.pem'), key: file('--key-file', 'key.pem') },
      ...{ ca: file('--trusted-ca-file', 'ca.pem'), allowedCommonNames: [], allowedHostnames: [] },
      ...{ versionMin: 'TLSv1.2', versionMax: 'TLSv1.3', cipherSuites: [] },
    },
    Date.now(),
  );
}

describe('certificates', () => {
  test('are what members take, for clients and each other; keys are private', async () => {
    await make(['n1=n1.example.com,10.0.0.1', 'n2', 'client=']);

    expect((await materialOf('n1', 'peer')).subject).toBe('CN=n1');
    expect((await materialOf('n2', 'client')).subject).toBe('CN=n2');
    expect(certificate('n1', 'cert.pem').checkHost('n1.example.com')).toBeDefined();
    expect(certificate('n1', 'cert.pem').checkIP('10.0.0.1')).toBeDefined();
    expect(certificate('n2', 'cert.pem').checkHost('n2')).toBeDefined();
    expect(certificate('client', 'cert.pem').subjectAltName).toBeUndefined();
    for (const key of ['ca.key', 'n1/key.pem', 'client/key.pem']) {
      expect(statSync(join(folder, key)).mode & 0o777).toBe(0o600);
    }
    expect(readdirSync(join(folder, 'n1')).sort()).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
    expect(printed).toContain(`${join(folder, 'n1')}: for n1.example.com, 10.0.0.1, good until`);
  });

  test('of later calls are of the same CA, and those that are there stay', async () => {
    await make(['n1']);
    const [ca, first] = [certificate('ca.pem'), certificate('n1', 'cert.pem')];

    await make(['n2'], { days: '3' });
    await expect(make(['n3', 'n1'])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('say --replace') as string,
    });

    expect(certificate('ca.pem').serialNumber).toBe(ca.serialNumber);
    expect(certificate('n2', 'cert.pem').checkIssued(ca)).toBe(true);
    expect(Date.parse(certificate('n2', 'cert.pem').validTo)).toBeLessThan(Date.now() + 3 * dayMs);
    expect(certificate('n1', 'cert.pem').serialNumber).toBe(first.serialNumber);
    expect(() => certificate('n3', 'cert.pem')).toThrow('ENOENT');

    await make(['n1'], { replace: true });
    expect(certificate('n1', 'cert.pem').serialNumber).not.toBe(first.serialNumber);
    await materialOf('n1', 'peer');
  });

  test('are not made of a CA that has lost a half, or is another’s', async () => {
    await make(['n1']);
    rmSync(join(folder, 'ca.key'));
    await expect(make(['n2'])).rejects.toThrow('put it back, or take another folder');

    writeFileSync(join(folder, 'ca.key'), readFileSync(join(folder, 'n1', 'key.pem')));
    await expect(make(['n2'])).rejects.toThrow('no CA that was made here');
  });

  test.each([
    [['a b'], {}, '"a b" is not NAME or NAME=HOST'],
    [['../n1'], {}, '"../n1" is not NAME'],
    [['.'], {}, '"." is not NAME'],
    [['n1=a/b'], {}, '"n1=a/b" is not NAME'],
    [['n1', 'n1=x'], {}, 'n1 is named twice'],
    [['n1'], { days: '0' }, '--days must be a whole number from 1 to 3650, not "0"'],
    [['n1'], { days: '4000' }, '--days must be'],
  ] as const)('%j with %j is refused, and nothing is made', async (names, flags, problem) => {
    await expect(make(names, flags)).rejects.toThrow(problem);

    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  test('that cannot be written say why', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'n1'), 'a file');

    await expect(make(['n1'])).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/certificates: ENOTDIR/) as string,
    });
  });
});
