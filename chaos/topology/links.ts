/**
 * Every link of a cluster through a proxy of its own: each direction between two members, and each
 * member's clients. Driven through Toxiproxy's API, so any server of it will do.
 *
 * `TOXIPROXY_URL` names a running server, on this machine, since members and clients dial its
 * proxies at 127.0.0.1; without it, ours is started as a process of its own, so that it does not
 * share an event loop with the clients.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client';
import { projectRoot } from './project.ts';

/** A direction between two members, or a member's clients. */
export type LinkName = `${string}>${string}`;

/** What slows or breaks a link; attributes are Toxiproxy's. */
export interface LinkToxic {
  readonly type: 'latency' | 'bandwidth' | 'slicer' | 'timeout' | 'reset_peer' | 'limit_data';
  readonly stream: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
  readonly toxicity?: number;
}

/** Both streams of a link carry nothing, and their connections hang. */
export const blackHole: readonly LinkToxic[] = [
  { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
  { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
];

const startLimitMs = 20_000;
/** A server that runs already answers at once. */
const answerLimitMs = 5000;

/** A Toxiproxy server: a running one, or ours. */
export class ToxiproxyService implements AsyncDisposable {
  readonly url: string;
  /** What it says it is; without one, it is ours. */
  readonly version: string | undefined;
  readonly #child: ChildProcess | undefined;

  private constructor(url: string, running: { version: string } | { child: ChildProcess }) {
    this.url = url;
    this.version = 'version' in running ? running.version : undefined;
    this.#child = 'child' in running ? running.child : undefined;
  }

  /** Takes the one at `runningUrl`, or starts ours. */
  static async start(seed: number, runningUrl = ''): Promise<ToxiproxyService> {
    if (runningUrl !== '') {
      const url = runningUrl.replace(/\/$/, '');
      const version = await versionOf(url);
      await removeLeftovers(url);
      return new ToxiproxyService(url, { version });
    }
    const program = join(projectRoot, 'chaos/run.mjs');
    const args = [program, 'chaos/toxiproxy/main.ts', '--port=0', `--seed=${seed}`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`Toxiproxy did not start within ${startLimitMs} ms`));
      }, startLimitMs);
      child.stdout.on('data', (bytes: Buffer) => {
        const found = /http:\/\/\S+/.exec(bytes.toString())?.[0];
        if (found !== undefined) {
          clearTimeout(timer);
          resolve(found);
        }
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`Toxiproxy ended with code ${code ?? 'none'} before it was ready`));
      });
    });
    return new ToxiproxyService(url, { child });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child?.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
  }
}

