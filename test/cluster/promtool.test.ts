/** Rules and queries before Prometheus' own judge, where it is installed. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { Metrics } from '../../src/observability/index.ts';
import { dashboardQueries } from './queries.ts';

const folder = fileURLToPath(new URL('../../cluster/prometheus', import.meta.url));

/**
 * Whether there is a promtool. Without one its judgements are left out, loudly; in CI that is an
 * error, so that they cannot go missing there.
 */
function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'pipe' });
    return true;
  } catch (error) {
    const problem = 'promtool cannot be run (apt-get install prometheus)';
    if (process.env['CI'] !== undefined) {
      throw new Error(`cannot check alert rules: ${problem}`, { cause: error });
    }
    // eslint-disable-next-line no-console -- whoever runs the tests must see what they do not test
    console.warn(`\n*** ALERT RULES NOT CHECKED: ${problem} ***\n`);
    return false;
  }
}

async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('promtool', [...args], { cwd: folder });
  return stdout;
}

async function scratchFile(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-promtool-'));
  onTestFinished(async () => rm(directory, { recursive: true }));
  const path = join(directory, 'file');
  await writeFile(path, text);
  return path;
}

describe.runIf(hasPromtool())('promtool', () => {
  test('accepts configuration and rules', async () => {
    expect(await promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
    // Its CA is there in the container only.
    const tls = ['--syntax-only', 'prometheus.tls.yml'];
    expect(await promtool('check', 'config', ...tls)).toContain('SUCCESS');
  });

  test.each(['rules.test.yml', 'budget.test.yml'])(
    'finds that rules do what %s says',
    async (name) => {
      expect(await promtool('test', 'rules', name)).toContain('SUCCESS');
    },
  );

  test('can read every query of the dashboards', async () => {
    const rules = dashboardQueries().map(({ expression }, i) => ({
      record: `query:number${i}`,
      expr: expression,
    }));
    const path = await scratchFile(stringify({ groups: [{ name: 'queries', rules }] }));

    expect(await promtool('check', 'rules', path)).toContain(`${rules.length} rules found`);
  });

  test('finds nothing wrong with what a member says', async () => {
    const metrics = new Metrics();
    metrics.startProcessMetrics({ nowMs: () => 1500 });
    metrics.countRequest('Put', 'OK', 0.001);
    const path = await scratchFile(await metrics.render());

    const verdict = execFileSync('sh', ['-c', `promtool check metrics < ${path} 2>&1 || true`], {
      encoding: 'utf8',
    });
    // Node's own metrics have such names; our quantiles are of the time since the last look.
    const known = /^holdfast_nodejs_|^holdfast_event_loop_delay_seconds .* "quantile" label$/;
    const ours = verdict.split('\n').filter((line) => line !== '' && !known.test(line));
    expect(ours).toEqual([]);
  });
});
