/**
 * The docker engine of the tests: the one that runs on this machine, or one of our own, which is
 * gone afterwards with all it had.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, succeeds } from './run.ts';

const script = fileURLToPath(new URL('engine.sh', import.meta.url));
const namespace = '/run/netns/holdfast-docker';
/** Debian's base system is downloaded and unpacked once for each run. */
const startTimeoutMs = 300_000;
/** Removing what an engine has stored takes a minute on a busy disk. */
const stopTimeoutMs = 300_000;

/** An engine that answers. */
export interface Engine {
  /** For `docker` and `docker-compose`. */
  readonly env: Readonly<Record<string, string>>;
  /** In front of a command that is to see the ports which containers publish on this machine. */
  readonly onHost: readonly string[];
  stop(): Promise<void>;
}

/** @throws {Error} when there is no engine and none can be started; says what is missing. */
export async function startEngine(): Promise<Engine> {
  if (await succeeds(['docker', 'version'])) {
    return { env: {}, onHost: [], stop: async () => Promise.resolve() };
  }
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-docker-'));
  // eslint-disable-next-line no-console -- should this process be killed, somebody has to clean up
  console.log(`docker engine of our own; should it be left over: ${script} down ${directory}`);
  const started = await run(['bash', script, 'up', directory], { timeoutMs: startTimeoutMs });
  if (started !== '') {
    // eslint-disable-next-line no-console -- whoever reads the result must know what was tested
    console.log(started.trim());
  }
  return {
    env: { DOCKER_HOST: `unix://${directory}/docker.sock` },
    onHost: ['nsenter', `--net=${namespace}`],
    stop: async () => {
      await run(['bash', script, 'down', directory], { timeoutMs: stopTimeoutMs });
    },
  };
}
