import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClientTls, Dialler } from '../../../src/cli/client/dialler.ts';
import { TestCa, writeFiles } from '../../harness/certificates.ts';

let folder: string;
let paths: Readonly<Record<'ca' | 'cert' | 'key' | 'other', string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-dialler-'));
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue('client');
  paths = await writeFiles(folder, { ca: ca.pem, cert, key, other: (await ca.issue('o')).key });
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

function dialler(files: Partial<Record<'ca' | 'cert' | 'key', string>>): Dialler {
  const named = Object.entries(files).map(([name, path]) => [name, { where: `--${name}`, path }]);
  const tls = Object.fromEntries(named) as Partial<ClientTls>;
  return new Dialler({ skipsVerification: false, ...tls }, []);
}

describe('files of a command', () => {
  test('may be all, or the CA alone', () => {
    expect(() => dialler({ ca: paths.ca, cert: paths.cert, key: paths.key })).not.toThrow();
    expect(() => dialler({ ca: paths.ca })).not.toThrow();
  });

  test.each<[string, () => Parameters<typeof dialler>[0], RegExp]>([
    ['a key alone', () => ({ key: paths.key }), /^holdfast: --key: needs --cert beside it$/],
    ['a missing one', () => ({ ca: '/nowhere' }), /^holdfast: --ca: \/nowhere: there is no such/],
    ['no certificate', () => ({ ca: paths.key }), /^holdfast: --ca: .*but a private key/],
    [
      'another’s key',
      () => ({ cert: paths.cert, key: paths.other }),
      /^holdfast: --key: .*does not belong to the certificate/,
    ],
  ])('that cannot be used end it as wrong usage: %s', (_what, files, problem) => {
    expect(() => dialler(files())).toThrow(problem);
    expect(() => dialler(files())).toThrow(expect.objectContaining({ exitCode: 2 }) as Error);
  });
});

describe('why an endpoint is not reached', () => {
  const closed =
    'Last error: Error: Failed to connect (2026-01-01T00:00:00.000Z). Resolution note:';

  test('hints at TLS that is spoken there, or at a certificate that is not taken', () => {
    expect(dialler({}).reasonOf('a:1', closed)).toMatch(/if it speaks TLS, write https:\/\//);
    expect(dialler({}).reasonOf('https://a:1', closed)).toMatch(/^TLS: .*not accept the certif/);
    expect(dialler({ ca: paths.ca }).reasonOf('a:1', closed)).toMatch(/^TLS: /);
  });

  test('is left as it is otherwise', () => {
    expect(dialler({}).reasonOf('a:1', 'connect ECONNREFUSED 127.0.0.1:1')).toBe(
      'connect ECONNREFUSED 127.0.0.1:1',
    );
  });
});
