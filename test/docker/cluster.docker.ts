/**
 * The cluster of `cluster/docker-compose.yml` in a real docker engine, from the first `up` to the
 * last `down`: it serves, bears a cut network and a killed member, keeps its data, and is watched.
 *
 * One story in steps: each begins where the one before has ended.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { buildTimeoutMs, ComposedCluster, members, queryUrl } from './composed.ts';
import { eventually, run } from './run.ts';
import {
  bringUp,
  cleanUpAtEnd,
  cutOffLeader,
  greetThroughOne,
  takeAway,
  watchAll,
} from './steps.ts';
import { dashboardQueries, ruleQueries } from '../cluster/queries.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = 'holdfast-test';
const gameDayTimeoutMs = 120_000;

let cluster: ComposedCluster;
const cleanups = cleanUpAtEnd();

/** What Prometheus says against these expressions. */
async function complaints(expressions: readonly string[]): Promise<string> {
  const script = `let urls = ''; process.stdin.on('data', (part) => { urls += part; }).on('end',
    async () => { for (const url of JSON.parse(urls)) {
      const answer = await (await fetch(url)).json();
      if (answer.status !== 'success') console.log(decodeURIComponent(url), answer.error);
    } });`;
  const input = JSON.stringify(expressions.map((each) => queryUrl(each)));
  return run([...cluster.engine.onHost, process.execPath, '-e', script], { input });
}

beforeAll(async () => {
  cluster = await ComposedCluster.prepare({ project });
  cleanups.push(
    async () => cluster.engine.stop(),
    async () => cluster.down(),
  );
});

test(
  'docker compose up brings three healthy members',
  async () => {
    await cluster.compose('build', 'n1');

    await bringUp(cluster);

    const running = (await cluster.compose('ps', '--services')).trim().split('\n');
    expect(running).toEqual(expect.arrayContaining([...members, 'toxiproxy', 'prometheus']));
  },
  buildTimeoutMs,
);

test('what is put through one member is read through another', async () => {
  await greetThroughOne(cluster);
});

test('members run without root, on a read-only file system, within their limits', async () => {
  for (const name of members) {
    const format =
      '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} ' +
      '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}';
    const limits = await cluster.inspect(name, format);
    expect(limits).toBe('node true 1073741824 2000000000');
  }
});

test('ports are published on this machine alone', async () => {
  for (const service of cluster.services) {
    const ports = await cluster.docker('port', await cluster.containerOf(service));
    const lines = ports
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.filter((line) => !line.includes('-> 127.0.0.1:'))).toEqual([]);
  }
});

test('Prometheus scrapes every member, and its rules are in order', async () => {
  await watchAll(cluster);

  const rules = JSON.parse(await cluster.http('http://127.0.0.1:9090/api/v1/rules')) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const all = rules.data.groups.flatMap((group) => group.rules);
  expect(all.length).toBe(ruleQueries().length);
  expect(all.filter(({ lastError }) => lastError !== undefined && lastError !== '')).toEqual([]);
});

test('every query of rules and dashboards is answered, and every metric is there', async () => {
  // Some are there only once something was asked for.
  await cluster.holdfast('n1', 'put', 'greeting', 'hello');
  await cluster.holdfast('n2', 'get', 'greeting');
  const asked = [...ruleQueries(), ...dashboardQueries()];
  expect(await complaints(asked.map(({ expression }) => expression))).toBe('');

  const names = asked.flatMap((each) => each.names);
  // What has nothing to tell before the first refusal, or without certificates (`tls.docker.ts`);
  // that each exists a unit test knows.
  const silent = [
    'holdfast_requests_refused_total',
    'holdfast_certificate_expiry_timestamp_seconds',
    'holdfast_certificate_reloads_total',
  ];
  const isOurs = (name: string): boolean => name.startsWith('holdfast_') && !silent.includes(name);
  const metrics = new Set(names.filter((name) => isOurs(name)));
  expect(metrics.size).toBeGreaterThan(30);
  // The next scrape brings what those calls have made.
  await eventually(
    'Prometheus has every metric',
    async () => {
      const text = await cluster.http('http://127.0.0.1:9090/api/v1/label/__name__/values');
      const { data: listed } = JSON.parse(text) as { data: string[] };
      return [...metrics].filter((name) => !listed.includes(name));
    },
    (missing) => missing.length === 0,
  );
});

