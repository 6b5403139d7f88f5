// What users import once more as CommonJS, into dist/cjs, for programs that `require` it: Node 20 cannot require an
// ES module. Takes the modules of dist that the entries reach, and changes nothing but the kind of module.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const target = join(dist, 'cjs');
const entries = ['client/index', 'cli/testing/index'];

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
for (const path of reached(entries.map((entry) => join(dist, `${entry}.js`)))) {
  const to = placeOf(path);
  writeFileSync(to, toCommonJs(readFileSync(path, 'utf8'), path));
}
for (const path of reached(entries.map((entry) => join(dist, `${entry}.d.ts`)))) {
  cpSync(path, placeOf(path));
}

/** These files and all of dist that they import, directly or not; declarations import declarations. */
function reached(paths) {
  const found = new Set();
  const rest = [...paths];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    if (!found.has(path)) {
      found.add(path);
      const extension = path.endsWith('.d.ts') ? '.d.ts' : '.js';
      for (const { fileName } of ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles) {
        if (fileName.startsWith('.')) {
          rest.push(resolve(dirname(path), fileName.replace(/\.[jt]s$/, extension)));
        }
      }
    }
  }
  return found;
}

function placeOf(path) {
  const to = join(target, relative(dist, path));
  mkdirSync(dirname(to), { recursive: true });
  return to;
}

function toCommonJs(source, fileName) {
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      allowJs: true,
    },
  });
  // A module of this kind knows its place by another name, and dist/cjs is one folder deeper.
  return outputText
    .replace(/new URL\('((?:\.\.\/)+)([^']*)', import\.meta\.url\)/g, "new URL('../$1$2', import.meta.url)")
    .replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename)")
    .replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
}
