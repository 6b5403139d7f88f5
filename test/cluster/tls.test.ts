/**
 * The TLS variants of the cluster, with the certificates that its README tells to make: settings
 * are valid, and each member's certificate is for every host by which it is reached.
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeCertificates } from '../../src/cli/certificates.ts';
import { readServerConfig, type ServerConfig } from '../../src/cli/server-config.ts';
import { read, readYaml } from './queries.ts';

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

interface StatefulSet {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          {
            readonly env: readonly Variable[];
            readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
          },
        ];
        readonly volumes: readonly { readonly name: string; readonly secret?: object }[];
      };
    };
  };
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-tls-'));

/** What the README tells to make: the words behind `certificates tls`, of each time. */
const [forCompose = [], forKubernetes = []] = [
  ...read('README.md').matchAll(/holdfast certificates tls (.*)/g),
].map(([, words = '']) => words.split(' '));

beforeAll(async () => {
  const silent = vi.spyOn(process.stdout, 'write').mockImplementation((_text, done?: unknown) => {
    (done as (() => void) | undefined)?.();
    return true;
  });
  await makeCertificates(folder, [...forCompose, ...forKubernetes], { days: '1' });
  silent.mockRestore();
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function configOf(env: Readonly<Record<string, string>>): ServerConfig {
  const result = readServerConfig({ flags: {}, env: { ...env, HOLDFAST_DATA_DIR: '/data' } });
  if (result.kind !== 'ok') {
    throw new Error(`invalid configuration: ${JSON.stringify(result)}`);
  }
  return result.config;
}

/** Everything goes by TLS, with files of the mounted folder. */
function expectTls(config: ServerConfig): void {
  const { listenClient, listenPeer, listenMetrics, members, tls } = config;
  for (const { isSecure } of [...listenClient, ...listenPeer, ...listenMetrics]) {
    expect(isSecure).toBe(true);
  }
  const urls = [...config.advertiseClientUrls, ...members.flatMap(({ peerUrls }) => peerUrls)];
  expect(urls.filter((url) => !url.startsWith('https://'))).toEqual([]);
  expect(config.isInsecure).toBe(false);
  expect(tls.warnings).toEqual([]);
  expect([tls.client?.cert.path, tls.client?.key.path]).toEqual(['/tls/cert.pem', '/tls/key.pem']);
  expect([tls.peer?.cert.path, tls.peer?.ca?.path]).toEqual(['/tls/cert.pem', '/tls/ca.pem']);
}

function hostsOf(name: string): readonly string[] {
  const certificate = new X509Certificate(readFileSync(join(folder, name, 'cert.pem')));
  return (certificate.subjectAltName ?? '').split(', ').map((each) => each.replace(/^.*?:/, ''));
}

describe('cluster/docker-compose.tls.yml', () => {
  const plain = readYaml('docker-compose.yml') as Compose;
  const secured = readYaml('docker-compose.tls.yml') as Compose;
  const names = ['n1', 'n2', 'n3'];

  test.each(names)('%s speaks TLS alone, with a certificate for all its hosts', (name) => {
    const [before, after] = [plain.services[name], secured.services[name]];
    const config = configOf({ ...before?.environment, ...after?.environment });

    expectTls(config);
    expect(config.members.flatMap(({ peerUrls }) => peerUrls)).toEqual(
      names.map((each) => `https://${each}:2380`),
    );
    expect(after?.volumes).toEqual([`./tls/${name}:/tls:ro`]);
    expect(hostsOf(name)).toEqual([name, 'localhost', '127.0.0.1']);
  });

  test('changes nothing else of the members, and asks for their health by TLS', () => {
    expect(Object.keys(secured.services).sort()).toEqual([...names, 'prometheus']);
    for (const name of names) {
      const { healthcheck, ...others } = secured.services[name] ?? {};
      expect(Object.keys(others).sort()).toEqual(['environment', 'volumes']);
      const before = plain.services[name]?.healthcheck?.test ?? [];
      expect(healthcheck?.test).toEqual(
        before.map((word) => word.replace('http://127.0.0.1:2381', 'https://localhost:2381')),
      );
      expect(secured.services[name]?.environment?.['NODE_EXTRA_CA_CERTS']).toBe('/tls/ca.pem');
    }
  });

  test('Prometheus scrapes as before, by TLS with the CA of the members', () => {
    const [before, after] = [plain.services['prometheus'], secured.services['prometheus']];
    expect(after?.command).toEqual(
      before?.command?.map((word) => word.replace('prometheus.yml', 'prometheus.tls.yml')),
    );
    const [job, ...others] = jobsOf('prometheus/prometheus.tls.yml');
    const [plainJob, ...plainOthers] = jobsOf('prometheus/prometheus.yml');
    const { scheme, tls_config: tlsConfig, ...same } = job ?? {};

    expect(scheme).toBe('https');
    expect(after?.volumes).toEqual([`./tls/ca.pem:${tlsConfig?.ca_file ?? ''}:ro`]);
    expect(same).toEqual(plainJob);
    expect(others).toEqual(plainOthers);
  });
});

interface Job {
  readonly scheme?: string;
  readonly tls_config?: { readonly ca_file: string };
}

function jobsOf(path: string): readonly Job[] {
  return (readYaml(path) as { readonly scrape_configs: readonly Job[] }).scrape_configs;
}

describe('cluster/kubernetes-tls', () => {
  const before = readYaml('kubernetes/statefulset.yaml') as StatefulSet;
  const patch = readYaml('kubernetes-tls/statefulset.yaml') as StatefulSet;

  /** As Kubernetes merges lists by name: what is patched first, then the rest. */
  function merged(): readonly Variable[] {
    const [patched, rest] = [patch, before].map(
      ({ spec }) => spec.template.spec.containers[0].env,
    ) as [readonly Variable[], readonly Variable[]];
    const names = patched.map(({ name }) => name);
    return [...patched, ...rest.filter(({ name }) => !names.includes(name))];
  }

  test.each(['holdfast-0', 'holdfast-1', 'holdfast-2'])(
    '%s speaks TLS alone, with a certificate for all its hosts',
    (pod) => {
      const env = merged();
      // A variable must stand before those that refer to it.
      expect(env[0]?.name).toBe('HOLDFAST_NAME');
      const values = env.map(({ name, value }) => [
        name,
        name === 'HOLDFAST_NAME' ? pod : (value ?? '').replaceAll('$(HOLDFAST_NAME)', pod),
      ]);
      const config = configOf(Object.fromEntries(values) as Record<string, string>);

      expectTls(config);
      expect(hostsOf('holdfast')).toContain(`${pod}.holdfast-peers`);
      expect(hostsOf('holdfast')).toEqual(expect.arrayContaining(['holdfast', 'localhost']));
    },
  );

  test('mounts the secret where the settings look for it', () => {
    const { containers, volumes } = patch.spec.template.spec;
    expect(containers[0].volumeMounts).toMatchObject([{ name: 'tls', mountPath: '/tls' }]);
    expect(volumes).toMatchObject([{ name: 'tls', secret: { secretName: 'holdfast-tls' } }]);
  });

  test.runIf(hasKubectl())('kubectl builds it, in the order that was reckoned with', () => {
    const built = execFileSync('kubectl', ['kustomize', folderOf('kubernetes-tls')], {
      encoding: 'utf8',
    });
    const order = [...built.matchAll(/^ {8}- name: (HOLDFAST_\w+)$/gm)].map(([, name]) => name);

    expect(order).toEqual(merged().map(({ name }) => name));
    expect(built.match(/scheme: HTTPS/g)).toHaveLength(3);
  });
});

function folderOf(name: string): string {
  return fileURLToPath(new URL(`../../cluster/${name}`, import.meta.url));
}

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
