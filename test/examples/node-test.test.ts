/** The example for Node's test runner, run as its users run theirs. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test("a test cluster works in Node's test runner, which ends when it is stopped", async () => {
  const file = fileURLToPath(new URL('node-test.mjs', import.meta.url));
  const args = ['--test', '--test-reporter=tap', file];

  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });

  expect(stdout).toContain('# pass 1');
  expect(stdout).toContain('# fail 0');
});
