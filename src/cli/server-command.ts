/** The command `server`: its flags and its help. */
import type { Command } from 'commander';
import type { ServerOptions } from './server.ts';
import { type ServerFlag, serverFlags } from './server-flags.ts';

/** Adds the command. */
export function registerServer(program: Command): void {
  const command = program
    .command('server')
    .description('run one member of a cluster')
    .option('--config-file <path>', 'YAML file with any of the settings below')
    .addHelpText(
      'after',
      `
Every flag can also be set as an environment variable (--data-dir: HOLDFAST_DATA_DIR).

Example, the first of three members:
  holdfast server --name n1 --data-dir n1.holdfast \\
    --listen-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \\
    --initial-cluster n1=http://127.0.0.1:2380,n2=http://127.0.0.1:22380,n3=http://127.0.0.1:32380`,
    );
  for (const flag of serverFlags as readonly ServerFlag[]) {
    addFlag(command, flag);
  }
  command.action(async (options: ServerOptions) => {
    const { runServer } = await import('./server.ts');
    await runServer(options);
  });
}

function addFlag(command: Command, flag: ServerFlag): void {
  const help =
    flag.default === undefined || flag.default === ''
      ? flag.help
      : `${flag.help} (default ${flag.default})`;
  if (flag.kind === 'boolean') {
    command.option(`--${flag.name} [true|false]`, help);
  } else if (flag.kind === 'list') {
    command.option(`--${flag.name} <list>`, help, (value: string, before: string | undefined) =>
      before === undefined ? value : `${before},${value}`,
    );
  } else {
    command.option(`--${flag.name} <value>`, help);
  }
}
