/** What surrounds every client command, with the real binary and a member that is not real. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { FakeMember } from './fake-member.ts';
import { runHoldfast } from './run.ts';

const binary = fileURLToPath(new URL('../../../bin/holdfast', import.meta.url));
let member: FakeMember | undefined;

afterEach(() => {
  member?.stop();
  member = undefined;
});

test('large output arrives in full, byte for byte', async () => {
  const value = Buffer.alloc(5_000_000, Uint8Array.from([0, 0xff, 0x0a]));
  member = await FakeMember.start('answer', [['k', value]]);

  const { exitCode, stdoutBytes } = await runHoldfast([member.endpoint], ['get', 'k', '-w=plain']);

  expect(exitCode).toBe(0);
  expect(stdoutBytes.equals(Buffer.concat([value, Buffer.from('\n')]))).toBe(true);
});

test('a reader that stops early is no error', async () => {
  member = await FakeMember.start('answer', [['k', Buffer.alloc(5_000_000, 'x')]]);

  const child = spawn(process.execPath, [binary, 'get', 'k', '--endpoints', member.endpoint], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child.stdout, 'readable');
  child.stdout.destroy();
  const [exitCode] = (await once(child, 'close')) as [number | null];

  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
});

test('a command ends with its answer although its input stays open', async () => {
  member = await FakeMember.start('answer');

  const child = spawn(process.execPath, [binary, 'txn', '--endpoints', member.endpoint], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write('\nput a 1\n\n\n');
  const [exitCode] = (await once(child, 'close')) as [number | null];

  expect(exitCode).toBe(0);
  expect(member.calls).toEqual(['Txn']);
});
