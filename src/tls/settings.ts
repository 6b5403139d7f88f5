/** What TLS is to be spoken with: which files, and who is let in. */

/** A file that a setting names. */
export interface NamedFile {
  /** The setting as the operator wrote it, as `--cert-file` or `HOLDFAST_CERT_FILE`. */
  readonly where: string;
  readonly path: string;
}

/** For whom a set of certificates is. */
export type TlsUse = 'client' | 'peer';

/** Versions of TLS that may be set as bounds. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** One set of certificates, and what is asked of those who connect. */
export interface TlsSettings {
  readonly use: TlsUse;
  /** The certificate that this member shows, and those that link it to a CA. */
  readonly cert: NamedFile;
  readonly key: NamedFile;
  /** Those who connect must show a certificate of one of these CAs; absent: anybody may connect. */
  readonly ca?: NamedFile | undefined;
  /** Certificates that are not good any more. Limit: one list for each CA, and all are in date. */
  readonly crl?: NamedFile | undefined;
  /** Common names of those who may connect; any when empty. */
  readonly allowedCommonNames: readonly string[];
  /** Host names, one of which the certificate must be for; any when empty. */
  readonly allowedHostnames: readonly string[];
  readonly versionMin: TlsVersion;
  readonly versionMax: TlsVersion;
  /** As OpenSSL names them; the house's choice when empty. */
  readonly cipherSuites: readonly string[];
}
