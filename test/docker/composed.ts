/**
 * The cluster of a compose file in a docker engine, as the tests of containers drive it: compose
 * and docker commands, `holdfast` at the ports that members publish, the links of Toxiproxy.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { type Engine, startEngine } from './engine.ts';
import { eventually, run, succeeds } from './run.ts';
import { type Provision, provide } from './stand-ins.ts';

/** The folder of the compose files that users start. */
export const clusterFolder: string = fileURLToPath(new URL('../../cluster', import.meta.url));
const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

/** Members of the compose file. */
export const members = ['n1', 'n2', 'n3'] as const;
/** One of them. */
export type Name = (typeof members)[number];

/** Milliseconds that building an image may take, and what else compose does. */
export const buildTimeoutMs = 600_000;

const clientPorts: Readonly<Record<Name, number>> = { n1: 2379, n2: 22379, n3: 32379 };

interface Compose {
  readonly services: Readonly<Record<string, { readonly image: string }>>;
}

/** A series of Prometheus, as it is now. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface PrometheusAnswer {
  readonly status: string;
  readonly data: { readonly result: readonly Series[] };
}

/** Where Prometheus answers a query. */
export function queryUrl(expression: string): string {
  return `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`;
}

/** What is composed, and how it is spoken to. */
export interface ComposedOptions {
  readonly project: string;
  /** Files beside `docker-compose.yml` that change it. */
  readonly overlays?: readonly string[] | undefined;
  /** Where the files are; {@link clusterFolder} by default. */
  readonly folder?: string | undefined;
  /** The CA of the members, when they speak TLS. */
  readonly caFile?: string | undefined;
}

/** See the module comment. */
export class ComposedCluster {
  readonly engine: Engine;
  /** Services whose images can be had, here. */
  readonly services: readonly string[];
  readonly #options: ComposedOptions;
  /** The compose commands that there are; each call takes the next, so that all are used. */
  readonly #commands: readonly (readonly string[])[];
  #calls = 0;

  private constructor(
    engine: Engine,
    options: ComposedOptions,
    services: readonly string[],
    commands: readonly (readonly string[])[],
  ) {
    this.engine = engine;
    this.services = services;
    this.#options = options;
    this.#commands = commands;
  }

