/**
 * Stories: text files of commands and what they print.
 *
 * A file is a sequence of blocks. A block is comment lines (`#`), one command line `name word
 * key=value`, lines of input, `----`, and the output up to the next blank line. `REWRITE=1` writes
 * the output anew; whoever does that must be able to explain each changed line.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** One command of a story. */
export interface StoryCommand {
  readonly name: string;
  /** The words without `=`, in order. */
  readonly words: readonly string[];
  /** The words with `=`. */
  readonly options: ReadonlyMap<string, string>;
  /** Lines between the command and `----`. */
  readonly input: readonly string[];
  /** Where it stands, for messages. */
  readonly place: string;
}

/** Carries out commands of one story; returns what each prints. */
export type StoryRunner = (command: StoryCommand) => readonly string[];

interface Block {
  /** Comments and blank lines before the command. */
  readonly preamble: readonly string[];
  readonly head: string;
  readonly command: StoryCommand;
  readonly output: readonly string[];
}

/** Makes one test of every `.txt` file in `directory`. */
export function runStories(directory: string, createRunner: () => StoryRunner): void {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .sort();
  describe('stories', () => {
    test.each(names)('%s', (name) => {
      runStory(join(directory, name), createRunner());
    });
  });
}

function runStory(path: string, run: StoryRunner): void {
  const text = readFileSync(path, 'utf8');
  const { blocks, epilogue } = parseStory(path, text);
  const lines: string[] = [];
  for (const { preamble, head, command, output } of blocks) {
    const printed = run(command);
    const actual = printed.length === 0 ? ['ok'] : printed;
    lines.push(...preamble, head, ...command.input, '----', ...actual);
    if (process.env['REWRITE'] !== '1') {
      expect(actual, `${command.place}: ${head}`).toEqual(output);
    }
  }
  lines.push(...epilogue);
  if (process.env['REWRITE'] === '1') {
    writeFileSync(path, `${lines.join('\n').trimEnd()}\n`);
  }
}

function parseStory(path: string, text: string): { blocks: Block[]; epilogue: string[] } {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (isWanted: (line: string) => boolean): string[] => {
    const taken: string[] = [];
    for (let line = lines[at]; line !== undefined && isWanted(line); line = lines[at]) {
      taken.push(line);
      at++;
    }
    return taken;
  };
  for (;;) {
    const preamble = takeWhile((line) => line === '' || line.startsWith('#'));
    const head = lines[at];
    if (head === undefined) {
      return { blocks, epilogue: preamble };
    }
    const place = `${path}:${at + 1}`;
    at++;
    const input = takeWhile((line) => line !== '----');
    if (lines[at] !== '----') {
      throw new Error(`${place}: '${head}' has no ----`);
    }
    at++;
    const output = takeWhile((line) => line !== '');
    blocks.push({ preamble, head, command: parseCommand(head, input, place), output });
  }
}

function parseCommand(head: string, input: readonly string[], place: string): StoryCommand {
  const [name = '', ...rest] = head.trim().split(/\s+/);
  const words = rest.filter((word) => !word.includes('='));
  const options = new Map<string, string>();
  for (const word of rest.filter((each) => each.includes('='))) {
    const equals = word.indexOf('=');
    options.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return { name, words, options, input, place };
}
