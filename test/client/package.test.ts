/** The package as its users get it: from ES modules and from CommonJS, by its own name. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
