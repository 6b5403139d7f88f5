/**
 * Cipher suites by the names that etcd's flag takes (IANA's, as Go has them), and which of them are
 * served: those with forward secrecy and authenticated encryption, as HTTP/2 wants them (RFC 9113
 * §9.2.2).
 */

/** Suites of TLS 1.3; OpenSSL calls them the same. */
const suites13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
] as const;

/** Suites of TLS 1.2, and what OpenSSL calls them. */
const suites12: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
};

/** Go's older names of two of them. */
const otherNames: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
};

/** All names that may be set. */
export const cipherSuiteNames: readonly string[] = [...suites13, ...Object.keys(suites12)];

/** OpenSSL's name of a suite; undefined for one that is unknown, or too weak to be served. */
export function cipherSuiteOf(name: string): string | undefined {
  const known = otherNames[name] ?? name;
  return suites13.find((each) => each === known) ?? suites12[known];
}

/** Whether a suite, by OpenSSL's name, is one of TLS 1.3. */
export function isSuiteOf13(suite: string): boolean {
  return suite.startsWith('TLS_');
}

/**
 * The list as OpenSSL takes it. A version for which nothing was chosen has all of its suites, as in
 * Go, where those of TLS 1.3 cannot be chosen.
 */
export function cipherList(chosen: readonly string[]): string {
  const of13 = chosen.filter(isSuiteOf13);
  const of12 = chosen.filter((suite) => !isSuiteOf13(suite));
  return [
    ...(of13.length === 0 ? suites13 : of13),
    ...(of12.length === 0 ? Object.values(suites12) : of12),
  ].join(':');
}
