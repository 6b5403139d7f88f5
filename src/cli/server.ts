/** `holdfast server`: one member as a process, from its flags to its exit code. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InvariantViolation, KvError } from '../base/index.ts';
import { createLogger, type Logger } from '../observability/index.ts';
import { type RunningServer, startServer } from './compose.ts';
import { ExitError } from './exit.ts';
import { readServerConfig, type ServerConfig } from './server-config.ts';
import { type ServerFlag, serverFlags } from './server-flags.ts';

/** Exit codes: 1 it could not start, 2 wrong usage, 70 a defect or a failed disk. */
const exitFatal = 70;

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
  command.action(async (options: Readonly<Record<string, unknown>>) => {
    await runServer(loadConfig(options));
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

/** @throws {ExitError} with everything that is wrong */
function loadConfig(options: Readonly<Record<string, unknown>>): ServerConfig {
  const flags: Record<string, string | undefined> = {};
  for (const { name } of serverFlags) {
    const value = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    flags[name] = value === undefined ? undefined : String(value);
  }
  const path = options['configFile'] ?? process.env['HOLDFAST_CONFIG_FILE'];
  const result = readServerConfig({
    flags,
    env: process.env,
    file: path === undefined ? undefined : { path: String(path), text: readText(String(path)) },
  });
  if (result.kind === 'invalid') {
    const list = result.problems.map((problem) => `  - ${problem}`).join('\n');
    throw new ExitError(2, `holdfast: the configuration cannot work:\n${list}`);
  }
  return result.config;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ExitError(
      2,
      `holdfast: --config-file ${path} cannot be read: ${(error as Error).message}`,
    );
  }
}

async function runServer(config: ServerConfig): Promise<void> {
  const logger = createLogger(
    { level: config.logLevel, format: config.logFormat, fields: { member: config.name } },
    process.stdout,
  );
  const die = (error: unknown): void => {
    logger.fatal({
      event: error instanceof InvariantViolation ? 'invariant-broken' : 'fatal',
      err: error,
    });
    process.stderr.write(`holdfast: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(exitFatal);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  let server: RunningServer;
  try {
    server = await startServer(config, logger, die);
  } catch (error) {
    if (error instanceof KvError) {
      throw new ExitError(1, `holdfast: ${error.message}`);
    }
    throw error;
  }
  await untilStopped(server, logger);
}

/** Waits for a signal and stops in good order; a second signal ends the process at once. */
async function untilStopped(server: RunningServer, logger: Logger): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  logger.info({ event: 'stopping', signal });
  const now = (): void => {
    process.exit(130);
  };
  process.once('SIGTERM', now);
  process.once('SIGINT', now);
  await server.stop();
  logger.info({ event: 'stopped' });
  process.exit(0);
}
