/** Judged by OpenSSL, through Node: what it takes, others take. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Authority, type IssuedPair } from '../../src/tls/authority.ts';

const dayMs = 24 * 60 * 60 * 1000;
const nowMs = Math.floor(Date.now() / 1000) * 1000;
const validity = { fromMs: nowMs - dayMs, untilMs: nowMs + 400 * dayMs };

/** What each side makes of the other, with the pairs that they show. */
async function shakeHands(
  trusted: Authority,
  server: IssuedPair,
  client: IssuedPair,
  host: string,
): Promise<string> {
  const listening = createServer({
    ...server,
    ca: trusted.pem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => void listening.close());
  const accepted = once(listening, 'secureConnection') as Promise<[TLSSocket]>;
  const { port } = listening.address() as AddressInfo;
  const dialling = connect({
    port,
    host: '127.0.0.1',
    servername: host,
    ca: trusted.pem,
    ...client,
  });
  onTestFinished(() => void dialling.destroy());
  try {
    await once(dialling, 'secureConnect');
    const [socket] = await accepted;
    onTestFinished(() => void socket.destroy());
    return socket.getPeerX509Certificate()?.subject ?? '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

describe('Authority', () => {
  test('is a CA by its own signature, for the time that was asked for', () => {
    const authority = Authority.create('example CA', validity);

    const certificate = new X509Certificate(authority.pem);

    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe('CN=example CA');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBe(validity.fromMs);
    expect(Date.parse(certificate.validTo)).toBe(validity.untilMs);
  });

  test('issues certificates for host names and addresses, and for nothing else', () => {
    const hosts = [
      'localhost',
      'n1.example.com',
      '127.0.0.1',
      '::1',
      '::ffff:10.0.0.1',
      'fe80::a:b',
    ];
    const authority = Authority.create('example CA', validity);

    const { cert, key } = authority.issue({ commonName: 'n1', hosts, validity });

    const certificate = new X509Certificate(cert);
    const ca = new X509Certificate(authority.pem);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe('CN=n1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toBe(
      'DNS:localhost, DNS:n1.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' +
        'IP Address:0:0:0:0:0:FFFF:A00:1, IP Address:FE80:0:0:0:0:0:A:B',
    );
    expect(certificate.checkHost('n2.example.com')).toBeUndefined();
  });

  test('goes on from its own files, and from nobody else’s', () => {
    const first = Authority.create('example CA', validity);
    const other = Authority.create('other CA', validity);

    const again = Authority.from(first.pem, first.key);
    const pair = again?.issue({ commonName: 'n1', hosts: ['n1'], validity });

    const certificate = new X509Certificate(pair?.cert ?? '');
    expect(certificate.checkIssued(new X509Certificate(first.pem))).toBe(true);
    expect(certificate.verify(new X509Certificate(first.pem).publicKey)).toBe(true);
    expect(Authority.from(first.pem, other.key)).toBeUndefined();
    expect(Authority.from(pair?.cert ?? '', pair?.key ?? '')).toBeUndefined();
    expect(Authority.from('no PEM', first.key)).toBeUndefined();
  });

  test('no two serial numbers are the same', () => {
    const authority = Authority.create('example CA', validity);
    const request = { commonName: 'n1', hosts: [], validity };

    const serials = [authority.issue(request), authority.issue(request)].map(
      ({ cert }) => new X509Certificate(cert).serialNumber,
    );

    expect(new Set(serials).size).toBe(2);
  });

  test('what it issues lets both sides of a connection recognise each other', async () => {
    const authority = Authority.create('example CA', validity);
    const server = authority.issue({ commonName: 'n1', hosts: ['localhost'], validity });
    const client = authority.issue({ commonName: 'ann', hosts: [], validity });
    const stranger = Authority.create('example CA', validity);

    expect(await shakeHands(authority, server, client, 'localhost')).toBe('CN=ann');
    expect(await shakeHands(authority, server, client, 'elsewhere')).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    // Of another authority, though it has the same name.
    expect(await shakeHands(stranger, server, client, 'localhost')).toMatch(
      /ISSUER|LEAF|SIGNATURE/,
    );
  });
});
