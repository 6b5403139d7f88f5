import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { version } from '../../src/cli/version.ts';
import { createTempDir } from '../storage/temp-dir.ts';

interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

let outcome: Outcome;
let exitCodeBefore: typeof process.exitCode;

/** Runs a command line inside this process; for those that start nothing. */
async function run(...args: readonly string[]): Promise<Outcome> {
  await main(['node', 'holdfast', ...args]);
  return { ...outcome, exitCode: process.exitCode as number | undefined };
}

beforeEach(() => {
  outcome = { exitCode: undefined, stdout: '', stderr: '' };
  exitCodeBefore = process.exitCode;
  process.exitCode = undefined;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    outcome = { ...outcome, stdout: outcome.stdout + String(text) };
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    outcome = { ...outcome, stderr: outcome.stderr + String(text) };
    return true;
  });
});

afterEach(() => {
  process.exitCode = exitCodeBefore;
});

describe('holdfast', () => {
  test('--version prints that of the package', async () => {
    expect(await run('--version')).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help names every command and ends well', async () => {
    const { exitCode, stdout, stderr } = await run('--help');

    expect(exitCode).toBe(0);
    for (const command of ['server', 'dev', 'put', 'get', 'del', 'txn', 'compact', 'status']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(stderr).toBe('');
  });

  test('without a command it prints its help as an error', async () => {
    const { exitCode, stdout, stderr } = await run();

    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: holdfast');
    expect(stdout).toBe('');
  });

  test('server --help names every setting with its default and its variable', async () => {
    const { exitCode, stdout } = await run('server', '--help');

    expect(exitCode).toBe(0);
    for (const flag of ['--name', '--data-dir', '--initial-cluster', '--insecure']) {
      expect(stdout).toContain(flag);
    }
    expect(stdout.replace(/\s+/g, ' ')).toContain('(default http://localhost:2379)');
    expect(stdout).toContain('HOLDFAST_DATA_DIR');
  });

  test.each([
    [['serve'], 'Did you mean server?'],
    [['sever', '--name', 'n1'], 'Did you mean server?'],
    [['server', '--lisen-client-urls', 'x'], 'Did you mean --listen-client-urls?'],
    [['server', '--name'], 'argument missing'],
    [['server', 'n1'], 'too many arguments'],
    [['dev', '--node=3'], 'Did you mean --nodes?'],
    [['dev', '--nodes=0'], 'must be a whole number from 1 to 7'],
    [['dev', '--nodes=8'], 'must be a whole number from 1 to 7'],
    [['dev', '--nodes=many'], 'must be a whole number from 1 to 7'],
    [['dev', '--nodes=1.5'], 'must be a whole number from 1 to 7'],
    [['dev', '--client-port=0'], 'must be a port number'],
    [['dev', '--client-port=65534'], 'must be a port number'],
    [['dev', '--client-port=40000'], 'use fewer nodes or a lower --client-port'],
  ])('%j is wrong usage: exit code 2, and a hint', async (args, hint) => {
    const { exitCode, stdout, stderr } = await run(...args);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
  });

  test.each([
    [['server']],
    [['dev', '--nodes=1']],
    [['snapshot', 'restore', '/nowhere/backup.db']],
  ])('%j in a folder that has been removed says so in a line', (args) => {
    const folder = createTempDir();
    const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
    const script = 'rmdir "$PWD" && exec "$0" "$@"';

    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', script, process.execPath, binary, ...args],
      { cwd: folder, encoding: 'utf8', timeout: 20_000 },
    );

    expect(existsSync(folder)).toBe(false);
    expect(stderr).toMatch(/^holdfast: the working directory has been removed; [^\n]*\n$/);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  test('loads nothing of a member to show a help text', () => {
    const main = new URL('../../dist/cli/main.js', import.meta.url);
    const script = `
      const { main } = await import(${JSON.stringify(main.href)});
      await main(['node', 'holdfast', 'server', '--help']);
      const { createRequire } = await import('node:module');
      const files = Object.keys(createRequire(${JSON.stringify(main.href)}).cache);
      process.stderr.write(JSON.stringify(files));`;

    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    });
    const loaded = (name: string): boolean => stderr.includes(`/node_modules/${name}/`);

    expect(loaded('commander')).toBe(true);
    expect(['rocksdb-native', 'pino', 'prom-client', 'yaml'].filter(loaded)).toEqual([]);
  });
});
