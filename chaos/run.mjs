/**
 * Starts a program of this folder: `node chaos/run.mjs chaos/main.ts …`. Node 20 does not run
 * TypeScript, so it and what it reaches are compiled first, as the simulator is.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, 'node_modules/.cache/holdfast-chaos');
const [entry, ...args] = process.argv.slice(2);

const ts = await import('typescript').then(
  (module) => module.default,
  (error) => {
    console.error(`${error.message}\nThis project's packages are missing: run "npm ci" first.`);
    process.exit(1);
  },
);
mkdirSync(cache, { recursive: true });
const { outputText } = ts.transpileModule(
  readFileSync(join(root, 'test/sim/build.ts'), 'utf8'),
  { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 } },
);
const builder = join(cache, 'build.mjs');
writeFileSync(builder, outputText);
const { buildSimulator } = await import(pathToFileURL(builder).href);
const out = join(cache, 'out');
const main = buildSimulator({ root, out, entry });
// The contracts are read at start, from beside the compiled sources.
if (!existsSync(join(out, 'proto'))) {
  symlinkSync(join(root, 'proto'), join(out, 'proto'));
}
process.argv = [process.argv[0] ?? 'node', main, ...args];
await import(pathToFileURL(main).href);
