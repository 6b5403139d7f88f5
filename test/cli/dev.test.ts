import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RunningCommand, runCommand } from '../harness/command.ts';
import { createTempDir } from '../storage/temp-dir.ts';

async function listen(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** The nine ports that three members take, from the first one's client port on. */
function portsFrom(first: number): readonly number[] {
  return [first, first + 20_000, first + 30_000].flatMap((port) => [port, port + 1, port + 2]);
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  const servers: Server[] = [];
  try {
    for (const port of ports) {
      servers.push(await listen(port));
    }
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all(servers.map(close));
  }
}

/**
 * A client port whose whole layout is free; below the range from which the system hands out ports.
 */
async function freeLayout(): Promise<number> {
  for (let first = 2500 + (process.pid % 800) * 10; ; first += 10) {
    if (await areFree(portsFrom(first))) {
      return first;
    }
  }
}

/** Processes that `pid` has started; Linux tells. */
function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** A process that has ended may still be listed until its parent asks for it. */
function isRunning(pid: number): boolean {
  return (
    existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  );
}

const dev = (first: number, dataDir: string, ...more: string[]): string[] => [
  'dev',
  `--client-port=${first}`,
  `--data-dir=${dataDir}`,
  ...more,
];

// Processes take their time on a busy machine; each that hangs is ended before.
describe('holdfast dev', { timeout: 90_000 }, () => {
  test('three members come up on the ports of the layout, and Ctrl-C stops them all', async () => {
    const first = await freeLayout();
    const command = new RunningCommand(dev(first, createTempDir()));
    const [, , leader] = await command.printed(/(3 members are up); (n[123]) leads/);
    const members = childrenOf(command.pid);

    const isReady = await Promise.all(
      [first, first + 20_000, first + 30_000].map(
        async (port) => (await fetch(`http://127.0.0.1:${port + 2}/readyz`)).ok,
      ),
    );
    command.signal('SIGINT');
    const end = await command.ended();

    expect(leader).toBeDefined();
    expect(isReady).toEqual([true, true, true]);
    expect(command.stdout).toContain(
      `endpoints  127.0.0.1:${first},127.0.0.1:${first + 20_000},127.0.0.1:${first + 30_000}`,
    );
    expect(members).toHaveLength(3);
    expect(end).toEqual({ exitCode: 0, signal: null });
    expect(members.filter(isRunning)).toEqual([]);
    expect(command.stdout).toMatch(/stopping …\n(.*\n)*stopped\n$/);
    expect(command.stdout).not.toContain('has ended by itself');
    expect(command.stderr).toBe('');
    expect(await areFree(portsFrom(first))).toBe(true);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('%s leaves no member behind either', async (signal) => {
    const command = new RunningCommand(dev(await freeLayout(), createTempDir(), '--nodes=2'));
    await command.printed(/2 members are up/);
    const members = childrenOf(command.pid);

    command.signal(signal);

    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
    expect(members).toHaveLength(2);
    expect(members.filter(isRunning)).toEqual([]);
  });

  test('data is kept between runs, for the same layout, until a fresh start', async () => {
    const first = await freeLayout();
    const folder = createTempDir();
    const run = async (work: () => Promise<unknown>, ...more: string[]): Promise<number> => {
      const command = new RunningCommand(dev(first, folder, '--nodes=1', ...more));
      await command.printed(/1 member is up/);
      const answer = await fetch(`http://127.0.0.1:${first + 2}/metrics`);
      const [, revision] = /^holdfast_kv_revision (\d+)$/m.exec(await answer.text()) ?? [];
      await work();
      command.signal('SIGINT');
      expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
      return Number(revision);
    };
    const nothing = async (): Promise<void> => Promise.resolve();
    const put = async (): Promise<void> => {
      const done = await runCommand([`--endpoints=127.0.0.1:${first}`, 'put', 'a', 'b']);
      expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    };

    expect(await run(put)).toBe(1);
    expect(await run(nothing)).toBe(2);
    const elsewhere = await runCommand(dev(first + 3, folder, '--nodes=1'));
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.stdout).toContain('belongs to another cluster');
    expect(elsewhere.stderr).toContain('--fresh');
    expect(await run(nothing, '--fresh')).toBe(1);
  });

  test('a member that ends by itself is named, and the others go on', async () => {
    const command = new RunningCommand(dev(await freeLayout(), createTempDir()));
    await command.printed(/3 members are up/);
    const [member = 0] = childrenOf(command.pid);

    process.kill(member, 'SIGKILL');

    await command.printed(/n1 has ended by itself \(SIGKILL\)/);
    command.signal('SIGINT');
    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
  });

  test('a port that is taken is named before anything is started', async () => {
    const first = await freeLayout();
    const folder = join(createTempDir(), 'data');
    const blocker = await listen(first + 20_001);
    onTestFinished(async () => close(blocker));

    const { exitCode, stdout, stderr } = await runCommand(dev(first, folder));

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`port ${first + 20_001}, which n2 needs, cannot be used`);
    expect(stderr).toContain('--client-port');
    expect(stdout).toBe('');
    expect(existsSync(folder)).toBe(false);
  });

  test.each([
    ['a flag', ['--log-level=loud'], {}, '--log-level: "loud" must be one of trace, debug'],
    ['a variable', [], { HOLDFAST_ELECTION_TIMEOUT: '20' }, 'HOLDFAST_ELECTION_TIMEOUT: "20"'],
  ])('%s that members would refuse is refused before one starts', async (_, flags, env, reason) => {
    const folder = join(createTempDir(), 'data');

    const { exitCode, stdout, stderr } = await runCommand(
      dev(await freeLayout(), folder, ...flags),
      { env },
    );

    expect(stderr).toContain(reason);
    expect(stderr.split(reason)).toHaveLength(2);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(existsSync(folder)).toBe(false);
  });

  test('a fresh start removes neither data in use nor what is no member’s', async () => {
    const first = await freeLayout();
    const folder = createTempDir();
    const foreign = createTempDir();
    mkdirSync(join(foreign, 'n1'));
    writeFileSync(join(foreign, 'n1', 'thesis.txt'), '');
    const command = new RunningCommand(dev(first, folder, '--nodes=1'));
    await command.printed(/1 member is up/);

    const inUse = await runCommand(dev(first + 3, folder, '--nodes=1', '--fresh'));
    const notOurs = await runCommand(dev(first + 3, foreign, '--nodes=1', '--fresh'));

    expect(inUse).toMatchObject({ exitCode: 1, stdout: '' });
    expect(inUse.stderr).toContain('is in use by process');
    expect(existsSync(join(folder, 'n1', 'member.json'))).toBe(true);
    expect(notOurs).toMatchObject({ exitCode: 1, stdout: '' });
    expect(notOurs.stderr).toContain('is not a member’s data');
    expect(existsSync(join(foreign, 'n1', 'thesis.txt'))).toBe(true);
    command.signal('SIGINT');
    expect(await command.ended()).toEqual({ exitCode: 0, signal: null });
  });

  test('a folder that cannot be made is named', async () => {
    const file = join(createTempDir(), 'file');
    writeFileSync(file, '');

    const { exitCode, stderr } = await runCommand(dev(await freeLayout(), join(file, 'data')));

    expect(exitCode).toBe(1);
    expect(stderr).toContain(file);
    expect(stderr).toContain('--data-dir');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