test('no alert fires while all is well', async () => {
  expect(await cluster.query('ALERTS{alertstate="firing"}')).toEqual([]);
});

test('a member cut off through Toxiproxy falls behind, and comes back with its links', async () => {
  // A follower: without their leader the others would know none for a moment, either.
  const led = await cluster.leader();
  const cut = members.find((name) => name !== led) ?? 'n2';
  const [other] = members.filter((name) => name !== cut);
  await cluster.setLinksOf(cut, false);
  await eventually(
    `${cut} knows no leader`,
    async () => cluster.query(`holdfast_has_leader{instance="${cut}"} == 0`),
    (it) => it.length === 1,
  );

  expect(await cluster.holdfast(other ?? 'n1', 'put', 'while', 'cut')).toBe('OK\n');
  await expect(cluster.holdfast(cut, 'get', 'while', '--command-timeout', '1s')).rejects.toThrow();
  // Rules are evaluated every few seconds.
  const alerts = await eventually(
    'an alert is pending',
    async () => cluster.query('ALERTS{alertname="HoldfastMemberWithoutLeader"}'),
    (it) => it.length > 0,
  );
  expect(alerts.map(({ metric }) => metric['instance'])).toEqual([cut]);

  await cluster.setLinksOf(cut, true);
  await cluster.untilHealthy();
  expect(await cluster.holdfast(cut, 'get', 'while', '-w', 'plain')).toBe('cut\n');
});

test('when the leader is cut off the others elect one, and it acknowledges nothing', async () => {
  await cutOffLeader(cluster);
});

test('a member whose process is killed is started again and rejoins', async () => {
  const victim = await cluster.leader();
  const [other = 'n1'] = members.filter((name) => name !== victim);
  const id = await cluster.containerOf(victim);
  const startedAt = await cluster.startedAt(victim);
  const kill = `const processes = require('fs').readdirSync('/proc');
  for (const pid of processes.filter((it) => /^\\d+$/.test(it))) {
    const line = require('fs').readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0');
    if (line[0] === 'node' && line[1] === 'bin/holdfast') process.kill(Number(pid), 'SIGKILL'); }`;
  // Detached: the container may end, and what runs in it with it, before this has ended by itself.
  await cluster.docker('exec', '--detach', id, 'node', '-e', kill);

  await eventually(
    'a write while one is down',
    async () => cluster.holdfast(other, 'put', 'killed', victim),
    (it) => it === 'OK\n',
  );
  await eventually(
    `${victim} has been started again`,
    async () => cluster.startedAt(victim),
    (it) => it !== startedAt,
  );
  await cluster.untilHealthy();
  expect(await cluster.holdfast(victim, 'get', 'killed', '-w', 'plain')).toBe(`${victim}\n`);
});

test('volumes outlive down and up', async () => {
  await cluster.compose('down');
  expect(await cluster.containers()).toBe('');

  await bringUp(cluster);

  for (const name of members) {
    expect(await cluster.holdfast(name, 'get', 'greeting', '-w', 'plain')).toBe('hello\n');
  }
  expect((await cluster.query('count(count_over_time(holdfast_raft_term[10m]))')).length).toBe(1);
});

test('a game day goes well against the containers', async () => {
  await cluster.compose('down', '-v');
  await bringUp(cluster, [...members, 'toxiproxy']);
  const out = await mkdtemp(join(tmpdir(), 'holdfast-gameday-'));
  cleanups.push(async () => rm(out, { recursive: true, force: true }));

  const told = await run(
    [
      ...[...cluster.engine.onHost, process.execPath, 'chaos/run.mjs', 'chaos/gamedays/main.ts'],
      ...['leader-loss', '--against', 'docker', '--yes', '--short', '--out', out],
    ],
    { env: cluster.engine.env, cwd: root, timeoutMs: gameDayTimeoutMs },
  );

  expect(told).toContain('leader-loss: good');
});

test('down -v leaves nothing behind', async () => {
  await takeAway(cluster);
});
