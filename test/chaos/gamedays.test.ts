import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { GameDay, Step } from '../../chaos/gamedays/gameday.ts';
import { describeBrief } from '../../chaos/gamedays/gameday.ts';
import { gameDays } from '../../chaos/gamedays/index.ts';
import { TerminalOperator } from '../../chaos/gamedays/operator.ts';
import { parseGameDayOptions, toxiproxyUrlFor } from '../../chaos/gamedays/options.ts';
import { type Healable, type Operator, takeNotes, takeSteps } from '../../chaos/gamedays/runner.ts';
import { stateAt } from '../../chaos/gamedays/storage.ts';
import { verdictOf } from '../../chaos/gamedays/verdict.ts';

/** A stage that counts its healings, and an operator who says no to the step of this number. */
class Rehearsal implements Healable, Operator {
  healings = 0;
  nowMs = 0;
  readonly said: string[] = [];
  #asked = 0;
  readonly #refused: number;

  constructor(refused = 0) {
    this.#refused = refused;
  }

  async healAll(): Promise<void> {
    this.healings++;
    return Promise.resolve();
  }

  say(text: string): void {
    this.said.push(text);
  }

  async confirms(): Promise<boolean> {
    return Promise.resolve(++this.#asked !== this.#refused);
  }

  async note(question: string): Promise<string> {
    return Promise.resolve(`answer to ${question}`);
  }
}

function step(title: string, act: Step<Rehearsal>['act']): Step<Rehearsal> {
  return { title, about: `about ${title}`, act };
}

const fine = step('Do it', async (stage) => {
  stage.nowMs += 10;
  const check = { what: 'it holds', isMet: true, seen: 'it did' };
  return Promise.resolve({ seen: 'done', checks: [check] });
});

describe('a game day', () => {
  test('takes its steps in order, says what was seen, and heals in the end', async () => {
    const rehearsal = new Rehearsal();

    const story = await takeSteps([fine, { ...fine, title: 'Undo it' }], rehearsal, rehearsal);

    expect(story.end).toBe('completed');
    expect(story.steps).toMatchObject([
      { title: 'Do it', fromMs: 0, toMs: 10, seen: 'done' },
      { title: 'Undo it', fromMs: 10, toMs: 20 },
    ]);
    expect(rehearsal.said.join('\n')).toContain('as expected: it holds (it did)');
    expect(rehearsal.healings).toBe(1);
  });

  test('does no step that the operator does not want, and heals', async () => {
    const rehearsal = new Rehearsal(2);

    const story = await takeSteps([fine, fine, fine], rehearsal, rehearsal);

    expect(story).toMatchObject({ end: 'aborted', steps: [{ seen: 'done' }] });
    expect(rehearsal.healings).toBe(1);
  });

  test('ends with a step that fails, says how, and heals', async () => {
    const rehearsal = new Rehearsal();
    const broken = step('Break it', async () => Promise.reject(new Error('no such link')));

    const story = await takeSteps([broken, fine], rehearsal, rehearsal);

    expect(story).toMatchObject({ end: 'failed', steps: [{ seen: /no such link/ }] });
    expect(rehearsal.healings).toBe(1);
  });

  test('asks what is to be written down', async () => {
    const [day] = Array.from(gameDays.values());
    const [question = ''] = day?.brief.writeDown ?? [];

    const notes = await takeNotes(day as GameDay, new Rehearsal());

    expect(notes[0]).toEqual({ question, answer: `answer to ${question}` });
  });
});

describe('the verdict of a game day', () => {
  const step = { title: '', fromMs: 0, toMs: 0, seen: '' };
  const met = { ...step, checks: [{ what: '', isMet: true, seen: '' }] };
  const missed = { ...step, checks: [{ what: '', isMet: false, seen: '' }] };

  test.each([
    ['good', 'completed', met, 'good'],
    ['bad', 'completed', missed, 'good'],
    ['bad', 'completed', met, 'bad'],
    ['undecided', 'completed', met, 'undecided'],
    ['undecided', 'aborted', met, 'good'],
    ['bad', 'aborted', missed, 'good'],
  ] as const)('is %s: %s', (expected, end, taken, verdict) => {
    expect(verdictOf({ end, steps: [taken] }, { verdict })).toBe(expected);
  });
});

describe('the operator at a terminal', () => {
  function at(text: string): TerminalOperator {
    const input = new PassThrough();
    input.end(text);
    return new TerminalOperator(input, new PassThrough());
  }

  test('goes on with Enter, and ends with q or when the input ends', async () => {
    expect(await at('\n').confirms('Go on')).toBe(true);
    expect(await at('q\n').confirms('Go on')).toBe(false);
    expect(await at('').confirms('Go on')).toBe(false);
  });

  test('writes down what is typed, or nothing', async () => {
    expect(await at('two seconds\n').note('How long?')).toBe('two seconds');
    expect(await at('').note('How long?')).toBe('');
  });
});

describe('the game days that there are', () => {
  const days = Array.from(gameDays.values());

  test.each(days.map((day) => [day.name, day] as const))(
    '%s has a whole brief, and a runbook for the day when nobody asked for it',
    (_, day) => {
      const { hypothesis, expected, watch, abort, writeDown, runbook } = day.brief;

      expect(hypothesis.length).toBeGreaterThan(40);
      for (const list of [expected, watch, abort, writeDown]) {
        expect(list.length).toBeGreaterThanOrEqual(2);
      }
      expect(existsSync(join('docs', runbook))).toBe(true);
      expect(describeBrief(day)).toContain(hypothesis);
      expect(day.steps.length).toBeGreaterThanOrEqual(3);
    },
  );

  test('are all named in the documentation', () => {
    const page = readFileSync('docs/gamedays.md', 'utf8');

    expect(days.filter(({ name }) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('parseGameDayOptions', () => {
  const names = ['leader-loss', 'disk-full'];

  test('takes a name, and how it is to be led', () => {
    const args = ['disk-full', '--yes', '--short', '--seed', '7'];

    expect(parseGameDayOptions(args, names)).toMatchObject({
      ...{ name: 'disk-full', saysYes: true, isShort: true, seed: 7 },
    });
    expect(parseGameDayOptions(['--list'], names).name).toBe('');
  });

  test.each([
    [[], /which one\?: there are leader-loss/],
    [['earthquake'], /earthquake: there are/],
    [['leader-loss', '--seed', 'x'], /--seed x/],
  ])('refuses %j and says what there is', (args, expected) => {
    expect(() => parseGameDayOptions(args, names)).toThrow(expected);
  });
});

describe('chaos/run.mjs', () => {
  test('says what to do where packages are missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-bare-'));
    copyFileSync('chaos/run.mjs', join(folder, 'run.mjs'));

    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'run.mjs')], {
      encoding: 'utf8',
    });

    expect(status).toBe(1);
    expect(stderr).toMatch(/run "npm ci" first/);
    rmSync(folder, { recursive: true });
  });
});

describe('npm run gameday', () => {
  test('with an unknown name says in a line which there are, and ends with 2', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['chaos/run.mjs', 'chaos/gamedays/main.ts', 'earthquake'],
      { encoding: 'utf8' },
    );

    expect(stderr).toBe(`gameday: earthquake: there are ${[...gameDays.keys()].join(', ')}\n`);
    expect(status).toBe(2);
    expect(stdout).toBe('');
  });
});

