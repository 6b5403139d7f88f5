/**
 * House rules that no other tool checks, as a test: what a file may look like, and what must be
 * said in two places at once. Allow-lists here only ever shrink.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../src/base/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const columnsMax = 100;
const fileBytesMax = 200 * 1024;
const facadeLinesMax = 40;
const sourceLinesMax = 800;
const testLinesMax = 1000;
const functionLinesMax = 70;
const storyLinesMax = 150;

/** Source files without a test of their own name, and what tests them instead. */
const testedElsewhere: Readonly<Record<string, string>> = {
  'src/replica/api.ts': 'types only',
  'src/replica/auth-api.ts': 'types only',
  'src/kv/auth-command.ts': 'types only',
  'src/kv/key-selector.ts': 'types only',
  'src/rpc/cryptography.ts': 'types only',
  'src/rpc/gateway-connection.ts': 'test/rpc/json-gateway.test.ts',
  'src/rpc/large-answer.ts': 'test/rpc/admission.test.ts',
  'src/rpc/http-pages.ts': 'test/rpc/http-endpoints.test.ts',
  'src/rpc/json-routes.ts': 'test/compat/json-gateway.test.ts asks for most of them',
  'src/raft/types.ts': 'types only',
  'src/raft/message.ts': 'types only',
  'src/raft/ready.ts': 'types only',
  'src/raft/loads.ts': 'test/raft/raft.test.ts and snapshots.test.ts',
  'src/storage/ports.ts': 'types only; the suites of test/conformance hold implementations to it',
  'src/transport/ports.ts': 'types only',
  'src/base/time.ts': 'types only',
  'src/tls/settings.ts': 'types only',
  'src/wire/types.ts': 'types only',
  'src/storage/snapshot-decoder.ts': 'test/storage/snapshot-format.test.ts',
  'src/storage/engine-manifest.ts': 'test/storage/engine-check.test.ts and engine-damage.test.ts',
  'src/storage/rocksdb-errors.ts': 'test/storage/engine-rocksdb.test.ts and engine-damage.test.ts',
  'src/storage/rocksdb-families.ts':
    'test/storage/engine-rocksdb.test.ts, twice with a table apart',
  'src/storage/rocksdb-reader.ts': 'test/storage/engine-rocksdb.test.ts',
  'src/storage/read-window.ts': 'test/storage/wal-crash-matrix.test.ts',
  'src/storage/wal-recovery.ts': 'test/storage/wal-crash-matrix.test.ts',
  'src/storage/file-system.ts': 'types only',
  'src/storage/node-file-system.ts': 'test/storage/wal.test.ts, on a real directory',
  'src/storage/segment-supply.ts': 'test/storage/wal.test.ts',
  'src/kv/session-answers.ts': 'test/kv/answers.test.ts and state-machine-model.test.ts',
  'src/kv/answer-table.ts': 'test/kv/answers.test.ts and state-machine-model.test.ts',
  'src/kv/command.ts': 'types only',
  'src/kv/key-loader.ts': 'test/kv/apply-memory.test.ts and state-machine.test.ts',
  'src/kv/meta-changes.ts': 'test/kv/alarms.test.ts, named-records.test.ts and authorise.test.ts',
  'src/kv/execute.ts': 'test/kv/state-machine.test.ts and state-machine-model.test.ts',
  'src/rpc/waits.ts': 'test/rpc/lock.test.ts',
  'src/kv/operation-codec.ts': 'test/kv/command-codec.test.ts',
  'src/kv/lease-commands.ts': 'test/kv/leases.test.ts and state-machine-model.test.ts',
  'src/replica/call-options.ts': 'types only',
  'src/replica/lease-api.ts': 'types only',
  'src/replica/member-status.ts': 'test/replica/driver.test.ts',
  'src/replica/member-config.ts': 'types only',
  'src/replica/watch-api.ts': 'types only',
  'src/replica/queued-watch.ts': 'test/replica/watch-queue.test.ts and watches.test.ts',
  'src/replica/watch-notices.ts': 'test/replica/watch-queue.test.ts and watches.test.ts',
  'src/replica/administration.ts': 'test/replica/driver-membership.test.ts',
  'src/replica/inbox.ts': 'test/replica/driver.test.ts and driver-integrity.test.ts',
  'src/replica/integrity.ts': 'test/replica/driver-integrity.test.ts',
  'src/replica/log-writer.ts': 'test/replica/driver.test.ts',
  'src/replica/quarantine.ts': 'test/replica/driver-integrity.test.ts and rebuild.test.ts',
  'src/replica/succession.ts': 'test/replica/driver.test.ts and driver-integrity.test.ts',
  'src/replica/applying.ts': 'test/replica/rebuild.test.ts and driver.test.ts',
  'src/replica/parts.ts': 'test/replica/driver.test.ts and its siblings',
  'src/replica/opening.ts': 'test/replica/rebuild.test.ts and bootstrap.test.ts',
  'src/cli/server-command.ts': 'test/cli/main.test.ts and server.test.ts',
  'src/cli/dev-command.ts': 'test/cli/main.test.ts and dev.test.ts',
  'src/cli/certificates-command.ts': 'test/cli/documentation.test.ts and certificates.test.ts',
  'src/cli/unsafe-recover-command.ts': 'test/cli/unsafe-recover.test.ts',
  'src/cli/bench/run.ts': 'test/cli/bench/command.test.ts',
  'src/cli/client/auth-output.ts': 'test/cli/client/auth-commands.test.ts',
  'src/cli/client/password-input.ts': 'test/cli/client/auth-commands.test.ts',
  'src/cli/client/sign-in.ts': 'test/cli/client/auth-commands.test.ts',
  'src/cli/client/session.ts': 'test/cli/client/lock-command.test.ts, as processes',
  'src/client/waiting.ts': 'test/client/pipeline.test.ts',
  'src/client/operation-size.ts': 'test/client/pipeline.test.ts',
  'src/client/patterns.ts': 'types only',
  'src/client/attempts.ts': 'test/client/caller.test.ts',
  'src/client/dispose.ts': 'test/client/ownership.test.ts, by its blocks',
  'src/client/election.ts': 'test/client/ownership.test.ts, on clusters',
  'src/client/kv-types.ts': 'types only',
  'src/client/lease-calls.ts': 'test/client/lease.test.ts',
  'src/client/leader-finder.ts': 'test/client/caller.test.ts',
  'src/client/operations.ts': 'test/client/kv.test.ts',
  'src/client/pending.ts': 'test/client/pipeline.test.ts',
  'src/client/pipeline-stream.ts': 'test/client/pipeline.test.ts',
  'src/client/ports.ts': 'types only',
  'src/client/transact.ts': 'test/client/txn.test.ts',
  'src/rpc/kv-operations.ts': 'test/rpc/kv.test.ts and pipeline.test.ts',
  'src/cli/client/watch.ts': 'test/cli/client/watch-command.test.ts, as processes',
  'src/cli/testing/test-member.ts': 'test/cli/testing/test-cluster.test.ts',
  'src/cli/compose.ts': 'test/cli/server.test.ts, as processes',
  'src/cli/stores.ts': 'test/drills/byte-flips.test.ts, as processes',
};

