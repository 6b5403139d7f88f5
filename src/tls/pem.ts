/**
 * Certificates, keys and revocation lists from PEM text, checked; what is wrong is said with the
 * setting, the file and what to do. Nothing of a key's content is ever said.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { NamedFile } from './settings.ts';

/** Something is wrong with a file; the message names its setting and path. */
export class FileProblem extends Error {
  constructor({ where, path }: NamedFile, problem: string) {
    super(`${where}: ${path}: ${problem}`);
    this.name = 'FileProblem';
  }
}

const reasons: readonly (readonly [code: string, reason: string])[] = [
  ['ENOENT', 'there is no such file; correct the path'],
  ['ENOTDIR', 'there is no such file; correct the path'],
  ['EACCES', 'the user of this process may not read it; change its owner or its mode'],
  ['EISDIR', 'is a folder; name the file'],
];

/** What reading a file has failed with. */
export function fileProblem(file: NamedFile, error: unknown): FileProblem {
  const { code, message } = error as NodeJS.ErrnoException;
  const [, problem = message] = reasons.find(([known]) => known === code) ?? [];
  return new FileProblem(file, problem);
}

/** When a certificate ends to be good, milliseconds since 1970. */
export function expiryOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

/**
 * All certificates of a file, in their order; at least one.
 *
 * @throws {FileProblem} there is none, or one cannot be read.
 */
export function certificatesIn(file: NamedFile, bytes: Buffer): readonly X509Certificate[] {
  const text = bytes.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new FileProblem(file, `holds no certificate in PEM form${whatElse(text, file)}`);
  }
  if (blocks.length !== text.split('-----BEGIN CERTIFICATE-----').length - 1) {
    throw new FileProblem(file, 'breaks off in the middle of a certificate; write it anew');
  }
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new FileProblem(file, `certificate ${i + 1} in it is damaged; write it anew`);
    }
  });
}

/** What a file holds instead of a certificate, and what to do then. */
function whatElse(text: string, { path }: NamedFile): string {
  if (text.includes('PRIVATE KEY-----')) {
    return ', but a private key; the settings of certificate and key may be exchanged';
  }
  return text.startsWith('0')
    ? `; if it is in DER form: openssl x509 -inform der -in ${path} -out cert.pem`
    : ', which begins with -----BEGIN CERTIFICATE-----';
}

/**
 * Requires the certificate to be good at `nowMs`, milliseconds since 1970.
 *
 * @throws {FileProblem} it has expired, or is not good yet.
 */
export function requireInDate(file: NamedFile, certificate: X509Certificate, nowMs: number): void {
  const name = certificate.subject.replaceAll('\n', ', ');
  if (nowMs > expiryOf(certificate)) {
    throw new FileProblem(
      file,
      `the certificate (${name}) expired on ${certificate.validTo}; renew it`,
    );
  }
  if (nowMs < Date.parse(certificate.validFrom)) {
    throw new FileProblem(
      file,
      `the certificate (${name}) is not good before ${certificate.validFrom}; check the clock of ` +
        'this machine',
    );
  }
}

/**
 * The private key of a file.
 *
 * @throws {FileProblem} there is none, it needs a passphrase, or it cannot be read.
 */
export function privateKeyIn(file: NamedFile, bytes: Buffer): KeyObject {
  const text = bytes.toString('latin1');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    const what = text.includes('BEGIN CERTIFICATE')
      ? ', but a certificate; the settings of certificate and key may be exchanged'
      : ', which has a line -----BEGIN PRIVATE KEY----- or the like';
    throw new FileProblem(file, `holds no private key in PEM form${what}`);
  }
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw new FileProblem(
      file,
      'the key is encrypted, and nobody is there to type its passphrase; decrypt it ' +
        `(openssl pkey -in ${file.path} -out key.pem) and let only this process's user read it`,
    );
  }
  try {
    return createPrivateKey(bytes);
  } catch {
    throw new FileProblem(file, 'the private key in it is damaged; write it anew');
  }
}

/**
 * All revocation lists of a file, PEM, each ended by a line's end; at least one.
 *
 * @throws {FileProblem} there is none, or one breaks off.
 */
export function revocationListsIn(file: NamedFile, bytes: Buffer): readonly string[] {
  const text = bytes.toString('latin1');
  const blocks = text.match(/-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g) ?? [];
  const begun = text.split('-----BEGIN X509 CRL-----').length - 1;
  if (begun === 0) {
    const { path } = file;
    throw new FileProblem(
      file,
      'holds no revocation list in PEM form, which begins with -----BEGIN X509 CRL-----; ' +
        `if it is in DER form: openssl crl -inform der -in ${path} -out crl.pem`,
    );
  }
  if (blocks.length !== begun) {
    throw new FileProblem(file, 'breaks off in the middle of a revocation list; write it anew');
  }
  return blocks.map((block) => `${block}\n`);
}
