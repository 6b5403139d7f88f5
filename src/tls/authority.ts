/**
 * Makes certificates (X.509 v3, RFC 5280): an authority of one's own, and certificates of it for
 * members and clients. Keys are elliptic (P-256), signatures ECDSA with SHA-256.
 *
 * For clusters that are made on the fly, as for a measurement or to try TLS. What an authority of
 * a company does is not here: no requests, no lists of revoked certificates, no renewal.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
  tagged,
  time,
  truth,
  utf8String,
} from './der.ts';

/** A certificate and its private key, PEM. */
export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

/** From when to when, milliseconds since 1970. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Whom a certificate is for. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Host names and IP addresses that it is good for; none for a client. */
  readonly hosts: readonly string[];
  readonly validity: Validity;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Contents {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

const oid = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const curve = 'prime256v1';
/** RFC 5280 §4.1.2.2 allows 20; random, so that two authorities of one name do not clash. */
const serialBytes = 16;
const keyIdBytes = 20;
/** keyCertSign and cRLSign; digitalSignature. With the bits of the last byte that are not used. */
const caUsage = bitString(Buffer.of(0b0000_0110), 1);
const leafUsage = bitString(Buffer.of(0b1000_0000), 7);

/** See the module comment. */
export class Authority {
  /** Its own certificate, PEM; whoever trusts it trusts what it has issued. */
  readonly pem: string;
  /** Its private key, PEM: whoever has it can issue too. */
  readonly key: string;
  readonly #subject: Buffer;
  readonly #publicKey: KeyObject;
  readonly #privateKey: KeyObject;

  private constructor(pem: string, commonName: string, keys: Keys) {
    this.#subject = nameOf(commonName);
    this.#publicKey = keys.publicKey;
    this.#privateKey = keys.privateKey;
    this.key = pemOfKey(keys.privateKey);
    this.pem = pem;
  }

  static create(commonName: string, validity: Validity): Authority {
    const keys = newKeys();
    const subject = nameOf(commonName);
    const pem = certificatePem({
      ...{ subject, issuer: subject, validity },
      ...{ publicKey: keys.publicKey, signer: keys.privateKey },
      extensions: [
        extension(oid.basicConstraints, sequence(truth()), 'critical'),
        extension(oid.keyUsage, caUsage, 'critical'),
        extension(oid.subjectKeyId, octetString(keyIdOf(keys.publicKey))),
      ],
    });
    return new Authority(pem, commonName, keys);
  }

  /** One that {@link create} has made, from its PEM; undefined when it is another's, or damaged. */
  static from(pem: string, key: string): Authority | undefined {
    try {
      const certificate = new X509Certificate(pem);
      const privateKey = createPrivateKey(key);
      const [, commonName] = /^CN=(.+)$/.exec(certificate.subject) ?? [];
      const isOurs =
        certificate.ca &&
        certificate.checkPrivateKey(privateKey) &&
        privateKey.asymmetricKeyDetails?.namedCurve === curve;
      return isOurs && commonName !== undefined
        ? new Authority(pem, commonName, { publicKey: certificate.publicKey, privateKey })
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Issues a certificate for servers and clients, as members need it in both directions. */
  issue({ commonName, hosts, validity }: CertificateRequest): IssuedPair {
    const { publicKey, privateKey } = newKeys();
    const usages = [objectId(oid.serverAuth), objectId(oid.clientAuth)];
    const authorityKeyId = sequence(tagged(0, 'plain', keyIdOf(this.#publicKey)));
    const cert = certificatePem({
      subject: nameOf(commonName),
      issuer: this.#subject,
      validity,
      publicKey,
      signer: this.#privateKey,
      extensions: [
        extension(oid.basicConstraints, sequence(), 'critical'),
        extension(oid.keyUsage, leafUsage, 'critical'),
        extension(oid.extendedKeyUsage, sequence(...usages)),
        extension(oid.subjectKeyId, octetString(keyIdOf(publicKey))),
        extension(oid.authorityKeyId, authorityKeyId),
        ...(hosts.length === 0
          ? []
          : [extension(oid.subjectAltName, sequence(...hosts.map(hostName)))]),
      ],
    });
    return { cert, key: pemOfKey(privateKey) };
  }
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: curve });
}

function certificatePem({
  subject,
  issuer,
  validity,
  publicKey,
  signer,
  extensions,
}: Contents): string {
  const algorithm = sequence(objectId(oid.ecdsaWithSha256));
  const version3 = tagged(0, 'around', integer(Buffer.of(2)));
  const toBeSigned = sequence(
    version3,
    integer(randomBytes(serialBytes)),
    algorithm,
    issuer,
    sequence(time(validity.fromMs), time(validity.untilMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, 'around', sequence(...extensions)),
  );
  const signature = bitString(sign('sha256', toBeSigned, signer));
  const base64 = sequence(toBeSigned, algorithm, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(objectId(oid.commonName), utf8String(commonName))));
}

function extension(id: string, contents: Buffer, weight?: 'critical'): Buffer {
  const isCritical = weight === 'critical' ? [truth()] : [];
  return sequence(objectId(id), ...isCritical, octetString(contents));
}

function hostName(host: string): Buffer {
  return isIP(host) === 0
    ? tagged(2, 'plain', Buffer.from(host, 'latin1'))
    : tagged(7, 'plain', addressBytes(host));
}

/** Four or sixteen bytes. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) {
    return Buffer.from(address.split('.').map(Number));
  }
  const hex = (high: string, low: string): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const groupsOnly = address
    .replace(/%.*$/, '')
    .replace(
      /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
      (_, a: string, b: string, c: string, d: string) => `${hex(a, b)}:${hex(c, d)}`,
    );
  const [head = '', tail = ''] = groupsOnly.split('::');
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [front, back] = [groupsOf(head), groupsOf(tail)];
  const gap = Array.from({ length: 8 - front.length - back.length }, () => '0');
  const groups = [...front, ...gap, ...back].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Ties certificates to their issuer where names alone do not (RFC 7093 §2, method 1). */
function keyIdOf(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest().subarray(0, keyIdBytes);
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
