/**
 * `etcdctl` 3.4 says the same whether it talks to etcd or to Holdfast: output, errors and exit
 * codes of a long sequence of commands, ids aside. Each command goes to the next of Holdfast's
 * three members, so followers serve all of it.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEtcd } from './etcd-server.ts';
import { coveredCommands, type EtcdctlCase, etcdctlCases } from './etcdctl-cases.ts';
import { comparable, runEtcdctl } from './etcdctl-runner.ts';
import { type Sides, startSides } from './sides.ts';

const hasReference = hasEtcd();
const checkPerf = process.env['COMPAT_CHECK_PERF'] === '1';
const titleColumnsMax = 100;

let sides: Sides;

function holdfastEndpoint(i: number): string {
  const { endpoints } = sides.holdfast;
  return endpoints[i % endpoints.length] ?? '';
}

async function revisionOf(endpoint: string): Promise<number> {
  const { stdout } = await runEtcdctl(endpoint, ['get', 'revision', '-w', 'json']);
  return Number(/"revision":(\d+)/.exec(stdout)?.[1]);
}

/** Puts numbers in the place of `{revision}`, `{revision-2}` and the like. */
function withRevision(text: string, revision: number): string {
  return text.replace(/\{revision([+-]\d+)?\}/g, (_, offset?: string) =>
    String(revision + Number(offset ?? 0)),
  );
}

async function prepare(each: EtcdctlCase): Promise<EtcdctlCase> {
  if (![...each.args, each.stdin ?? ''].some((text) => text.includes('{revision'))) {
    return each;
  }
  const revision = await revisionOf(sides.etcd);
  return {
    args: each.args.map((arg) => withRevision(arg, revision)),
    stdin: each.stdin === undefined ? undefined : withRevision(each.stdin, revision),
  };
}

function titleOf({ args, stdin }: EtcdctlCase): string {
  const command = args.map((arg) => (/^[\w/.=-]+$/.test(arg) ? arg : JSON.stringify(arg)));
  const input = stdin === undefined ? '' : ` <<< ${JSON.stringify(stdin)}`;
  return `${command.join(' ')}${input}`.slice(0, titleColumnsMax);
}

describe('the table of commands', () => {
  test('has at least eighty commands', () => {
    expect(etcdctlCases.length).toBeGreaterThanOrEqual(80);
  });

  test.runIf(hasReference).each(coveredCommands)('uses every flag of %s', (command) => {
    const help = execFileSync('etcdctl', [command, '--help'], {
      env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
      encoding: 'utf8',
    });
    const options = /^OPTIONS:\n([\s\S]*?)\n\n/m.exec(help)?.[1] ?? '';
    const flags = [...options.matchAll(/ (--[a-z-]+)/g)].map(([, flag = '']) => flag);
    const used = etcdctlCases
      .filter(({ args }) => args[0] === command)
      .flatMap(({ args }) => args.map((arg) => arg.replace(/=.*/, '')));

    expect(flags.length).toBeGreaterThan(1);
    expect(flags.filter((flag) => flag !== '--help' && !used.includes(flag))).toEqual([]);
  });
});

describe.runIf(hasReference)('etcdctl against Holdfast and against etcd', () => {
  beforeAll(async () => {
    sides = await startSides();
  });

  afterAll(async () => {
    await sides.stop();
  });

  describe('says the same to', () => {
    test.each(etcdctlCases.map((each, at) => [titleOf(each), each, at] as const))(
      '%s',
      async (_title, each, at) => {
        const { args, stdin } = await prepare(each);
        const endpoint = holdfastEndpoint(at);
        if (args.includes('--consistency=s')) {
          // A serializable read may be old; after a linearizable one on the same member it is not.
          await runEtcdctl(endpoint, ['get', 'settled']);
        }

        const [expected, actual] = await Promise.all([
          runEtcdctl(sides.etcd, args, stdin),
          runEtcdctl(endpoint, args, stdin),
        ]);

        expect(expected.exitCode).toBe(each.exitCode ?? 0);
        expect(comparable(actual, endpoint, args)).toEqual(comparable(expected, sides.etcd, args));
      },
    );
  });

  describe.each([0, 1, 2])('on member %i', (member) => {
    describeMember(member);
  });
});

/**
 * Status, health and members of one endpoint: the shape of etcd's answers with the facts of this
 * cluster.
 */
