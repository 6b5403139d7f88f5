import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { dialReason, nameProblem, tlsReason } from '../../src/tls/peer-check.ts';
import { TestCa } from '../harness/certificates.ts';

let certificate: X509Certificate;

beforeAll(async () => {
  const ca = await TestCa.create();
  const { cert } = await ca.issue('n1', { hosts: ['n1.example.com', '10.0.0.1'] });
  certificate = new X509Certificate(cert);
});

describe('a certificate that only some may have', () => {
  const any = { allowedCommonNames: [], allowedHostnames: [] };

  test('passes with any name when none is asked for', () => {
    expect(nameProblem(any, certificate)).toBeUndefined();
  });

  test.each([
    [{ ...any, allowedCommonNames: ['n1', 'n2'] }, undefined],
    [{ ...any, allowedCommonNames: ['n2'] }, /common name "n1", and only n2 may connect/],
    [{ ...any, allowedCommonNames: ['n'] }, /common name/],
    [{ ...any, allowedHostnames: ['n1.example.com'] }, undefined],
    [{ ...any, allowedHostnames: ['10.0.0.1'] }, undefined],
    [{ ...any, allowedHostnames: ['n2', 'n3'] }, /is not for n2 or n3/],
    [{ allowedCommonNames: ['n1'], allowedHostnames: ['n2'] }, /is not for n2/],
  ])('is judged by its names: %j', (allowed, problem) => {
    const found = nameProblem(allowed, certificate);

    expect(found ?? 'none').toMatch(problem ?? /^none$/);
  });

  test('that was not shown has no name', () => {
    expect(nameProblem({ ...any, allowedCommonNames: [''] }, undefined)).toMatch(/common name ""/);
    expect(nameProblem({ ...any, allowedHostnames: ['n1'] }, undefined)).toMatch(/not for n1/);
  });
});

describe('why TLS has failed', () => {
  test.each([
    ['CERT_HAS_EXPIRED', 'its certificate has expired'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is of a CA that is not trusted here'],
    ['CERT_REVOKED', 'its certificate has been revoked'],
    ['WHATEVER', 'TLS has failed: WHATEVER'],
  ])('is said of the verdict %s', (verdict, reason) => {
    expect(tlsReason(verdict)).toBe(reason);
  });

  test('names the hosts that a certificate is for, and the one that was meant', () => {
    const error = Object.assign(
      new Error("Hostname/IP does not match certificate's altnames: IP: 1.2.3.4 is not in …"),
      { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    );

    expect(tlsReason(error)).toBe('its certificate is for another host: IP: 1.2.3.4 is not in …');
  });

  test.each([
    'ssl3_get_record:wrong version number:ssl3_record.c:350',
    'tls_get_more_records:packet length too long:tls_common.c:662',
  ])('is found in the words of any OpenSSL for an answer that is no TLS: %s', (words) => {
    const error = Object.assign(new Error(`write EPROTO 80:error:0A00010B:SSL routines:${words}`), {
      code: 'EPROTO',
    });

    expect(tlsReason(error)).toBe('it does not speak TLS');
  });

  test.each([
    ['TLS: as it stands', 'TLS: as it stands'],
    ['ssl3_read_bytes:tlsv13 alert certificate required:…', /asks for a certificate/],
    ['ssl3_read_bytes:sslv3 alert certificate expired:…', /has expired/],
    ['Failed to connect (2026-01-01T00:00:00.000Z)', /^TLS: it has closed the connection after/],
    ['connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
  ])('is found in what gRPC says: %s', (text, reason) => {
    expect(dialReason(text)).toMatch(reason);
  });
});