  /**
   * Finds or starts an engine, and sees to the images of all services but our own.
   *
   * @throws {Error} when no engine or no compose command can be had; says what is missing.
   */
  static async prepare(options: ComposedOptions): Promise<ComposedCluster> {
    const engine = await startEngine();
    try {
      const commands = await usableCommands(engine);
      const provisions = await provisionAll(engine);
      const services = Object.keys(provisions).filter((it) => provisions[it] !== 'missing');
      const how = Object.entries(provisions).map(([service, it]) => `${service}: ${it}`);
      const by = commands.map((it) => it.join(' ')).join(', ');
      // eslint-disable-next-line no-console -- whoever reads the result must know what was tested
      console.log(`images: ${how.join(', ')}; by ${by}`);
      return new ComposedCluster(engine, options, services, commands);
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  /** What is composed otherwise, in the same engine. */
  with(options: ComposedOptions): ComposedCluster {
    return new ComposedCluster(this.engine, options, this.services, this.#commands);
  }

  /** Takes away all containers, networks and volumes. */
  async down(): Promise<void> {
    await this.compose('down', '-v', '--remove-orphans');
  }

  /** What a compose command prints. */
  async compose(...args: readonly string[]): Promise<string> {
    const { project, overlays = [], folder = clusterFolder } = this.#options;
    const command = this.#commands[this.#calls++ % this.#commands.length] ?? [];
    const files =
      overlays.length === 0 ? [] : ['docker-compose.yml', ...overlays].flatMap((it) => ['-f', it]);
    const options = { env: this.engine.env, cwd: folder, timeoutMs: buildTimeoutMs };
    return run([...command, '-p', project, ...files, ...args], options);
  }

  async docker(...args: readonly string[]): Promise<string> {
    return run(['docker', ...args], { env: this.engine.env });
  }

  /** `holdfast` on this machine, at the port that a member publishes there. */
  async holdfast(at: Name, ...args: readonly string[]): Promise<string> {
    const { caFile } = this.#options;
    const address = `127.0.0.1:${clientPorts[at]}`;
    const how = caFile === undefined ? [] : ['--cacert', caFile];
    const endpoint = ['--endpoints', caFile === undefined ? address : `https://${address}`];
    return run([...this.engine.onHost, process.execPath, binary, ...args, ...endpoint, ...how]);
  }

  /** The body of an answer over HTTP, from a port that is published on this machine. */
  async http(url: string, method = 'GET', body?: object): Promise<string> {
    const { caFile } = this.#options;
    const script = `fetch(${JSON.stringify(url)}, ${JSON.stringify({
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })}).then(async (r) => { const text = await r.text();
      if (!r.ok) throw new Error(r.status + ' ' + text); process.stdout.write(text); });`;
    const env: Record<string, string> = caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile };
    return run([...this.engine.onHost, process.execPath, '-e', script], { env });
  }

  /** What Prometheus knows by this expression. */
  async query(expression: string): Promise<readonly Series[]> {
    const answer = JSON.parse(await this.http(queryUrl(expression))) as PrometheusAnswer;
    expect(answer.status).toBe('success');
    return answer.data.result;
  }

  /** Ids of the project's containers, one a line. */
  async containers(...filters: readonly string[]): Promise<string> {
    const chosen = [this.#label, ...filters].flatMap((it) => ['--filter', it]);
    return (await this.docker('ps', '-aq', ...chosen)).trim();
  }

  /** Volumes or networks of the project, one a line. */
  async leftOvers(kind: 'volume' | 'network'): Promise<string> {
    return (await this.docker(kind, 'ls', '-q', '--filter', this.#label)).trim();
  }

  async containerOf(service: string): Promise<string> {
    const id = await this.containers(`label=com.docker.compose.service=${service}`);
    expect(id).toMatch(/^[0-9a-f]+$/);
    return id;
  }

  /** When its container was started last. */
  async startedAt(service: string): Promise<string> {
    return this.inspect(service, '{{.State.StartedAt}}');
  }

  /** What an engine says of a container. */
  async inspect(service: string, format: string): Promise<string> {
    return (await this.docker('inspect', '-f', format, await this.containerOf(service))).trim();
  }

  async untilHealthy(names: readonly string[] = members): Promise<void> {
    for (const name of names) {
      await eventually(
        `${name} is healthy`,
        async () => this.inspect(name, '{{.State.Health.Status}}'),
        (it) => it === 'healthy',
      );
    }
  }

  /** The member that leads. */
  async leader(among: readonly Name[] = members): Promise<Name> {
    return eventually(
      'a member leads',
      async () => {
        for (const name of among) {
          const format = ['-w', 'json', '--command-timeout', '2s'];
          const [status] = JSON.parse(await this.holdfast(name, 'status', ...format)) as [
            { Status: { leader: unknown; header: { member_id: unknown } } },
          ];
          if (String(status.Status.leader) === String(status.Status.header.member_id)) {
            return name;
          }
        }
        return undefined;
      },
      (name) => name !== undefined,
      { withinMs: 15_000 },
    ) as Promise<Name>;
  }

  /** Opens or cuts a member's links through Toxiproxy, in both directions. */
  async setLinksOf(name: Name, enabled: boolean): Promise<void> {
    for (const other of members.filter((each) => each !== name)) {
      await this.#setLink(`${name}-to-${other}`, enabled);
      await this.#setLink(`${other}-to-${name}`, enabled);
    }
  }

  async #setLink(name: string, enabled: boolean): Promise<void> {
    await this.http(`http://127.0.0.1:8474/proxies/${name}`, 'POST', { enabled });
  }

  get #label(): string {
    return `label=com.docker.compose.project=${this.#options.project}`;
  }
}

async function usableCommands({ env }: Engine): Promise<readonly (readonly string[])[]> {
  const known = [['docker-compose'], ['docker', 'compose']];
  const usable = await Promise.all(known.map(async (it) => succeeds([...it, 'version'], { env })));
  const commands = known.filter((_, i) => usable[i]);
  if (commands.length === 0) {
    throw new Error(
      'there is neither docker-compose nor docker compose (apt-get install docker-compose)',
    );
  }
  return commands;
}

async function provisionAll(engine: Engine): Promise<Readonly<Record<string, Provision>>> {
  const text = readFileSync(`${clusterFolder}/docker-compose.yml`, 'utf8');
  const { services } = parse(text, { merge: true }) as Compose;
  const provisions: Record<string, Provision> = {};
  for (const [service, { image }] of Object.entries(services)) {
    provisions[service] = image.startsWith('holdfast:') ? 'itself' : await provide(image, engine);
  }
  return provisions;
}
