import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { freePorts } from '../../../src/cli/testing/free-ports.ts';

test('finds ports that are free, all different, below those of outgoing connections', async () => {
  const ports = await freePorts(5);

  expect(new Set(ports).size).toBe(5);
  for (const port of ports) {
    expect(port).toBeLessThan(32_768);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
});
