import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readServerConfig } from '../../src/cli/server-config.ts';
import { read } from './queries.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // Each test says what it looks for; the shapes are Kubernetes' own.
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly securityContext: unknown;
}

interface Kustomization {
  readonly resources: readonly string[];
}

const listed = (parse(read('kubernetes/kustomization.yaml')) as Kustomization).resources;
const manifests = listed.flatMap((name) =>
  parseAllDocuments(read(`kubernetes/${name}`)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  }),
);

function manifest(kind: string, name = 'holdfast'): Manifest {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Manifest;
}

const set = manifest('StatefulSet');
const template = (set.spec['template'] as { spec: Readonly<Record<string, unknown>> }).spec;
const container = (template['containers'] as readonly Container[])[0] as Container;
const selector = { matchLabels: { 'app.kubernetes.io/name': 'holdfast' } };

/** The settings of the pod of that number, as the member reads them. */
function configOf(pod: string) {
  const values = container.env.map(({ name, value }) => {
    const text = name === 'HOLDFAST_NAME' ? pod : (value ?? '');
    return [name, text.replaceAll('$(HOLDFAST_NAME)', pod)] as const;
  });
  const env = { ...Object.fromEntries(values), HOLDFAST_DATA_DIR: '/data' };
  const result = readServerConfig({ flags: {}, env });
  if (result.kind !== 'ok') {
    throw new Error(`${pod} has an invalid configuration: ${JSON.stringify(result)}`);
  }
  return result.config;
}

describe('cluster/kubernetes', () => {
  test('the settings of every pod are valid, and find the others by the headless service', () => {
    const service = manifest('Service', 'holdfast-peers').spec;
    expect(service).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(set.spec).toMatchObject({ serviceName: 'holdfast-peers', replicas: 3 });

    for (const pod of ['holdfast-0', 'holdfast-1', 'holdfast-2']) {
      const { name, members } = configOf(pod);
      expect(name).toBe(pod);
      expect(members.map((each) => each.name)).toEqual(['holdfast-0', 'holdfast-1', 'holdfast-2']);
      const hosts = members.flatMap((each) => each.peerUrls.map((url) => new URL(url).host));
      expect(hosts).toEqual([0, 1, 2].map((i) => `holdfast-${i}.holdfast-peers:2380`));
    }
  });

  test('all start at once: none is ready before a majority has met', () => {
    expect(set.spec).toMatchObject({ podManagementPolicy: 'Parallel' });
  });

  test('probes ask paths that a member serves, at the port where it serves them', () => {
    const pages = readFileSync(new URL('../../src/rpc/http-pages.ts', import.meta.url), 'utf8');
    const { listenMetrics } = configOf('holdfast-0');
    const ports = new Map(container.ports.map((each) => [each.name, each.containerPort]));
    const { startupProbe, livenessProbe, readinessProbe } = container;

    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(pages).toContain(`\n  '${httpGet.path}',\n`);
      expect(ports.get(httpGet.port)).toBe(listenMetrics[0]?.port);
    }
    expect(readinessProbe.httpGet.path).toBe('/readyz');
    // Without a majority none is ready, and a restart would help nobody.
    expect([startupProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual(['/livez', '/livez']);
    expect(livenessProbe.periodSeconds * livenessProbe.failureThreshold).toBeGreaterThanOrEqual(30);
  });

  test('one member at a time is taken away, and no two stand on one node', () => {
    const budget = manifest('PodDisruptionBudget');
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector });
    expect(template['affinity']).toEqual({
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: selector },
        ],
      },
    });
  });

  test('selectors of services, set, budget and policy name the pods', () => {
    const { metadata } = set.spec['template'] as {
      metadata: { labels: Readonly<Record<string, string>> };
    };
    expect(metadata.labels).toEqual(selector.matchLabels);
    expect(set.spec['selector']).toEqual(selector);
    expect(manifest('NetworkPolicy').spec['podSelector']).toEqual(selector);
    for (const name of ['holdfast', 'holdfast-peers']) {
      expect(manifest('Service', name).spec['selector']).toEqual(selector.matchLabels);
    }
  });

  test('ports of services are ports of the pods', () => {
    const names = container.ports.map((port) => port.name);
    for (const name of ['holdfast', 'holdfast-peers']) {
      const ports = manifest('Service', name).spec['ports'] as readonly {
        readonly port: number;
        readonly targetPort: string;
      }[];
      for (const { port, targetPort } of ports) {
        expect(names).toContain(targetPort);
        expect(container.ports.find((each) => each.name === targetPort)?.containerPort).toBe(port);
      }
    }
  });

  test('plain text is asked for in so many words, and a policy says who may send it', () => {
    expect(container.env).toContainEqual({ name: 'HOLDFAST_INSECURE', value: 'true' });
    const { ingress, policyTypes } = manifest('NetworkPolicy').spec as unknown as {
      ingress: { from: unknown[]; ports: { port: number }[] }[];
      policyTypes: string[];
    };
    expect(policyTypes).toEqual(['Ingress']);
    expect(ingress.filter(({ from }) => from.length === 0)).toEqual([]);
    const peers = ingress.filter(({ ports }) => ports.some(({ port }) => port === 2380));
    expect(peers.map(({ from }) => from)).toEqual([[{ podSelector: selector }]]);
    expect(
      manifests.filter((each) => ['NodePort', 'LoadBalancer'].includes(String(each.spec['type']))),
    ).toEqual([]);
  });

  test('members run without root, rights or a writable system, within limits', () => {
    expect(template['securityContext']).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources).toMatchObject({
      requests: { cpu: '500m', memory: '512Mi' },
      limits: { memory: '1Gi' },
    });
  });

  test('volumes stay, and have room for twice the quota and the log', () => {
    expect(set.spec['persistentVolumeClaimRetentionPolicy']).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    const [claim] = set.spec['volumeClaimTemplates'] as readonly {
      spec: { resources: { requests: { storage: string } } };
    }[];
    const bytes = Number.parseInt(claim?.spec.resources.requests.storage ?? '', 10) * 2 ** 30;
    expect(bytes).toBeGreaterThan(2 * configOf('holdfast-0').quotaBytes + 2 ** 30);
  });
});
