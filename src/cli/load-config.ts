/**
 * The configuration of a member from the outside world: the environment and the configuration file
 * besides the flags. Whoever starts members asks here first, so that what they would refuse is
 * refused before anything is started.
 */
import { readFileSync } from 'node:fs';
import { ExitError } from './exit.ts';
import { readServerConfig, type ServerConfig } from './server-config.ts';

/** What decides a member's configuration. */
export interface GivenSettings {
  /** Flags as given, by name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** Path of `--config-file`; without it, that of its variable. */
  readonly configFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws {ExitError} 2, with everything that is wrong */
export function loadConfig({ flags, configFile, env }: GivenSettings): ServerConfig {
  const path = configFile ?? env['HOLDFAST_CONFIG_FILE'];
  const file = path === undefined ? undefined : { path, text: readText(path) };
  const result = readServerConfig({ flags, env, file });
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
      `holdfast: the configuration file ${path} cannot be read: ${(error as Error).message}`,
    );
  }
}
