/**
 * The simulation within `npm test`: fresh runs every day, the runs that failed once, and that a run
 * is the same whenever it is repeated. More of it: `npm run sim -- --help`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import type { Entry } from '../../src/raft/index.ts';
import { readCase, writeCase } from './case-file.ts';
import { VirtualClock } from './clock.ts';
import { SimEngine, SimLog } from './disk.ts';
import type { Fault } from './faults.ts';
import { failureOf, LivenessViolation, SafetyViolation } from './failure.ts';
import { parseOptions } from './options.ts';
import { createCase, profiles } from './profiles.ts';
import { simulate } from './simulation.ts';

const here = dirname(fileURLToPath(import.meta.url));
const regressions = join(here, 'regressions');
/** How many fresh runs there are; 0 leaves them out. */
const freshSeeds = Number(process.env['SIM_SEEDS'] ?? 200);
const freshLimitMs = 180_000;
/** Runs on clocks that are too different; one of them must fail. */
const driftingSeeds = 20;

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sim-'));
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

async function runSimulator(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const child = spawn(process.execPath, [join(here, 'run.mjs'), ...args], { cwd: scratch });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, output };
}

/** Days of other years have other seeds. */
function firstSeedOfToday(): number {
  return Number(new Date().toISOString().slice(0, 10).replaceAll('-', '')) * 1000 + 1;
}

function entry(index: number, term: number): Entry {
  return { index, term, type: 'normal', data: new Uint8Array(3) };
}

describe('simulated clusters', () => {
  test(`keep every invariant and recover, in ${freshSeeds} fresh runs of today`, {
    timeout: freshLimitMs,
  }, async () => {
    const first = firstSeedOfToday();
    const seeds = `${first}..${first + Math.max(1, freshSeeds) - 1}`;
    process.stdout.write(`npm run sim -- --seeds ${seeds}\n`);

    const { exitCode, output } = await runSimulator('--seeds', seeds);

    expect(exitCode, output).toBe(0);
  });

  const files = readdirSync(regressions).filter((file) => file.endsWith('.json'));

  test.each(files)('hold in the run that failed once and is kept as %s', (file) => {
    const { failure } = simulate(readCase(join(regressions, file)));

    expect(failure).toBeUndefined();
  });

  // It only computes: for a quarter of a minute, and on a busy machine for longer than the default.
  const driftingLimit = { timeout: freshLimitMs };

  test('see stale reads by lease when clocks drift beyond the bound', driftingLimit, () => {
    const seeds = Array.from({ length: driftingSeeds }, (_, i) => i + 1);
    const broken = seeds.find((seed) => {
      const simCase = createCase(seed, 'lease');
      const { nodes, safetyUs: forUs } = simCase.parameters;
      const clocks = Array.from({ length: nodes }, (_, i): Fault => {
        return { atUs: 1, type: 'clock', node: i + 1, rate: i === 0 ? 300 : 1_500, forUs };
      });
      const { failure } = simulate({ ...simCase, faults: [...clocks, ...simCase.faults] });
      return failure?.message.includes('read-linearizability') === true;
    });

    expect(broken).toBeDefined();
  });

  test('end those of an older build that meet what they do not read, under `upgrade`', () => {
    const ended: string[] = [];
    for (let seed = 1; ended.length === 0 && seed <= 8; seed++) {
      const { failure } = simulate(createCase(seed, 'upgrade'), (line) => {
        if (line.includes('its build is too old')) {
          ended.push(line);
        }
      });
      expect(failure).toBeUndefined();
    }
    expect(ended.length).toBeGreaterThan(0);
  });

  test.each([...Object.keys(profiles), 'mixed'])('do something under the profile %s', (profile) => {
    const results = [1, 2].map((seed) => simulate(createCase(seed, profile)));

    for (const { failure, committed, reads } of results) {
      expect(failure).toBeUndefined();
      expect(committed).toBeGreaterThan(10);
      expect(reads).toBeGreaterThan(10);
    }
  });
});

