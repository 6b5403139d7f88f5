/** snapshot save against a member that is not real; status and restore. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
import { sampleSnapshot } from '../snapshot-sample.ts';
import { run, type Server, startServer } from './in-process.ts';

const body = Buffer.alloc(1024, 'state');
const file = Buffer.concat([body, createHash('sha256').update(body).digest()]);

let server: Server;
let directory: string;
let path: string;

beforeEach(async () => {
  server = await startServer();
  directory = await mkdtemp(join(tmpdir(), 'holdfast-snapshot-'));
  path = join(directory, 'backup.db');
  server.member.onOpenSnapshot = async () =>
    Promise.resolve({
      estimatedBytes: file.length,
      revision: 6,
      chunks: (async function* () {
        yield await Promise.resolve(file.subarray(0, 700));
        yield file.subarray(700);
      })(),
    });
});

afterEach(async () => {
  await server.serving.close();
  await rm(directory, { recursive: true, force: true });
});

describe('snapshot save', () => {
  test('stores the file and says where', async () => {
    const { exitCode, stdout, stderr } = await run(server.endpoint, 'snapshot', 'save', path);

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`Snapshot saved at ${path}\n`);
    expect((await readFile(path)).equals(file)).toBe(true);
  });

  test.each([
    ['plain', (name: string) => `${name}\n`],
    ['json', (name: string) => `{"path":"${name}","revision":6,"size":1056,"version":"9.8.7"}\n`],
    [
      'fields',
      (name: string) => `"Path" : "${name}"\n"Revision" : 6\n"Size" : 1056\n"Version" : "9.8.7"\n`,
    ],
    ['table', (name: string) => `| ${name} |        6 | 1.1 kB | 9.8.7   |`],
  ])('as %s', async (format, expected) => {
    const { stdout } = await run(server.endpoint, 'snapshot', 'save', path, '-w', format);

    expect(stdout).toContain(expected(path));
  });

  test('leaves nothing behind when the member breaks off', async () => {
    server.member.onOpenSnapshot = async () =>
      Promise.resolve({
        estimatedBytes: 9,
        revision: 6,
        chunks: (async function* () {
          yield await Promise.resolve(body);
          throw new KvError('STOPPED');
        })(),
      });

    const { exitCode, stderr } = await run(server.endpoint, 'snapshot', 'save', path);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`snapshot save failed at ${server.endpoint}: etcdserver: server stop`);
    expect(await readdir(directory)).toEqual([]);
  });

  test('says which file cannot be written', async () => {
    const { exitCode, stderr } = await run(
      server.endpoint,
      ...['snapshot', 'save', join(directory, 'none', 'f')],
    );

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^holdfast: snapshot save: cannot write .*f\.part: ENOENT/);
  });
});

describe('snapshot status', () => {
  test.each([
    ['simple', /^[0-9a-f]{1,8}, 6, 2, [\d.]+ k?B\n$/],
    ['plain', /^[0-9a-f]{1,8}\t6\t2\t\d+\n$/],
    ['json', /^\{"hash":\d+,"revision":6,"totalKey":2,"totalSize":\d+,"version":"9.8.7"\}\n$/],
    ['fields', /^"Hash" : \d+\n"Revision" : 6\n"Keys" : 2\n"Size" : \d+\n"Version" : "9.8.7"\n$/],
    ['table', /\| [0-9a-f]{1,8} +\| +6 \| +2 \| [\d.]+ k?B +\| 9.8.7 +\|/],
  ])('as %s', async (format, expected) => {
    await writeFile(path, sampleSnapshot());

    const { exitCode, stdout } = await run('nobody:1', 'snapshot', 'status', path, '-w', format);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test('of a file that is none is an error', async () => {
    await writeFile(path, 'text');

    const { exitCode, stdout, stderr } = await run('nobody:1', 'snapshot', 'status', path);

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(path);
  });
});

describe('snapshot restore', () => {
  const restore = async (...flags: readonly string[]) =>
    run('nobody:1', 'snapshot', 'restore', path, '--data-dir', join(directory, 'n1'), ...flags);

  beforeEach(async () => {
    await writeFile(path, sampleSnapshot());
  });

  test('raises the revision by a billion unless told otherwise', async () => {
    const { exitCode, stdout, stderr } = await restore();

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Restored .*n1: member \w+ of cluster \w+, at revision 1000000006\n$/);
  });

  test.each([
    ['json', /"revision":106\}\n$/],
    ['fields', /"Revision" : 106\n$/],
    ['plain', /\t106\n$/],
    ['table', /\| +106 \|/],
  ])('takes all settings, and prints as %s', async (format, expected) => {
    const { exitCode, stdout } = await restore(
      ...['--name', 'n1', '--initial-cluster', 'n1=http://a:1,n2=http://b:1'],
      ...['--initial-cluster-token', 'again', '--initial-advertise-peer-urls', 'http://a:1'],
      ...['--bump-revision', '100', '--mark-compacted', '--skip-hash-check', '-w', format],
    );

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test.each([
    [['--name', 'n3', '--initial-cluster', 'n1=http://a:1'], 'does not name this member'],
    [['--initial-cluster', 'n1'], 'must be NAME=URL'],
    [['--bump-revision', '0', '--mark-compacted'], '--mark-compacted needs'],
    [['--bump-revision', '-1'], 'whole number'],
    [
      [
        ...['--name', 'n1', '--initial-cluster', 'n1=http://a:1'],
        ...['--initial-advertise-peer-urls', 'http://b:1'],
      ],
      'make them the same',
    ],
  ])('%j is wrong usage', async (flags, problem) => {
    const { exitCode, stderr } = await restore(...flags);

    expect(exitCode).toBe(2);
    if (problem !== 'whole number') {
      expect(stderr).toContain(problem);
    }
    expect(await readdir(directory)).toEqual(['backup.db']);
  });
});
