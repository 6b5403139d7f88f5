/**
 * The cluster of `cluster/docker-compose.yml` in a real docker engine, from the first `up` to the
 * last `down`: it serves, bears a cut network and a killed member, keeps its data, and is watched.
 *
 * One story in steps: each begins where the one before has ended.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Engine, startEngine } from './engine.ts';
import { eventually, run, succeeds } from './run.ts';
import { type Provision, provide } from './stand-ins.ts';
import { dashboardQueries, ruleQueries } from '../cluster/queries.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('../../cluster', import.meta.url));
const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
const project = 'holdfast-test';
const members = ['n1', 'n2', 'n3'] as const;
type Name = (typeof members)[number];
const clientPorts: Readonly<Record<Name, number>> = { n1: 2379, n2: 22379, n3: 32379 };
const buildTimeoutMs = 600_000;
const gameDayTimeoutMs = 120_000;

interface Compose {
  readonly services: Readonly<Record<string, { readonly image: string }>>;
}

const compose = parse(readFileSync(`${folder}/docker-compose.yml`, 'utf8'), {
  merge: true,
}) as Compose;

let engine: Engine;
/** Services whose images can be had, here. */
let services: readonly string[] = [];

/** Both commands that there are; each step takes the next, so that all are used. */
let composeCommands: readonly (readonly string[])[] = [];
let composeCalls = 0;

async function composeRun(...args: readonly string[]): Promise<string> {
  const command = composeCommands[composeCalls++ % composeCommands.length] ?? [];
  const options = { env: engine.env, cwd: folder, timeoutMs: buildTimeoutMs };
  return run([...command, '-p', project, ...args], options);
}

async function docker(...args: readonly string[]): Promise<string> {
  return run(['docker', ...args], { env: engine.env });
}

/** `holdfast` on this machine, at the port that a member publishes there. */
async function holdfast(at: Name, ...args: readonly string[]): Promise<string> {
  const endpoint = ['--endpoints', `127.0.0.1:${clientPorts[at]}`];
  return run([...engine.onHost, process.execPath, binary, ...args, ...endpoint]);
}

/** The body of an answer over HTTP, from a port that is published on this machine. */
async function http(url: string, method = 'GET', body?: object): Promise<string> {
  const script = `fetch(${JSON.stringify(url)}, ${JSON.stringify({
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })}).then(async (r) => { const text = await r.text();
    if (!r.ok) throw new Error(r.status + ' ' + text); process.stdout.write(text); });`;
  return run([...engine.onHost, process.execPath, '-e', script]);
}

async function containerOf(service: string): Promise<string> {
  const label = `label=com.docker.compose.service=${service}`;
  const all = `label=com.docker.compose.project=${project}`;
  const id = (await docker('ps', '-aq', '--filter', label, '--filter', all)).trim();
  expect(id).toMatch(/^[0-9a-f]+$/);
  return id;
}

async function healthOf(service: string): Promise<string> {
  const format = '{{.State.Health.Status}}';
  return (await docker('inspect', '-f', format, await containerOf(service))).trim();
}

async function untilHealthy(names: readonly string[] = members): Promise<void> {
  for (const name of names) {
    await eventually(
      `${name} is healthy`,
      async () => healthOf(name),
      (it) => it === 'healthy',
    );
  }
}

async function leader(among: readonly Name[] = members): Promise<Name> {
  return eventually(
    'a member leads',
    async () => {
      for (const name of among) {
        const format = ['-w', 'json', '--command-timeout', '2s'];
        const [status] = JSON.parse(await holdfast(name, 'status', ...format)) as [
          { Status: { leader: unknown; header: { member_id: unknown } } },
        ];
        if (String(status.Status.leader) === String(status.Status.header.member_id)) {
          return name;
        }
      }
      return undefined;
    },
    (name) => name !== undefined,
    { withinMs: 15_000 },
  ) as Promise<Name>;
}

/** Opens or cuts a link of Toxiproxy. */
async function setLink(name: string, enabled: boolean): Promise<void> {
  await http(`http://127.0.0.1:8474/proxies/${name}`, 'POST', { enabled });
}

async function setLinksOf(name: Name, enabled: boolean): Promise<void> {
  for (const other of members.filter((each) => each !== name)) {
    await setLink(`${name}-to-${other}`, enabled);
    await setLink(`${other}-to-${name}`, enabled);
  }
}

