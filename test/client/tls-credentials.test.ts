/** TLS of the client library against real gRPC servers: who is trusted, and what is said if not. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { grpcTransport, type TlsOptions } from '../../src/client/grpc-transport.ts';
import { Holdfast } from '../../src/client/index.ts';
import { TlsCredentials } from '../../src/client/tls-credentials.ts';
import { TestCa } from '../harness/certificates.ts';

let ca: TestCa;
let stranger: TestCa;

beforeAll(async () => {
  [ca, stranger] = [await TestCa.create(), await TestCa.create('stranger')];
});

interface Shown {
  readonly hosts?: readonly string[];
  readonly days?: readonly [number, number];
  /** Whether it asks for certificates. */
  readonly asks?: true;
}

async function listen({ asks, ...unusual }: Shown = {}): Promise<number> {
  const { cert, key } = await ca.issue('server', unusual);
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const server = new Server();
  onTestFinished(() => {
    server.forceShutdown();
  });
  return new Promise((resolve, reject) => {
    server.bindAsync(
      '127.0.0.1:0',
      ServerCredentials.createSsl(Buffer.from(ca.pem), [pair], asks === true),
      (error, port) => (error === null ? resolve(port) : reject(error)),
    );
  });
}

/** What is in the way of a connection, and of which kind it is. */
async function dial(
  address: string,
  tls: TlsOptions,
): Promise<readonly [problem: string | undefined, kind: string | undefined]> {
  const link = grpcTransport(tls).open(address);
  onTestFinished(() => {
    link.close();
  });
  return new Promise((resolve) => {
    link.connect((problem, kind) => resolve([problem, kind]));
  });
}

describe('a connection by TLS', () => {
  test('is there for who trusts the CA, by name and address, without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const port = await listen({ hosts: ['localhost', '127.0.0.1'] });

    expect(await dial(`127.0.0.1:${port}`, { ca: ca.pem })).toEqual([undefined, undefined]);
    expect(await dial(`localhost:${port}`, { ca: ca.pem })).toEqual([undefined, undefined]);
    expect(warnings).toEqual([]);
  });

  test('is there by another name, if that is asked for', async () => {
    const port = await listen({ hosts: ['n1.example.com'] });
    const tls = { ca: ca.pem, serverName: 'n1.example.com' };

    expect(await dial(`127.0.0.1:${port}`, tls)).toEqual([undefined, undefined]);
  });

  test('shows the certificate of the client', async () => {
    const port = await listen({ asks: true });
    const tls = { ca: ca.pem, ...(await ca.issue('me')) };

    expect(await dial(`127.0.0.1:${port}`, tls)).toEqual([undefined, undefined]);
  });

  test.each([
    ['of another CA', {}, () => stranger.pem, 'it is of a CA that is not trusted here'],
    ['that has ended', { days: [-9, -1] }, () => ca.pem, 'it has expired'],
    ['for another host', { hosts: ['elsewhere'] }, () => ca.pem, '127.0.0.1 is not in the cert'],
  ] as const)('is refused for a certificate %s', async (_, shown, trusted, reason) => {
    const port = await listen(shown);

    const [problem, kind] = await dial(`127.0.0.1:${port}`, { ca: trusted() });

    expect(problem).toContain("TLS: the member's certificate: ");
    expect(problem).toContain(reason);
    expect(kind).toBe('certificate');
  });

  test('is refused by a member that wants a certificate', async () => {
    const port = await listen({ asks: true });

    const [problem, kind] = await dial(`127.0.0.1:${port}`, { ca: ca.pem });

    // The alert and the end of the connection come together: which is read first is chance.
    expect(problem).toMatch(/wants one: alert certificate required|handshake was cut off/);
    expect(kind).toBe(problem?.includes('wants one') === true ? 'certificate' : undefined);
  });
});

test('a connection that is closed before TLS begins fails', async () => {
  const socket = connect(await listen(), '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  await once(socket, 'close');
  const credentials = new TlsCredentials('127.0.0.1', createSecureContext({ ca: ca.pem }));
  const connector = credentials._createSecureConnector({ path: 'x' }, {});

  await expect(connector.connect(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('a client that does not trust the members fails at once, and says what to do', async () => {
  const port = await listen();
  await using client = new Holdfast({
    endpoints: `https://127.0.0.1:${port}`,
    tls: { ca: stranger.pem },
  });

  for (const call of [client.kv.get('k'), client.kv.put('k', 'v')]) {
    await expect(call).rejects.toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      retryable: false,
      outcome: 'rejected',
      message: expect.stringContaining('not trusted') as string,
    });
  }
});