/** Words the house does not use in code, and what it says instead. */
const bannedWords: readonly { readonly word: RegExp; readonly instead: string }[] = [
  { word: /\bFIXME\b/, instead: 'fix it, or write TODO(#issue)' },
  { word: /\bTODO(?!\(#\d+\))/, instead: 'TODO(#issue)' },
  { word: /\bfsm\b/i, instead: 'state machine' },
  { word: /\bmaster\b/i, instead: 'leader' },
  { word: /\bslave\b/i, instead: 'follower' },
  { word: /\bcommittedIdx\b/, instead: 'commitIndex' },
];

/** Source, unlike tests, chooses its own option names; vitest calls its limit plainly `timeout`. */
const bareTimeout = /(?<![\w'"-])timeout\??:/;

/** Addresses, and imports of one name: the formatter leaves them on one line. */
const unbreakable = /https?:\/\/|^(?:im|ex)port type \{ [^,]* \} from '[^']*';$/;

/** A citation of the thesis or paper, in any spelling; the right one is `Raft thesis §6.4`. */
const placeInText = '(?:sec(?:tion|\\.)?|ch(?:apter|\\.)?|fig(?:ure|\\.)?|§+) ?\\d[\\d.]*';
const thesisMention = new RegExp(
  `\\b(?:Raft )?(?:thesis|dissertation|paper)[ ,]+${placeInText}`,
  'gi',
);
const thesisCitation =
  /^(?:Raft )?(?:thesis §\d+(?:\.\d+)*|paper (?:§\d+(?:\.\d+)*|Fig\. \d+))\.?$/;

function listFiles(): readonly string[] {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard'],
    options,
  );
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
}

const files = listFiles();
const sources = files.filter((path) => /^src\/.*\.ts$/.test(path) && !isForeign(path));
const tests = files.filter((path) => /^(test|chaos)\/.*\.ts$/.test(path));
const checkers = files.filter((path) => /^chaos\/checkers\/.*\.ts$/.test(path));
const pages = files.filter((path) => path.endsWith('.md'));

/** Generated files and declarations of other packages follow their maker's style. */
function isForeign(path: string): boolean {
  return path.endsWith('.d.ts') || path.includes('/generated/');
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The lines of `path` that `isOffence` names, as `path:line what`. */
function offences(
  paths: readonly string[],
  isOffence: (line: string) => string | undefined,
): readonly string[] {
  const found: string[] = [];
  for (const path of paths) {
    for (const [index, line] of read(path).split('\n').entries()) {
      const offence = isOffence(line);
      if (offence !== undefined) {
        found.push(`${path}:${index + 1} ${offence}`);
      }
    }
  }
  return found;
}

/** Code points, so that a symbol outside the basic plane counts once. */
function columnsOf(line: string): number {
  return Array.from(line).length;
}

function lineCount(path: string): number {
  return read(path).trimEnd().split('\n').length;
}

function longerThan(paths: readonly string[], linesMax: number): readonly string[] {
  const long = paths.filter((path) => lineCount(path) > linesMax);
  return long.map((path) => `${path} has ${lineCount(path)} lines, at most ${linesMax}`);
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2023, true);
}

/** Exported declarations of `path` that no TSDoc comment describes. */
function undocumentedExports(path: string): readonly string[] {
  const file = parse(path);
  const names: string[] = [];
  for (const statement of file.statements) {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some((it) => it.kind === ts.SyntaxKind.ExportKeyword) === true;
    if (isExported && ts.getJSDocCommentsAndTags(statement).length === 0) {
      const start = file.getLineAndCharacterOfPosition(statement.getStart());
      names.push(`${path}:${start.line + 1}`);
    }
  }
  return names;
}

/** Functions of `path` whose code, blank lines and comments aside, is too long. */
function longFunctions(path: string): readonly string[] {
  const file = parse(path);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const code = node.getText().replace(/\/\*[\s\S]*?\*\//g, '');
      const lines = code.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
      if (lines > functionLinesMax) {
        const start = file.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${path}:${start.line + 1} has ${lines} lines`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('source files', () => {
  test('no line is longer than 100 columns', () => {
    const long = offences([...sources, ...tests], (line) =>
      columnsOf(line) > columnsMax && !unbreakable.test(line)
        ? `has ${columnsOf(line)} columns`
        : undefined,
    );

    expect(long).toEqual([]);
  });

  test('banned words do not occur', () => {
    const self = basename(fileURLToPath(import.meta.url));
    const searched = [...sources, ...tests].filter((path) => basename(path) !== self);

    const found = offences(searched, (line) => {
      const banned = bannedWords.find(({ word }) => word.test(line));
      return banned === undefined ? undefined : `${String(banned.word)}: write ${banned.instead}`;
    });

    expect(found).toEqual([]);
  });

  test('on the way of each record and message no literal is spread into another', () => {
    const hot = sources.filter((path) => /^src\/(?:kv|raft|wire|storage|transport)\//.test(path));
    const found = offences(hot, (line) =>
      line.includes('...{')
        ? 'name the properties: after a spread each one costs 1 µs, and the object a shape'
        : undefined,
    );

    expect(found).toEqual([]);
  });

  test('a timeout is named with its unit', () => {
    const found = offences(sources, (line) =>
      bareTimeout.test(line) ? 'write a name with its unit, as timeoutMs' : undefined,
    );

    expect(found).toEqual([]);
  });

  test('every source file starts with a module comment', () => {
    const without = [...sources, ...checkers].filter((path) => !read(path).startsWith('/**'));

    expect(without).toEqual([]);
  });

  test('every exported declaration has TSDoc', () => {
    const documented = [...sources, ...checkers];

    expect(documented.flatMap((path) => undocumentedExports(path))).toEqual([]);
  });

  test('every source file has a test of its name or says what tests it', () => {
    const untested = sources.filter((path) => {
      const mirror = path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
      return !path.endsWith('/index.ts') && !files.includes(mirror) && !(path in testedElsewhere);
    });

    expect(untested).toEqual([]);
  });

  test('every checker has a test of its name', () => {
    const untested = checkers.filter(
      (path) => !files.includes(`test/${path}`.replace(/\.ts$/, '.test.ts')),
    );

    expect(untested).toEqual([]);
  });

  test('the list of files tested elsewhere names only files that need it', () => {
    const stale = Object.keys(testedElsewhere).filter((path) => {
      const mirror = path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
      return !files.includes(path) || files.includes(mirror);
    });

    expect(stale).toEqual([]);
  });

  test('files, facades and functions keep their size', () => {
    const facades = sources.filter((path) => /^src\/[^/]+\/index\.ts$/.test(path));

    expect(longerThan(sources, sourceLinesMax)).toEqual([]);
    expect(longerThan(tests, testLinesMax)).toEqual([]);
    expect(longerThan(facades, facadeLinesMax)).toEqual([]);
    expect(sources.flatMap((path) => longFunctions(path))).toEqual([]);
  });

  test('the thesis and the paper are cited in one form', () => {
    const found = offences([...sources, ...tests], (line) =>
      line.match(thesisMention)?.find((mention) => !thesisCitation.test(mention)),
    );

    expect(found).toEqual([]);
  });

  test('a rule is switched off only with a reason', () => {
    const found = offences([...sources, ...tests], (line) => {
      const isDisable = /(?:\/\/|\/\*) eslint-disable/.test(line);
      return isDisable && !/eslint-disable\S* .* -- \S/.test(line) ? 'gives no reason' : undefined;
    });

    expect(found).toEqual([]);
  });
});

describe('tests and stories', () => {
  test('no test is skipped or run alone', () => {
    const found = offences(tests, (line) =>
      /^\s*(?:test|it|describe)\.(?:skip|only|todo)\(/.test(line) ? line.trim() : undefined,
    );

    expect(found).toEqual([]);
  });

  test('a story fits on a few screens', () => {
    const stories = files.filter((path) => /^test\/.*\/testdata\/.*\.txt$/.test(path));

    expect(longerThan(stories, storyLinesMax)).toEqual([]);
  });
});

describe('errors', () => {
  test('every code is explained', () => {
    const page = read('docs/errors.md');

    expect(errorCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  test('every code has a gRPC status', () => {
    const path = 'src/rpc/status.ts';
    const status = files.includes(path) ? read(path) : '';

    expect(errorCodes.filter((code) => !new RegExp(`\\b${code}\\b`).test(status))).toEqual([]);
  });
});

describe('repository', () => {
  test('no file is larger than 200 KiB', () => {
    const large = files.filter((path) => statSync(join(root, path)).size > fileBytesMax);

    expect(large).toEqual([]);
  });

  test('every page has one title', () => {
    const wrong = pages.filter((path) => {
      const prose = read(path).replace(/^```[\s\S]*?^```/gm, '');
      return (prose.match(/^# \S/gm) ?? []).length !== 1;
    });

    expect(wrong).toEqual([]);
  });

  test('no file names a machine or the address of a registry', () => {
    const foreign = /(?<![\w.$}])\/(?:home|work|Users)\/\w|registry\.[\w-]+\.\w+|\/artifactory\//;
    const readable = files.filter((path) => !/\.(png|svg|ico|bin)$/.test(path));
    const self = 'test/tidy.test.ts';

    const found = offences(
      readable.filter((path) => path !== self),
      (line) => foreign.exec(line)?.[0],
    );

    expect(found).toEqual([]);
  });

  test('the lock file knows every optional package, so that a clean install accepts it', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<
        Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
      >;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined &&
          packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );

    expect(missing).toEqual([]);
  });

  test('the lock file says what to install, not from where', () => {
    expect(read('package-lock.json').includes('"resolved"')).toBe(false);
  });
});
