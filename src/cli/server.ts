/** `holdfast server`: one member as a process, from its options to its exit code. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { InvariantViolation, KvError } from '../base/index.ts';
import { createLogger } from '../observability/index.ts';
import { type RunningServer, startServer } from './compose.ts';
import { ExitError } from './exit.ts';
import { loadConfig } from './load-config.ts';
import { watchLogOutput } from './log-output.ts';
import type { ServerConfig } from './server-config.ts';
import { serverFlags } from './server-flags.ts';

/** Exit codes: 1 it could not start, 2 wrong usage, 70 a defect or a failed disk. */
const exitFatal = 70;

/** As commander has read them, by name in camel case; a flag without a value is `true`. */
export type ServerOptions = Readonly<Record<string, string | boolean | undefined>>;

/** @throws {ExitError} with everything that is wrong */
function configOf(options: ServerOptions): ServerConfig {
  const flags: Record<string, string | undefined> = {};
  for (const { name } of serverFlags) {
    flags[name] =
      options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]?.toString();
  }
  return loadConfig({ flags, configFile: options['configFile']?.toString(), env: process.env });
}

/**
 * Runs a member until it is told to stop, and ends the process.
 *
 * @throws {ExitError} it cannot start, and why
 */
export async function runServer(options: ServerOptions): Promise<void> {
  const config = configOf(options);
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
  watchLogOutput(process.stdout, logger, die);
  // The library would write to stderr, in its own words, what it also reports as an error.
  setLogVerbosity(logVerbosity.NONE);
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  // Before anything is started: a supervisor may change its mind early.
  const signalled = firstSignal();
  let server: RunningServer | undefined;
  // Never an end, also for a member without certificates and for one that has not started yet: who
  // has a whole cluster read its files again must not stop it.
  process.on('SIGHUP', () => {
    if (server?.reloadCertificates === undefined) {
      logger.info({ event: 'nothing-to-reload' });
    } else {
      void server.reloadCertificates();
    }
  });
  try {
    server = await startServer(config, logger, die);
  } catch (error) {
    if (error instanceof KvError) {
      throw new ExitError(1, `holdfast: ${error.message}`);
    }
    throw error;
  }
  logger.info({ event: 'stopping', signal: await signalled });
  await server.stop();
  logger.info({ event: 'stopped' });
  process.exit(0);
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
async function firstSignal(): Promise<NodeJS.Signals> {
  const now = (): void => {
    process.exit(130);
  };
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      for (const each of ['SIGTERM', 'SIGINT'] as const) {
        process.off(each, onSignal);
        process.on(each, now);
      }
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
