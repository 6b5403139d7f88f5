/**
 * Addresses as they stand in settings, `http://HOST:PORT` or `https://HOST:PORT`, and as gRPC takes
 * them.
 */

/** `host` and `port` of an URL that is listened on or dialled. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The same with how to speak there. */
export interface ServerUrl extends HostPort {
  /** By TLS. */
  readonly isSecure: boolean;
}

/** What an URL must be, for messages. */
export const urlForm = 'http://HOST:PORT or https://HOST:PORT';

/** Parts of an URL of the form {@link urlForm}; undefined when it is anything else. */
export function serverUrlOf(url: string): ServerUrl | undefined {
  const [, scheme, bracketed, plain, port = ''] =
    /^(https?):\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([1-9]\d{0,4})$/.exec(url) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535
    ? undefined
    : { host, port: Number(port), isSecure: scheme === 'https' };
}

/** `host:port` as gRPC takes it. */
export function addressOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The URL again. */
export function urlOf(url: ServerUrl): string {
  return `${url.isSecure ? 'https' : 'http'}://${addressOf(url)}`;
}

/** Whether what is sent to a host does not leave this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
