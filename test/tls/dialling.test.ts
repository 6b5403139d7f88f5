/** Dialling by TLS, against listeners on real sockets. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AddressInfo, connect } from 'node:net';
import { createSecureContext, createServer, type SecureContext, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Certificates } from '../../src/tls/certificates.ts';
import { type DialOptions, impossibleCredentials, tlsCredentials } from '../../src/tls/dialling.ts';
import { Listener } from '../../src/tls/listener.ts';
import { type Pair, TestCa, writeFiles } from '../harness/certificates.ts';
import { plainListeners } from '../harness/listeners.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let folder: string;
let ca: TestCa;
let own: Pair;
let listener: Listener | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-dialling-'));
  ca = await TestCa.create();
  own = await ca.issue('client');
});

afterEach(async () => listener?.close());

afterAll(async () => rm(folder, { recursive: true, force: true }));

/** Listens with `pair`, asking for certificates of the CA. */
async function listenWith(pair: Pair): Promise<number> {
  const paths = await writeFiles(folder, { cert: pair.cert, key: pair.key, ca: ca.pem });
  const file = (name: keyof typeof paths) => ({ where: name, path: paths[name] });
  const timers = new VirtualLoop();
  const certificates = await Certificates.open(
    {
      ...{ use: 'peer', cert: file('cert'), key: file('key'), ca: file('ca') },
      ...{ allowedCommonNames: [], allowedHostnames: [], cipherSuites: [] },
      ...{ versionMin: 'TLSv1.2', versionMax: 'TLSv1.3' },
    },
    { timers, epochMs: () => Date.now(), onEvent: () => undefined, onReload: () => undefined },
  );
  listener = new Listener({
    ...{ purpose: 'peers', host: '127.0.0.1', port: 0, timers, certificates },
  });
  return listener.open(() => undefined);
}

function context(): SecureContext {
  return createSecureContext({ ca: ca.pem, cert: own.cert, key: own.key });
}

/** The connection as gRPC gets it. */
async function dial(port: number, options: Partial<DialOptions> = {}): Promise<TLSSocket> {
  const credentials = tlsCredentials({ host: '127.0.0.1', context, ...options });
  const target = { scheme: 'dns', path: `elsewhere:${port}` };
  const connector = credentials._createSecureConnector(target, {});
  await connector.waitForReady();
  const { socket, secure } = await connector.connect(connect(port, '127.0.0.1'));
  expect(secure).toBe(true);
  socket.on('error', () => undefined);
  if (!(socket instanceof TLSSocket)) {
    throw new Error('a secure connection is one of TLS');
  }
  return socket;
}

describe('dialling by TLS', () => {
  test('checks the certificate against the host that was meant, an address included', async () => {
    const port = await listenWith(await ca.issue('n1', { hosts: ['127.0.0.1', 'n1.test'] }));

    for (const host of ['127.0.0.1', 'n1.test']) {
      const socket = await dial(port, { host });
      expect(socket.alpnProtocol).toBe('h2');
      socket.destroy();
    }
    await expect(dial(port, { host: 'n2.test' })).rejects.toThrow(
      /^TLS: its certificate is for another host: .*n2\.test.*n1\.test/,
    );
  });

  test('refuses the certificate of a stranger', async () => {
    const port = await listenWith(await (await TestCa.create('else')).issue('n1'));

    await expect(dial(port)).rejects.toThrow(
      'TLS: its certificate is of a CA that is not trusted here',
    );
  });

  test('refuses a certificate that has expired', async () => {
    // A member does not begin with such a one, but may be asleep while it ends.
    const expired = await ca.issue('n1', { days: [-9, -1] });
    const server = createServer({ cert: expired.cert, key: expired.key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    await expect(dial(port)).rejects.toThrow('TLS: its certificate has expired');
  });

  test('takes any certificate when told to', async () => {
    const port = await listenWith(await (await TestCa.create('else')).issue('n1'));

    (await dial(port, { skipsVerification: true })).destroy();
  });

  test('takes only the names that are allowed besides', async () => {
    const port = await listenWith(await ca.issue('n1'));
    const only = (name: string) => ({ allowedCommonNames: [name], allowedHostnames: [] });

    (await dial(port, { allowed: only('n1') })).destroy();
    await expect(dial(port, { allowed: only('n2') })).rejects.toThrow(/only n2 may connect/);
  });

  test('asks for what to show at each connection', async () => {
    const port = await listenWith(await ca.issue('n1'));
    let asked = 0;
    const credentials = tlsCredentials({
      host: '127.0.0.1',
      context: () => {
        asked++;
        return context();
      },
    });
    const connector = credentials._createSecureConnector({ path: 'x' }, {});

    for (const times of [1, 2]) {
      (await connector.connect(connect(port, '127.0.0.1'))).socket.destroy();
      expect(asked).toBe(times);
    }
  });

  test('over a connection that is closed already fails', async () => {
    const port = await listenWith(await ca.issue('n1'));
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    const target = { scheme: 'dns', path: `elsewhere:${port}` };
    const connector = tlsCredentials({ host: '127.0.0.1', context })._createSecureConnector(
      target,
      {},
    );

    await expect(connector.connect(socket)).rejects.toThrow(/^TLS: /);
  });

  test('of a port in plain text says so', async () => {
    [listener] = plainListeners('peers', ['127.0.0.1:0']);
    const port = (await listener?.open(() => undefined)) ?? 0;

    await expect(dial(port)).rejects.toThrow('TLS: it does not speak TLS');
  });
});

test('credentials that cannot be say why', async () => {
  const connector = impossibleCredentials('no certificate')._createSecureConnector(
    { path: 'x' },
    {},
  );
  const socket = connect(1, '127.0.0.1');
  socket.on('error', () => undefined);

  await expect(connector.connect(socket)).rejects.toThrow('no certificate');
  socket.destroy();
});
