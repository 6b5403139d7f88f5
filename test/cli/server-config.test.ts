import { describe, expect, test } from 'vitest';
import { type ConfigSources, variableOf } from '../../src/cli/config-sources.ts';
import { readServerConfig, type ServerConfig } from '../../src/cli/server-config.ts';
import { type ServerFlagName, serverFlags } from '../../src/cli/server-flags.ts';
import { keepBoth, keepRevisions } from '../../src/replica/index.ts';

type Flags = Partial<Readonly<Record<ServerFlagName, string>>>;

function configOf(sources: Partial<ConfigSources>): ServerConfig {
  const result = readServerConfig({ flags: {}, env: {}, ...sources });
  if (result.kind === 'invalid') {
    throw new Error(result.problems.join('\n'));
  }
  return result.config;
}

function problemsOf(sources: Partial<ConfigSources>): readonly string[] {
  const result = readServerConfig({ flags: {}, env: {}, ...sources });
  return result.kind === 'invalid' ? result.problems : [];
}

const problemsOfFlags = (flags: Flags): readonly string[] => problemsOf({ flags });

const clusterOf3 = 'n1=http://127.0.0.1:2380,n2=http://127.0.0.1:12380,n3=http://127.0.0.1:22380';
const n1 = { name: 'n1', 'listen-peer-urls': 'http://127.0.0.1:2380' } as const;

