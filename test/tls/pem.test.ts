import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  certificatesIn,
  fileProblem,
  privateKeyIn,
  requireInDate,
  revocationListsIn,
} from '../../src/tls/pem.ts';
import { type Pair, TestCa } from '../harness/certificates.ts';

const file = { where: '--cert-file', path: '/etc/c.pem' };

let ca: TestCa;
let pair: Pair;

beforeAll(async () => {
  ca = await TestCa.create();
  pair = await ca.issue('n1');
});

describe('certificates', () => {
  test('are read in their order, also where no line ends between them', () => {
    const certificates = certificatesIn(file, Buffer.from(pair.cert.trim() + ca.pem));

    expect(certificates.map(({ subject }) => subject)).toEqual(['CN=n1', 'CN=test CA']);
  });

  test.each<[string, () => string, RegExp]>([
    ['nothing', () => '', /^--cert-file: \/etc\/c\.pem: holds no certificate in PEM form/],
    ['a key', () => pair.key, /but a private key; the settings .* exchanged$/],
    ['DER', () => '0\u0082', /openssl x509 -inform der -in \/etc\/c\.pem/],
    ['half a certificate', () => pair.cert.slice(0, 200), /holds no certificate/],
    ['one and a half', () => pair.cert + ca.pem.slice(0, 200), /breaks off in the middle/],
    ['a damaged one', () => pair.cert.replace(/MII/, 'AAA'), /certificate 1 in it is damaged/],
  ])('in %s are refused with what to do', (_what, text, problem) => {
    expect(() => certificatesIn(file, Buffer.from(text(), 'latin1'))).toThrow(problem);
  });

  test('are good between two moments', async () => {
    const nowMs = Date.now();
    const [old] = certificatesIn(file, Buffer.from((await ca.issue('o', { days: [-9, -1] })).cert));
    const [young] = certificatesIn(file, Buffer.from((await ca.issue('y', { days: [1, 9] })).cert));
    const [good] = certificatesIn(file, Buffer.from(pair.cert));
    if (old === undefined || young === undefined || good === undefined) {
      throw new Error('each file holds one');
    }

    expect(() => requireInDate(file, old, nowMs)).toThrow(/\(CN=o\) expired on .* GMT; renew it$/);
    expect(() => requireInDate(file, young, nowMs)).toThrow(/not good before .*check the clock/);
    expect(() => requireInDate(file, good, nowMs)).not.toThrow();
  });
});

describe('a private key', () => {
  test('is read in any of its forms', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sec1 = privateKey.export({ type: 'sec1', format: 'pem' });

    expect(privateKeyIn(file, Buffer.from(pair.key)).asymmetricKeyType).toBe('ec');
    expect(privateKeyIn(file, Buffer.from(sec1)).asymmetricKeyType).toBe('ec');
  });

  test('that needs a passphrase is refused with the way out', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = { cipher: 'aes-256-cbc', passphrase: 'secret' };
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem', ...secret });

    expect(() => privateKeyIn(file, Buffer.from(pkcs8))).toThrow(/is encrypted.*openssl pkey -in/);
  });

  test('that is none, or damaged, is refused, and nothing of it is told', () => {
    const broken = pair.key.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAA');

    expect(() => privateKeyIn(file, Buffer.from('x'))).toThrow(/holds no private key in PEM/);
    expect(() => privateKeyIn(file, Buffer.from(pair.cert))).toThrow(/but a certificate/);
    expect(() => privateKeyIn(file, Buffer.from(broken))).toThrow(/^[^\n]*is damaged[^\n]*$/);
  });
});

describe('revocation lists', () => {
  test('are found one by one, also where no line ends between two', async () => {
    const [one, two] = [await ca.revoke([]), await ca.revoke(['10'])];

    const lists = revocationListsIn(file, Buffer.from(`${one}${two}`));

    expect(lists.map((list) => list.trim())).toEqual([one.trim(), two.trim()]);
  });

  test('that are not there, or not whole, are missed', async () => {
    const list = await ca.revoke([]);

    expect(() => revocationListsIn(file, Buffer.from(pair.cert))).toThrow(/no revocation list/);
    expect(() => revocationListsIn(file, Buffer.from('x'))).toThrow(/openssl crl -inform der/);
    expect(() => revocationListsIn(file, Buffer.from(list + list.slice(0, -20)))).toThrow(
      /breaks off/,
    );
  });
});

test.each([
  ['ENOENT', /there is no such file; correct the path$/],
  ['EACCES', /may not read it; change its owner or its mode$/],
  ['EISDIR', /is a folder/],
  ['EIO', /what the system says$/],
])('a file that cannot be read (%s) is named, with what to do', (code, problem) => {
  const error = Object.assign(new Error('what the system says'), { code });

  expect(fileProblem(file, error).message).toMatch(/^--cert-file: \/etc\/c\.pem: /);
  expect(fileProblem(file, error).message).toMatch(problem);
});
