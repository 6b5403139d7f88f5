import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type AccessFiles, readAccessFiles } from '../../../src/cli/client/access-files.ts';
import { TestCa, writeFiles } from '../../harness/certificates.ts';

const ca = await TestCa.create();
const [me, other] = [await ca.issue('me'), await ca.issue('other')];
const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const paths = await writeFiles(folder, {
  ca: ca.pem,
  cert: me.cert,
  key: me.key,
  otherKey: other.key,
  empty: '',
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function named(flag: string, path: string): { readonly where: string; readonly path: string } {
  return { where: flag, path };
}

const good = {
  ca: named('--cacert', paths.ca),
  cert: named('--cert', paths.cert),
  key: named('--key', paths.key),
};

describe('readAccessFiles', () => {
  test('reads what was named, and nothing else', () => {
    const { ca: caPem, cert, key } = readAccessFiles(good);

    expect([caPem, cert, key].map(String)).toEqual([ca.pem, me.cert, me.key]);
    expect(readAccessFiles({})).toEqual({ ca: undefined, cert: undefined, key: undefined });
  });

  test.each<readonly [Partial<AccessFiles>, string]>([
    [{ cert: good.cert }, '--cert: needs --key beside it'],
    [{ key: good.key }, '--key: needs --cert beside it'],
    [{ ca: named('--cacert', '/nowhere/ca.pem') }, '--cacert: /nowhere/ca.pem: there is no such'],
    [{ ca: named('--cacert', paths.empty) }, 'holds no certificate'],
    [{ ...good, key: named('--key', paths.otherKey) }, 'does not belong to the certificate in'],
  ])('%o is refused', (files, problem) => {
    expect(() => readAccessFiles(files)).toThrow(problem);
  });
});
