/** What etcd takes `--auto-compaction-*` for, value by value, beside what Holdfast does. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CompactionMode, parseRetention } from '../../src/cli/history-retention.ts';
import { freePorts } from '../harness/processes.ts';
import { hasEtcd } from './etcd-server.ts';

/** etcd's reading as it logs it, a duration; `refused` when it does not start. */
async function askEtcd(mode: CompactionMode, retention: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-etcd-flags-'));
  const [client, peer] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const args = [
    ...[`--data-dir=${folder}`, '--logger=zap', `--initial-cluster=default=${peer ?? ''}`],
    ...[`--listen-client-urls=${client ?? ''}`, `--advertise-client-urls=${client ?? ''}`],
    ...[`--listen-peer-urls=${peer ?? ''}`, `--initial-advertise-peer-urls=${peer ?? ''}`],
    ...[`--auto-compaction-mode=${mode}`, `--auto-compaction-retention=${retention}`],
  ];
  const env = { PATH: process.env['PATH'] };
  const child = spawn('etcd', args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let log = '';
  const answer = new Promise<string>((resolve) => {
    const read = (chunk: Buffer): void => {
      log += chunk.toString();
      const [, reading] = /"auto-compaction-retention":"([^"]*)"/.exec(log) ?? [];
      if (reading !== undefined) {
        resolve(reading);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('close', () => {
      resolve(log.includes('error parsing CompactionRetention') ? 'refused' : `unclear: ${log}`);
    });
  });
  const reading = await answer;
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
  return reading;
}

/** Our reading in the same terms: milliseconds, or a count, 0 for never. */
function ourReading(mode: CompactionMode, retention: string): number | 'refused' {
  const result = parseRetention(mode, retention);
  if (result.kind === 'invalid') {
    return 'refused';
  }
  const { keepMs = 0, keepRevisions = 0 } = result.retention ?? {};
  return mode === 'periodic' ? keepMs : keepRevisions;
}

/** etcd's reading of a number of revisions is so many nanoseconds. */
function inOurTerms(mode: CompactionMode, reading: string): number | 'refused' {
  if (reading === 'refused') {
    return reading;
  }
  return mode === 'periodic'
    ? ourReading(mode, reading)
    : Number(reading.replace(/s$/, '').replace('n', '').replace('µ', 'e3'));
}

describe.skipIf(!hasEtcd())('a retention', () => {
  test.each([
    ['periodic', '1'],
    ['periodic', '+5'],
    ['periodic', '0'],
    ['periodic', ''],
    ['periodic', '1h30m'],
    ['periodic', '.5h'],
    ['periodic', '1m500ms'],
    ['periodic', '72h'],
    ['periodic', '1d'],
    ['periodic', '-1'],
    ['periodic', '1.5'],
    ['periodic', 'abc'],
    ['periodic', '10m,100'],
    ['revision', '0'],
    ['revision', '7'],
    ['revision', '1000'],
    ['revision', 'abc'],
    ['revision', '1.5'],
  ] as const)('%s "%s" means what it means to etcd', async (mode, retention) => {
    const theirs = inOurTerms(mode, await askEtcd(mode, retention));

    // What etcd refuses and Holdfast takes is in the table of differences.
    expect(ourReading(mode, retention)).toBe(retention.includes(',') ? 600_000 : theirs);
    expect(theirs === 'refused').toBe(/^(?:1d|-1|1\.5|abc|.*,.*)$/.test(retention));
  });
});
