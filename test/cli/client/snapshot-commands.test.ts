/** snapshot save, against a member that is not real. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
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
