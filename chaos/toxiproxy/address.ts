/**
 * Addresses as Go writes and reads them: `host:port`, `[::1]:port`; with Go's words for those that
 * are none. Unlike in Go, an empty host is this machine alone, not all of its networks.
 */

/** No address; the message is Go's. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

const loopback = '127.0.0.1';
const portMax = 65_535;

/** @throws {AddressError} */
export function splitAddress(address: string): readonly [host: string, port: number] {
  if (address === '') {
    return [loopback, 0];
  }
  const [host, port] = hostAndPort(address);
  const number = Number(port);
  if (!/^\d*$/.test(port)) {
    throw new AddressError(`address tcp/${port}: unknown port`);
  }
  if (number > portMax) {
    throw new AddressError(`address ${port}: invalid port`);
  }
  return [host === '' || host === 'localhost' ? loopback : host, number];
}

/** The opposite of `splitAddress`. */
export function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a proxy that is bound to `bound` is where `wanted` wants it. */
export function isSameListen(bound: string, wanted: string): boolean {
  // Toxiproxy resolves names since 2.12; here there is one that it matters for.
  return bound === wanted || bound === wanted.replace(/^localhost:/, `${loopback}:`);
}

function hostAndPort(address: string): readonly [host: string, port: string] {
  const refuse = (why: string) => new AddressError(`address ${address}: ${why}`);
  if (address.startsWith('[')) {
    const end = address.indexOf(']');
    if (end < 0) {
      throw refuse("missing ']' in address");
    }
    if (address[end + 1] !== ':') {
      throw refuse('missing port in address');
    }
    return [address.slice(1, end), address.slice(end + 2)];
  }
  const [host = '', port, ...more] = address.split(':');
  if (port === undefined) {
    throw refuse('missing port in address');
  }
  if (more.length > 0) {
    throw refuse('too many colons in address');
  }
  return [host, port];
}
