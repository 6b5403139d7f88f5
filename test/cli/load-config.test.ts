import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ExitError } from '../../src/cli/exit.ts';
import { type GivenSettings, loadConfig } from '../../src/cli/load-config.ts';
import { createTempDir } from '../storage/temp-dir.ts';

function refusal(given: GivenSettings): ExitError {
  try {
    loadConfig(given);
  } catch (error) {
    expect(error).toBeInstanceOf(ExitError);
    return error as ExitError;
  }
  throw new Error('it is taken');
}

describe('loadConfig', () => {
  test('reads the file that the flag names, else the one of the variable', () => {
    const folder = createTempDir();
    const [named, ofVariable] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
    writeFileSync(named, 'name: a');
    writeFileSync(ofVariable, 'name: b');
    const env = { HOLDFAST_CONFIG_FILE: ofVariable };

    expect(loadConfig({ flags: {}, env, configFile: named }).name).toBe('a');
    expect(loadConfig({ flags: {}, env }).name).toBe('b');
    expect(loadConfig({ flags: { name: 'c' }, env }).name).toBe('c');
  });

  test('tells every mistake, wherever it was made, and ends with 2', () => {
    const flags = { 'log-level': 'loud' };
    const env = { HOLDFAST_READ_MODE: 'fast' };

    const { exitCode, message } = refusal({ flags, env });

    expect(exitCode).toBe(2);
    expect(message).toMatch(/^holdfast: the configuration cannot work:\n/);
    expect(message).toContain('  - --log-level: "loud" must be one of');
    expect(message).toContain('  - HOLDFAST_READ_MODE: "fast" must be one of');
  });

  test('names a file that cannot be read', () => {
    const configFile = join(createTempDir(), 'gone.yaml');

    const { exitCode, message } = refusal({ flags: {}, env: {}, configFile });

    expect(exitCode).toBe(2);
    expect(message).toContain(`the configuration file ${configFile} cannot be read: ENOENT`);
  });
});