interface PromAnswer {
  readonly status: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

function queryUrl(expression: string): string {
  return `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`;
}

async function query(expression: string): Promise<PromAnswer['data']['result']> {
  const answer = JSON.parse(await http(queryUrl(expression))) as PromAnswer;
  expect(answer.status).toBe('success');
  return answer.data.result;
}

/** What Prometheus says against these expressions. */
async function complaints(expressions: readonly string[]): Promise<string> {
  const script = `let urls = ''; process.stdin.on('data', (part) => { urls += part; }).on('end',
    async () => { for (const url of JSON.parse(urls)) {
      const answer = await (await fetch(url)).json();
      if (answer.status !== 'success') console.log(decodeURIComponent(url), answer.error);
    } });`;
  const input = JSON.stringify(expressions.map((each) => queryUrl(each)));
  return run([...engine.onHost, process.execPath, '-e', script], { input });
}

beforeAll(async () => {
  engine = await startEngine();
  cleanups.push(async () => engine.stop());
  const { env } = engine;
  const known = [['docker-compose'], ['docker', 'compose']];
  const usable = await Promise.all(known.map(async (it) => succeeds([...it, 'version'], { env })));
  composeCommands = known.filter((_, i) => usable[i]);
  if (composeCommands.length === 0) {
    throw new Error(
      'there is neither docker-compose nor docker compose (apt-get install docker-compose)',
    );
  }
  cleanups.push(async () => composeRun('down', '-v', '--remove-orphans'));
  const provisions: Record<string, Provision> = {};
  for (const [service, { image }] of Object.entries(compose.services)) {
    provisions[service] = image.startsWith('holdfast:') ? 'itself' : await provide(image, engine);
  }
  services = Object.keys(provisions).filter((service) => provisions[service] !== 'missing');
  const how = Object.entries(provisions).map(([service, it]) => `${service}: ${it}`);
  // eslint-disable-next-line no-console -- whoever reads the result must know what was tested
  console.log(
    `images: ${how.join(', ')}; by ${composeCommands.map((it) => it.join(' ')).join(', ')}`,
  );
});

/** Undoes what was done, last first; nothing when there never was an engine. */
const cleanups: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) {
    await cleanup();
  }
});

test(
  'docker compose up brings three healthy members',
  async () => {
    await composeRun('build', 'n1');
    await composeRun('up', '-d', '--no-build', ...services);

    await untilHealthy();
    const running = (await composeRun('ps', '--services')).trim().split('\n');
    expect(running).toEqual(expect.arrayContaining([...members, 'toxiproxy', 'prometheus']));
  },
  buildTimeoutMs,
);

test('what is put through one member is read through another', async () => {
  expect(await holdfast('n1', 'put', 'greeting', 'hello')).toBe('OK\n');

  expect(await holdfast('n2', 'get', 'greeting', '-w', 'plain')).toBe('hello\n');
  expect(await holdfast('n3', 'get', 'greeting', '-w', 'plain')).toBe('hello\n');
});

test('members run without root, on a read-only file system, within their limits', async () => {
  for (const name of members) {
    const format =
      '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} ' +
      '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}';
    const limits = (await docker('inspect', '-f', format, await containerOf(name))).trim();
    expect(limits).toBe('node true 1073741824 2000000000');
  }
});

test('ports are published on this machine alone', async () => {
  for (const service of services) {
    const ports = await docker('port', await containerOf(service));
    const lines = ports
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.filter((line) => !line.includes('-> 127.0.0.1:'))).toEqual([]);
  }
});

test('Prometheus scrapes every member, and its rules are in order', async () => {
  await untilHealthy(['prometheus']);
  await eventually(
    'all are up',
    async () => query('up{job="holdfast"} == 1'),
    (it) => it.length === 3,
  );

  const rules = JSON.parse(await http('http://127.0.0.1:9090/api/v1/rules')) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const all = rules.data.groups.flatMap((group) => group.rules);
  expect(all.length).toBe(ruleQueries().length);
  expect(all.filter(({ lastError }) => lastError !== undefined && lastError !== '')).toEqual([]);
});

test('every query of rules and dashboards is answered, and every metric is there', async () => {
  // Some are there only once something was asked for.
  await holdfast('n1', 'put', 'greeting', 'hello');
  await holdfast('n2', 'get', 'greeting');
  const asked = [...ruleQueries(), ...dashboardQueries()];
  expect(await complaints(asked.map(({ expression }) => expression))).toBe('');

  const names = asked.flatMap((each) => each.names);
  // What has nothing to tell before the first refusal; that it exists a unit test knows.
  const silent = ['holdfast_requests_refused_total'];
  const isOurs = (name: string): boolean => name.startsWith('holdfast_') && !silent.includes(name);
  const metrics = new Set(names.filter((name) => isOurs(name)));
  expect(metrics.size).toBeGreaterThan(30);
  // The next scrape brings what those calls have made.
  await eventually(
    'Prometheus has every metric',
    async () => {
      const text = await http('http://127.0.0.1:9090/api/v1/label/__name__/values');
      const { data: listed } = JSON.parse(text) as { data: string[] };
      return [...metrics].filter((name) => !listed.includes(name));
    },
    (missing) => missing.length === 0,
  );
});