function describeMember(member: number): void {
  const run = async (...args: string[]) => runEtcdctl(holdfastEndpoint(member), args);

  test.each([
    ['endpoint', 'status'],
    ['endpoint', 'status', '-w', 'fields'],
    ['endpoint', 'status', '-w', 'json'],
    ['endpoint', 'status', '-w', 'table'],
    ['endpoint', 'health'],
    ['endpoint', 'health', '-w', 'json'],
    ['endpoint', 'health', '-w', 'table'],
    ['member', 'list'],
    ['member', 'list', '-w', 'fields'],
    ['member', 'list', '-w', 'json'],
    ['member', 'list', '-w', 'table'],
  ])('%s %s %s %s has the shape of etcd', async (...args) => {
    const [expected, actual] = await Promise.all([runEtcdctl(sides.etcd, args), run(...args)]);

    expect(actual.exitCode).toBe(expected.exitCode);
    expect(shapeOf(actual.stderr)).toBe(shapeOf(expected.stderr));
    expect(shapeOf(actual.stdout)).toBe(shapeOf(expected.stdout));
  });

  test('takes a URL as an endpoint', async () => {
    const { exitCode, stderr } = await runEtcdctl(`http://${holdfastEndpoint(member)}`, [
      'get',
      'k',
    ]);

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('tells the same members as every other', async () => {
    const [own, other] = await Promise.all([
      run('member', 'list'),
      runEtcdctl(holdfastEndpoint(member + 1), ['member', 'list']),
    ]);

    expect(own.stdout.trim().split('\n')).toHaveLength(3);
    expect(own.stdout).toBe(other.stdout);
    for (const endpoint of sides.holdfast.endpoints) {
      expect(own.stdout).toContain(`http://${endpoint}, false`);
    }
  });

  test('finds the whole cluster healthy, with one leader', async () => {
    const endpoints = sides.holdfast.endpoints.join(',');
    const status = await runEtcdctl(endpoints, ['endpoint', 'status', '-w', 'fields']);
    const health = await run('endpoint', 'health', '--cluster');

    const ids = [...status.stdout.matchAll(/^"MemberID" : (\d+)$/gm)].map(([, id]) => id);
    const leaders = [...status.stdout.matchAll(/^"Leader" : (\d+)$/gm)].map(([, id]) => id);
    const clusters = [...status.stdout.matchAll(/^"ClusterID" : (\d+)$/gm)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(3);
    expect(leaders).toHaveLength(3);
    expect(new Set(leaders).size).toBe(1);
    expect(ids).toContain(leaders[0]);
    expect(new Set(clusters).size).toBe(1);
    expect(health.exitCode).toBe(0);
    expect((health.stdout + health.stderr).match(/is healthy/g)).toHaveLength(3);
  });

  // How slow the slowest request was says as much about the machine as about the member, so only
  // the throughput is demanded; the rest is shown.
  test.runIf(checkPerf)('keeps the pace of check perf', { timeout: 120_000 }, async () => {
    const { stdout, stderr } = await runEtcdctl(
      holdfastEndpoint(member),
      ['check', 'perf'],
      '',
      110_000,
    );

    const figures = [...stdout.matchAll(/(?:PASS|FAIL|Throughput|Slowest|Stddev)[^\r\n]*/g)].join(
      '; ',
    );
    process.stdout.write(`check perf on member ${member}: ${figures}\n`);
    expect(figures).toMatch(/PASS: Throughput is \d+ writes\/s/);
    expect(stderr).not.toMatch(/rpc error/);
  });
}

/**
 * Text without what its values are: words stay, numbers, ids and addresses become `N`; lists count
 * as one entry.
 */
function shapeOf(text: string): string {
  const lines = text
    .replace(/"version":"[^"]*"/gi, '"version":V')
    .replace(/https?:\/\/[\d.:]+|\b127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/\b\d+\.\d+\.\d+\S*?(?=[ ,"|]|$)/gm, 'V')
    .replace(/"name":"\w+"|"Name" : "\w+"/g, 'NAME')
    .replace(/\b[en]\d\b/g, 'NAME')
    .replace(/\b(true|false)\b/g, 'BOOLEAN')
    .replace(/\b[\d.]+ ?(ms|µs|s|kB|MB|B)\b/g, 'AMOUNT')
    .replace(/[\d.]+Âµs/g, 'AMOUNT')
    .replace(/\b(?:0x)?[0-9a-f]{12,16}\b/g, 'N')
    .replace(/\d+/g, 'N')
    .replace(/-{2,}/g, '-')
    .replace(/ +/g, ' ')
    .split('\n');
  return [...new Set(lines)].join('\n').replace(/(\{[^{}]*\})(?:,\1)+/g, '$1');
}