describe('toxiproxyUrlFor', () => {
  test('takes the one that is named, else that of the containers, else ours', () => {
    expect(toxiproxyUrlFor('docker', 'http://127.0.0.1:1')).toBe('http://127.0.0.1:1');
    expect(toxiproxyUrlFor('local', 'http://127.0.0.1:1')).toBe('http://127.0.0.1:1');
    expect(toxiproxyUrlFor('docker')).toBe('http://127.0.0.1:8474');
    expect(toxiproxyUrlFor('local')).toBe('');
  });

  test('takes an empty name for none', () => {
    expect(toxiproxyUrlFor('docker', '')).toBe(toxiproxyUrlFor('docker'));
    expect(toxiproxyUrlFor('local', '')).toBe('');
  });
});

describe('stateAt', () => {
  test('is what the events up to a revision have left', () => {
    const event = { createRevision: 0, version: 1 };
    const events = new Map([
      [3, [{ ...event, type: 'delete' as const, key: 'a', value: '', modRevision: 3 }]],
      [2, [{ ...event, type: 'put' as const, key: 'a', value: '1', modRevision: 2 }]],
      [4, [{ ...event, type: 'put' as const, key: 'b', value: '2', modRevision: 4 }]],
    ]);

    expect(Array.from(stateAt(events, 2))).toEqual([['a', '1']]);
    expect(Array.from(stateAt(events, 4))).toEqual([['b', '2']]);
  });
});
