import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RunningCommand, runCommand } from '../harness/command.ts';
import { freePorts, ProcessCluster } from '../harness/processes.ts';
import { createTempDir } from '../storage/temp-dir.ts';

interface Ports {
  readonly client: number;
  readonly peer: number;
  readonly metrics: number;
}

async function somePorts(): Promise<Ports> {
  const [client = 0, peer = 0, metrics = 0] = await freePorts(3);
  return { client, peer, metrics };
}

/** Arguments of a single member. */
function serverArgs(dataDir: string, ports: Ports, ...more: readonly string[]): string[] {
  return [
    'server',
    `--data-dir=${dataDir}`,
    `--listen-client-urls=http://127.0.0.1:${ports.client}`,
    `--listen-peer-urls=http://127.0.0.1:${ports.peer}`,
    `--listen-metrics-urls=http://127.0.0.1:${ports.metrics}`,
    '--log-format=json',
    ...more,
  ];
}

/** Occupies a port until the test is over. */
async function occupiedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as { readonly port: number }).port;
}

/** What a person must never see. */
function expectPlain(stderr: string, linesMax: number): void {
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(linesMax);
}

async function metric(port: number, name: string): Promise<number | undefined> {
  try {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
    return value === undefined ? undefined : Number(value);
  } catch {
    // Not up yet, or not any more.
    return undefined;
  }
}

/** Asks members until one of them leads; the index of its port. */
async function leaderAmong(metricsPorts: readonly number[]): Promise<number> {
  for (;;) {
    const leads = await Promise.all(metricsPorts.map((port) => metric(port, 'holdfast_is_leader')));
    if (leads.includes(1)) {
      return leads.indexOf(1);
    }
  }
}

