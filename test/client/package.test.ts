/** The package as its users get it: from ES modules and from CommonJS, by its own name. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = dirname(fileURLToPath(new URL('../../package.json', import.meta.url)));

const use = `
  const client = new Holdfast({ endpoints: '127.0.0.1:1', timeoutMs: 50 });
  client.kv.get('a').catch((error) => {
    console.log(error instanceof HoldfastError, error.code);
    return client.close();
  });`;

test.each([
  ['module', `import { Holdfast, HoldfastError } from 'holdfast/client'; ${use}`],
  ['commonjs', `const { Holdfast, HoldfastError } = require('holdfast/client'); ${use}`],
])('the client library works from a program of the kind %s', async (kind, program) => {
  const args = [`--input-type=${kind}`, '--eval', program];

  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });

  expect(stdout).toBe('true DEADLINE_EXCEEDED\n');
});

const start = `
  startTestCluster({ nodes: 1 }).then(async (cluster) => {
    const client = cluster.client();
    await client.kv.put('a', '1');
    console.log(client instanceof Holdfast, (await client.kv.get('a')).value);
    await LAST;
  });`;

const modules = `
  import { Holdfast } from 'holdfast/client';
  import { startTestCluster } from 'holdfast/testing';`;
const required = `
  const { Holdfast } = require('holdfast/client');
  const { startTestCluster } = require('holdfast/testing');`;

test.each([
  ['module', 'stops', modules, 'cluster.stop()'],
  ['commonjs', 'stops', required, 'cluster.stop()'],
  ['module', 'forgets', modules, 'process.exit()'],
])(
  'a program of the kind %s that %s its test cluster ends, and leaves nothing',
  async (kind, _, imports, last) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-package-'));
    const args = [`--input-type=${kind}`, '--eval', imports + start.replace('LAST', last)];
    const options = { cwd: root, env: { ...process.env, TMPDIR: folder }, timeout: 20_000 };

    // It would never end by itself if a connection or a timer were left.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);

    expect(stdout).toBe('true 1\n');
    expect(stderr).toBe('');
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  },
);

test('the types of every message and service can be imported, and the contracts themselves', () => {
  const generated = join(root, 'src/wire/generated');
  const names = readdirSync(generated, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replace(/\.ts$/, ''));
  const settings: ts.CompilerOptions = {
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  };
  const resolved = (name: string): string | undefined =>
    ts.resolveModuleName(name, join(root, 'user.mts'), settings, ts.sys).resolvedModule
      ?.resolvedFileName;

  const missing = names.filter((name) => resolved(`holdfast/types/${name}`) === undefined);

  expect(names).toContain('etcdserverpb/PutRequest');
  expect(names).toContain('holdfast/v1/Pipeline');
  expect(missing).toEqual([]);
  expect(createRequire(join(root, 'user.cjs')).resolve('holdfast/proto/etcd/rpc.proto')).toBe(
    join(root, 'proto/etcd/rpc.proto'),
  );
});
