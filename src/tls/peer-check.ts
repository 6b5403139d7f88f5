/**
 * Whether a certificate that was shown is one of those asked for; and, when it is not, or TLS has
 * failed otherwise, why, in words that say what to do.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TlsSettings } from './settings.ts';

/** Which certificates are let in. */
export type AllowedNames = Pick<TlsSettings, 'allowedCommonNames' | 'allowedHostnames'>;

/** Why a certificate is not let in by its names; undefined when it is. */
export function nameProblem(
  { allowedCommonNames, allowedHostnames }: AllowedNames,
  certificate: X509Certificate | undefined,
): string | undefined {
  if (allowedCommonNames.length > 0) {
    const commonName = commonNameOf(certificate);
    if (commonName === undefined || !allowedCommonNames.includes(commonName)) {
      return (
        `its certificate has the common name "${commonName ?? ''}", and only ` +
        `${allowedCommonNames.join(', ')} may connect`
      );
    }
  }
  const isFor = (host: string): boolean =>
    isIP(host) === 0
      ? certificate?.checkHost(host, { subject: 'never' }) !== undefined
      : certificate?.checkIP(host) !== undefined;
  if (allowedHostnames.length > 0 && !allowedHostnames.some(isFor)) {
    return `its certificate is not for ${allowedHostnames.join(' or ')}`;
  }
  return undefined;
}

function commonNameOf(certificate: X509Certificate | undefined): string | undefined {
  const line = certificate?.subject.split('\n').find((each) => each.startsWith('CN='));
  return line?.slice('CN='.length);
}

/** What OpenSSL and Node call it, and what it means. */
const reasons: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it shows no certificate, and one is asked for',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not good yet: check the clocks',
  CERT_REVOKED: 'its certificate has been revoked',
  CRL_HAS_EXPIRED: 'the revocation list here is out of date: fetch the present one',
  UNABLE_TO_GET_CRL: 'there is no revocation list of the CA of its certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of a CA that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of a CA that is not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of a CA that is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is its own, of no CA that is trusted here',
  CERT_SIGNATURE_FAILURE: 'its certificate is of a CA that is not trusted here',
  INVALID_PURPOSE: 'its certificate is not made for this (extendedKeyUsage)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is allowed',
  ERR_SSL_VERSION_TOO_LOW: 'it speaks no version of TLS that is allowed',
  ERR_SSL_NO_SHARED_CIPHER: 'it has no cipher suite that is allowed here',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'it does not speak the protocol of this port',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a certificate, and none was shown',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the CA of the certificate that it was shown',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it says that the certificate it was shown has expired',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not accept the certificate that it was shown',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it allows no version of TLS that is spoken here',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it has no cipher suite in common with this side',
};

/** Why TLS has failed, from the error of the handshake or the verdict on a certificate. */
export function tlsReason(error: unknown): string {
  const { code, message } = detailsOf(error);
  const known = reasons[code];
  if (known !== undefined) {
    return known;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    // Node's words name both the host and what the certificate is for.
    return `its certificate is for another host: ${message.replace(/^.*?altnames: /s, '')}`;
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return 'it has closed the connection in the TLS handshake: its log says why, if it speaks TLS';
  }
  if (
    code === 'EPROTO' &&
    /wrong version number|packet length too long|http request/.test(message)
  ) {
    return 'it does not speak TLS';
  }
  return alertReason(message) ?? `TLS has failed: ${message === '' ? code : message}`;
}

function detailsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof Error) {
    const { code } = error as NodeJS.ErrnoException;
    return { code: code ?? '', message: error.message };
  }
  return { code: String(error), message: '' };
}

/** What the other side says of a handshake in OpenSSL's words, and what it means. */
const alerts: readonly (readonly [alert: RegExp, reason: string])[] = [
  [/certificate required/, 'it asks for a certificate, and none was shown'],
  [/certificate expired/, 'it says that the certificate it was shown has expired'],
  [/unknown ca/, 'it does not trust the CA of the certificate that it was shown'],
  [/bad certificate|certificate unknown/, 'it does not accept the certificate that it was shown'],
  [/protocol version/, 'it allows no version of TLS that is spoken here'],
  [/handshake failure/, 'it has no cipher suite in common with this side'],
];

function alertReason(text: string): string | undefined {
  return text.includes('alert') ? alerts.find(([pattern]) => pattern.test(text))?.[1] : undefined;
}

/**
 * Why a connection by TLS is not there, from what gRPC says: with TLS 1.3 a certificate is refused
 * after the handshake has ended for the one who shows it.
 */
export function dialReason(text: string): string {
  const said = text.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '');
  if (said.startsWith('TLS: ')) {
    return said;
  }
  const alert = alertReason(said);
  if (alert !== undefined) {
    return `TLS: ${alert}`;
  }
  const isCutOff = /^Failed to connect$|ECONNRESET|EPIPE|socket hang up|Socket closed/i.test(said);
  return isCutOff
    ? 'TLS: it has closed the connection after the handshake: its log says why, as that it does ' +
        'not accept the certificate that it was shown'
    : said;
}