/** @throws nothing answers there, or something else than Toxiproxy. */
async function versionOf(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/version`, { signal: AbortSignal.timeout(answerLimitMs) });
    const body = await response.text();
    // Plain text before 2.6.
    const version = /^(?:\{"version": ")?(\d+\.\d+\.\d+\S*?)(?:"\})?\s*$/.exec(body)?.[1];
    if (!response.ok || version === undefined) {
      throw new Error(`it answers ${response.status} with ${body.slice(0, 100)}`);
    }
    return version;
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new Error(`no Toxiproxy at ${url}, which TOXIPROXY_URL names: ${why}`, { cause: error });
  }
}

/** Begins the names of a run's proxies: whose they are shows when the run has been killed. */
export function prefixOf(what: string, pid = process.pid): string {
  return `hf${pid}-${what}`;
}

/** Removes the proxies of runs that are over: they were killed, or they would have done it. */
async function removeLeftovers(url: string): Promise<void> {
  const proxies = Object.values(await new Toxiproxy(url).getAll());
  const leftovers = proxies.filter(({ name }) => {
    const pid = /^hf(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
  await Promise.all(leftovers.map(async (proxy) => proxy.remove()));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's, but there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The links of one cluster; see the module comment. */
export class Links {
  readonly #api: Toxiproxy;
  readonly #prefix: string;
  readonly #proxies = new Map<LinkName, Proxy>();
  /** Toxics that are on, by link. */
  readonly #toxics = new Map<LinkName, Set<string>>();
  #serial = 0;

  /** `prefix` keeps the proxies of several clusters apart. */
  constructor(url: string, prefix: string) {
    this.#api = new Toxiproxy(url);
    this.#prefix = prefix;
  }

  get names(): readonly LinkName[] {
    return Array.from(this.#proxies.keys());
  }

  /** Creates a link to `upstream` and returns where to dial. */
  async add(name: LinkName, upstream: string): Promise<string> {
    const proxy = await this.#api.createProxy({
      name: `${this.#prefix}-${name.replace('>', '-to-')}`,
      listen: '127.0.0.1:0',
      upstream,
      enabled: true,
    });
    this.#proxies.set(name, proxy);
    return proxy.listen;
  }

  /** Takes a link over that the server has already, and returns where to dial on this machine. */
  async adopt(name: LinkName): Promise<string> {
    const proxy = await this.#api.get(name.replace('>', '-to-'));
    this.#proxies.set(name, proxy);
    return `127.0.0.1:${proxy.listen.split(':').at(-1) ?? ''}`;
  }

  /** Puts toxics on these links; returns how to take them off again. */
  async disturb(
    names: readonly LinkName[],
    toxics: readonly LinkToxic[],
  ): Promise<() => Promise<void>> {
    const added: (() => Promise<void>)[] = [];
    await Promise.all(
      names.flatMap((name) =>
        toxics.map(async (toxic) => {
          added.push(await this.#add(name, toxic));
        }),
      ),
    );
    return async () => {
      await Promise.all(added.map(async (remove) => remove()));
    };
  }

  /** How many toxics the server says that it holds on these links. */
  async toxicsOn(names: readonly LinkName[]): Promise<number> {
    let count = 0;
    for (const name of names) {
      count += (await this.#heldOn(name)).length;
    }
    return count;
  }

  /** Refuses and ends the connections of these links; returns how to take them again. */
  async refuse(names: readonly LinkName[]): Promise<() => Promise<void>> {
    const set = async (enabled: boolean) => {
      await Promise.all(
        names.map(async (name) => {
          const { listen, upstream } = this.#find(name);
          await this.#find(name).update({ enabled, listen, upstream });
        }),
      );
    };
    await set(false);
    return async () => set(true);
  }

  /**
   * Ends whatever is on, on all links: by the server's word, since an earlier run that was killed
   * has left its toxics on links that are adopted.
   */
  async heal(): Promise<void> {
    this.#toxics.clear();
    for (const name of this.names) {
      for (const toxic of await this.#heldOn(name)) {
        await this.#takeOff(name, toxic);
      }
    }
    await Promise.all(
      Array.from(this.#proxies.values(), async (proxy) => {
        const { listen, upstream } = proxy;
        await proxy.update({ enabled: true, listen, upstream });
      }),
    );
  }

  /** Removes all of these proxies. */
  async remove(): Promise<void> {
    await Promise.all(Array.from(this.#proxies.values(), async (proxy) => proxy.remove()));
    this.#proxies.clear();
  }

  #find(name: LinkName): Proxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) {
      throw new Error(`there is no link ${name}; there are ${this.names.join(' ')}`);
    }
    return proxy;
  }

  async #add(name: LinkName, toxic: LinkToxic): Promise<() => Promise<void>> {
    const id = `t${(this.#serial += 1)}`;
    const { type, stream, attributes, toxicity = 1 } = toxic;
    await this.#ask(name, `take ${type}`, async (proxy) =>
      proxy.addToxic({ name: id, type, stream, toxicity, attributes }),
    );
    const on = this.#toxics.get(name) ?? new Set();
    this.#toxics.set(name, on.add(id));
    return async () => this.#remove(name, id);
  }

  async #remove(name: LinkName, id: string): Promise<void> {
    if (this.#toxics.get(name)?.delete(id) === true) {
      await this.#takeOff(name, id);
    }
  }

  async #takeOff(name: LinkName, id: string): Promise<void> {
    await this.#ask(name, `let ${id} go`, async (proxy) => (await proxy.getToxic(id)).remove());
  }

  /** Names of the toxics that the server holds on a link. */
  async #heldOn(name: LinkName): Promise<readonly string[]> {
    const { api, name: proxy } = this.#find(name);
    const url = `${this.#api.host}/proxies/${proxy}/toxics`;
    const { data } = await api.get<readonly { readonly name: string }[]>(url);
    return data.map((toxic) => toxic.name);
  }

  /** @throws Toxiproxy did not do it; the message names the link, and what is known of that. */
  async #ask(
    name: LinkName,
    what: string,
    change: (proxy: Proxy) => Promise<unknown>,
  ): Promise<void> {
    const proxy = this.#find(name);
    try {
      await change(proxy);
    } catch (error) {
      const { message } = error as Error;
      const known = message.endsWith('503')
        ? '; before 2.13 Toxiproxy hangs at times when connections end while toxics change'
        : '';
      throw new Error(`Toxiproxy did not ${what} on ${name}: ${message}${known}`, { cause: error });
    }
  }
}
