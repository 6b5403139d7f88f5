/**
 * TLS of a member, from its flags: with which files clients and peers are spoken to, and who of
 * them is let in. Flags are etcd's; what only looks secure is refused.
 */
import {
  cipherSuiteNames,
  cipherSuiteOf,
  isSuiteOf13,
  type NamedFile,
  type TlsSettings,
  type TlsVersion,
} from '../tls/index.ts';
import type { ConfigReader } from './config-sources.ts';
import type { ServerFlagName } from './server-flags.ts';

/** How a member speaks TLS. */
export interface TlsConfig {
  /** On the `https://` URLs for clients and metrics; undefined when no certificate is set. */
  readonly client: TlsSettings | undefined;
  /** With other members, in both directions. */
  readonly peer: TlsSettings | undefined;
  /** What is allowed, and probably not meant. */
  readonly warnings: readonly string[];
}

/** Settings whose URLs make TLS necessary: those that have an `https://` one. */
export interface SecureUrls {
  readonly client: readonly ServerFlagName[];
  readonly peer: readonly ServerFlagName[];
}

/** The flags of one of both sides. */
interface Side {
  readonly use: 'client' | 'peer';
  readonly cert: ServerFlagName;
  readonly key: ServerFlagName;
  readonly auth: ServerFlagName;
  readonly ca: ServerFlagName;
  readonly crl: ServerFlagName;
  readonly commonNames?: ServerFlagName;
  readonly hostnames: ServerFlagName;
  readonly automatic: ServerFlagName;
}

const clientSide: Side = {
  use: 'client',
  cert: 'cert-file',
  key: 'key-file',
  auth: 'client-cert-auth',
  ca: 'trusted-ca-file',
  crl: 'client-crl-file',
  hostnames: 'client-cert-allowed-hostname',
  automatic: 'auto-tls',
};

const peerSide: Side = {
  use: 'peer',
  cert: 'peer-cert-file',
  key: 'peer-key-file',
  auth: 'peer-client-cert-auth',
  ca: 'peer-trusted-ca-file',
  crl: 'peer-crl-file',
  commonNames: 'peer-cert-allowed-cn',
  hostnames: 'peer-cert-allowed-hostname',
  automatic: 'peer-auto-tls',
};

const versions: Readonly<Record<string, TlsVersion>> = { 'TLS1.2': 'TLSv1.2', 'TLS1.3': 'TLSv1.3' };

type Protocol = Pick<TlsSettings, 'versionMin' | 'versionMax' | 'cipherSuites'>;

/** Reads and checks how a member speaks TLS. Files are not looked at yet. */
export function tlsConfig(reader: ConfigReader, urls: SecureUrls): TlsConfig {
  const protocol = readProtocol(reader);
  const warnings: string[] = [];
  const sideOf = (side: Side): TlsSettings | undefined => {
    const settings = readSide(reader, side, urls[side.use], protocol);
    if (settings !== undefined && urls[side.use].length === 0) {
      warnings.push(
        `${settings.cert.where}: ${settings.cert.path} is not used to listen: ` +
          `no URL for ${side.use}s begins with https://`,
      );
    }
    return settings;
  };
  return { client: sideOf(clientSide), peer: sideOf(peerSide), warnings };
}

function readSide(
  reader: ConfigReader,
  side: Side,
  secureUrls: readonly ServerFlagName[],
  protocol: Protocol,
): TlsSettings | undefined {
  refuseAutomatic(reader, side);
  const [cert, key, ca] = [side.cert, side.key, side.ca].map((name) => fileOf(reader, name));
  const [secureUrl] = secureUrls;
  if (secureUrl !== undefined && (cert === undefined || key === undefined)) {
    reader.problem(
      `${reader.get(secureUrl).where}: https:// needs a certificate and its key: ` +
        `set --${side.cert} and --${side.key}${side.use === 'peer' ? `, and --${side.ca}` : ''}`,
    );
  } else if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? [key, side.cert] : [cert, side.key];
    reader.problem(`${given?.where ?? ''}: is of no use without --${missing}; set both`);
  }
  checkVerification(reader, side, { ca, secureUrl, cert: key === undefined ? undefined : cert });
  return cert === undefined || key === undefined
    ? undefined
    : {
        use: side.use,
        cert,
        key,
        ca,
        crl: fileOf(reader, side.crl),
        allowedCommonNames: side.commonNames === undefined ? [] : reader.list(side.commonNames),
        allowedHostnames: reader.list(side.hostnames),
        ...protocol,
      };
}

