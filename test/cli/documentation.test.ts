/** The pages about the command line name everything that is there, with its default. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { registerCertificates } from '../../src/cli/certificates-command.ts';
import { registerBench } from '../../src/cli/bench/command.ts';
import { registerClientCommands } from '../../src/cli/client/index.ts';
import { variableOf } from '../../src/cli/config-sources.ts';
import { registerDev } from '../../src/cli/dev-command.ts';
import { readServerConfig } from '../../src/cli/server-config.ts';
import { type ServerFlag, serverFlags } from '../../src/cli/server-flags.ts';

const read = (page: string): string =>
  readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');

describe('docs/cli.md', () => {
  const page = read('cli.md');
  const program = new Command();
  registerDev(program);
  registerCertificates(program);
  registerBench(program);
  registerClientCommands(program);
  const [, ...shared] = /\n## What the client commands share\n([\s\S]*?)\n## /.exec(page) ?? [];

  test.each(program.commands.map((command) => [command.name(), command] as const))(
    'explains %s and all of its flags',
    (name, command) => {
      const [section = ''] = new RegExp(`\\n## ${name}\\n[\\s\\S]*?(?=\\n## |$)`).exec(page) ?? [];

      const missing = [command, ...command.commands]
        .flatMap((each) => each.options)
        .map((option) => option.long ?? '')
        .filter((flag) => ![section, ...shared].some((text) => text.includes(flag)));

      const unnamed = command.commands
        .map((each) => each.name())
        .filter((each) => !section.includes(`${name} ${each}`));

      expect(section).not.toBe('');
      expect(missing).toEqual([]);
      expect(unnamed).toEqual([]);
    },
  );
});

describe('docs/configuration.md', () => {
  const page = read('configuration.md');

  test.each((serverFlags as readonly ServerFlag[]).map((flag) => [flag.name, flag] as const))(
    'explains --%s with its variable and default',
    (name, flag) => {
      const row = page.split('\n').find((line) => line.startsWith(`| \`--${name}\` |`)) ?? '';
      const [, , variable = '', byDefault = ''] = row.split('|').map((cell) => cell.trim());

      expect(variable).toBe(`\`${variableOf(name)}\``);
      if (flag.default !== undefined) {
        expect(byDefault.replaceAll('`', '')).toBe(flag.default);
      }
    },
  );

  test('has an example that is a valid configuration', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];

    const result = readServerConfig({ flags: {}, env: {}, file: { path: 'n1.yaml', text } });

    expect(result).toMatchObject({ kind: 'ok', config: { name: 'n1', electionMs: 1500 } });
  });
});
