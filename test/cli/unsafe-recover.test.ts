/** A cluster that has lost two of its three members for good goes on with the third. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunningCommand, runCommand } from '../harness/command.ts';
import { freePorts, ProcessCluster } from '../harness/processes.ts';
import { createTempDir } from '../storage/temp-dir.ts';

test('a survivor goes on alone with what it has, once the operator has confirmed it', async () => {
  const folder = createTempDir();
  const cluster = await ProcessCluster.create(['n1', 'n2', 'n3'].map((name) => join(folder, name)));
  onTestFinished(async () => cluster.killAll());
  await cluster.startAll();
  const [endpoint = ''] = cluster.endpoints;
  const put = await untilDone(['--endpoints', endpoint, 'put', 'a', 'b']);
  expect(put).toMatchObject({ exitCode: 0 });
  const dataDir = join(folder, 'n1');
  const recover = async (...more: string[]): ReturnType<typeof runCommand> =>
    runCommand(['unsafe-recover', '--data-dir', dataDir, ...more]);

  const running = await recover('--confirm', 'n1');
  await cluster.killAll();
  const asked = await recover();
  const mistyped = await recover('--confirm', 'n2');
  const confirmed = await recover('--confirm', 'n1');
  const survivor = await startAlone(dataDir);

  expect(running).toMatchObject({ exitCode: 1, stdout: '' });
  expect(running.stderr).toMatch(/^holdfast: the data directory \S+ is in use by process .*\n$/);
  expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(asked.stdout).toContain('UNSAFE');
  expect(asked.stdout).toContain('Nothing has been changed');
  expect(mistyped).toMatchObject({ exitCode: 2 });
  expect(confirmed.stdout).toContain('is alone in the new cluster');
  const read = await untilDone(['--endpoints', survivor, 'get', 'a', '--print-value-only']);
  expect(read.stdout.trim()).toBe('b');
  const written = await untilDone(['--endpoints', survivor, 'put', 'a', 'c']);
  expect(written).toMatchObject({ exitCode: 0 });
  const members = await untilDone(['--endpoints', survivor, 'member', 'list']);
  expect(members.stdout.trim().split('\n')).toHaveLength(1);
});

/**
 * Runs a client command until it succeeds: a member that has just started may not have a leader.
 */
async function untilDone(args: readonly string[]): ReturnType<typeof runCommand> {
  for (let attempt = 1; ; attempt++) {
    const done = await runCommand(args);
    if (done.exitCode === 0 || attempt === 10) {
      return done;
    }
  }
}

/** Starts the survivor on ports of its own; returns where clients reach it. */
async function startAlone(dataDir: string): Promise<string> {
  const [client = 0, peer = 0, metrics = 0] = await freePorts(3);
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const command = new RunningCommand([
    'server',
    '--name=n1',
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${url(client)}`,
    `--listen-peer-urls=${url(peer)}`,
    `--listen-metrics-urls=${url(metrics)}`,
    '--initial-cluster-state=existing',
  ]);
  await command.printed(/"event":"serving"/);
  return `127.0.0.1:${client}`;
}
