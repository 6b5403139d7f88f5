/**
 * Images that take the place of those which no registry gives, under the same names, so that the
 * compose file is run as it is: Toxiproxy by our own server, Prometheus by Debian's. Grafana has
 * none: what it would show is checked without it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSimulator } from '../sim/build.ts';
import type { Engine } from './engine.ts';
import { run, succeeds } from './run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const base = 'node:24-bookworm-slim';
const pullTimeoutMs = 120_000;
const buildTimeoutMs = 300_000;

/** Makes the build's directory; returns its Dockerfile. */
type StandIn = (directory: string) => string;

const toxiproxy: StandIn = (directory) => {
  const main = buildSimulator({ root, out: directory, entry: 'chaos/toxiproxy/main.ts' });
  return `FROM ${base}
COPY . /toxiproxy
USER node
ENTRYPOINT ["node", "/toxiproxy${main.slice(directory.length)}"]
CMD ["-host=0.0.0.0"]
`;
};

const prometheus: StandIn = () => `FROM ${base}
RUN apt-get update && apt-get install -y --no-install-recommends prometheus busybox \\
  && ln -s busybox /bin/wget && mkdir -p /prometheus && chown nobody /prometheus
USER nobody
VOLUME /prometheus
ENTRYPOINT ["prometheus"]
`;

const standIns: readonly (readonly [RegExp, StandIn])[] = [
  [/\/toxiproxy:/, toxiproxy],
  [/\/prometheus:/, prometheus],
];

/** Which of the wanted images there is now, and how: itself, in another's place, or not at all. */
export type Provision = 'itself' | 'stand-in' | 'missing';

/** Sees to it that there is an image of the name, if any can be had. */
export async function provide(image: string, { env }: Engine): Promise<Provision> {
  const isThere =
    (await succeeds(['docker', 'image', 'inspect', image], { env })) ||
    (await succeeds(['docker', 'pull', '-q', image], { env, timeoutMs: pullTimeoutMs }));
  if (isThere) {
    return 'itself';
  }
  const standIn = standIns.find(([name]) => name.test(image))?.[1];
  if (standIn === undefined) {
    return 'missing';
  }
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-image-'));
  try {
    await writeFile(join(directory, 'Dockerfile'), standIn(directory));
    const build = ['docker', 'build', '-q', '-t', image, directory];
    await run(build, { env, timeoutMs: buildTimeoutMs });
  } finally {
    await rm(directory, { recursive: true });
  }
  return 'stand-in';
}