// Processes take their time on a busy machine; each that hangs is ended before.
describe('holdfast server, when it cannot start', { timeout: 90_000 }, () => {
  test('an unknown flag is refused with the one that was probably meant', async () => {
    const { exitCode, stderr } = await runCommand(['server', '--lisen-client-urls=x']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('unknown option');
    expect(stderr).toContain('--listen-client-urls');
    expectPlain(stderr, 3);
  });

  test.each([
    ['client', 'clients'],
    ['peer', 'peers'],
    ['metrics', 'metrics'],
  ] as const)(
    'a %s port in use is named with its flag, and the process ends',
    async (kind, who) => {
      const port = await occupiedPort();
      const ports = { ...(await somePorts()), [kind]: port };

      const { exitCode, stderr } = await runCommand(serverArgs(createTempDir(), ports));

      expect(exitCode).toBe(1);
      expect(stderr).toContain(`cannot listen for ${who} on 127.0.0.1:${port}`);
      expect(stderr).toContain('the port is in use');
      expect(stderr).toContain(`--listen-${kind}-urls`);
      expectPlain(stderr, 1);
    },
  );

  test('a member whose port was in use starts on the same data once it is free', async () => {
    const folder = createTempDir();
    const ports = await somePorts();
    const client = await occupiedPort();
    await runCommand(serverArgs(folder, { ...ports, client }));

    const command = new RunningCommand(serverArgs(folder, ports));
    await command.printed(/"event":"serving"/);
    command.signal('SIGTERM');

    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
  });

  test.each([
    ['a file in its place', 'file'],
    ['a file on the way to it', 'file/data'],
  ])('a data directory that cannot be made (%s) is named', async (_, path) => {
    const folder = createTempDir();
    writeFileSync(join(folder, 'file'), '');
    const dataDir = join(folder, path);

    const { exitCode, stderr } = await runCommand(serverArgs(dataDir, await somePorts()));

    expect(exitCode).toBe(1);
    expect(stderr).toContain(dataDir);
    expect(stderr).toContain('--data-dir');
    expectPlain(stderr, 1);
  });

  test('a folder with other files in it is left alone', async () => {
    const folder = createTempDir();
    mkdirSync(join(folder, 'precious'));

    const { exitCode, stderr } = await runCommand(serverArgs(folder, await somePorts()));

    expect(exitCode).toBe(1);
    expect(stderr).toContain('precious');
    expect(readdirSync(folder)).toContain('precious');
    expectPlain(stderr, 1);
  });

  test('data of another cluster or another member is refused', async () => {
    const folder = createTempDir();
    const ports = await somePorts();
    const others = await somePorts();
    const cluster = (name: string): string[] => {
      const urls = `n1=http://127.0.0.1:${ports.peer},n2=http://127.0.0.1:${others.peer}`;
      return [`--name=${name}`, `--initial-cluster=${urls}`];
    };
    const first = new RunningCommand(serverArgs(folder, ports, ...cluster('n1')));
    await first.printed(/"event":"serving"/);
    first.signal('SIGTERM');
    expect(await first.ended()).toEqual({ exitCode: 0, signal: null });

    const token = '--initial-cluster-token=other';
    const elsewhere = await runCommand(serverArgs(folder, ports, ...cluster('n1'), token));
    const renamed = await runCommand(serverArgs(folder, others, ...cluster('n2')));

    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.stderr).toContain('belongs to another cluster');
    expect(elsewhere.stderr).toContain('--initial-cluster-token');
    expectPlain(elsewhere.stderr, 1);
    expect(renamed.exitCode).toBe(1);
    expect(renamed.stderr).toContain('belongs to another member');
    expectPlain(renamed.stderr, 1);
  });

  test('a second process on the same data is refused, and the first goes on', async () => {
    const folder = createTempDir();
    const first = new RunningCommand(serverArgs(folder, await somePorts()));
    await first.printed(/"event":"serving"/);

    const second = await runCommand(serverArgs(folder, await somePorts()));

    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`in use by process ${first.pid}`);
    expectPlain(second.stderr, 1);
    first.signal('SIGTERM');
    expect(await first.ended()).toEqual({ exitCode: 0, signal: null });
  });

  test('a configuration that cannot work is refused with all that is wrong', async () => {
    const { exitCode, stderr, stdout } = await runCommand(
      ['server', '--initial-cluster=n1', '--log-level=loud', '--election-timeout=20'],
      { env: { HOLDFAST_HEARTBEAT_INTERVAL: 'often' } },
    );

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--initial-cluster: "n1" must be NAME=URL');
    expect(stderr).toContain('--log-level: "loud" must be one of');
    expect(stderr).toContain('--election-timeout: "20" must be');
    expect(stderr).toContain('HOLDFAST_HEARTBEAT_INTERVAL: "often" must be');
    expectPlain(stderr, 5);
    expect(stdout).toBe('');
  });

  test('a member that its cluster does not name is refused', async () => {
    const { exitCode, stderr } = await runCommand([
      'server',
      '--name=n9',
      '--initial-cluster=n1=http://127.0.0.1:2380',
    ]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('does not name this member, "n9" (it has: n1)');
    expectPlain(stderr, 2);
  });

  test('settings are read from the file that a flag or a variable names', async () => {
    const file = join(createTempDir(), 'holdfast.yaml');
    writeFileSync(file, 'name: "of the file"\n');

    const byFlag = await runCommand(['server', `--config-file=${file}`]);
    const byVariable = await runCommand(['server'], { env: { HOLDFAST_CONFIG_FILE: file } });

    expect(byFlag).toMatchObject({ exitCode: 2 });
    expect(byFlag.stderr).toContain(`${file}: name: "of the file" must be`);
    expect(byVariable.stderr).toBe(byFlag.stderr);
  });

  test('a configuration file that cannot be read is named', async () => {
    const { exitCode, stderr } = await runCommand(['server', '--config-file=/nowhere/a.yaml']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('/nowhere/a.yaml cannot be read');
    expectPlain(stderr, 1);
  });
});

describe('holdfast server, when it is asked to end', { timeout: 90_000 }, () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in good order', async (signal) => {
    const ports = await somePorts();
    const command = new RunningCommand(serverArgs(createTempDir(), ports));
    await command.printed(/"event":"serving"/);

    command.signal(signal);

    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
    const events = command.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(events.at(-2)).toMatchObject({ event: 'stopping', signal });
    expect(events.at(-1)).toMatchObject({ event: 'stopped' });
    expect(command.stderr).toBe('');
  });

  test('SIGHUP ends no member, not even one that has no certificates to read again', async () => {
    const command = new RunningCommand(serverArgs(createTempDir(), await somePorts()));
    await command.printed(/"event":"/);
    command.signal('SIGHUP');
    await command.printed(/"event":"serving"/);

    command.signal('SIGHUP');
    await command.printed(/"event":"nothing-to-reload"/);

    command.signal('SIGTERM');
    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
  });

  test('a leader of three hands over before it ends', async () => {
    const folder = createTempDir();
    const dataDirs = ['n1', 'n2', 'n3'].map((name) => join(folder, name));
    const cluster = await ProcessCluster.create(dataDirs);
    onTestFinished(async () => cluster.stopAll());
    await cluster.startAll();
    const ports = cluster.members.map((member) => member.metricsPort);
    const leader = await leaderAmong(ports);
    const term = (await metric(ports[leader] ?? 0, 'holdfast_raft_term')) ?? 0;

    await cluster.signal(leader, 'SIGTERM');
    const others = ports.filter((_, i) => i !== leader);
    const successor = await leaderAmong(others);

    // An election by timeout might take the same single term, but is no answer to a transfer.
    const log = readFileSync(`${dataDirs[leader] ?? ''}.log`, 'utf8');
    expect(log).toContain('"event":"transfer-started"');
    expect(log).not.toContain('"event":"transfer-abandoned"');
    expect(log).toContain('"event":"stopped"');
    expect(await metric(others[successor] ?? 0, 'holdfast_raft_term')).toBe(term + 1);
  });
});
