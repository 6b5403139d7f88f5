import { beforeAll, describe, expect, test } from 'vitest';
import { nextUpdateOf } from '../../src/tls/revocation.ts';
import { TestCa } from '../harness/certificates.ts';

const dayMs = 24 * 60 * 60 * 1000;

let ca: TestCa;

beforeAll(async () => {
  ca = await TestCa.create();
});

describe('when revocation lists are due', () => {
  test('is told to the second, of the first one of several', async () => {
    const nowMs = Date.now();
    const lists = (await ca.revoke(['10'], 30)) + (await ca.revoke([], 7));

    const dueMs = nextUpdateOf(lists) ?? 0;

    expect(Math.abs(dueMs - nowMs - 7 * dayMs)).toBeLessThan(60_000);
  });

  test('is told beyond 2049, where the time has another form', async () => {
    const nowMs = Date.now();

    const dueMs = nextUpdateOf(await ca.revoke([], 40 * 365)) ?? 0;

    expect(Math.abs(dueMs - nowMs - 40 * 365 * dayMs)).toBeLessThan(60_000);
  });

  test('is not known of what is no list', async () => {
    const list = await ca.revoke([], 7);
    const cut = list.replace(/\n[A-Za-z0-9+/=]+\n-----END/, '\n-----END');

    expect(nextUpdateOf('')).toBeUndefined();
    expect(nextUpdateOf(ca.pem)).toBeUndefined();
    expect(nextUpdateOf('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----')).toBeUndefined();
    expect(nextUpdateOf(cut)).toBeUndefined();
  });
});
