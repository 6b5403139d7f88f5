import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/index.ts';
import { familiesOf } from './exposition.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/observability.md');

/** First cells of the page's tables, each a word in code, with the rest of their row. */
function rowsOf(pattern: RegExp): ReadonlyMap<string, readonly string[]> {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.map((row) => row.slice(2, -2).split(' | '));
  const named = cells.map(([name = '', ...rest]) => [name.replaceAll('`', ''), rest] as const);
  return new Map(named.filter(([name]) => pattern.test(name)));
}

/** The names in quotes after `field:` or `readonly field:`, and on both sides of a choice. */
function literalsOf(path: string, field: string): readonly string[] {
  const lines = read(path)
    .split('\n')
    .filter((line) => new RegExp(`\\b${field}: `).test(line));
  const values = lines.map((line) => line.slice(line.search(new RegExp(`\\b${field}: `))));
  return values.flatMap((value) => {
    const [first = ''] = value.split(/[;,}]/);
    return [...first.matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)].map(([, name = '']) => name);
  });
}

describe('docs/observability.md', () => {
  test('has every metric with its type, unit, meaning and use, and no other', async () => {
    const metrics = new Metrics();
    metrics.startProcessMetrics({ nowMs: () => 1500 });
    const families = familiesOf(await metrics.render());
    const rows = rowsOf(/^holdfast_/);

    // Which ones the operating system provides differs.
    const isOurs = (name: string): boolean => !name.startsWith('holdfast_process_');
    expect([...rows.keys()].filter(isOurs).sort()).toEqual(
      families
        .map(({ name }) => name)
        .filter(isOurs)
        .sort(),
    );
    for (const { name, type } of families) {
      const [documentedType, ...cells] = rows.get(name) ?? [];

      expect(`${name} ${documentedType ?? ''}`).toBe(`${name} ${type}`);
      expect(cells).toHaveLength(3);
      expect(cells.filter((cell) => cell.trim() === '')).toEqual([]);
    }
  });

  test('has every event of the log with its level, and no other', () => {
    const neverLogged = ['reads-dropped', 'proposals-rejected'];
    const emitted = new Set([
      ...['src/cli', 'src/replica'].flatMap((folder) =>
        readdirSync(new URL(`../../${folder}`, import.meta.url))
          .filter((name) => name.endsWith('.ts'))
          .flatMap((name) => literalsOf(`${folder}/${name}`, 'event')),
      ),
      'alarm-raised',
      'alarm-lifted',
      ...literalsOf('src/transport/peer-link.ts', 'readonly type'),
      ...literalsOf('src/tls/certificates.ts', 'readonly type'),
      ...literalsOf('src/raft/ready.ts', 'readonly type'),
    ]);
    const rows = rowsOf(/^[a-z]+(-[a-z]+)*$/);

    expect([...rows.keys()].sort()).toEqual(
      [...emitted].filter((event) => !neverLogged.includes(event)).sort(),
    );
    for (const [level = ''] of rows.values()) {
      expect(level).toMatch(/^(info|warn|error|fatal)\b/);
    }
  });

  test('has every HTTP endpoint', () => {
    const paths = [...read('src/rpc/http-pages.ts').matchAll(/^ {2}'(\/\w+)',$/gm)];

    expect(paths.length).toBeGreaterThan(3);
    expect([...rowsOf(/^\//).keys()].sort()).toEqual(paths.map(([, path = '']) => path).sort());
  });
});
