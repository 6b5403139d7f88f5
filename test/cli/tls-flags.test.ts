import { describe, expect, test } from 'vitest';
import { readServerConfig } from '../../src/cli/server-config.ts';
import type { ServerFlagName } from '../../src/cli/server-flags.ts';
import type { TlsConfig } from '../../src/cli/tls-flags.ts';

type Flags = Partial<Readonly<Record<ServerFlagName, string>>>;

const https = { 'listen-client-urls': 'https://10.0.0.1:2379' } as const;
const pair = { 'cert-file': 'c.pem', 'key-file': 'k.pem' } as const;
const peerPair = { 'peer-cert-file': 'pc.pem', 'peer-key-file': 'pk.pem' } as const;
const peerCa = { 'peer-trusted-ca-file': 'pca.pem' } as const;

function problemsOf(flags: Flags): readonly string[] {
  const result = readServerConfig({ flags, env: {} });
  return result.kind === 'invalid' ? result.problems : [];
}

function tlsOf(flags: Flags): TlsConfig {
  const result = readServerConfig({ flags, env: {} });
  if (result.kind === 'invalid') {
    throw new Error(result.problems.join('\n'));
  }
  return result.config.tls;
}

describe('TLS for clients', () => {
  test('needs no permission to leave this machine', () => {
    expect(tlsOf({ ...https, ...pair }).client).toEqual({
      use: 'client',
      cert: { where: '--cert-file', path: 'c.pem' },
      key: { where: '--key-file', path: 'k.pem' },
      ca: undefined,
      crl: undefined,
      allowedCommonNames: [],
      allowedHostnames: [],
      versionMin: 'TLSv1.2',
      versionMax: 'TLSv1.3',
      cipherSuites: [],
    });
  });

  test('beside plain text still wants that allowed', () => {
    const both = 'https://10.0.0.1:2379,http://10.0.0.1:2378';

    expect(problemsOf({ ...pair, 'listen-client-urls': both })).toEqual([
      expect.stringMatching(/http:\/\/10\.0\.0\.1:2378 is plain text beyond this machine/),
    ]);
  });

  test('with a CA verifies everybody, as in etcd', () => {
    const { client } = tlsOf({
      ...{ ...https, ...pair, 'trusted-ca-file': 'ca.pem', 'client-crl-file': 'crl.pem' },
      'client-cert-allowed-hostname': 'a,b',
    });

    expect(client).toMatchObject({
      ca: { path: 'ca.pem' },
      crl: { path: 'crl.pem' },
      allowedHostnames: ['a', 'b'],
    });
  });

  test.each<[string, Flags, RegExp]>([
    ['nobody to trust', { ...https, 'client-cert-auth': 'true' }, /set --trusted-ca-file$/],
    [
      'a CA that is not used',
      { ...https, 'trusted-ca-file': 'ca.pem', 'client-cert-auth': 'false' },
      /^--client-cert-auth: false contradicts --trusted-ca-file/,
    ],
    [
      'only plain text',
      { 'trusted-ca-file': 'ca.pem', 'client-cert-auth': 'true' },
      /^--client-cert-auth: verifies nobody/,
    ],
  ])('that only looks secure is refused: %s', (_what, flags, problem) => {
    expect(problemsOf({ ...pair, ...flags })).toEqual([expect.stringMatching(problem)]);
  });

  test('that is not used is warned of', () => {
    expect(tlsOf(pair).warnings).toEqual([
      '--cert-file: c.pem is not used to listen: no URL for clients begins with https://',
    ]);
    expect(tlsOf({ ...pair, 'listen-metrics-urls': 'https://n1:2381' }).warnings).toEqual([]);
  });
});

describe('TLS between members', () => {
  test('is mutual', () => {
    expect(problemsOf(peerPair)).toEqual([
      '--peer-cert-file: members must be able to verify one another: set --peer-trusted-ca-file',
    ]);
    const no = { 'peer-client-cert-auth': 'false' };
    expect(problemsOf({ ...peerPair, ...peerCa, ...no })).toEqual([
      expect.stringMatching(/^--peer-client-cert-auth: false contradicts/),
    ]);
  });

  test('is needed to dial one of the others too', () => {
    const cluster = 'default=http://localhost:2380,n2=https://n2:2380';

    expect(problemsOf({ 'initial-cluster': cluster })).toEqual([
      expect.stringMatching(/^--initial-cluster: https:\/\/ needs a certificate and its key/),
    ]);
    expect(tlsOf({ ...peerPair, ...peerCa, 'initial-cluster': cluster }).warnings).toEqual([]);
  });

  test('may be kept to names', () => {
    const { peer } = tlsOf({ ...peerPair, ...peerCa, 'peer-cert-allowed-cn': 'n1,n2' });

    expect(peer?.allowedCommonNames).toEqual(['n1', 'n2']);
  });
});

describe('versions and suites', () => {
  test('hold for clients and members', () => {
    const { client, peer } = tlsOf({
      ...{ ...https, ...pair, ...peerPair, ...peerCa },
      'tls-min-version': 'TLS1.3',
      'cipher-suites': 'TLS_AES_256_GCM_SHA384',
    });

    for (const side of [client, peer]) {
      expect(side).toMatchObject({
        versionMin: 'TLSv1.3',
        cipherSuites: ['TLS_AES_256_GCM_SHA384'],
      });
    }
  });

  test('must fit together', () => {
    expect(problemsOf({ 'tls-min-version': 'TLS1.3', 'tls-max-version': 'TLS1.2' })).toEqual([
      expect.stringMatching(/^--tls-max-version: is below --tls-min-version/),
    ]);
    const old = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
    expect(problemsOf({ 'tls-min-version': 'TLS1.3', 'cipher-suites': old })).toEqual([
      expect.stringMatching(/none of these belongs to a version of TLS that is allowed/),
    ]);
  });
});
