import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readServerConfig } from '../../src/cli/server-config.ts';
import { read, readYaml } from './queries.ts';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly cap_drop?: readonly string[];
  readonly restart?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Proxy {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
}

const compose = readYaml('docker-compose.yml') as Compose;
const services = Object.entries(compose.services);
const members = services.filter(([, { image }]) => image.startsWith('holdfast:'));
const proxies = JSON.parse(read('toxiproxy/proxies.json')) as readonly Proxy[];

function configOf(name: string) {
  const env = compose.services[name]?.environment ?? {};
  const result = readServerConfig({ flags: {}, env: { ...env, HOLDFAST_DATA_DIR: '/data' } });
  if (result.kind !== 'ok') {
    throw new Error(`${name} has an invalid configuration: ${JSON.stringify(result)}`);
  }
  return result.config;
}

describe('cluster/docker-compose.yml', () => {
  test('has three members, whose settings are valid and agree', () => {
    expect(members.map(([name]) => name)).toEqual(['n1', 'n2', 'n3']);
    for (const [name] of members) {
      const config = configOf(name);
      expect(config.name).toBe(name);
      expect(config.members.map((each) => each.name)).toEqual(['n1', 'n2', 'n3']);
      expect(config.listenClient.map(({ port }) => port)).toEqual([2379]);
    }
  });

  test('every link between members has a proxy of its own, and so have the clients', () => {
    const wanted = members.flatMap(([from]) =>
      members.filter(([to]) => to !== from).map(([to]) => `${from}-to-${to}`),
    );
    const toClients = members.map(([name]) => `clients-to-${name}`);

    expect(proxies.map(({ name }) => name).sort()).toEqual([...wanted, ...toClients].sort());
    expect(new Set(proxies.map(({ listen }) => listen)).size).toBe(proxies.length);
    for (const { name, listen, upstream, enabled } of proxies) {
      const [from = '', to = ''] = name.split('-to-');
      const port = listen.split(':')[1] ?? '';
      expect({ name, upstream, enabled }).toEqual({
        ...{ name, enabled: true },
        upstream: from === 'clients' ? `${to}:2379` : `${to}:2380`,
      });
      const dials = compose.services[from]?.environment?.['HOLDFAST_PEER_DIAL']?.split(',');
      const published = compose.services['toxiproxy']?.ports;
      expect(from === 'clients' ? published : dials).toContain(
        from === 'clients' ? `127.0.0.1:${port}:${port}` : `${to}=toxiproxy:${port}`,
      );
    }
  });

  test('plain text is asked for in so many words, and published on loopback only', () => {
    for (const [, { environment }] of members) {
      expect(environment?.['HOLDFAST_INSECURE']).toBe('true');
    }
    for (const [, { ports = [] }] of services) {
      expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    }
    const text = read('docker-compose.yml');
    expect(text).not.toMatch(/network_mode|privileged|docker\.sock/);
  });

  test('every service has limits, drops all capabilities and starts again by itself', () => {
    for (const [name, service] of services) {
      expect({ name, restart: service.restart, cap_drop: service.cap_drop }).toEqual({
        ...{ name, restart: 'unless-stopped', cap_drop: ['ALL'] },
      });
      expect(service.mem_limit).toMatch(/^\d+[mg]$/);
      expect(service.cpus).toBeGreaterThan(0);
      expect(service.pids_limit).toBeGreaterThan(0);
    }
  });

  test('what must last is on named volumes', () => {
    const named = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0] ?? '').filter((name) => !name.startsWith('.')),
    );

    expect(named.sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const [name, { volumes }] of members) {
      expect(volumes).toEqual([`${name}:/data`]);
    }
  });

  test('health is asked for where the member serves it, as the image does', () => {
    const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    for (const [, { healthcheck }] of members) {
      const script = healthcheck?.test.at(-1) ?? '';
      expect(script).toContain('http://127.0.0.1:2381/readyz');
      expect(dockerfile).toContain(script);
    }
    for (const [name, { healthcheck }] of services) {
      expect({ name, isChecked: healthcheck !== undefined }).toEqual({
        ...{ name, isChecked: name !== 'toxiproxy' },
      });
    }
  });

  test('Prometheus scrapes every member at its port, under the name that rules go by', () => {
    const { scrape_configs: jobs } = readYaml('prometheus/prometheus.yml') as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const job = jobs.find((each) => each.job_name === 'holdfast');

    expect(job?.static_configs.flatMap(({ targets }) => targets)).toEqual(
      members.map(([name]) => `${name}:${configOf(name).listenMetrics[0]?.port ?? 0}`),
    );
  });

  test('images are named with their versions', () => {
    for (const [, { image }] of services) {
      expect(image).toMatch(/:(local|v?\d+\.\d+\.\d+)$/);
    }
  });
});
