import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { frameMessage } from '../../../src/cli/bench/requests.ts';
import { freePorts } from '../../harness/processes.ts';
import { answerWith, FakeMember, refuseWith } from './fake-member.ts';

const binary = fileURLToPath(new URL('../../../bin/holdfast', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function bench(...args: readonly string[]): Promise<Outcome> {
  try {
    const done = await promisify(execFile)(process.execPath, [binary, 'bench', ...args]);
    return { code: 0, ...done };
  } catch (error) {
    return error as Outcome;
  }
}

async function startMember(answer: Parameters<typeof FakeMember.start>[0]): Promise<string> {
  const member = await FakeMember.start(answer);
  onTestFinished(async () => member.stop());
  return `${member.endpoint.host}:${member.endpoint.port}`;
}

const shortRun = ['--total', '200', '--warmup', '0s', '--key-space', '50'];

describe('holdfast bench', () => {
  test('prints one run, and its progress elsewhere', async () => {
    const endpoint = await startMember((call) => answerWith(call, frameMessage(Buffer.alloc(3))));

    const { code, stdout, stderr } = await bench('put', '--endpoints', endpoint, ...shortRun);

    expect(code).toBe(0);
    expect(stdout).toMatch(/calls +200 in .* s, 0 failed/);
    expect(stderr).toContain('round 1');
  });

  test('prints JSON that holds every figure', async () => {
    const endpoint = await startMember((call) => answerWith(call, frameMessage(Buffer.alloc(3))));

    const { stdout } = await bench(
      ...['range', '--endpoints', endpoint, '-w', 'json', '--rounds', '2', ...shortRun],
    );

    const { cases } = JSON.parse(stdout) as {
      readonly cases: readonly {
        readonly subjects: readonly {
          readonly rounds: readonly object[];
          readonly medians: { readonly errorCount: number };
        }[];
      }[];
    };
    expect(cases[0]?.subjects[0]?.medians.errorCount).toBe(0);
    expect(cases[0]?.subjects[0]?.rounds.length).toBe(2);
    expect(cases[0]?.subjects[0]?.rounds[0]).toMatchObject({ operations: 200, errors: [] });
  });

  test('writes when each measured call was due, and its latency, if asked to', async () => {
    const endpoint = await startMember((call) => answerWith(call, frameMessage(Buffer.alloc(3))));
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
    onTestFinished(async () => rm(folder, { recursive: true, force: true }));
    const samples = join(folder, 'samples.csv');

    await bench('put', '--endpoints', endpoint, ...shortRun, '--samples', samples);

    expect((await readFile(samples, 'utf8')).trimEnd().split('\n').length).toBe(1 + 200);
  });

  test('failed calls are printed by code', async () => {
    const endpoint = await startMember((call) => refuseWith(call, 14, 'etcdserver: no leader'));

    const { stdout } = await bench('put', '--endpoints', endpoint, ...shortRun);

    expect(stdout).toContain('200 × UNAVAILABLE: etcdserver: no leader');
  });

  test('wrong usage ends with code 2, a missing member with code 1', async () => {
    const [port = 0] = await freePorts(1);

    const [usage, missing] = await Promise.all([
      bench('put', '--clients', 'many'),
      bench('put', '--endpoints', `127.0.0.1:${port}`),
    ]);

    expect([usage.code, missing.code]).toEqual([2, 1]);
    expect(usage.stderr).toContain('--clients must be a whole number');
    expect(missing.stderr).toContain('holdfast dev');
  });
});
