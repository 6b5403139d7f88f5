/** Facade of TLS: certificates that are read again, addresses to listen on, channels to dial. */
export { Authority, type CertificateRequest, type IssuedPair, type Validity } from './authority.ts';
export { Certificates, type CertificatesEvent, type CertificatesHost } from './certificates.ts';
export { ConnectionBound } from './connection-bound.ts';
export { cipherSuiteNames, cipherSuiteOf, isSuiteOf13 } from './cipher-suites.ts';
export { type DialOptions, impossibleCredentials, tlsCredentials } from './dialling.ts';
export { Listener, type ListenerOptions, type ListenPurpose } from './listener.ts';
export { certificatesIn, FileProblem, fileProblem, privateKeyIn } from './pem.ts';
export { dialReason, tlsReason } from './peer-check.ts';
export type { RefusedConnection } from './refusal-log.ts';
export type { NamedFile, TlsSettings, TlsUse, TlsVersion } from './settings.ts';