describe('readServerConfig', () => {
  test('without any setting: a single member on loopback, with the ports of etcd', () => {
    expect(configOf({})).toEqual({
      name: 'default',
      dataDir: 'default.holdfast',
      listenClient: [{ host: 'localhost', port: 2379, isSecure: false }],
      advertiseClientUrls: ['http://localhost:2379'],
      listenPeer: [{ host: 'localhost', port: 2380, isSecure: false }],
      listenMetrics: [{ host: '127.0.0.1', port: 2381, isSecure: false }],
      tls: { client: undefined, peer: undefined, warnings: [] },
      isInsecure: false,
      members: [{ name: 'default', peerUrls: ['http://localhost:2380'] }],
      token: 'holdfast-cluster',
      clusterState: 'new',
      logCompaction: { entriesMax: 100_000, marginEntries: 10_000 },
      snapshotRateBytes: 64 * 1024 * 1024,
      quotaBytes: 8 * 1024 * 1024 * 1024,
      retention: keepBoth(600_000, 100_000),
      strictReconfigCheck: true,
      heartbeatMs: 100,
      electionMs: 1000,
      readMode: 'read-index',
      authTokenTtlSeconds: 300,
      levels: { oldest: 1, newest: 3 },
      requestBytesMax: 1_572_864,
      txnOperationsMax: 128,
      requestTimeoutMs: 7000,
      requestLimits: {
        clientRequestsPerSecond: 0,
        inflightRequests: { client: 10_000, member: 20_000 },
        inflightBytes: { client: 32 * 1024 * 1024, member: 64 * 1024 * 1024 },
        bulkBytes: 256 * 1024 * 1024,
        streams: { client: 10_000, member: 20_000 },
        watches: { client: 500_000, member: 1_000_000 },
        leases: 1_000_000,
      },
      watchBytesMax: 256 * 1024 * 1024,
      connectionsMax: undefined,
      memoryLimitBytes: undefined,
      peerDial: new Map(),
      logLevel: 'info',
      logFormat: 'auto',
    });
  });

  test('reads every setting', () => {
    const config = configOf({
      flags: {
        name: 'n1',
        'data-dir': '/data',
        'listen-client-urls': 'http://127.0.0.1:1001,http://[::1]:1001',
        'advertise-client-urls': 'http://n1.example:2379',
        'listen-peer-urls': 'http://10.0.0.1:1002',
        'initial-advertise-peer-urls': 'http://n1.example:2380',
        'initial-cluster': 'n1=http://n1.example:2380, n2=http://n2.example:2380',
        'initial-cluster-state': 'existing',
        'initial-cluster-token': 'blue',
        'heartbeat-interval': '20',
        'election-timeout': '200',
        'read-mode': 'lease',
        'auth-token-ttl': '60',
        'feature-level-max': '1',
        'max-request-bytes': '2048',
        'max-txn-ops': '7',
        'max-client-request-rate': '5000',
        'max-inflight-requests': '300',
        'max-client-inflight-requests': '30',
        'max-inflight-bytes': '20000000',
        'max-client-inflight-bytes': '2000000',
        'max-bulk-bytes': '7000000',
        'max-streams': '50',
        'max-client-streams': '5',
        'max-watches': '60',
        'max-client-watches': '6',
        'max-watch-bytes': '5000000',
        'max-leases': '70',
        'max-connections': '40',
        'memory-limit-bytes': '1000000000',
        'request-timeout': '900',
        'listen-metrics-urls': '',
        'snapshot-count': '1000',
        'snapshot-catchup-entries': '100',
        'snapshot-rate-bytes': '2097152',
        'quota-backend-bytes': '33554432',
        'auto-compaction-mode': 'revision',
        'auto-compaction-retention': '1000',
        'strict-reconfig-check': 'false',
        'peer-dial': 'n2=127.0.0.1:9,n1=[::1]:10',
        insecure: 'true',
        'log-level': 'warn',
        'log-format': 'pretty',
      } satisfies Flags,
    });

    expect(config).toEqual({
      name: 'n1',
      dataDir: '/data',
      listenClient: [
        { host: '127.0.0.1', port: 1001, isSecure: false },
        { host: '::1', port: 1001, isSecure: false },
      ],
      advertiseClientUrls: ['http://n1.example:2379'],
      listenPeer: [{ host: '10.0.0.1', port: 1002, isSecure: false }],
      listenMetrics: [],
      tls: { client: undefined, peer: undefined, warnings: [] },
      isInsecure: true,
      members: [
        { name: 'n1', peerUrls: ['http://n1.example:2380'] },
        { name: 'n2', peerUrls: ['http://n2.example:2380'] },
      ],
      token: 'blue',
      clusterState: 'existing',
      logCompaction: { entriesMax: 1000, marginEntries: 100 },
      snapshotRateBytes: 2 * 1024 * 1024,
      quotaBytes: 32 * 1024 * 1024,
      retention: keepRevisions(1000),
      strictReconfigCheck: false,
      heartbeatMs: 20,
      electionMs: 200,
      readMode: 'lease',
      authTokenTtlSeconds: 60,
      levels: { oldest: 1, newest: 1 },
      requestBytesMax: 2048,
      txnOperationsMax: 7,
      requestTimeoutMs: 900,
      requestLimits: {
        clientRequestsPerSecond: 5000,
        inflightRequests: { client: 30, member: 300 },
        inflightBytes: { client: 2_000_000, member: 20_000_000 },
        bulkBytes: 7_000_000,
        streams: { client: 5, member: 50 },
        watches: { client: 6, member: 60 },
        leases: 70,
      },
      watchBytesMax: 5_000_000,
      connectionsMax: 40,
      memoryLimitBytes: 1_000_000_000,
      peerDial: new Map([
        ['n2', { host: '127.0.0.1', port: 9 }],
        ['n1', { host: '::1', port: 10 }],
      ]),
      logLevel: 'warn',
      logFormat: 'pretty',
    });
  });

  test('a request may take two elections and five seconds unless a limit is set', () => {
    expect(configOf({ flags: { 'election-timeout': '3000' } }).requestTimeoutMs).toBe(11_000);
  });

  test('every default passes its own check', () => {
    for (const flag of serverFlags) {
      const text = 'default' in flag ? flag.default : undefined;

      expect(text === undefined ? [] : problemsOf({ flags: { [flag.name]: text } })).toEqual([]);
    }
  });
});

