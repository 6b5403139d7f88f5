/**
 * Clocks of the day that jump. Nothing may depend on them: elections, leases and reads count by the
 * monotonic clock, which is left alone here (`clock-drift.ts` bends it). Needs libfaketime
 * (Debian's faketime).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { choose } from '../workloads/random.ts';
import { clockDrift } from './clock-drift.ts';
import type { Fault } from './fault.ts';
import { faketimeLibrary, missingFaketime } from './tools.ts';

function offsetFile(directory: string): string {
  return join(directory, 'clock-offset');
}

const clockJumps: Fault = {
  name: 'clock-jumps',
  about: 'the time of day jumps by minutes, both ways, on all members',
  missingTools: missingFaketime,
  async prepare(setting) {
    await writeFile(offsetFile(setting.directory), '+0s\n');
    setting.envOf = () => ({
      LD_PRELOAD: faketimeLibrary ?? '',
      FAKETIME_TIMESTAMP_FILE: offsetFile(setting.directory),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
    return async () => undefined;
  },
  async inject({ cluster, members, prng, directory }) {
    const offset = `${choose(prng, ['+', '-'])}${prng.nextInt(30, 600)}s`;
    await writeFile(offsetFile(directory), `${offset}\n`);
    return {
      what: `the clocks of all members stand at ${offset}`,
      members,
      keepsMajority: true,
      evidence: async () => {
        const { metricsAddress } = cluster.member(members[0] ?? '').place;
        const response = await fetch(`http://${metricsAddress}/livez`);
        const dateMs = Date.parse(response.headers.get('date') ?? '');
        const offMs = Math.abs(dateMs - Date.now());
        return offMs > 25_000 ? `a member dates its answers ${offMs} ms off` : undefined;
      },
      heal: async () => writeFile(offsetFile(directory), '+0s\n'),
    };
  },
};

/** Those that jump, and those that drift. */
export const clocks: readonly Fault[] = [clockJumps, ...clockDrift];
