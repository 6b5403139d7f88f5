/**
 * How one member is reached and reaches others: its listeners and credentials, from its settings,
 * with what happens to them in log and metrics. Whoever serves or dials gets these, and knows
 * nothing of files.
 */
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import type { Logger, Metrics } from '../observability/index.ts';
import {
  Certificates,
  type CertificatesEvent,
  ConnectionBound,
  impossibleCredentials,
  Listener,
  type ListenPurpose,
  type RefusedConnection,
  tlsCredentials,
  type TlsSettings,
  type TlsUse,
} from '../tls/index.ts';
import type { Peer } from '../transport/index.ts';
import { addressOf, isLoopback, type ServerUrl, serverUrlOf } from './host-port.ts';
import type { ServerConfig } from './server-config.ts';

/** What it needs of the process. */
export interface TlsHost {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly timers: Timers;
  /** Files that the process may have open; undefined: nobody says. */
  readonly openFilesMax: number | undefined;
}

/** Unless it is set: a connection takes some tens of KiB, these half a gibibyte. */
const clientConnectionsDefault = 10_000;
/** Far more than scrapers have; each is a file that log and engine may need. */
const metricsConnectionsMax = 1000;
/** Files that log, engine and peers may need beside connections. */
const otherFilesMin = 1000;

/** Where to dial a peer, and how. */
export type DialledPeer = Pick<Peer, 'address' | 'tlsHost'>;

/** See the module comment. */
export class MemberTls {
  readonly #config: ServerConfig;
  readonly #host: TlsHost;
  readonly #client: Certificates | undefined;
  readonly #peer: Certificates | undefined;
  readonly #bounds: Readonly<Record<ListenPurpose, ConnectionBound>>;

  private constructor(
    config: ServerConfig,
    host: TlsHost,
    certificates: Readonly<Record<TlsUse, Certificates | undefined>>,
  ) {
    this.#config = config;
    this.#host = host;
    this.#client = certificates.client;
    this.#peer = certificates.peer;
    this.#bounds = boundsOf(config.connectionsMax, host);
  }

  /**
   * Reads all certificates.
   *
   * @throws {KvError} CONFIG_INVALID — with everything that is wrong with them.
   */
  static async open(config: ServerConfig, host: TlsHost): Promise<MemberTls> {
    const { client, peer, warnings } = config.tls;
    const [forClients, forPeers] = await Promise.allSettled([
      openOne(client, host),
      openOne(peer, host),
    ]);
    if (forClients.status === 'rejected' || forPeers.status === 'rejected') {
      throw problemOf([forClients, forPeers]);
    }
    for (const problem of warnings) {
      host.logger.warn({ event: 'certificate-unused', problem });
    }
    const certificates = { client: forClients.value, peer: forPeers.value };
    const tls = new MemberTls(config, host, certificates);
    for (const each of [certificates.client, certificates.peer]) {
      each?.onChange(() => {
        showExpiry(each, host.metrics);
      });
    }
    return tls;
  }

  /** Whether there are any certificates. */
  get isUsed(): boolean {
    return this.#client !== undefined || this.#peer !== undefined;
  }

  /** Reads the files again from time to time. */
  watch(): void {
    this.#client?.watch();
    this.#peer?.watch();
  }

