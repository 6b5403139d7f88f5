/** A command as a member takes it. */
import { envelopeBytes } from '../../src/replica/proposals.ts';

/** Puts room for the envelope before a command. */
export function withRoom(command: Uint8Array): Uint8Array {
  const data = new Uint8Array(envelopeBytes + command.length);
  data.set(command, envelopeBytes);
  return data;
}