describe('a run', () => {
  function hashOf(seed: number): string {
    const hash = createHash('sha256');
    simulate(createCase(seed, 'mixed'), (line) => {
      hash.update(`${line}\n`);
    });
    return hash.digest('hex');
  }

  test('is the same, line for line, whenever its seed is run', () => {
    const hashes = [11, 12, 13].map(hashOf);

    expect([11, 12, 13].map(hashOf)).toEqual(hashes);
    expect(new Set(hashes).size).toBe(3);
  });

  test('is the same with and without a trace', () => {
    const simCase = createCase(14, 'mixed');

    const silent = simulate(simCase);

    expect(simulate(simCase, () => undefined)).toEqual(silent);
  });

  test('is the same when its case is read back from a file', () => {
    const path = join(scratch, 'case.json');
    const simCase = createCase(15, 'membership');
    writeCase(path, simCase, 'nothing');

    expect(readCase(path)).toEqual(simCase);
  });
});

describe('the command', () => {
  test('refuses what makes no sense', () => {
    expect(() => parseOptions(['--seeds', '7..3'])).toThrow('ascending');
    expect(() => parseOptions(['--seed', 'x'])).toThrow('--seed wants');
    expect(() => parseOptions(['--profile', 'sunny'])).toThrow('no profile sunny');
    expect(() => parseOptions(['--sed', '1'])).toThrow('--sed');
  });

  test('tells a wrong call from a failed run by its exit code', async () => {
    const { exitCode, output } = await runSimulator('--seed', '0');

    expect(exitCode).toBe(1);
    expect(output).toContain('--seed wants');
  });

  test('names the kind of a failure', () => {
    expect(failureOf(new SafetyViolation('one-leader', 'there are two')).kind).toBe('safety');
    expect(failureOf(new LivenessViolation('no leader')).kind).toBe('liveness');
    expect(failureOf(new Error('undefined is not a function')).kind).toBe('crash');
  });
});

describe('VirtualClock', () => {
  test('lets events happen in the order of their times, then of their scheduling', () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const prng = createPrng(1);
    const expected = Array.from({ length: 200 }, (_, i) => [prng.nextInt(0, 50), i] as const);
    for (const [atUs, i] of expected) {
      clock.after(atUs, () => seen.push(`${atUs}/${i}`));
    }
    while (clock.step(1_000)) {
      // All of them.
    }

    const sorted = [...expected].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(seen).toEqual(sorted.map(([atUs, i]) => `${atUs}/${i}`));
    expect(clock.nowUs).toBe(1_000);
  });
});

describe('SimLog', () => {
  test('keeps what was synced and any prefix of the rest through a crash', () => {
    const lasts = new Set<number>();
    for (let seed = 1; seed <= 40; seed++) {
      const log = new SimLog();
      log.write({ entries: [entry(1, 1), entry(2, 1)] });
      log.sync();
      log.write({ entries: [entry(3, 1)] });
      log.write({ entries: [entry(2, 2), entry(3, 2), entry(4, 2)] });
      expect(log.durableIndex).toBe(1);

      log.crash(createPrng(seed));

      const terms = [1, 2, 3, 4].map((index) => log.termAt(index));
      expect([
        [1, 1, undefined, undefined],
        [1, 1, 1, undefined],
        [1, 2, 2, 2],
      ]).toContainEqual(terms);
      lasts.add(log.lastIndex);
    }
    expect([...lasts].sort()).toEqual([2, 3, 4]);
  });
});

describe('SimEngine', () => {
  test('falls back to a whole batch, not behind its last flush', () => {
    const key = Uint8Array.of(1);
    const values = new Set<number>();
    for (let seed = 1; seed <= 40; seed++) {
      const engine = new SimEngine();
      for (const value of [1, 2, 3, 4]) {
        engine.write([
          { type: 'put', key, value: Uint8Array.of(value) },
          { type: 'put', key: Uint8Array.of(2, value), value: key },
        ]);
        if (value === 2) {
          engine.flush();
        }
      }

      engine.crash(createPrng(seed));

      const [value = 0] = engine.get(key) ?? [];
      expect(engine.size).toBe(1 + value);
      values.add(value);
    }
    expect([...values].sort()).toEqual([2, 3, 4]);
  });
});
