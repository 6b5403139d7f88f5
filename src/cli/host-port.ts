/** Addresses as they stand in settings, `http://HOST:PORT`, and as gRPC takes them. */

/** `host` and `port` of an URL that is listened on or dialled. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Host and port of `http://HOST:PORT`; undefined when it is anything else. */
export function hostPortOf(url: string): HostPort | undefined {
  const [, bracketed, plain, port = ''] =
    /^http:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([1-9]\d{0,4})$/.exec(url) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** `host:port` as gRPC takes it. */
export function addressOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
