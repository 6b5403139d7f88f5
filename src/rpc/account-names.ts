/**
 * Names of users and roles: text on the wire; in the log, and in the state, strings with one
 * character for each byte of their UTF-8 (`kv/auth-command.ts`).
 */
import { KvError } from '../base/index.ts';

/**
 * @throws {KvError} INVALID_ARGUMENT — the name is too long.
 */
export function toName(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > bytesMax) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `holdfast: the name of a user or role has at most ${bytesMax} bytes`,
    });
  }
  return bytes.toString('latin1');
}

/** The name as text. */
export function fromName(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
