/**
 * Compiles the simulator (or another program that is not shipped) and every source file that it
 * reaches into one directory of JavaScript, without checking types, so that Node runs it as it is.
 * A mutant is the same with one text of one source file replaced.
 *
 * A compiled file is kept for as long as its source has not changed. This file must stay free of
 * imports from the project: `run.mjs` compiles it alone.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** One text of one source file, replaced. */
export interface Patch {
  /** Path below the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface BuildOptions {
  /** The project's root. */
  readonly root: string;
  /** Where the compiled files go. */
  readonly out: string;
  /**
   * A directory of the same build without the patches: what they do not touch is taken from there.
   */
  readonly patches?: readonly Patch[];
  /** What is started, below the root; the simulator when left out. */
  readonly entry?: string;
}

const simulator = 'test/sim/main.ts';
const importPattern = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g;

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/**
 * Compiles what has changed and returns the path of the compiled `entry`.
 *
 * @throws {Error} when a patch names a text that its file does not have exactly once: a stale one.
 */
export function buildSimulator({
  root,
  out,
  patches = [],
  entry = simulator,
}: BuildOptions): string {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'package.json'), '{"type":"module"}\n');
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) {
      continue;
    }
    seen.add(file);
    const source = join(root, file);
    const target = join(out, file.replace(/\.ts$/, '.js'));
    const filePatches = patches.filter((patch) => patch.file === file);
    const text = patched(readFileSync(source, 'utf8'), filePatches);
    if (!isNewer(target, source) || filePatches.length > 0) {
      mkdirSync(dirname(target), { recursive: true });
      // In one step, since several processes may build at a time.
      writeFileSync(
        `${target}.${process.pid}`,
        ts.transpileModule(text, { compilerOptions }).outputText,
      );
      renameSync(`${target}.${process.pid}`, target);
    }
    for (const imported of importsOf(text)) {
      waiting.push(relative(root, resolve(dirname(source), imported)));
    }
  }
  const unused = patches.find((patch) => !seen.has(patch.file));
  if (unused !== undefined) {
    throw new Error(`${entry} does not reach ${unused.file}: the mutant is stale`);
  }
  return join(out, entry.replace(/\.ts$/, '.js'));
}

/** The relative imports that are left at run time. */
function importsOf(text: string): string[] {
  const withoutTypes = text.replace(/(?:import|export) type [^;]*;/g, '');
  return [...withoutTypes.matchAll(importPattern)].map((match) => match[1] ?? '');
}

function patched(text: string, patches: readonly Patch[]): string {
  let result = text;
  for (const { file, find, replace } of patches) {
    const parts = result.split(find);
    if (parts.length !== 2) {
      throw new Error(`${file} has this text ${parts.length - 1} times, not once: ${find}`);
    }
    result = parts.join(replace);
  }
  return result;
}

function isNewer(target: string, source: string): boolean {
  const targetStat = statSync(target, { throwIfNoEntry: false });
  return targetStat !== undefined && targetStat.mtimeMs >= statSync(source).mtimeMs;
}
