/** How a member is reached and reaches others, from its configuration. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { MemberTls } from '../../src/cli/member-tls.ts';
import { readServerConfig } from '../../src/cli/server-config.ts';
import type { ServerFlagName } from '../../src/cli/server-flags.ts';
import type { Logger } from '../../src/observability/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import type { ListenPurpose } from '../../src/tls/index.ts';
import { TestCa, writeFiles } from '../harness/certificates.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

type Flags = Partial<Readonly<Record<ServerFlagName, string>>>;

let folder: string;
let paths: Readonly<Record<'ca' | 'cert' | 'key', string>>;
let metrics: Metrics;
let lines: object[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-member-tls-'));
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue('n1');
  paths = await writeFiles(folder, { ca: ca.pem, cert, key });
  metrics = new Metrics();
  lines = [];
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

async function open(flags: Flags): Promise<MemberTls> {
  const result = readServerConfig({ flags, env: {} });
  if (result.kind === 'invalid') {
    throw new Error(result.problems.join('\n'));
  }
  const note = (line: object): void => void lines.push(line);
  const logger = { info: note, warn: note, error: note } as unknown as Logger;
  return MemberTls.open(result.config, {
    ...{ logger, metrics, timers: new VirtualLoop() },
    openFilesMax: 3000,
  });
}

function peerFlags(): Flags {
  return {
    'peer-cert-file': paths.cert,
    'peer-key-file': paths.key,
    'peer-trusted-ca-file': paths.ca,
  };
}

/** Why a peer cannot be dialled; undefined when it may be. */
async function refusalOf(tls: MemberTls, url: string): Promise<string | undefined> {
  const credentials = tls.credentialsOf(tls.placeOf([url]));
  const connector = credentials._createSecureConnector({ path: 'x' }, {});
  // A socket that is not connected: what is refused is refused before it is touched.
  const { Socket } = await import('node:net');
  const socket = new Socket();
  try {
    const attempt = connector.connect(socket);
    socket.destroy();
    await attempt;
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return message.includes('closed the connection') ? undefined : message;
  }
}

describe('a member', () => {
  test('without certificates dials in plain text, on this machine only', async () => {
    const tls = await open({});

    expect(tls.isUsed).toBe(false);
    expect(await refusalOf(tls, 'http://127.0.0.1:1')).toBeUndefined();
    expect(await refusalOf(tls, 'http://10.0.0.1:1')).toMatch(/plain text beyond this machine/);
    expect(await refusalOf(tls, 'https://n2:1')).toMatch(/this member has no certificate to show/);
  });

  test('dials plain text beyond this machine when that is allowed', async () => {
    expect(await refusalOf(await open({ insecure: 'true' }), 'http://n2:1')).toBeUndefined();
  });

  test('with certificates dials each peer as its URL says', async () => {
    const tls = await open(peerFlags());

    expect(await refusalOf(tls, 'https://n2:1')).toBeUndefined();
    expect(tls.placeOf(['https://n2:2380'])).toEqual({ address: 'n2:2380', tlsHost: 'n2' });
    expect(tls.placeOf(['http://n2:2380'])).toEqual({ address: 'n2:2380', tlsHost: undefined });
  });

  test('checks a peer that is dialled elsewhere by the host of its URL', async () => {
    const tls = await open(peerFlags());
    const place = tls.placeOf(['https://n2:2380'], { host: '127.0.0.1', port: 9 });

    expect(place).toEqual({ address: '127.0.0.1:9', tlsHost: 'n2' });
  });

  test('tells when its certificates end, and that they are not used yet', async () => {
    await open(peerFlags());

    const text = await metrics.render();
    for (const use of ['peer', 'peer-ca']) {
      expect(text).toMatch(
        new RegExp(`holdfast_certificate_expiry_timestamp_seconds\\{use="${use}"\\} \\d{10}`),
      );
    }
    expect(lines).toMatchObject([
      { event: 'certificates-loaded', use: 'peer' },
      { event: 'certificate-unused' },
    ]);
  });

  test('does not start with certificates that are wrong, and tells of all of them', async () => {
    const flags: Flags = {
      ...peerFlags(),
      ...{ 'cert-file': '/nowhere', 'key-file': paths.key, 'peer-key-file': paths.cert },
    };

    await expect(open(flags)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /^--cert-file: \/nowhere: .*\nholdfast: --peer-key-file: .*exchanged$/,
      ) as string,
    });
  });
});

describe('connections', () => {
  /** Comes to the listener of a purpose and speaks; whether it was let in. */
  async function comeTo(tls: MemberTls, purpose: ListenPurpose, times: number): Promise<boolean[]> {
    const [listener] = tls.listeners(purpose, [{ host: '127.0.0.1', port: 0, isSecure: false }]);
    const port = (await listener?.open((socket) => void socket.write('welcome'))) ?? 0;
    onTestFinished(async () => listener?.close());
    const outcomes: boolean[] = [];
    for (let i = 0; i < times; i++) {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write('hello');
      outcomes.push(
        await new Promise((resolve) => {
          socket.on('data', () => resolve(true));
          socket.on('error', () => resolve(false));
          socket.on('close', () => resolve(false));
        }),
      );
    }
    return outcomes;
  }

  test('of clients are bounded by the setting, those of members are not', async () => {
    const tls = await open({ 'max-connections': '2' });

    expect(await comeTo(tls, 'clients', 3)).toEqual([true, true, false]);
    expect(await comeTo(tls, 'peers', 3)).toEqual([true, true, true]);

    expect(lines).toContainEqual(
      expect.objectContaining({
        event: 'connection-refused',
        kind: 'connections',
        reason: '2 connections are open: use fewer, or raise --max-connections',
      }),
    );
    const text = await metrics.render();
    expect(text).toContain('holdfast_connections{listener="clients"} 2');
    expect(text).toContain(
      'holdfast_connections_refused_total{listener="clients",reason="connections"} 1',
    );
  });

  test('that would take all files are told of at the start', async () => {
    await open({});
    expect(lines).toEqual([]);

    await open({ 'max-connections': '2001' });

    expect(lines).toMatchObject([
      { event: 'connections-exceed-files', connections: 2001, openFiles: 3000 },
    ]);
  });
});
