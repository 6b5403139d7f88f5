/**
 * `README.md` says the truth: no item is missing, each test it names exists, each test with an
 * id is in it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(join(here, 'README.md'), 'utf8');

/** Rows of the table under a heading, without its head. */
function rowsOf(heading: string): string[][] {
  const [, after = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = after.split('\n## ');
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.slice(2, -2).split(' | '));
}

const ids = rowsOf('The items').flatMap(([section = '', , count = '']) =>
  Array.from({ length: Number(count) }, (_, i) => section + String(i + 1).padStart(2, '0')),
);
const tested = rowsOf('Tested').map(([id = '', file = '', title = '']) => ({ id, file, title }));
const notApplicable = rowsOf('Not applicable').map(([id = '', why = '']) => ({ id, why }));

function textOf(file: string): string {
  return readFileSync(file.includes('/') ? join(here, '../..', file) : join(here, file), 'utf8');
}

function isTitleIn(text: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => text.includes(quote + title + quote));
}

/** The ids that a title starts with. */
function idsOf(title: string): readonly string[] {
  return /^[A-Q]\d\d(?:, [A-Q]\d\d)*(?=: )/.exec(title)?.[0].split(', ') ?? [];
}

describe('the checklist', () => {
  test('has every item: tested, or not applicable for a reason', () => {
    expect(ids).toHaveLength(224);
    const done = new Set(tested.map(({ id }) => id));
    const left = notApplicable.map(({ id }) => id);

    expect([...done, ...left].sort()).toEqual([...ids].sort());
    expect(notApplicable.filter(({ why }) => why.length < 20)).toEqual([]);
  });

  test('names tests that exist, with the id in their title', () => {
    const wrong = tested.filter(({ id, file, title }) => {
      const isNamed = file.includes('/') || idsOf(title).includes(id);
      return !isNamed || !isTitleIn(textOf(file), title);
    });

    expect(wrong).toEqual([]);
  });

  test('lists every test that has an id', () => {
    const listed = new Set(tested.map(({ id, file, title }) => `${id} ${file} ${title}`));
    const title = /(['"`])([A-Q]\d\d(?:, [A-Q]\d\d)*: (?:(?!\1).)*)\1/g;
    const unlisted: string[] = [];
    for (const file of readdirSync(here).filter((each) => each.endsWith('.test.ts'))) {
      for (const [, , name = ''] of textOf(file).matchAll(title)) {
        const missing = idsOf(name).filter((id) => !listed.has(`${id} ${file} ${name}`));
        unlisted.push(...missing.map((id) => `${id} ${file} ${name}`));
      }
    }

    expect(unlisted).toEqual([]);
  });
});