test('no alert fires while all is well', async () => {
  expect(await query('ALERTS{alertstate="firing"}')).toEqual([]);
});

test('a member cut off through Toxiproxy falls behind, and comes back with its links', async () => {
  // A follower: without their leader the others would know none for a moment, either.
  const led = await leader();
  const cut = members.find((name) => name !== led) ?? 'n2';
  const [other] = members.filter((name) => name !== cut);
  await setLinksOf(cut, false);
  await eventually(
    `${cut} knows no leader`,
    async () => query(`holdfast_has_leader{instance="${cut}"} == 0`),
    (it) => it.length === 1,
  );

  expect(await holdfast(other ?? 'n1', 'put', 'while', 'cut')).toBe('OK\n');
  await expect(holdfast(cut, 'get', 'while', '--command-timeout', '1s')).rejects.toThrow();
  // Rules are evaluated every few seconds.
  const alerts = await eventually(
    'an alert is pending',
    async () => query('ALERTS{alertname="HoldfastMemberWithoutLeader"}'),
    (it) => it.length > 0,
  );
  expect(alerts.map(({ metric }) => metric['instance'])).toEqual([cut]);

  await setLinksOf(cut, true);
  await untilHealthy();
  expect(await holdfast(cut, 'get', 'while', '-w', 'plain')).toBe('cut\n');
});

test('when the leader is cut off the others elect one, and it acknowledges nothing', async () => {
  const old = await leader();
  const others = members.filter((name) => name !== old);
  await setLinksOf(old, false);

  const next = await leader(others);
  expect(next).not.toBe(old);
  expect(await holdfast(next, 'put', 'who', next)).toBe('OK\n');
  await expect(holdfast(old, 'put', 'who', old, '--command-timeout', '2s')).rejects.toThrow();

  await setLinksOf(old, true);
  await untilHealthy();
  expect(await holdfast(old, 'get', 'who', '-w', 'plain')).toBe(`${next}\n`);
});

test('a member whose process is killed is started again and rejoins', async () => {
  const victim = await leader();
  const [other = 'n1'] = members.filter((name) => name !== victim);
  const id = await containerOf(victim);
  const startedAt = await docker('inspect', '-f', '{{.State.StartedAt}}', id);
  const kill = `const processes = require('fs').readdirSync('/proc');
  for (const pid of processes.filter((it) => /^\\d+$/.test(it))) {
    const line = require('fs').readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0');
    if (line[0] === 'node' && line[1] === 'bin/holdfast') process.kill(Number(pid), 'SIGKILL'); }`;
  await docker('exec', id, 'node', '-e', kill);

  await eventually(
    'a write while one is down',
    async () => holdfast(other, 'put', 'killed', victim),
    (it) => it === 'OK\n',
  );
  await eventually(
    `${victim} has been started again`,
    async () => docker('inspect', '-f', '{{.State.StartedAt}}', id),
    (it) => it !== startedAt,
  );
  await untilHealthy();
  expect(await holdfast(victim, 'get', 'killed', '-w', 'plain')).toBe(`${victim}\n`);
});

test('volumes outlive down and up', async () => {
  await composeRun('down');
  expect(
    (await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`)).trim(),
  ).toBe('');

  await composeRun('up', '-d', '--no-build', ...services);
  await untilHealthy();

  for (const name of members) {
    expect(await holdfast(name, 'get', 'greeting', '-w', 'plain')).toBe('hello\n');
  }
  expect((await query('count(count_over_time(holdfast_raft_term[10m]))')).length).toBe(1);
});

test('a game day goes well against the containers', async () => {
  await composeRun('down', '-v');
  await composeRun('up', '-d', '--no-build', ...members, 'toxiproxy');
  await untilHealthy();
  const out = await mkdtemp(join(tmpdir(), 'holdfast-gameday-'));
  cleanups.push(async () => rm(out, { recursive: true, force: true }));

  const told = await run(
    [
      ...[...engine.onHost, process.execPath, 'chaos/run.mjs', 'chaos/gamedays/main.ts'],
      ...['leader-loss', '--against', 'docker', '--yes', '--short', '--out', out],
    ],
    { env: engine.env, cwd: root, timeoutMs: gameDayTimeoutMs },
  );

  expect(told).toContain('leader-loss: good');
});

test('down -v leaves nothing behind', async () => {
  await composeRun('down', '-v');

  const label = ['--filter', `label=com.docker.compose.project=${project}`];
  expect(await docker('ps', '-aq', ...label)).toBe('');
  expect(await docker('volume', 'ls', '-q', ...label)).toBe('');
  expect(await docker('network', 'ls', '-q', ...label)).toBe('');
});
