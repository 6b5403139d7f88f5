/**
 * One set of certificates as read from its files at one moment, checked as a whole: what does not
 * fit together is refused, so that a half-written change is never used.
 */
import { constants, createHash, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { cipherList } from './cipher-suites.ts';
import {
  certificatesIn,
  expiryOf,
  FileProblem,
  fileProblem,
  privateKeyIn,
  requireInDate,
  revocationListsIn,
} from './pem.ts';
import { nextUpdateOf } from './revocation.ts';
import type { NamedFile, TlsSettings } from './settings.ts';

/** Limit: bytes of one file; a bundle of all public CAs has a quarter of a mebibyte. */
const fileBytesMax = 4 * 1024 * 1024;

/** What a process needs to speak TLS, from its files. */
export interface TlsMaterial {
  /** For servers and for clients alike. */
  readonly options: SecureContextOptions;
  /** Changes with the content of any file. */
  readonly fingerprint: string;
  /** The member's own certificate. */
  readonly subject: string;
  /** When the first of them ends, milliseconds since 1970; absent: there are none. */
  readonly expiry: {
    /** Of the member's own certificate and those behind it in the file. */
    readonly certMs: number;
    /** Of the CAs that are still good. */
    readonly caMs?: number | undefined;
    /** When a list is due to be replaced. */
    readonly crlMs?: number | undefined;
  };
}

const hourMs = 60 * 60 * 1000;

/** Extended key usages, as certificates have them. */
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * Reads and checks the files of `settings`, as of `nowMs`, milliseconds since 1970.
 *
 * @throws {FileProblem} the first thing that is wrong.
 */
export async function readMaterial(settings: TlsSettings, nowMs: number): Promise<TlsMaterial> {
  const { cert, key, ca, crl } = settings;
  // One after the other: a change that is half made is noticed by what does not fit.
  const [certBytes, keyBytes] = [await readNamed(cert), await readNamed(key)];
  const caBytes = ca === undefined ? undefined : await readNamed(ca);
  const crlBytes = crl === undefined ? undefined : await readNamed(crl);
  const chain = certificatesIn(cert, certBytes);
  checkPair(settings, chain[0] as X509Certificate, keyBytes, nowMs);
  const cas = ca === undefined ? [] : certificatesIn(ca, caBytes ?? Buffer.of());
  const caMs = ca === undefined ? undefined : caExpiry(ca, cas, nowMs);
  const crls = crl === undefined ? [] : revocationListsIn(crl, crlBytes ?? Buffer.of());
  const crlMs = crl === undefined ? undefined : crlExpiry(crl, crls, nowMs);
  const options: SecureContextOptions = {
    // Written anew: where no line ends between two of them, OpenSSL would read the first alone.
    cert: pemOf(chain),
    key: keyBytes,
    ...(ca === undefined ? {} : { ca: pemOf(cas) }),
    // One by one: of several in one text Node would read the first alone.
    ...(crl === undefined ? {} : { crl: [...crls] }),
    minVersion: settings.versionMin,
    maxVersion: settings.versionMax,
    ciphers: cipherList(settings.cipherSuites),
    // Invariant: each connection is checked in full. A session that is resumed would bring back a
    // judgement of before, or one that was never made.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new FileProblem(cert, `TLS cannot be spoken with it: ${(error as Error).message}`);
  }
  return {
    options,
    fingerprint: fingerprintOf([certBytes, keyBytes, caBytes, crlBytes]),
    subject: (chain[0] as X509Certificate).subject.replaceAll('\n', ', '),
    expiry: { certMs: Math.min(...chain.map(expiryOf)), caMs, crlMs },
  };
}

/** @throws {FileProblem} the file cannot be read. */
async function readNamed(file: NamedFile): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file.path);
  } catch (error) {
    throw fileProblem(file, error);
  }
  if (bytes.length > fileBytesMax) {
    throw new FileProblem(file, `is larger than ${fileBytesMax} bytes; is it the right file?`);
  }
  return bytes;
}

function checkPair(
  settings: TlsSettings,
  leaf: X509Certificate,
  keyBytes: Buffer,
  nowMs: number,
): void {
  const { cert, key, use } = settings;
  requireInDate(cert, leaf, nowMs);
  if (!leaf.checkPrivateKey(privateKeyIn(key, keyBytes))) {
    throw new FileProblem(
      key,
      `does not belong to the certificate in ${cert.path} (${cert.where}); name the two that ` +
        'were made together, the own certificate first in its file',
    );
  }
  // Node calls the extended usages so; absent: good for everything.
  const usages = (leaf.keyUsage as readonly string[] | undefined) ?? [];
  const [needed, names] =
    use === 'peer'
      ? [[serverAuth, clientAuth], 'serverAuth and clientAuth']
      : [[serverAuth], 'serverAuth'];
  if (usages.length > 0 && !needed.every((usage) => usages.includes(usage))) {
    throw new FileProblem(
      cert,
      `is not made for ${use === 'peer' ? 'servers and clients' : 'servers'}: its ` +
        `extendedKeyUsage must have ${names}`,
    );
  }
}

/** CAs that have ended are of no use, and no harm. */
function caExpiry(file: NamedFile, cas: readonly X509Certificate[], nowMs: number): number {
  const ends = cas.map(expiryOf);
  const ahead = ends.filter((endMs) => endMs > nowMs);
  if (ahead.length === 0) {
    throw new FileProblem(file, 'every certificate in it has expired; renew the CA');
  }
  return Math.min(...ahead);
}

function crlExpiry(file: NamedFile, crls: readonly string[], nowMs: number): number | undefined {
  const dueMs = nextUpdateOf(crls.join(''));
  if (dueMs !== undefined && dueMs < nowMs) {
    throw new FileProblem(
      file,
      `the revocation list was due to be replaced ${Math.ceil((nowMs - dueMs) / hourMs)} h ago; ` +
        'with an old one nobody would be let in: fetch the present one',
    );
  }
  return dueMs;
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

function fingerprintOf(files: readonly (Buffer | undefined)[]): string {
  const hash = createHash('sha256');
  for (const bytes of files) {
    hash.update(`${bytes?.length ?? -1}:`).update(bytes ?? '');
  }
  return hash.digest('hex');
}
