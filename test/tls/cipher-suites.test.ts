import { getCiphers } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { cipherList, cipherSuiteNames, cipherSuiteOf } from '../../src/tls/cipher-suites.ts';

describe('cipher suites', () => {
  test('have names that OpenSSL knows', () => {
    const known = getCiphers();

    for (const name of cipherSuiteNames) {
      expect(known).toContain(cipherSuiteOf(name)?.toLowerCase());
    }
  });

  test('are found by the older names of Go too', () => {
    expect(cipherSuiteOf('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305')).toBe(
      'ECDHE-RSA-CHACHA20-POLY1305',
    );
  });

  test.each(['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_RSA_WITH_RC4_128_SHA', 'HIGH', ''])(
    '"%s" is none that is served',
    (name) => {
      expect(cipherSuiteOf(name)).toBeUndefined();
    },
  );

  test('that are chosen for one version leave the other one as it is', () => {
    const list = cipherList(['ECDHE-RSA-AES128-GCM-SHA256']).split(':');

    expect(list.filter((suite) => suite.startsWith('TLS_'))).toHaveLength(3);
    expect(list.filter((suite) => suite.startsWith('ECDHE'))).toEqual([
      'ECDHE-RSA-AES128-GCM-SHA256',
    ]);
    expect(cipherList(['TLS_AES_256_GCM_SHA384']).split(':')).toHaveLength(7);
  });
});
