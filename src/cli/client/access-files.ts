/** The files by which a command speaks TLS: read at once, and refused where they do not fit. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  certificatesIn,
  FileProblem,
  fileProblem,
  type NamedFile,
  privateKeyIn,
} from '../../tls/index.ts';
import { ExitError } from '../exit.ts';

/** Any of them asks for TLS. */
export interface AccessFiles {
  /** CAs of the members; Node's own when absent. */
  readonly ca: NamedFile | undefined;
  /** What the command shows of itself, for members that ask; both or none. */
  readonly cert: NamedFile | undefined;
  readonly key: NamedFile | undefined;
}

/** What the files hold, PEM. */
export interface AccessPem {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * Reads the files.
 *
 * @throws {ExitError} 2 — one cannot be used, or is missing; names the setting and the file.
 */
export function readAccessFiles({ ca, cert, key }: Partial<AccessFiles>): AccessPem {
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? '--cert' : '--key';
    throw new ExitError(2, `holdfast: ${(cert ?? key)?.where ?? ''}: needs ${missing} beside it`);
  }
  try {
    const caPem = ca === undefined ? undefined : read(ca);
    if (ca !== undefined && caPem !== undefined) {
      certificatesIn(ca, caPem);
    }
    if (cert === undefined || key === undefined) {
      return { ca: caPem, cert: undefined, key: undefined };
    }
    const [certPem, keyPem] = [read(cert), read(key)];
    const [leaf] = certificatesIn(cert, certPem);
    if (leaf?.checkPrivateKey(privateKeyIn(key, keyPem)) !== true) {
      throw new FileProblem(key, `does not belong to the certificate in ${cert.path}`);
    }
    return { ca: caPem, cert: certPem, key: keyPem };
  } catch (error) {
    throw error instanceof FileProblem ? new ExitError(2, `holdfast: ${error.message}`) : error;
  }
}

/** What TLS is spoken with. */
export function secureContextOf({ ca, cert, key }: AccessPem): SecureContext {
  return createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
}

function read(file: NamedFile): Buffer {
  try {
    return readFileSync(file.path);
  } catch (error) {
    throw fileProblem(file, error);
  }
}
