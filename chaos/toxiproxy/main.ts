/**
 * Starts our own Toxiproxy server as a command: `npm run toxiproxy -- --port 8474`.
 *
 * The flags are the real one's: `-host`, `-port`, `-config`, `-seed`, `-version`; two dashes work
 * as well. SIGTERM and SIGINT end it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createPrng } from '../../src/base/index.ts';
import { ToxiproxyServer, toxiproxyVersion } from './server.ts';

async function main(): Promise<void> {
  const args = process.argv.slice(2).map((each) => each.replace(/^-(?=[a-z]{2})/, '--'));
  const { values } = parseArgs({
    args,
    options: {
      host: { type: 'string', default: 'localhost' },
      port: { type: 'string', default: '8474' },
      config: { type: 'string' },
      seed: { type: 'string', default: String(Date.now()) },
      version: { type: 'boolean', default: false },
    },
  });
  if (values.version) {
    console.log(`toxiproxy-server version ${toxiproxyVersion} (Holdfast's own)`);
    return;
  }
  const prng = createPrng(Number(values.seed));
  const server = await ToxiproxyServer.start({
    host: values.host,
    port: Number(values.port),
    random: () => prng.nextUint32() / 0x1_0000_0000,
  });
  if (values.config !== undefined) {
    await server.populate(readFileSync(values.config, 'utf8'));
  }
  console.log(`Toxiproxy's API is served at ${server.url}`);
  const stop = () => {
    void server.stop();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

await main();
