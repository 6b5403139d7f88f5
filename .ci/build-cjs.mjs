// The client library once more as CommonJS, into dist/cjs, for programs that `require` it: Node 20 cannot require an
// ES module. Takes the modules of dist that the client consists of, and changes nothing but the kind of module.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const target = join(dist, 'cjs');
const modules = ['base', 'wire', 'client'];

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
for (const module of modules) {
  for (const path of readdirSync(join(dist, module), { recursive: true })) {
    const [from, to] = [join(dist, module, path), join(target, module, path)];
    mkdirSync(dirname(to), { recursive: true });
    if (path.endsWith('.js')) {
      writeFileSync(to, toCommonJs(readFileSync(from, 'utf8'), from));
    } else if (path.endsWith('.d.ts')) {
      cpSync(from, to);
    }
  }
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
    .replaceAll("new URL('../../proto', import.meta.url)", "new URL('../../../proto', import.meta.url)")
    .replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename)")
    .replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
}
