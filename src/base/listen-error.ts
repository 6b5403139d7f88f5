/**
 * What is said when an address cannot be listened on: the address, why, and which flag chooses
 * another one.
 * The same for clients, peers and metrics, whichever library was to listen.
 */
import { KvError } from './errors.ts';

/** Who is listened for, and the flag that says where. */
const flags = {
  clients: '--listen-client-urls',
  peers: '--listen-peer-urls',
  metrics: '--listen-metrics-urls',
} as const;

/** The operating system's codes in plain words; libraries wrap them in text of their own. */
const reasons: readonly (readonly [code: string, reason: string])[] = [
  ['EADDRINUSE', 'the port is in use'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['EACCES', 'the user of this process may not use that port'],
  ['ENOTFOUND', 'the host name is not known'],
];

/** The error to throw when listening for `purpose` on `address` fails. */
export function listenError(purpose: keyof typeof flags, address: string, cause: Error): KvError {
  const known = reasons.find(([code]) => cause.message.includes(code));
  return new KvError('CONFIG_INVALID', {
    message:
      `cannot listen for ${purpose} on ${address}: ${known?.[1] ?? cause.message}. ` +
      `Choose another address with ${flags[purpose]}, or free this one.`,
    cause,
  });
}