/** Values that each setting refuses, with some words of the refusal. */
const badValues: readonly (readonly [ServerFlagName, string, string])[] = [
  ['name', '', 'must be letters'],
  ['name', 'a/b', 'must be letters'],
  ['name', 'n 1', 'must be letters'],
  ['name', 'a=b', 'must be letters'],
  ['data-dir', '', 'must be a path'],
  ['listen-client-urls', '', 'must name at least one URL'],
  ['listen-client-urls', '127.0.0.1:2379', 'must be http://HOST:PORT'],
  ['listen-client-urls', 'http://127.0.0.1', 'must be http://HOST:PORT'],
  ['listen-client-urls', 'http://127.0.0.1:0', 'must be http://HOST:PORT'],
  ['listen-client-urls', 'http://127.0.0.1:65536', 'must be http://HOST:PORT'],
  ['listen-client-urls', 'http://127.0.0.1:2379/path', 'must be http://HOST:PORT'],
  ['listen-client-urls', 'https://127.0.0.1:2379', 'set --cert-file and --key-file'],
  ['listen-client-urls', 'http://0.0.0.0:2379', '--insecure'],
  ['advertise-client-urls', 'n1:2379', 'must be http://HOST:PORT'],
  ['advertise-client-urls', '', 'must name at least one URL'],
  ['listen-peer-urls', ' , ', 'must name at least one URL'],
  ['listen-peer-urls', 'unix:///tmp/peer', 'must be http://HOST:PORT'],
  ['listen-peer-urls', 'http://10.0.0.1:2380', '--insecure'],
  ['listen-peer-urls', 'http://localhost:2379', 'is taken by --listen-client-urls'],
  ['initial-advertise-peer-urls', 'https://n1:2380', 'needs a certificate and its key'],
  ['listen-peer-urls', 'https://n1:2380', '--peer-key-file, and --peer-trusted-ca-file'],
  ['listen-metrics-urls', 'https://n1:2381', 'set --cert-file and --key-file'],
  ['initial-advertise-peer-urls', '', 'must name at least one URL'],
  ['initial-cluster', 'default', 'must be NAME=URL'],
  ['initial-cluster', '=http://localhost:2380', 'must be NAME=URL'],
  ['initial-cluster', 'default=', 'must be http://HOST:PORT'],
  ['initial-cluster', 'default=localhost:2380', 'must be http://HOST:PORT'],
  ['initial-cluster', ',', 'does not name this member'],
  ['initial-cluster-state', 'newish', 'must be one of new, existing'],
  ['initial-cluster-token', '', 'must be a word'],
  ['heartbeat-interval', '9', 'must be a whole number from 10 to 10000'],
  ['heartbeat-interval', '1e3', 'must be a whole number'],
  ['heartbeat-interval', '100ms', 'must be a whole number'],
  ['election-timeout', '49', 'must be a whole number from 50 to 60000'],
  ['election-timeout', '60001', 'must be a whole number'],
  ['election-timeout', '499', 'at least 5 times the heartbeat interval, which is 100'],
  ['read-mode', 'leases', 'must be one of read-index, lease'],
  ['feature-level-max', '0', 'must be a whole number from 1 to 3'],
  ['feature-level-max', '4', 'must be a whole number from 1 to 3'],
  ['auth-token-ttl', '0', 'must be a whole number from 1 to 2592000'],
  ['max-request-bytes', '1023', 'must be a whole number from 1024 to 536870912'],
  ['max-request-bytes', '-1', 'must be a whole number'],
  ['max-txn-ops', '0', 'must be a whole number from 1 to 100000'],
  ['max-client-request-rate', '-1', 'must be a whole number from 0 to 10000000'],
  ['max-inflight-requests', '1', 'must be a whole number from 2 to 1000000'],
  ['max-client-inflight-requests', '0', 'must be a whole number from 1 to 1000000'],
  ['max-inflight-bytes', '3145727', 'must be at least 3145728, or the largest request'],
  ['max-inflight-bytes', '64M', 'must be a whole number'],
  ['max-client-inflight-bytes', '1572863', 'must be at least 1572864, or the largest request'],
  ['max-bulk-bytes', '1048575', 'must be a whole number from 1048576'],
  ['max-streams', '1', 'must be a whole number from 2 to 100000'],
  ['max-client-streams', '100001', 'must be a whole number from 1 to 100000'],
  ['max-watches', '1000001', 'must be a whole number from 2 to 1000000'],
  ['max-client-watches', '0', 'must be a whole number from 1 to 1000000'],
  ['max-watch-bytes', '1048575', 'must be a whole number from 1048576'],
  ['max-leases', '0', 'must be a whole number from 1 to 100000000'],
  ['max-connections', '0', 'must be a whole number from 1 to 1000000'],
  ['memory-limit-bytes', '67108863', 'must be a whole number from 67108864'],
  ['request-timeout', '99', 'must be a whole number from 100 to 600000'],
  ['request-timeout', '', 'must be a whole number'],
  ['listen-metrics-urls', '2381', 'must be http://HOST:PORT'],
  ['listen-metrics-urls', 'http://[::]:2381', '--insecure'],
  ['peer-dial', 'n2', 'must be NAME=HOST:PORT'],
  ['peer-dial', 'default=localhost', 'must be NAME=HOST:PORT'],
  ['peer-dial', 'default=localhost:0', 'must be NAME=HOST:PORT'],
  ['snapshot-count', '9', 'must be a whole number from 10 to 100000000'],
  ['snapshot-catchup-entries', '0', 'must be a whole number from 1 to 100000000'],
  ['snapshot-rate-bytes', '1000', 'must be a whole number from 1048576'],
  ['quota-backend-bytes', '1000', 'must be a whole number from 16777216'],
  ['auto-compaction-mode', 'both', 'must be one of periodic, revision'],
  ['auto-compaction-retention', '-1', 'a time from 1s to 876000h, as in 90m'],
  ['auto-compaction-retention', '10m,', 'TIME,REVISIONS'],
  ['strict-reconfig-check', 'maybe', 'must be one of true, false'],
  ['peer-dial', 'default=127.0.0.1:1,default=127.0.0.1:2', '"default" is named twice'],
  ['insecure', 'yes', 'must be one of true, false'],
  ['cert-file', 'c.pem', 'is of no use without --key-file; set both'],
  ['key-file', 'k.pem', 'is of no use without --cert-file; set both'],
  ['client-cert-auth', 'maybe', 'must be one of true, false'],
  ['trusted-ca-file', 'ca.pem', 'is of no use without --cert-file'],
  ['client-cert-allowed-hostname', 'h', 'needs --trusted-ca-file beside it'],
  ['client-crl-file', 'crl.pem', 'needs --trusted-ca-file beside it'],
  ['auto-tls', 'true', 'files as "holdfast certificates" makes them'],
  ['peer-cert-file', 'c.pem', 'is of no use without --peer-key-file; set both'],
  ['peer-key-file', 'k.pem', 'is of no use without --peer-cert-file; set both'],
  ['peer-client-cert-auth', 'true', 'set --peer-trusted-ca-file'],
  ['peer-trusted-ca-file', 'ca.pem', 'is of no use without --peer-cert-file'],
  ['peer-cert-allowed-cn', 'n1', 'needs --peer-trusted-ca-file beside it'],
  ['peer-cert-allowed-hostname', 'h', 'needs --peer-trusted-ca-file beside it'],
  ['peer-crl-file', 'crl.pem', 'needs --peer-trusted-ca-file beside it'],
  ['peer-auto-tls', 'true', 'is not there'],
  ['cipher-suites', 'TLS_RSA_WITH_RC4_128_SHA', 'is unknown, or too weak; there are TLS_AES_128'],
  ['tls-min-version', 'TLS1.1', 'must be one of TLS1.2, TLS1.3'],
  ['tls-max-version', '1.3', 'must be one of TLS1.2, TLS1.3'],
  ['log-level', 'verbose', 'must be one of trace, debug, info'],
  ['log-format', 'xml', 'must be one of auto, json, pretty'],
];

