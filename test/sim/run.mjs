/**
 * Starts the simulator: `npm run sim -- --seed 7`. Node 20 does not run TypeScript, so the simulator
 * and the sources that it reaches are compiled first, file by file, into a cache beside the packages;
 * a file that has not changed is not compiled again. See `build.ts`, which is compiled here.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const cache = join(root, 'node_modules/.cache/holdfast-sim');

mkdirSync(cache, { recursive: true });
const { outputText } = ts.transpileModule(readFileSync(join(here, 'build.ts'), 'utf8'), {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
});
const builder = join(cache, 'build.mjs');
writeFileSync(builder, outputText);
const { buildSimulator } = await import(pathToFileURL(builder).href);
const main = buildSimulator({ root, out: join(cache, 'sound') });
await import(pathToFileURL(main).href);
