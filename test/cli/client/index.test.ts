/** Command lines that are wrong, or asked for help: nothing may be sent. */
import { Command, CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerClientCommands } from '../../../src/cli/client/index.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { FakeMember } from './fake-member.ts';

let member: FakeMember;

beforeAll(async () => {
  member = await FakeMember.start('answer');
});

afterAll(() => {
  member.stop();
});

/** Parses a command line; returns what is told and the exit code. */
async function parse(argv: readonly string[]) {
  let told = '';
  const program = new Command('holdfast').exitOverride().configureOutput({
    writeOut: (text) => (told += text),
    writeErr: (text) => (told += text),
  });
  registerClientCommands(program);
  try {
    await program.parseAsync(['--endpoints', member.endpoint, ...argv], { from: 'user' });
    return { told, exitCode: 0 };
  } catch (error) {
    if (error instanceof ExitError) {
      return { told: error.message, exitCode: error.exitCode };
    }
    if (error instanceof CommanderError) {
      return { told, exitCode: error.exitCode === 0 ? 0 : 2 };
    }
    throw error;
  }
}

describe('a wrong command line', () => {
  test.each([
    [['get'], "missing required argument 'key'"],
    [['get', 'a', 'b', 'c'], 'too many arguments'],
    [['get', ''], 'the key must not be empty'],
    [['get', 'a', '--nope'], "unknown option '--nope'"],
    [['get', 'a', '--prefix', '--from-key'], '--prefix and --from-key exclude each other'],
    [['get', 'a', 'b', '--prefix'], 'takes no range_end'],
    [['get', 'a', '--order', 'up'], 'ASCEND, DESCEND'],
    [['get', 'a', '--sort-by', 'size'], 'CREATE, KEY, MODIFY, VALUE, VERSION'],
    [['get', 'a', '--consistency', 'x'], 'must be one of l, s'],
    [['get', 'a', '--limit', '-1'], 'whole number'],
    [['get', 'a', '--rev', '1.5'], 'whole number'],
    [['get', 'a', '--command-timeout', '5'], 'duration with its unit'],
    [['get', 'a', '--command-timeout', '0s'], 'duration with its unit'],
    [['get', 'a', '-w', 'xml'], 'must be one of simple, json, table, fields, plain'],
    [['get', 'a', '--endpoints', 'a'], 'must be HOST:PORT'],
    [['get', 'a', '--endpoints', 'https://a:1', '--cert', 'c'], '--cert: needs --key beside it'],
    [['get', 'a', '--print-value-only', '-w', 'json'], 'for --write-out=simple only'],
    [['put'], "missing required argument 'key'"],
    [['put', '', 'x'], 'the key must not be empty'],
    [['put', 'a', 'b', 'c'], 'too many arguments'],
    [['put', 'a', 'x', '--ignore-value'], 'leave out the value'],
    [['put', 'a', 'x', '--lease', 'xyz'], 'in hexadecimal'],
    [['put', 'a', '-1x'], 'unknown option'],
    [['put', 'a\ufffd', 'x'], 'not valid UTF-8'],
    [['del'], "missing required argument 'key'"],
    [['del', ''], 'the key must not be empty'],
    [['txn', 'a'], 'too many arguments'],
    [['compact'], "missing required argument 'revision'"],
    [['compact', '0'], 'Revisions begin at 1'],
    [['compact', 'x'], 'whole number'],
    [['status', 'a'], 'too many arguments'],
    [['health', '--nope'], "unknown option '--nope'"],
    [['members', '--consistency', 'x'], 'must be one of l, s'],
  ])('%j ends with 2, says "%s" and sends nothing', async (argv, problem) => {
    const { told, exitCode } = await parse(argv);

    expect(told).toContain(problem);
    expect(exitCode).toBe(2);
    expect(member.calls).toEqual([]);
  });
});

describe('help', () => {
  test.each(['put', 'get', 'del', 'txn', 'compact', 'status', 'health', 'members'])(
    'of %s has an example and the shared options',
    async (name) => {
      const { told, exitCode } = await parse([name, '--help']);

      expect(exitCode).toBe(0);
      expect(told).toMatch(new RegExp(`Examples?:\\n  holdfast ${name}`));
      expect(told).toContain('--endpoints');
      expect(told).toContain('--command-timeout');
      expect(told).toContain('--write-out');
    },
  );
});
