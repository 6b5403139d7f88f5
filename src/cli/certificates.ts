/**
 * Certificates as files: a CA that is made once and kept, and a folder for each member or client
 * with all that it needs.
 *
 * Nothing that is there is written over, unless it is asked for; files are written whole or not at
 * all, keys for their owner alone. A member that runs takes new files by itself.
 */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Authority, type Validity } from '../tls/index.ts';
import { ExitError } from './exit.ts';
import { print } from './standard-output.ts';

/** Flags of the command. */
export interface CertificatesFlags {
  readonly days: string;
  readonly replace?: true;
}

interface Wanted {
  readonly name: string;
  readonly hosts: readonly string[];
}

const dayMs = 24 * 60 * 60 * 1000;
/** Clocks may differ. */
const beforeMs = 60 * 60 * 1000;
const authorityDays = 3650;
const authorityName = 'holdfast CA';

/**
 * Makes what is missing, and says what it has made.
 *
 * @throws {ExitError} 2 — what is asked for is wrong, or is there already; 1 — files cannot be
 *   read or written. What was said to be made is.
 */
export async function makeCertificates(
  folder: string,
  names: readonly string[],
  flags: CertificatesFlags,
): Promise<void> {
  const days = daysOf(flags.days);
  const wanted = names.map(wantedOf);
  const doubled = wanted.find(({ name }, i) => wanted.findIndex((it) => it.name === name) !== i);
  if (doubled !== undefined) {
    throw wrong(`${doubled.name} is named twice`);
  }
  try {
    for (const { name } of flags.replace === true ? [] : wanted) {
      if (await isThere(join(folder, name, 'cert.pem'))) {
        throw wrong(`${join(folder, name)} has a certificate; say --replace to make it anew`);
      }
    }
    const authority = await authorityIn(folder);
    for (const each of wanted) {
      await make(folder, each, authority, validity(days));
    }
  } catch (error) {
    throw isFileError(error) ? new ExitError(1, `holdfast: certificates: ${error.message}`) : error;
  }
}

async function make(
  folder: string,
  { name, hosts }: Wanted,
  authority: Authority,
  valid: Validity,
): Promise<void> {
  const { cert, key } = authority.issue({ commonName: name, hosts, validity: valid });
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  // A member that reads in between sees a key that does not fit, and keeps what it has.
  await write(join(own, 'key.pem'), key, 'secret');
  await write(join(own, 'cert.pem'), cert, 'public');
  await write(join(own, 'ca.pem'), authority.pem, 'public');
  const purpose = hosts.length === 0 ? 'a client' : hosts.join(', ');
  const until = new Date(valid.untilMs).toISOString().slice(0, 10);
  await print(`${own}: for ${purpose}, good until ${until}\n`);
}

/** The CA of a folder, which is made when there is none. */
async function authorityIn(folder: string): Promise<Authority> {
  const [certPath, keyPath] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  const [hasCert, hasKey] = [await isThere(certPath), await isThere(keyPath)];
  if (hasCert !== hasKey) {
    const [there, missing] = hasCert ? [certPath, keyPath] : [keyPath, certPath];
    throw wrong(`there is ${there}, but not ${missing}: put it back, or take another folder`);
  }
  if (!hasCert) {
    const authority = Authority.create(authorityName, validity(authorityDays));
    await mkdir(folder, { recursive: true });
    await write(keyPath, authority.key, 'secret');
    await write(certPath, authority.pem, 'public');
    await print(`${certPath}: a CA of your own; its key is in ${keyPath}\n`);
    return authority;
  }
  const [pem, key] = [await readFile(certPath, 'latin1'), await readFile(keyPath, 'latin1')];
  const authority = Authority.from(pem, key);
  if (authority === undefined) {
    throw wrong(`${certPath} and ${keyPath} are no CA that was made here; take another folder`);
  }
  return authority;
}

function validity(days: number): Validity {
  const nowMs = Date.now();
  return { fromMs: nowMs - beforeMs, untilMs: nowMs + days * dayMs };
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!/^\d{1,4}$/.test(text) || days < 1 || days > authorityDays) {
    throw wrong(`--days must be a whole number from 1 to ${authorityDays}, not "${text}"`);
  }
  return days;
}

function wantedOf(text: string): Wanted {
  const [, name = '', list] = /^([\w-][\w.-]*)(?:=(.*))?$/s.exec(text) ?? [];
  const hosts = list === undefined ? [name] : list.split(',').filter((host) => host !== '');
  const isRight = hosts.every((host) => isIP(host) !== 0 || /^(?:\*\.)?[\w.-]+$/.test(host));
  if (name === '' || !isRight) {
    throw wrong(`"${text}" is not NAME or NAME=HOST,…, as in n1=n1.example.com,10.0.0.1`);
  }
  return { name, hosts };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return false;
      }
      throw error;
    },
  );
}

async function write(path: string, text: string, kind: 'public' | 'secret'): Promise<void> {
  const unfinished = `${path}.new`;
  await writeFile(unfinished, text, { mode: kind === 'secret' ? 0o600 : 0o644 });
  await rename(unfinished, path);
}

function wrong(problem: string): ExitError {
  return new ExitError(2, `holdfast: certificates: ${problem}`);
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
