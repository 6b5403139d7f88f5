/**
 * Runs the storage module in a process of its own. Node 20 does not run TypeScript, so the two
 * modules it needs are transpiled into a folder first; the build need not have run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const sourceFolder = fileURLToPath(new URL('../../src/', import.meta.url));

const script = `
import { openDataDirectory } from './storage/data-dir.js';
import { nodeFileSystem } from './storage/node-file-system.js';
const [path, clusterId, memberId] = process.argv.slice(2);
try {
  await openDataDirectory({
    path,
    identity: { clusterId: Number(clusterId), memberId: Number(memberId), name: 'n1' },
    fileSystem: nodeFileSystem,
    randomUint32: () => 1,
    segmentBytes: 4096,
  });
  console.log('open');
  setInterval(() => undefined, 1000);
} catch (error) {
  console.log(error.code);
}
`;

/** Writes a program into `folder` that opens a data directory and stays; returns its path. */
export function buildStorageProgram(folder: string): string {
  for (const module of ['base', 'storage']) {
    mkdirSync(join(folder, module), { recursive: true });
    for (const name of readdirSync(join(sourceFolder, module))) {
      if (!name.endsWith('.ts') || name.endsWith('.d.ts')) {
        continue;
      }
      const source = readFileSync(join(sourceFolder, module, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          rewriteRelativeImportExtensions: true,
          verbatimModuleSyntax: true,
        },
      });
      writeFileSync(join(folder, module, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const program = join(folder, 'program.js');
  writeFileSync(program, script);
  return program;
}

/** Starts the program and waits for its first line: `open`, or the code of the error. */
export async function startStorageProgram(
  program: string,
  path: string,
  ids: { clusterId: number; memberId: number },
): Promise<{ child: ChildProcess; line: string }> {
  const args = [program, path, String(ids.clusterId), String(ids.memberId)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, line: chunk.toString().trim() };
}
