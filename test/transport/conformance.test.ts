/** The suite of transports, on real connections over loopback and on the network of the tests. */
import { credentials } from '@grpc/grpc-js';
import { describe, expect, vi } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { GrpcTransport, type Peer } from '../../src/transport/index.ts';
import { transportSuite } from '../conformance/transport.suite.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { VirtualNetwork } from '../harness/virtual-network.ts';

const idMax = 6;

describe('real transports', () => {
  transportSuite(async () => {
    const loop = new VirtualLoop();
    const ports = await freePorts(idMax + 1);
    const addressOf = (id: NodeId): string => `127.0.0.1:${ports[id] ?? 1}`;
    const peer = (id: NodeId): Peer => ({ id, name: `n${id}`, address: addressOf(id) });
    return {
      create: (id, { incarnation, peers }) =>
        new GrpcTransport({
          clusterId: 4711,
          memberId: id,
          ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
          incarnation,
          clientUrls: [],
          peerUrls: [`http://${addressOf(id)}`],
          peers: peers.map(peer),
          listen: plainListeners('peers', [addressOf(id)]),
          credentialsOf: () => credentials.createInsecure(),
          timers: loop,
          prng: createPrng(id),
          snapshotBytesPerSecondMax: Number.POSITIVE_INFINITY,
          onEvent: () => undefined,
        }),
      peer,
      // Input is real while time is virtual and goes on slowly.
      until: async (condition) => {
        await vi.waitFor(
          async () => {
            await loop.run(10);
            expect(condition()).toBe(true);
          },
          { timeout: 10_000, interval: 1 },
        );
      },
      pass: async (durationMs) => loop.run(durationMs),
    };
  });
});

describe('virtual transports', () => {
  transportSuite(async () => {
    const loop = new VirtualLoop();
    const network = new VirtualNetwork(loop);
    const peer = (id: NodeId): Peer => ({ id, name: `n${id}`, address: '' });
    return {
      create: (id, { incarnation, peers }) =>
        network.transport(id, { incarnation, peers: peers.map(peer) }),
      peer,
      until: async (condition) => loop.runUntil(condition, 60_000),
      pass: async (durationMs) => loop.run(durationMs),
    };
  });
});