/** Certificates that nobody else knows can be checked by nobody. */
function refuseAutomatic(reader: ConfigReader, side: Side): void {
  if (reader.boolean(side.automatic)) {
    reader.problem(
      `${reader.get(side.automatic).where}: is not there: a certificate that a member makes for ` +
        `itself keeps nobody out; set --${side.cert}, --${side.key} and --${side.ca}, with ` +
        'files as "holdfast certificates" makes them',
    );
  }
}

/** Who is verified: with a CA everybody, as in etcd; members always verify one another. */
function checkVerification(
  reader: ConfigReader,
  side: Side,
  given: {
    readonly ca: NamedFile | undefined;
    readonly secureUrl: ServerFlagName | undefined;
    /** When it has its key beside it. */
    readonly cert: NamedFile | undefined;
  },
): void {
  const { ca, secureUrl, cert } = given;
  const auth = reader.get(side.auth);
  const isAnswered =
    auth.text !== undefined && reader.boolean(side.auth) === (auth.text === 'true');
  const isAsked = isAnswered ? auth.text === 'true' : undefined;
  if (ca === undefined && isAsked === true) {
    reader.problem(`${auth.where}: needs the CAs of those who may connect: set --${side.ca}`);
  } else if (ca === undefined && side.use === 'peer' && cert !== undefined) {
    reader.problem(`${cert.where}: members must be able to verify one another: set --${side.ca}`);
  }
  if (ca !== undefined && cert === undefined && secureUrl === undefined) {
    reader.problem(`${ca.where}: is of no use without --${side.cert} and --${side.key}`);
  }
  if (ca !== undefined && isAsked === false) {
    reader.problem(
      `${auth.where}: false contradicts ${ca.where}, with which everybody is verified; ` +
        'leave out one of them',
    );
  }
  if (side.use === 'client' && isAsked === true && secureUrl === undefined) {
    reader.problem(
      `${auth.where}: verifies nobody, since no URL for clients begins with https://; ` +
        'write https:// in --listen-client-urls',
    );
  }
  for (const name of [side.crl, side.hostnames, side.commonNames]) {
    if (name !== undefined && ca === undefined && (reader.get(name).text ?? '') !== '') {
      reader.problem(`${reader.get(name).where}: needs --${side.ca} beside it`);
    }
  }
}

function fileOf(reader: ConfigReader, name: ServerFlagName): NamedFile | undefined {
  const { text = '', where } = reader.get(name);
  return text === '' ? undefined : { where, path: text };
}

function readProtocol(reader: ConfigReader): Protocol {
  const versionMin = versionOf(reader, 'tls-min-version') ?? 'TLSv1.2';
  const versionMax = versionOf(reader, 'tls-max-version') ?? 'TLSv1.3';
  if (versionMin > versionMax) {
    reader.problem(
      `${reader.get('tls-max-version').where}: is below ${reader.get('tls-min-version').where}; ` +
        'raise the one or lower the other',
    );
  }
  return { versionMin, versionMax, cipherSuites: cipherSuites(reader, versionMin, versionMax) };
}

function versionOf(reader: ConfigReader, name: ServerFlagName): TlsVersion | undefined {
  const { text = '', where } = reader.get(name);
  const version = versions[text];
  if (text !== '' && version === undefined) {
    reader.problem(`${where}: "${text}" must be one of ${Object.keys(versions).join(', ')}`);
  }
  return version;
}

function cipherSuites(reader: ConfigReader, min: TlsVersion, max: TlsVersion): readonly string[] {
  const { where } = reader.get('cipher-suites');
  const suites = reader.list('cipher-suites').flatMap((name) => {
    const suite = cipherSuiteOf(name);
    if (suite === undefined) {
      reader.problem(
        `${where}: "${name}" is unknown, or too weak; there are ${cipherSuiteNames.join(', ')}`,
      );
    }
    return suite ?? [];
  });
  const usable = (suite: string): boolean =>
    isSuiteOf13(suite) ? max === 'TLSv1.3' : min === 'TLSv1.2';
  if (suites.length > 0 && !suites.some(usable)) {
    reader.problem(`${where}: none of these belongs to a version of TLS that is allowed`);
  }
  return suites;
}
