/**
 * Runs `etcdctl` against one endpoint and makes its output comparable: what must differ between two
 * clusters (ids, raft's term, addresses, instants) is replaced by a name, everything else stays as
 * it is.
 */
import { execFile } from 'node:child_process';
import { services } from '../../src/wire/index.ts';

/** What a command has printed, and how it ended. */
export interface EtcdctlOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const commandTimeoutMs = 20_000;

/** Runs one command; bytes of its output stand as characters of the same number. */
export async function runEtcdctl(
  endpoint: string,
  args: readonly string[],
  stdin = '',
  timeoutMs = commandTimeoutMs,
): Promise<EtcdctlOutcome> {
  const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
  return new Promise((resolve, reject) => {
    const child = execFile(
      'etcdctl',
      [`--endpoints=${endpoint}`, ...args],
      { env, encoding: 'latin1', timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') {
          reject(new Error(`etcdctl ${args.join(' ')} does not end by itself`, { cause: error }));
        } else {
          resolve({ stdout, stderr, exitCode: Number(error?.code ?? 0) });
        }
      },
    );
    // A command that does not read its input may be gone before it is written.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
  });
}

/** Replaces what differs between any two clusters. */
export function comparable(
  outcome: EtcdctlOutcome,
  endpoint: string,
  args: readonly string[],
): EtcdctlOutcome {
  const isProtobuf = args.includes('protobuf');
  const stdout = isProtobuf ? decodeProtobuf(outcome.stdout, args) : outcome.stdout;
  return {
    stdout: replaceIds(stdout).replaceAll(endpoint, 'ENDPOINT'),
    stderr: replaceInstants(outcome.stderr).replaceAll(endpoint, 'ENDPOINT'),
    exitCode: outcome.exitCode,
  };
}

function replaceIds(text: string): string {
  return text
    .replace(/"(cluster_id|member_id|raft_term)":"?\d+"?/g, '"$1":ID')
    .replace(/^"(ClusterID|MemberID|RaftTerm)" : \d+$/gm, '"$1" : ID');
}

function replaceInstants(text: string): string {
  return text
    .replace(/"ts":"[^"]*"/g, '"ts":"INSTANT"')
    .replace(/endpoint:\/\/client-[0-9a-f-]+\//g, 'endpoint://CLIENT/');
}

/** The message that a command prints with `-w protobuf`, as text. */
function decodeProtobuf(stdout: string, args: readonly string[]): string {
  const bytes = Buffer.from(stdout, 'latin1');
  const kv = services['etcdserverpb.KV'];
  const [command = ''] = args;
  const decoders: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
    get: kv.Range.responseDeserialize,
    put: kv.Put.responseDeserialize,
    del: kv.DeleteRange.responseDeserialize,
    txn: kv.Txn.responseDeserialize,
  };
  const decode = decoders[command];
  if (decode === undefined || bytes.length === 0) {
    return stdout;
  }
  return JSON.stringify(decode(bytes));
}
