/**
 * Certificate authorities for tests: certificates of any kind of wrong, made in memory in a few
 * milliseconds each, without any tool beyond npm.
 */
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';

cryptoProvider.set(webcrypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 60 * 60 * 1000;

/** What is unusual about a certificate. */
export interface Unusual {
  /** Host names and IP addresses; `localhost` and `127.0.0.1` unless given. */
  readonly hosts?: readonly string[];
  /** Days from now at which it begins and ends. */
  readonly days?: readonly [from: number, to: number];
  readonly usages?: readonly ('server' | 'client')[];
  /** Type of the key: elliptic unless given. */
  readonly rsa?: boolean;
}

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

/** Issues certificates. */
export class TestCa {
  /** Its own certificate, PEM. */
  readonly pem: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: X509Certificate;
  #serial = 0;

  private constructor(keys: webcrypto.CryptoKeyPair, certificate: X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
    this.pem = certificate.toString('pem');
  }

  static async create(name = 'test CA', days: Unusual['days'] = [-1, 3650]): Promise<TestCa> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      ...span(days),
      signingAlgorithm: algorithm,
      keys: keys,
      extensions: [
        new BasicConstraintsExtension(true, 2, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestCa(keys, certificate);
  }

  async issue(name: string, unusual: Unusual = {}): Promise<Pair> {
    const { hosts = ['localhost', '127.0.0.1'], days = [-1, 365], usages, rsa = false } = unusual;
    const rsaAlgorithm = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    };
    const keys = await webcrypto.subtle.generateKey(rsa ? rsaAlgorithm : algorithm, true, [
      'sign',
      'verify',
    ]);
    this.#serial++;
    const serial = (0x1000 + this.#serial).toString(16);
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial,
      subject: `CN=${name}`,
      issuer: this.#certificate.subject,
      ...span(days),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new SubjectAlternativeNameExtension(hosts.map(nameOf)),
        ...(usages === undefined ? [] : [new ExtendedKeyUsageExtension(usages.map(usageOf))]),
      ],
    });
    const key = KeyObject.from(keys.privateKey);
    return {
      serial,
      cert: certificate.toString('pem'),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  /** A list of revoked certificates, to be replaced in so many days. */
  async revoke(serials: readonly string[], dueInDays = 30): Promise<string> {
    const list = await X509CrlGenerator.create({
      issuer: this.#certificate.subject,
      thisUpdate: new Date(Date.now() - 40 * dayMs),
      nextUpdate: new Date(Date.now() + dueInDays * dayMs),
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
      signingAlgorithm: algorithm,
      signingKey: this.#keys.privateKey,
    });
    // The library leaves out a word of the label that RFC 7468 §6 and OpenSSL ask for.
    return list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----');
  }
}

/** Writes texts as files of `folder`; returns their paths. */
export async function writeFiles<Name extends string>(
  folder: string,
  texts: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, string>>> {
  const paths: [string, string][] = [];
  for (const [name, text] of Object.entries<string>(texts)) {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, text);
    paths.push([name, path]);
  }
  return Object.fromEntries(paths) as Record<Name, string>;
}

function span([from, to]: readonly [number, number] = [-1, 365]): {
  readonly notBefore: Date;
  readonly notAfter: Date;
} {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs + from * dayMs), notAfter: new Date(nowMs + to * dayMs) };
}

function nameOf(host: string): JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(host) ? 'ip' : 'dns', value: host };
}

function usageOf(usage: 'server' | 'client'): ExtendedKeyUsage {
  return usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
}