  /** Reads the files again now. */
  async reload(): Promise<void> {
    await Promise.all([this.#client?.reload(), this.#peer?.reload()]);
  }

  close(): void {
    this.#client?.close();
    this.#peer?.close();
  }

  /** Listeners on `urls`. */
  listeners(purpose: ListenPurpose, urls: readonly ServerUrl[]): readonly Listener[] {
    const certificates = purpose === 'peers' ? this.#peer : this.#client;
    return urls.map(
      ({ host, port, isSecure }) =>
        new Listener({
          ...{ purpose, host, port },
          certificates: isSecure ? certificates : undefined,
          timers: this.#host.timers,
          bound: this.#bounds[purpose],
          onRefused: (refused) => {
            this.#tellRefused(refused);
          },
        }),
    );
  }

  /** Where a member with these URLs is dialled; `override`: there, whatever they say. */
  placeOf(urls: readonly string[], override?: Pick<ServerUrl, 'host' | 'port'>): DialledPeer {
    const [text = ''] = urls;
    const url = serverUrlOf(text);
    const dialled = override ?? url;
    return {
      address: dialled === undefined ? text : addressOf(dialled),
      tlsHost: url?.isSecure === true ? url.host : undefined,
    };
  }

  /** What to dial another member with; made anew for each connection. */
  credentialsOf({ address, tlsHost }: DialledPeer): ChannelCredentials {
    const peer = this.#peer;
    if (tlsHost !== undefined) {
      return peer === undefined
        ? impossibleCredentials(
            'TLS: it is reached by https://, and this member has no certificate to show: set ' +
              '--peer-cert-file, --peer-key-file and --peer-trusted-ca-file',
          )
        : tlsCredentials({ host: tlsHost, context: () => peer.context, allowed: peer.settings });
    }
    const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
    return this.#config.isInsecure || isLoopback(host)
      ? credentials.createInsecure()
      : impossibleCredentials(
          'it is reached in plain text beyond this machine; give it an https:// peer URL, or say ' +
            '--insecure here if the network is trusted',
        );
  }

  #tellRefused({ isTold, ...refused }: RefusedConnection): void {
    const { metrics, logger } = this.#host;
    metrics.connectionsRefused.inc({ listener: refused.listener, reason: refused.kind });
    if (isTold) {
      logger.warn({ event: 'connection-refused', ...refused });
    }
  }
}

/** Members get in whatever clients do: theirs are not counted among those of clients. */
function boundsOf(
  connectionsMax: number | undefined,
  { metrics, logger, openFilesMax: files = Number.POSITIVE_INFINITY }: TlsHost,
): Readonly<Record<ListenPurpose, ConnectionBound>> {
  const forClients = connectionsMax ?? Math.min(clientConnectionsDefault, Math.floor(files / 2));
  if (forClients > files - otherFilesMin) {
    const [connections, openFiles] = [forClients, files];
    logger.warn({ event: 'connections-exceed-files', connections, openFiles });
  }
  const boundOf = (listener: ListenPurpose, max: number, remedy: string): ConnectionBound =>
    new ConnectionBound(max, remedy, (open) => {
      metrics.connections.set({ listener }, open);
    });
  return {
    clients: boundOf('clients', forClients, 'use fewer, or raise --max-connections'),
    peers: boundOf('peers', Number.POSITIVE_INFINITY, ''),
    metrics: boundOf('metrics', metricsConnectionsMax, 'use fewer'),
  };
}

async function openOne(
  settings: TlsSettings | undefined,
  { logger, metrics, timers }: TlsHost,
): Promise<Certificates | undefined> {
  if (settings === undefined) {
    return undefined;
  }
  const certificates = await Certificates.open(settings, {
    timers,
    epochMs: () => Date.now(),
    onEvent: (event) => {
      logCertificates(logger, event);
    },
    onReload: (use, result) => {
      metrics.certificateReloads.inc({ use, result });
    },
  });
  showExpiry(certificates, metrics);
  return certificates;
}

function logCertificates(logger: Logger, { type: event, ...fields }: CertificatesEvent): void {
  if ('reason' in fields) {
    logger.error({ event, ...fields });
  } else {
    const { use, subject, expiresMs } = fields;
    logger.info({ event, use, subject, expires: new Date(expiresMs).toISOString() });
  }
}

function showExpiry({ settings: { use }, material }: Certificates, metrics: Metrics): void {
  const { certMs, caMs, crlMs } = material.expiry;
  const ends = { [use]: certMs, [`${use}-ca`]: caMs, [`${use}-crl`]: crlMs };
  for (const [name, endMs] of Object.entries(ends)) {
    if (endMs !== undefined) {
      metrics.certificateExpiry.set({ use: name }, endMs / 1000);
    }
  }
}

function problemOf(results: readonly PromiseSettledResult<unknown>[]): unknown {
  const reasons = results.flatMap((result): unknown[] =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  const [first] = reasons;
  const problems = reasons.filter((reason) => reason instanceof KvError);
  return problems.length < reasons.length || problems.length < 2
    ? first
    : new KvError('CONFIG_INVALID', {
        message: problems.map(({ message }) => message).join('\nholdfast: '),
        cause: first,
      });
}