describe('each setting', () => {
  test('is in the table of bad values', () => {
    const names = new Set(badValues.map(([name]) => name));

    expect(serverFlags.map((flag) => flag.name).filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(badValues)('--%s refuses "%s", and says why, wherever it is set', (name, bad, why) => {
    const quoted = JSON.stringify(bad);
    const places = [
      [`--${name}`, { flags: { [name]: bad } }],
      [variableOf(name), { env: { [variableOf(name)]: bad } }],
      [`c.yaml: ${name}`, { file: { path: 'c.yaml', text: `${name}: ${quoted}` } }],
    ] as const;
    for (const [where, sources] of places) {
      const problems = problemsOf(sources);

      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`${where}: `);
      expect(problems[0]).toContain(why);
    }
  });

  test('all that is wrong is told at once', () => {
    const problems = problemsOf({
      flags: { name: '?', 'max-txn-ops': 'many', 'listen-peer-urls': 'here' },
      env: { HOLDFAST_LOG_LEVEL: 'loud', HOLDFAST_NOISE: '1' },
      file: { path: 'c.yaml', text: 'log-format: xml\nvolume: 11\n' },
    });

    expect(problems).toHaveLength(7);
  });
});

describe('the initial cluster', () => {
  test('has this member in it, at the address this member advertises', () => {
    const { members } = configOf({ flags: { ...n1, 'initial-cluster': clusterOf3 } });

    expect(members.map((member) => member.name)).toEqual(['n1', 'n2', 'n3']);
  });

  test('that does not name this member is refused with the names it has', () => {
    const problems = problemsOfFlags({ ...n1, name: 'n4', 'initial-cluster': clusterOf3 });

    expect(problems).toEqual([
      '--initial-cluster: does not name this member, "n4" (it has: n1, n2, n3); ' +
        'add n4=URL or change --name',
    ]);
  });

  test('that has this member elsewhere is refused with both addresses and both places', () => {
    const moved = 'http://127.0.0.1:9999';
    const byListen = problemsOfFlags({
      ...n1,
      'listen-peer-urls': moved,
      'initial-cluster': clusterOf3,
    });
    const byAdvertised = problemsOf({
      flags: { ...n1, 'initial-cluster': clusterOf3 },
      env: { HOLDFAST_INITIAL_ADVERTISE_PEER_URLS: moved },
    });

    expect(byListen).toHaveLength(1);
    expect(byListen[0]).toContain(
      `says n1 is at http://127.0.0.1:2380, but --listen-peer-urls says ${moved}`,
    );
    expect(byListen[0]).toContain('or set --initial-advertise-peer-urls');
    expect(byAdvertised).toHaveLength(1);
    expect(byAdvertised[0]).toContain(`HOLDFAST_INITIAL_ADVERTISE_PEER_URLS says ${moved}`);
  });

  test('names each member and each address once', () => {
    const url = 'http://127.0.0.1:2380';
    const sameName = `n1=${url},n2=http://127.0.0.1:12380,n2=http://127.0.0.1:22380`;
    const sameUrl = `n1=${url},n2=${url}`;

    expect(problemsOfFlags({ ...n1, 'initial-cluster': sameName })).toEqual([
      '--initial-cluster: "n2" is named twice; a member has one name and one URL',
    ]);
    expect(problemsOfFlags({ ...n1, 'initial-cluster': sameUrl })).toEqual([
      `--initial-cluster: ${url} is named twice; each member needs an address of its own`,
    ]);
  });

  test('with several malformed parts tells of each, and not of what follows from them', () => {
    const problems = problemsOfFlags({
      ...n1,
      'initial-cluster': 'n1,n2=ftp://127.0.0.1:1,n3=http://127.0.0.1:22380',
    });

    expect(problems).toEqual([
      '--initial-cluster: "n1" must be NAME=URL, as in n1=http://127.0.0.1:2380',
      '--initial-cluster: "ftp://127.0.0.1:1" must be http://HOST:PORT or https://HOST:PORT',
    ]);
  });
});

describe('plain text', () => {
  test.each(['http://127.0.0.1:1', 'http://127.9.9.9:1', 'http://[::1]:1', 'http://localhost:1'])(
    '%s stays on this machine and needs no permission',
    (url) => {
      expect(problemsOfFlags({ 'listen-client-urls': url })).toEqual([]);
    },
  );

  test.each([
    'http://0.0.0.0:1',
    'http://[::]:1',
    'http://192.168.1.1:1',
    'http://127.example.com:1',
    'http://localhost.example.com:1',
  ])('%s leaves this machine and needs --insecure', (url) => {
    expect(problemsOfFlags({ 'listen-client-urls': url })).toHaveLength(1);
    expect(problemsOfFlags({ 'listen-client-urls': url, insecure: 'true' })).toEqual([]);
    expect(problemsOfFlags({ 'listen-client-urls': url, insecure: 'false' })).toHaveLength(1);
  });

  test('to advertise an address beyond this machine needs no permission', () => {
    expect(problemsOfFlags({ 'advertise-client-urls': 'http://proxy.example:2379' })).toEqual([]);
  });
});
