/**
 * Every setting of `holdfast server`: flag, default, meaning. Names are etcd's where etcd has the
 * setting.
 *
 * The same name, in capitals and with `HOLDFAST_` before it, is the environment variable
 * (`--data-dir`: `HOLDFAST_DATA_DIR`); as it stands it is the key in the YAML file of
 * `--config-file`.
 */
import { featureLevels } from '../kv/index.ts';

/** One setting. */
export interface ServerFlag {
  readonly name: string;
  readonly kind: 'string' | 'integer' | 'boolean' | 'list';
  /** As it would be written on the command line; undefined where it depends on others. */
  readonly default?: string | undefined;
  readonly help: string;
}

/** All settings, in the order in which `--help` shows them. */
export const serverFlags = [
  { name: 'name', kind: 'string', default: 'default', help: 'name of this member' },
  {
    name: 'data-dir',
    kind: 'string',
    help: 'folder of this member’s data (default NAME.holdfast)',
  },
  {
    name: 'listen-client-urls',
    kind: 'list',
    default: 'http://localhost:2379',
    help: 'where to listen for clients',
  },
  {
    name: 'advertise-client-urls',
    kind: 'list',
    help: 'where clients reach this member (default: what it listens on)',
  },
  {
    name: 'listen-peer-urls',
    kind: 'list',
    default: 'http://localhost:2380',
    help: 'where to listen for other members',
  },
  {
    name: 'initial-advertise-peer-urls',
    kind: 'list',
    help: 'where other members reach this one (default: what it listens on)',
  },
  {
    name: 'initial-cluster',
    kind: 'string',
    help: 'all first members, NAME=URL,NAME=URL,… (default: this one alone)',
  },
  {
    name: 'initial-cluster-state',
    kind: 'string',
    default: 'new',
    help: '"new", or "existing" to join a cluster that has added this member',
  },
  {
    name: 'initial-cluster-token',
    kind: 'string',
    default: 'holdfast-cluster',
    help: 'keeps clusters apart that would otherwise look the same',
  },
  {
    name: 'heartbeat-interval',
    kind: 'integer',
    default: '100',
    help: 'milliseconds between a leader’s heartbeats',
  },
  {
    name: 'election-timeout',
    kind: 'integer',
    default: '1000',
    help: 'milliseconds without a leader before an election; at least 5 heartbeats',
  },
  {
    name: 'read-mode',
    kind: 'string',
    default: 'read-index',
    help: '"read-index" asks a majority for reads, "lease" trusts bounded clock drift instead',
  },
  {
    name: 'auth-token-ttl',
    kind: 'integer',
    default: '300',
    help: 'seconds that a token of a user who has signed in lasts',
  },
  {
    name: 'feature-level-max',
    kind: 'integer',
    default: String(featureLevels.newest),
    help: 'newest feature level that this member reads; holds that of the cluster down',
  },
  {
    name: 'max-request-bytes',
    kind: 'integer',
    default: '1572864',
    help: 'bytes of the largest request',
  },
  {
    name: 'max-txn-ops',
    kind: 'integer',
    default: '128',
    help: 'operations in a transaction',
  },
  {
    name: 'request-timeout',
    kind: 'integer',
    help: 'milliseconds a request may take (default: 5000 and two election timeouts)',
  },
  {
    name: 'max-client-request-rate',
    kind: 'integer',
    default: '0',
    help: 'requests a second that one connection may ask for; 0 for any number',
  },
  {
    name: 'max-inflight-requests',
    kind: 'integer',
    default: '20000',
    help: 'requests of clients under way on this member',
  },
  {
    name: 'max-client-inflight-requests',
    kind: 'integer',
    default: '10000',
    help: 'the same of one connection',
  },
  {
    name: 'max-inflight-bytes',
    kind: 'integer',
    help: 'bytes of requests under way, and of their answers (default: 64 MiB, or 4 requests)',
  },
  {
    name: 'max-client-inflight-bytes',
    kind: 'integer',
    help: 'the same of one connection (default: half)',
  },
  {
    name: 'max-bulk-bytes',
    kind: 'integer',
    default: '268435456',
    help: 'bytes of large answers under way on this member',
  },
  {
    name: 'max-connections',
    kind: 'integer',
    help: 'connections of clients (default: 10000, or half of the files that may be open)',
  },
  {
    name: 'max-streams',
    kind: 'integer',
    default: '20000',
    help: 'streams, and calls that wait for others, on this member',
  },
  {
    name: 'max-client-streams',
    kind: 'integer',
    default: '10000',
    help: 'the same of one connection',
  },
  {
    name: 'max-watches',
    kind: 'integer',
    default: '1000000',
    help: 'watches on this member',
  },
  {
    name: 'max-client-watches',
    kind: 'integer',
    default: '500000',
    help: 'the same of one connection',
  },
  {
    name: 'max-watch-bytes',
    kind: 'integer',
    default: '268435456',
    help: 'bytes of events that wait for, or are on their way to, clients that watch',
  },
  {
    name: 'max-leases',
    kind: 'integer',
    default: '1000000',
    help: 'leases of the cluster from which on this member grants no more',
  },
  {
    name: 'memory-limit-bytes',
    kind: 'integer',
    help: 'bytes of memory near which requests are refused (default: of container or machine)',
  },
  {
    name: 'snapshot-count',
    kind: 'integer',
    default: '100000',
    help: 'applied entries in the log from which on it is compacted',
  },
  {
    name: 'snapshot-catchup-entries',
    kind: 'integer',
    default: '10000',
    help: 'applied entries that stay in the log for members that are behind',
  },
  {
    name: 'snapshot-rate-bytes',
    kind: 'integer',
    default: '67108864',
    help: 'bytes of snapshots sent to other members in a second',
  },
  {
    name: 'quota-backend-bytes',
    kind: 'integer',
    default: '8589934592',
    help: 'bytes of stored data from which on only deletes and compactions are taken',
  },
  {
    name: 'auto-compaction-mode',
    kind: 'string',
    default: 'periodic',
    help: 'how a retention of one number is meant: "periodic", hours, or "revision", revisions',
  },
  {
    name: 'auto-compaction-retention',
    kind: 'string',
    default: '10m,100000',
    help: 'history that is kept: a time, a number of revisions, or both; 0 keeps all',
  },
  {
    name: 'strict-reconfig-check',
    kind: 'boolean',
    default: 'true',
    help: 'refuse changes of membership that would put the quorum at risk',
  },
  {
    name: 'listen-metrics-urls',
    kind: 'list',
    default: 'http://127.0.0.1:2381',
    help: 'where to serve /metrics, /health, /livez, /readyz, /version; empty for nowhere',
  },
  {
    name: 'peer-dial',
    kind: 'list',
    default: '',
    help: 'NAME=HOST:PORT: dial that member there, not where it says; for proxies',
  },
  {
    name: 'cert-file',
    kind: 'string',
    help: 'certificate for clients, PEM: this member’s, then those up to its CA',
  },
  { name: 'key-file', kind: 'string', help: 'its private key, PEM, without a passphrase' },
  {
    name: 'client-cert-auth',
    kind: 'boolean',
    help: 'ask clients for certificates (default: if there is --trusted-ca-file)',
  },
  {
    name: 'trusted-ca-file',
    kind: 'string',
    help: 'the CAs of those who may connect, PEM',
  },
  {
    name: 'client-cert-allowed-hostname',
    kind: 'list',
    default: '',
    help: 'only clients whose certificate is for one of these hosts',
  },
  { name: 'client-crl-file', kind: 'string', help: 'revoked certificates of clients, PEM' },
  { name: 'auto-tls', kind: 'boolean', default: 'false', help: 'not there: make certificates' },
  {
    name: 'peer-cert-file',
    kind: 'string',
    help: 'certificate for other members, for connections in both directions',
  },
  { name: 'peer-key-file', kind: 'string', help: 'its private key' },
  {
    name: 'peer-client-cert-auth',
    kind: 'boolean',
    help: 'members by TLS always verify one another (default true)',
  },
  { name: 'peer-trusted-ca-file', kind: 'string', help: 'the CAs of the members' },
  {
    name: 'peer-cert-allowed-cn',
    kind: 'list',
    default: '',
    help: 'only members whose certificate has one of these common names',
  },
  {
    name: 'peer-cert-allowed-hostname',
    kind: 'list',
    default: '',
    help: 'only members whose certificate is for one of these hosts',
  },
  { name: 'peer-crl-file', kind: 'string', help: 'revoked certificates of members, PEM' },
  {
    name: 'peer-auto-tls',
    kind: 'boolean',
    default: 'false',
    help: 'not there: make certificates',
  },
  {
    name: 'cipher-suites',
    kind: 'list',
    default: '',
    help: 'cipher suites to choose from, IANA’s names; empty for all good ones',
  },
  {
    name: 'tls-min-version',
    kind: 'string',
    default: 'TLS1.2',
    help: 'lowest version of TLS: TLS1.2 or TLS1.3',
  },
  { name: 'tls-max-version', kind: 'string', help: 'highest version of TLS (default: TLS1.3)' },
  {
    name: 'insecure',
    kind: 'boolean',
    default: 'false',
    help: 'allow plain text beyond the loopback interface',
  },
  {
    name: 'log-level',
    kind: 'string',
    default: 'info',
    help: 'trace, debug, info, warn, error, fatal or silent',
  },
  {
    name: 'log-format',
    kind: 'string',
    default: 'auto',
    help: 'json, pretty, or auto: pretty in a terminal',
  },
] as const satisfies readonly ServerFlag[];

/** Name of a setting. */
export type ServerFlagName = (typeof serverFlags)[number]['name'];
